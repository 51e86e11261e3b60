package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// FirstRoot is the file of a key directory that is no secret: the root that a
// repository begins with, and that every spore is given by hand, since its trust starts
// there.
const FirstRoot = "root.json"

// NewestRoot is a file of a key directory that rotations write: the root that names the
// keys in it. A new spore may be given either.
const NewestRoot = "newest-root.json"

// NextKeys is the folder of a key directory with keys that a rotation is about to put
// into their place. After an interruption it stays, and its keys sign as well.
const NextKeys = "next"

// maxKeys bounds the keys of one role.
const maxKeys = 16

// RootLife is how long root metadata is good for.
const RootLife = 365 * 24 * time.Hour

// Quorum says how many of a role's keys must sign.
type Quorum struct{ Need, Of int }

// Check reports a quorum that cannot be.
func (q Quorum) Check() error {
	if q.Need < 1 || q.Need > q.Of || q.Of > maxKeys {
		return fmt.Errorf("%d of %d must sign; want 1 or more, of at most %d", q.Need, q.Of, maxKeys)
	}
	return nil
}

// InitKeys makes a key directory: root-1.key to root-N.key, targets-1.key to
// targets-N.key, snapshot.key, timestamp.key, nexus.key, and root.json, signed by all
// of the root keys. The passphrase is for the keys of root and targets; nexus signs
// unattended, so its three have none. The directory appears with all of its files or
// not at all, and never in the place of another.
func InitKeys(dir string, root, targets Quorum, now time.Time, passphrase string) error {
	if err := root.Check(); err != nil {
		return fmt.Errorf("root keys: %w", err)
	}
	if err := targets.Check(); err != nil {
		return fmt.Errorf("targets keys: %w", err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	err = appear(filepath.Dir(dir), filepath.Base(dir), settle, func(f draft) error {
		return fillKeys(f, root, targets, now, passphrase)
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: there already, and no empty folder; keys are never overwritten", dir)
	}
	if err != nil {
		return fmt.Errorf("make keys in %s: %w", dir, err)
	}
	return nil
}

// keyFile is a file of a key directory.
type keyFile struct {
	role, name string
	offline    bool
}

// keyFiles lists a key directory's keys, root's first.
func keyFiles(root, targets Quorum) (files []keyFile) {
	for _, many := range []struct {
		role string
		n    int
	}{{RoleRoot, root.Of}, {RoleTargets, targets.Of}} {
		for i := range many.n {
			files = append(files, keyFile{many.role, fmt.Sprintf("%s-%d.key", many.role, i+1), true})
		}
	}
	for _, role := range []string{RoleSnapshot, RoleTimestamp, RoleNexus} {
		files = append(files, keyFile{role, role + ".key", false})
	}
	return files
}

func fillKeys(f draft, root, targets Quorum, now time.Time, passphrase string) error {
	var keys []*Key
	for _, file := range keyFiles(root, targets) {
		with := passphrase
		if !file.offline {
			with = ""
		}
		key, err := fillKey(f, file, with)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	first, err := rolesOf(keys, root, targets).first(keys[:root.Of], now.Add(RootLife))
	if err != nil {
		return err
	}
	return f.write(FirstRoot, first)
}

func fillKey(f draft, file keyFile, passphrase string) (*Key, error) {
	key, err := NewKey(file.role)
	if err != nil {
		return nil, err
	}
	data, err := key.seal(passphrase)
	if err != nil {
		return nil, err
	}
	return key, f.write(file.name, data)
}

// rolesOf are the roles of a key directory's keys. TUF knows none for nexus' own.
func rolesOf(keys []*Key, root, targets Quorum) Roles {
	of := func(role string, need int) RoleKeys {
		return KeysOf(need, slices.DeleteFunc(slices.Clone(keys), func(k *Key) bool { return k.Role != role })...)
	}
	return Roles{
		Root: of(RoleRoot, root.Need), Targets: of(RoleTargets, targets.Need),
		Snapshot: of(RoleSnapshot, 1), Timestamp: of(RoleTimestamp, 1),
	}
}

// keyNames are the names that files with keys of a role may have.
func keyNames(role string) []string {
	names := []string{role + ".key"}
	for i := range maxKeys {
		names = append(names, fmt.Sprintf("%s-%d.key", role, i+1))
	}
	return names
}

// ErrNoKey says that a key directory has no key of a role.
var ErrNoKey = errors.New("no key for the role")

// LoadKeys reads the keys of a role that a key directory holds: ROLE.key, ROLE-1.key,
// ROLE-2.key and so on, and those that a rotation which was interrupted left beside
// them. A publisher may keep the keys of one role in different places, so some may be
// missing; that none is there is ErrNoKey.
func LoadKeys(dir, role, passphrase string) (keys []*Key, err error) {
	for _, folder := range []string{dir, filepath.Join(dir, NextKeys)} {
		found, err := loadKeys(folder, role, passphrase)
		if err != nil {
			return nil, err
		}
		keys = append(keys, found...)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: %w %s (%[3]s.key or %[3]s-1.key); nexus keys init makes one", dir, ErrNoKey, role)
	}
	return keys, nil
}

func loadKeys(dir, role, passphrase string) (keys []*Key, err error) {
	for _, name := range keyNames(role) {
		key, err := LoadKey(filepath.Join(dir, name), passphrase)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if key.Role != role {
			return nil, fmt.Errorf("%s: it is a %s key", filepath.Join(dir, name), key.Role)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
