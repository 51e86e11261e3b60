package bundle

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// TimestampLife is how long a timestamp is good for: how old what clients believe can be.
const TimestampLife = 24 * time.Hour

// RepositoryOptions say how long what is signed is valid (0: a year, 90 days, 7 days
// and 24 hours) and what time it is (nil: time.Now).
type RepositoryOptions struct {
	Root, Targets, Snapshot, Timestamp time.Duration
	Now                                func() time.Time
}

func (o RepositoryOptions) withDefaults() RepositoryOptions {
	const day = 24 * time.Hour
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.Root, RootLife}, {&o.Targets, 90 * day}, {&o.Snapshot, 7 * day}, {&o.Timestamp, TimestampLife}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Repository is a folder of static files that any server can serve: TUF metadata,
// targets, and programs by digest. Its methods may be used by several processes: one
// of them gets its turn, the others are told ReasonBusy.
//
// A publisher's copy is the one that others are copied from.
type Repository struct {
	dir  string
	root []byte // trusted: what lies in the folder is only believed on its word
	o    RepositoryOptions
	disk disk
}

// CreateRepository makes a repository that begins with a first root, as a key directory
// has it, and with a list of targets that the targets keys sign: the keys of the nexus,
// if there are any, and nothing else. The folder must not hold one yet.
func CreateRepository(dir string, root []byte, targetsKeys []*Key, o RepositoryOptions, nexus ...ed25519.PublicKey) error {
	return createRepository(dir, root, targetsKeys, o, public(), nexus...)
}

func createRepository(dir string, root []byte, targetsKeys []*Key, o RepositoryOptions, d disk, nexus ...ed25519.PublicKey) error {
	r := &Repository{dir: dir, root: root, o: o.withDefaults(), disk: d}
	first, err := (chain{Root: root}).root()
	switch {
	case err != nil:
		return err
	case first.Root.Signed.Version != 1:
		return refuse(ReasonInvalid, "the first root", fmt.Errorf("it is version %d, want 1", first.Root.Signed.Version))
	}
	if err := r.disk.makeAll(dir); err != nil {
		return diskError(dir, err)
	}
	return r.locked(func(set *trustedmetadata.TrustedMetadata) error {
		found, err := r.versions(metadata.ROOT)
		switch {
		case err != nil:
			return err
		case len(found) > 0:
			return refuse(ReasonInvalid, "a new repository in "+dir, errors.New("there is one already"))
		}
		targets := metadata.Targets()
		if len(nexus) > 0 {
			if err := r.nexusTarget(&changed{list: targets.Signed.Targets}, nexus); err != nil {
				return err
			}
		}
		if _, err := r.list(set, targetsKeys, targets); err != nil {
			return err
		}
		return r.add(1, metadata.ROOT, root)
	})
}

// OpenRepository opens a repository that began with a root, or came by it.
func OpenRepository(dir string, root []byte, o RepositoryOptions) (*Repository, error) {
	r := &Repository{dir: dir, root: root, o: o.withDefaults(), disk: public()}
	if _, err := r.trusted(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, metadataDir)); err != nil {
		return nil, diskError(dir, err)
	}
	return r, nil
}

// AddBlob adds a program. It is not to be had for anyone until a bundle names it.
func (r *Repository) AddBlob(data []byte) (digest string, err error) {
	if len(data) > MaxProgram {
		return "", refuse(ReasonTooLarge, "program", fmt.Errorf("%d bytes, at most %d allowed", len(data), MaxProgram))
	}
	digest = digested(data)
	name := blobPath(digest)
	if holds(r.path(name), digest, int64(len(data))) {
		return digest, nil
	}
	return digest, diskError(name, r.disk.write(r.path(name), data))
}

// Publish adds targets by name and returns the version of the new list, or renews the
// list if there are none. What is named as a bundle must be that bundle, have its
// programs in the repository already, and cannot be published again with other bytes.
// Clients see the new list when it is sealed.
func (r *Repository) Publish(keys []*Key, targets map[string][]byte) (version int64, err error) {
	return r.change(keys, func(c *changed) error {
		for name, data := range targets {
			if err := r.target(c, name, data); err != nil {
				return err
			}
		}
		return nil
	})
}

// PublishBundle adds the programs of a bundle, which program returns by digest, and then
// publishes the bundle.
func (r *Repository) PublishBundle(keys []*Key, b *Bundle, program func(digest string) ([]byte, error)) (version int64, err error) {
	data, err := b.Encode()
	if err != nil {
		return 0, err
	}
	for _, s := range b.Skills {
		bytes, err := program(s.Digest)
		if err != nil {
			return 0, err
		}
		if _, err := r.AddBlob(bytes); err != nil {
			return 0, err
		}
	}
	return r.Publish(keys, map[string][]byte{Listed{Name: b.Name, Version: b.Version}.TargetName(): data})
}

// target writes a target and lists it.
func (r *Repository) target(c *changed, name string, data []byte) error {
	if err := CheckTarget(name); err != nil {
		return err
	}
	if len(data) > MaxTarget {
		return refuse(ReasonTooLarge, name, fmt.Errorf("%d bytes, at most %d allowed", len(data), MaxTarget))
	}
	t, err := metadata.TargetFile().FromBytes(name, data, "sha256")
	if err != nil {
		return err
	}
	if strings.HasPrefix(name, bundlesDir+"/") {
		if before := c.list[name]; before != nil && !before.Equal(*t) {
			return refuse(ReasonConflict, name, nil)
		}
		if err := r.bundle(name, data); err != nil {
			return err
		}
	}
	path := r.path(targetPath(name, t.Hashes["sha256"]))
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		c.wrote = append(c.wrote, path)
	}
	c.list[name] = t
	return diskError(name, r.disk.write(path, data))
}

