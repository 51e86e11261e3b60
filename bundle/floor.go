package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// The files of a client's state, beside the folder of blobs.
const (
	trustedFile = "trusted" // a stored
	floorFile   = "floor"   // a floor
	maxState    = 2 * (maxRoot + maxTimestamp + maxSnapshot + maxTargets)
)

// chain is the metadata of one state of a repository, as it was signed. All but the
// root may be missing.
type chain struct {
	Root, Timestamp, Snapshot, Targets []byte
}

// stored is a chain on disk, and the first root it was built on.
type stored struct {
	Anchor string
	chain
}

// load verifies the chain, as of a time; the zero time: whether or not it has
// expired.
func (c chain) load(at time.Time) (_ *trustedmetadata.TrustedMetadata, err error) {
	defer recovered("the stored metadata", &err)
	set, err := trustedmetadata.New(c.Root)
	if err != nil {
		return nil, because("root", err)
	}
	set.RefTime = at
	if _, err := set.UpdateTimestamp(c.Timestamp); err != nil {
		return nil, because("timestamp", err)
	}
	if _, err := set.UpdateSnapshot(c.Snapshot, false); err != nil {
		return nil, because("snapshot", err)
	}
	_, err = set.UpdateTargets(c.Targets)
	return set, because("targets", err)
}

// recovered makes a panic of the TUF library about what it was given an error.
func recovered(what string, err *error) {
	if p := recover(); p != nil {
		*err = refuse(ReasonUnparsable, what, fmt.Errorf("%v", p))
	}
}

// floor is the least that is accepted, kept apart from the metadata so that it
// outlives them. It is about one first root, and of each role about the keys that
// the role had: with other keys it begins anew, or a thief of the old ones could
// have raised it for ever.
type floor struct {
	Anchor string
	Time   time.Time // of the last refresh
	Root   rootFloor
	Roles  map[string]roleFloor
}

type rootFloor struct {
	Version int64
	Digest  string // of what was signed: a fork is no successor
}

type roleFloor struct {
	Version int64
	Keys    string
}

// of is the least version of a role, 0 if there is none.
func (f floor) of(role string, root *metadata.RootType) int64 {
	if r := f.Roles[role]; r.Keys == roleKeys(role, root) {
		return r.Version
	}
	return 0
}

// raised is the floor after a verified set was seen.
func (f floor) raised(set *trustedmetadata.TrustedMetadata, at time.Time) floor {
	root := &set.Root.Signed
	f = f.rooted(root)
	f.Roles = maps.Clone(f.Roles)
	if f.Roles == nil {
		f.Roles = map[string]roleFloor{}
	}
	for role, version := range map[string]int64{
		metadata.TIMESTAMP: set.Timestamp.Signed.Version,
		metadata.SNAPSHOT:  set.Snapshot.Signed.Version,
		metadata.TARGETS:   set.Targets[metadata.TARGETS].Signed.Version,
	} {
		f.Roles[role] = roleFloor{max(version, f.of(role, root)), roleKeys(role, root)}
	}
	if at.After(f.Time) {
		f.Time = at.UTC()
	}
	return f
}

// rooted is the floor after a verified root was seen.
func (f floor) rooted(root *metadata.RootType) floor {
	if root.Version >= f.Root.Version {
		f.Root = rootFloor{root.Version, rootDigest(root)}
	}
	return f
}

// checkRoot refuses a root that takes the place of another one of its version.
func (f floor) checkRoot(what string, root *metadata.RootType) error {
	if root.Version == f.Root.Version && rootDigest(root) != f.Root.Digest {
		return refuse(ReasonRollback, what, errors.New("it is not the root of this version that was seen before"))
	}
	return nil
}

// check refuses a version below the floor.
func (f floor) check(what, role string, version int64, root *metadata.RootType) error {
	if least := f.of(role, root); version < least {
		return refuse(ReasonRollback, what, fmt.Errorf("%s is version %d, and version %d was seen", role, version, least))
	}
	return nil
}

func rootDigest(root *metadata.RootType) string {
	signed, err := cjson.EncodeCanonical(root)
	if err != nil {
		return ""
	}
	return digested(signed)
}

// roleKeys is one text for a role's keys and threshold, whatever the keys are called.
func roleKeys(role string, root *metadata.RootType) string {
	r := root.Roles[role]
	if r == nil {
		return ""
	}
	keys := []string{fmt.Sprint(r.Threshold)}
	for _, id := range r.KeyIDs {
		if key := root.Keys[id]; key != nil {
			keys = append(keys, key.Value.PublicKey)
		}
	}
	slices.Sort(keys[1:])
	sum := sha256.Sum256([]byte(strings.Join(keys, " ")))
	return hex.EncodeToString(sum[:])
}

// saveState writes v as JSON and the SHA-256 of it on a line of its own: a damaged
// file must be known, since versions in it decide.
func (d disk) saveState(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(data) > maxState-2*sha256.Size-2 { // it could not be read again
		return refuse(ReasonTooLarge, filepath.Base(path), tooLong(len(data), maxState))
	}
	sum := sha256.Sum256(data)
	return diskError(filepath.Base(path), d.write(path, fmt.Appendf(data, "\n%x\n", sum)))
}

// loadState reads what saveState wrote. A file that is damaged is put aside as
// NAME.broken, and is then as good as one that is missing.
func (d disk) loadState(path string, v any) (damaged bool, err error) {
	name := filepath.Base(path)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, diskError(name, err)
	case !info.Mode().IsRegular() || info.Size() > maxState:
		return true, diskError(name, d.putAside(path))
	}
	data, err := d.read(path, maxState)
	if err != nil {
		return false, diskError(name, err)
	}
	if !parseState(data, v) {
		return true, diskError(name, d.putAside(path))
	}
	return false, nil
}

// parseState reads the bytes that saveState wrote.
func parseState(data []byte, v any) bool {
	text, rest, _ := bytes.Cut(data, []byte("\n"))
	return string(rest) == fmt.Sprintf("%x\n", sha256.Sum256(text)) && json.Unmarshal(text, v) == nil
}

func (d disk) putAside(path string) error {
	if err := os.RemoveAll(path + ".broken"); err != nil {
		return err
	}
	return d.rename(path, path+".broken")
}
