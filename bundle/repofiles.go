package bundle

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// RoleKeys are the keys of a role, and how many of them must have signed.
type RoleKeys struct {
	Keys      []ed25519.PublicKey
	Threshold int
}

// KeysOf is a role that has the public halves of keys.
func KeysOf(threshold int, keys ...*Key) RoleKeys {
	role := RoleKeys{Threshold: threshold}
	for _, key := range keys {
		role.Keys = append(role.Keys, key.Ed25519())
	}
	return role
}

// Roles say who signs what: root and targets are a publisher's and stay offline,
// snapshot and timestamp are online at a nexus.
type Roles struct {
	Root, Targets, Snapshot, Timestamp RoleKeys
}

// tufRoles are the roles that a root knows.
var tufRoles = []string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP}

// of is the role of a name among tufRoles.
func (roles *Roles) of(name string) *RoleKeys {
	switch name {
	case metadata.ROOT:
		return &roles.Root
	case metadata.TARGETS:
		return &roles.Targets
	case metadata.SNAPSHOT:
		return &roles.Snapshot
	}
	return &roles.Timestamp
}

// rolesIn are the roles that a root says.
func rolesIn(root *metadata.RootType) (roles Roles, err error) {
	for _, name := range tufRoles {
		role := roles.of(name)
		role.Threshold = root.Roles[name].Threshold
		for _, id := range root.Roles[name].KeyIDs {
			key, err := hex.DecodeString(root.Keys[id].Value.PublicKey)
			if err != nil || len(key) != ed25519.PublicKeySize {
				return Roles{}, refuse(ReasonInvalid, "root", fmt.Errorf("key %.64q of %s is no ed25519 key", id, name))
			}
			role.Keys = append(role.Keys, key)
		}
	}
	return roles, nil
}

// counting are those of keys that root has for a role: signatures of others say nothing.
func counting(root *metadata.RootType, role string, keys []*Key) (list []*Key) {
	for _, key := range keys {
		if r := root.Roles[role]; r != nil && slices.Contains(r.KeyIDs, key.ID()) {
			list = append(list, key)
		}
	}
	return list
}

// root is a root that is not signed yet.
func (roles Roles) root(version int64, expires time.Time) (*metadata.Metadata[metadata.RootType], error) {
	root := metadata.Root(expires.UTC().Truncate(time.Second))
	root.Signed.Version = version
	for _, name := range tufRoles {
		role := roles.of(name)
		for _, public := range role.Keys {
			key, err := metadata.KeyFromPublicKey(public)
			if err != nil {
				return nil, err
			}
			if err := root.Signed.AddKey(key, name); err != nil {
				return nil, err
			}
		}
		if n := len(root.Signed.Roles[name].KeyIDs); role.Threshold < 1 || role.Threshold > n {
			return nil, refuse(ReasonInvalid, name, fmt.Errorf("a threshold of %d with %d different keys", role.Threshold, n))
		}
		root.Signed.Roles[name].Threshold = role.Threshold
	}
	return root, nil
}

// first is the root that a repository of these roles begins with.
func (roles Roles) first(keys []*Key, expires time.Time) ([]byte, error) {
	root, err := roles.root(1, expires)
	if err != nil {
		return nil, err
	}
	return signMetadata(root, keys)
}

// signMetadata puts the signatures of keys in the place of what there was.
func signMetadata[T metadata.Roles](m *metadata.Metadata[T], keys []*Key) ([]byte, error) {
	payload, err := cjson.EncodeCanonical(m.Signed)
	if err != nil {
		return nil, err
	}
	m.ClearSignatures()
	for _, key := range keys {
		id := key.ID()
		if slices.ContainsFunc(m.Signatures, func(s metadata.Signature) bool { return s.KeyID == id }) {
			continue
		}
		sig, err := key.Sign(nil, payload, crypto.Hash(0))
		if err != nil {
			return nil, err
		}
		m.Signatures = append(m.Signatures, metadata.Signature{KeyID: id, Signature: sig})
	}
	return m.ToBytes(false)
}

// until is a time from now, in the seconds that TUF knows.
func (r *Repository) until(d time.Duration) time.Time {
	return r.o.Now().Add(d).UTC().Truncate(time.Second)
}

func (r *Repository) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

// How long somebody waits for another one who changes a folder, and how often it looks
// whether that is over.
const (
	turnWithin = 5 * time.Second
	turnEvery  = 5 * time.Millisecond
)

// Alone runs f while nobody else changes the repository, nor what lies beside it and
// is changed this way.
func (r *Repository) Alone(f func() error) error { return alone(r.dir, f) }

// alone runs f while nobody else changes a folder.
func alone(dir string, f func() error) error {
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return diskError(dir, err)
	}
	defer lock.Close()
	for waited := time.Duration(0); ; waited += turnEvery {
		err := lockFile(lock)
		if err == nil {
			defer unlockFile(lock)
			return f()
		}
		if waited >= turnWithin {
			return refuse(ReasonBusy, dir, err)
		}
		time.Sleep(turnEvery)
	}
}