// bundle checks that a target is the bundle that its name says, with all programs.
func (r *Repository) bundle(name string, data []byte) error {
	b, err := decodeAs(name, data)
	if err != nil {
		return err
	}
	for _, p := range b.programs() {
		if !holds(r.path(blobPath(p.digest)), p.digest, p.size) {
			return refuse(ReasonMissing, blobPath(p.digest), fmt.Errorf("a program of %s", b))
		}
	}
	return nil
}

// Remove takes targets off the list and returns its new version. Spores that have
// them keep them; none installs them any more.
func (r *Repository) Remove(keys []*Key, names ...string) (version int64, err error) {
	return r.change(keys, func(c *changed) error {
		for _, name := range names {
			if c.list[name] == nil {
				return refuse(ReasonNotListed, fmt.Sprintf("%.200q", name), nil)
			}
			delete(c.list, name)
		}
		return nil
	})
}

// changed is a list that is being changed, and the files that were not there before.
type changed struct {
	list  targetFiles
	wrote []string
}

func (r *Repository) change(keys []*Key, edit func(*changed) error) (version int64, err error) {
	err = r.locked(func(set *trustedmetadata.TrustedMetadata) error {
		targets, _, err := newest[metadata.TargetsType](r, set, metadata.TARGETS)
		if err != nil {
			return err
		}
		version, err = r.changeList(set, keys, targets, edit)
		return err
	})
	return version, err
}

// changeList signs a list after edit. If it cannot, it takes away what edit wrote: who
// has no space and tries again and again would leave something each time.
func (r *Repository) changeList(set *trustedmetadata.TrustedMetadata, keys []*Key, targets *metadata.Metadata[metadata.TargetsType], edit func(*changed) error) (version int64, err error) {
	c := &changed{list: targets.Signed.Targets}
	if err = edit(c); err == nil {
		version, err = r.list(set, keys, targets)
	}
	if err != nil && !r.has(metadataName(version, metadata.TARGETS)) {
		for _, path := range c.wrote {
			r.disk.remove(path)
		}
	}
	return version, err
}

// list signs a list of targets anew and writes it.
func (r *Repository) list(set *trustedmetadata.TrustedMetadata, keys []*Key, targets *metadata.Metadata[metadata.TargetsType]) (int64, error) {
	version, err := r.next(metadata.TARGETS)
	if err != nil {
		return 0, err
	}
	targets.Signed.Version, targets.Signed.Expires = version, r.until(r.o.Targets)
	data, err := signMetadata(targets, counting(&set.Root.Signed, metadata.TARGETS, keys))
	switch {
	case err != nil:
		return 0, err
	case len(data) > maxTargets:
		return 0, refuse(ReasonTooLarge, "the list of targets", fmt.Errorf("%d bytes, at most %d allowed", len(data), maxTargets))
	}
	if err := set.Root.VerifyDelegate(metadata.TARGETS, targets); err != nil {
		return 0, because("the list of targets", err)
	}
	return version, r.add(version, metadata.TARGETS, data)
}

// Targets returns the digests of all that is listed now, by target name.
func (r *Repository) Targets() (map[string]string, error) {
	digests := map[string]string{}
	err := r.locked(func(set *trustedmetadata.TrustedMetadata) error {
		targets, _, err := newest[metadata.TargetsType](r, set, metadata.TARGETS)
		if err != nil {
			return err
		}
		for name, t := range targets.Signed.Targets {
			digests[name] = digestOf(t.Hashes["sha256"])
		}
		return nil
	})
	return digests, err
}

// Bundle returns a bundle that is listed now.
func (r *Repository) Bundle(name, version string) (*Bundle, error) {
	list, err := r.Targets()
	if err != nil {
		return nil, err
	}
	return r.Stored(name, Ref{version, list[Listed{Name: name, Version: version}.TargetName()]})
}

// Stored returns a bundle that is listed, as Targets says, by its digest.
func (r *Repository) Stored(name string, ref Ref) (*Bundle, error) {
	target := Listed{Name: name, Version: ref.Version}.TargetName()
	data, err := r.stored(target, ref.Digest)
	if err != nil {
		return nil, err
	}
	return decodeAs(target, data)
}

// stored returns the bytes of a target by its digest, which is empty if it is not listed.
func (r *Repository) stored(target, digest string) ([]byte, error) {
	sum, err := hex.DecodeString(hexDigits(digest))
	if err != nil || len(sum) == 0 {
		return nil, refuse(ReasonNotListed, fmt.Sprintf("%.200q", target), nil)
	}
	data, err := r.disk.read(r.path(targetPath(target, sum)), MaxTarget)
	switch {
	case err != nil:
		return nil, diskError(target, err)
	case digested(data) != digest:
		return nil, refuse(ReasonBadHash, target, nil)
	}
	return data, nil
}

// Bundles returns the bundles that are listed now, by name and version.
func (r *Repository) Bundles() (list []Listed, err error) {
	err = r.locked(func(set *trustedmetadata.TrustedMetadata) error {
		targets, _, err := newest[metadata.TargetsType](r, set, metadata.TARGETS)
		if err != nil {
			return err
		}
		list = listedOf(targets.Signed.Targets)
		return nil
	})
	return list, err
}