// locked runs f alone, with the newest root.
func (r *Repository) locked(f func(*trustedmetadata.TrustedMetadata) error) (err error) {
	defer recovered(r.dir, &err)
	return r.Alone(func() error {
		if err := r.disk.sweep(r.path(metadataDir)); err != nil {
			return diskError(r.dir, err)
		}
		set, err := r.trusted()
		if err != nil {
			return err
		}
		return f(set)
	})
}

// trusted follows the roots in the folder from the one that is trusted.
func (r *Repository) trusted() (set *trustedmetadata.TrustedMetadata, err error) {
	defer recovered(r.dir, &err)
	if set, err = (chain{Root: r.root}).root(); err != nil {
		return nil, err
	}
	for {
		name := metadataName(set.Root.Signed.Version+1, metadata.ROOT)
		data, err := r.disk.read(r.path(name), maxRoot)
		if errors.Is(err, fs.ErrNotExist) {
			return set, nil
		}
		if err != nil {
			return nil, diskError(name, err)
		}
		if _, err := set.UpdateRoot(data); err != nil {
			return nil, because(name, err)
		}
	}
}

func metadataName(version int64, role string) string {
	return path.Join(metadataDir, fmt.Sprintf("%d.%s.json", version, role))
}

// versions are those of a role that lie in the folder, the newest first.
func (r *Repository) versions(role string) ([]int64, error) {
	entries, err := os.ReadDir(r.path(metadataDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, diskError(metadataDir, err)
	}
	var found []int64
	for _, e := range entries {
		number, ok := strings.CutSuffix(e.Name(), "."+role+".json")
		if version, err := strconv.ParseInt(number, 10, 64); ok && err == nil && version > 0 {
			found = append(found, version)
		}
	}
	slices.Sort(found)
	slices.Reverse(found)
	return found, nil
}

// Newest is the version of the newest list of targets that lies in the folder, by its
// name alone: another one than before tells who looks often that something was
// published, and it is time to seal.
func (r *Repository) Newest() (int64, error) {
	found, err := r.versions(metadata.TARGETS)
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, refuse(ReasonMissing, metadata.TARGETS, nil)
	}
	return found[0], nil
}

// next is the version of a role's next file.
func (r *Repository) next(role string) (int64, error) {
	found, err := r.versions(role)
	if err != nil || len(found) == 0 {
		return r.after(0), err
	}
	return r.after(found[0]), nil
}

// after is a version that comes after another one, and after all that were given out
// before now: a repository that was restored from a backup does not know the last.
func (r *Repository) after(version int64) int64 { return max(version+1, r.o.Now().Unix()) }

// newest returns the newest file of a role that the role's keys have signed, and how
// others are to speak of it. Files that they have not are of a rotation that did not
// come to its end, or of a stranger.
func newest[T metadata.Roles](r *Repository, set *trustedmetadata.TrustedMetadata, role string) (*metadata.Metadata[T], *metadata.MetaFiles, error) {
	found, err := r.versions(role)
	if err != nil {
		return nil, nil, err
	}
	for _, version := range found {
		name := metadataName(version, role)
		data, err := r.disk.read(r.path(name), maxTargets)
		if err != nil {
			return nil, nil, diskError(name, err)
		}
		m, err := new(metadata.Metadata[T]).FromBytes(data)
		if err == nil && versionOf(m) == version && set.Root.VerifyDelegate(role, m) == nil {
			return m, fileOf(version, data), nil
		}
	}
	return nil, nil, refuse(ReasonMissing, role+" signed by keys that root trusts", errors.New("was the repository made with another root?"))
}

func versionOf[T metadata.Roles](m *metadata.Metadata[T]) int64 {
	switch signed := any(&m.Signed).(type) {
	case *metadata.TargetsType:
		return signed.Version
	case *metadata.SnapshotType:
		return signed.Version
	}
	return 0
}

// fileOf says of a metadata file what must be true of it.
func fileOf(version int64, data []byte) *metadata.MetaFiles {
	sum := sha256.Sum256(data)
	return &metadata.MetaFiles{Version: version, Length: int64(len(data)), Hashes: metadata.Hashes{"sha256": sum[:]}}
}

// add writes a version of a role that was not there.
func (r *Repository) add(version int64, role string, data []byte) error {
	name := metadataName(version, role)
	if r.has(name) {
		return refuse(ReasonBusy, name, nil)
	}
	return diskError(name, r.disk.write(r.path(name), data))
}

// has reports whether there is such a file, or may be.
func (r *Repository) has(name string) bool {
	_, err := os.Lstat(r.path(name))
	return !errors.Is(err, fs.ErrNotExist)
}
