package bundle

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Rotation says which keys of a key directory are to be new.
type Rotation struct {
	Keys string // the key directory
	// New is a key directory to make: the new keys, and copies of the others. Empty:
	// the new keys take the place of the old ones, which stay as NAME.old-N.
	New           string
	Roles         []string // that get new keys; none: the same keys for longer
	Root, Targets Quorum   // of the new keys; zero: as it was
	Passphrase    string   // of the keys of root and targets, old and new
}

// Rotated says what became of a rotation.
type Rotated struct {
	Root    int64 // version of the newest root
	Sealed  bool  // false: clients refuse the repository until it is sealed
	Resumed bool  // another one, which was interrupted, was ended instead
	// Old are the files of old keys: those that are there, or that FinishKeys removed.
	Old []string
}

// RotateKeys makes new keys and has the repository know them: the next root names them,
// signed by the root keys of the directory and the new ones, and what is listed is
// listed anew. Keys of the nexus are added to those it has until FinishKeys. If the keys
// of snapshot and timestamp are there, the repository is sealed at once.
//
// The new keys are on the disk before the repository names them, and the old ones leave
// their place after that. Wherever it is interrupted the directory can sign, and the
// next RotateKeys ends it.
func (r *Repository) RotateKeys(o Rotation) (*Rotated, error) { return r.rotateKeys(o, private()) }

func (r *Repository) rotateKeys(o Rotation, d disk) (out *Rotated, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	k := &keyRotation{Rotation: o, repo: r, disk: d}
	if o.New != "" { // nothing of the old directory changes, which may be read-only
		return k.run()
	}
	err = alone(o.Keys, func() error {
		if err := d.sweep(o.Keys); err != nil {
			return err
		}
		out, err = k.run()
		return err
	})
	return out, err
}

func (o *Rotation) check() error {
	for _, role := range o.Roles {
		if !slices.Contains(KeyRoles, role) {
			return fmt.Errorf("role %.40q: want one of %v", role, KeyRoles)
		}
	}
	for role, q := range map[string]Quorum{RoleRoot: o.Root, RoleTargets: o.Targets} {
		if q == (Quorum{}) {
			continue
		}
		if err := q.Check(); err != nil {
			return fmt.Errorf("%s keys: %w", role, err)
		}
	}
	return nil
}

// keyRotation is a rotation under way.
type keyRotation struct {
	Rotation
	repo *Repository
	disk disk
}

func (k *keyRotation) has(role string) bool { return slices.Contains(k.Roles, role) }

// made is the folder in which new keys appear.
func (k *keyRotation) made() string {
	if k.New != "" {
		return k.New
	}
	return filepath.Join(k.Keys, NextKeys)
}

// beside is that folder before it is whole.
func (k *keyRotation) beside() string {
	return filepath.Join(filepath.Dir(k.made()), temporary+filepath.Base(k.made()))
}

func (k *keyRotation) run() (*Rotated, error) {
	if next := filepath.Join(k.Keys, NextKeys); k.New != "" && exists(next) {
		return nil, fmt.Errorf("%s: a rotation was interrupted; end it first, without another directory", next)
	}
	if err := os.RemoveAll(k.beside()); err != nil {
		return nil, err
	}
	resumed, err := k.resume()
	if err == nil && !resumed {
		err = k.begin()
	}
	if err != nil {
		return nil, err
	}
	out := &Rotated{Resumed: resumed}
	sealed, errSeal := k.seal()
	out.Sealed = sealed
	out.Root, err = k.settle()
	if err := errors.Join(errSeal, err); err != nil {
		return nil, fmt.Errorf("the repository knows the new keys, but: %w", err)
	}
	out.Old, err = oldKeys(k.Keys, KeyRoles)
	return out, err
}

// begin makes the keys and has the repository name them.
func (k *keyRotation) begin() error {
	root, _, err := k.repo.newestRoot()
	if err != nil {
		return err
	}
	now, err := rolesIn(root)
	if err != nil {
		return err
	}
	old, err := k.signers()
	if err != nil {
		return err
	}
	made, err := k.make(now)
	if err != nil {
		return fmt.Errorf("make keys in %s: %w", k.made(), err)
	}
	return k.commit(old, made)
}

// signers are the old keys that have to sign.
func (k *keyRotation) signers() (old []*Key, err error) {
	roles := []string{RoleRoot, RoleTargets}
	switch {
	case len(k.Roles) == 1 && k.has(RoleNexus):
		roles = roles[1:]
	case k.has(RoleTargets):
		roles = roles[:1]
	}
	for _, role := range roles {
		keys, err := LoadKeys(k.Keys, role, k.Passphrase)
		if err != nil {
			return nil, err
		}
		old = append(old, keys...)
	}
	return old, nil
}

// commit has the repository name what was made.
func (k *keyRotation) commit(old, made []*Key) error {
	edit := func(c *changed) error {
		if !k.has(RoleNexus) {
			return nil
		}
		before, err := k.nexus(c.list)
		if err != nil {
			return err
		}
		return k.repo.nexusTarget(c, append(publicKeys(ofRole(RoleNexus, made)), before...))
	}
	keys := slices.Concat(old, made)
	if len(k.Roles) == 1 && k.has(RoleNexus) {
		_, err := k.repo.change(ofRole(RoleTargets, keys), edit)
		return err
	}
	_, err := k.repo.rotate(func(now Roles) Roles { return k.roles(now, made) }, ofRole(RoleRoot, keys), ofRole(RoleTargets, keys), edit)
	return err
}

// nexus are the keys that the nexus has now: those that are listed, and the directory's.
func (k *keyRotation) nexus(list targetFiles) ([]ed25519.PublicKey, error) {
	listed, err := k.repo.nexusIn(list)
	if err != nil {
		return nil, err
	}
	held, err := loadKeys(k.Keys, RoleNexus, k.Passphrase)
	for _, key := range publicKeys(held) {
		if !slices.ContainsFunc(listed, func(l ed25519.PublicKey) bool { return l.Equal(key) }) {
			listed = append(listed, key)
		}
	}
	return listed, err
}

// roles are those of now with the new keys in their place.
func (k *keyRotation) roles(now Roles, made []*Key) Roles {
	for _, name := range tufRoles {
		if k.has(name) {
			*now.of(name) = KeysOf(k.quorum(now, name).Need, ofRole(name, made)...)
		}
	}
	return now
}

// quorum is that of a role's new keys.
func (k *keyRotation) quorum(now Roles, role string) Quorum {
	switch {
	case role == RoleRoot && k.Root.Of > 0:
		return k.Root
	case role == RoleTargets && k.Targets.Of > 0:
		return k.Targets
	case role == RoleRoot || role == RoleTargets:
		return Quorum{now.of(role).Threshold, len(now.of(role).Keys)}
	}
	return Quorum{1, 1}
}

// seal reports whether clients can see it.
func (k *keyRotation) seal() (bool, error) {
	from := k.Keys
	if k.New != "" {
		from = k.New
	}
	var online [2][]*Key
	for i, role := range []string{RoleSnapshot, RoleTimestamp} {
		keys, err := LoadKeys(from, role, k.Passphrase)
		if errors.Is(err, ErrNoKey) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		online[i] = keys
	}
	err := k.repo.Seal(online[0], online[1])
	if Reason(err) == ReasonBadSignature { // they are not the ones
		return false, nil
	}
	return err == nil, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func ofRole(role string, keys []*Key) []*Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k *Key) bool { return k.Role != role })
}

func publicKeys(keys []*Key) (list []ed25519.PublicKey) {
	for _, key := range keys {
		list = append(list, key.Ed25519())
	}
	return list
}

// resume looks for what an earlier rotation left, and reports whether the repository
// names it, so that it has only to be ended. What it does not name is gone afterwards.
func (k *keyRotation) resume() (bool, error) {
	if !exists(k.made()) {
		return false, nil
	}
	var keys []*Key
	for _, role := range KeyRoles {
		found, err := loadKeys(k.made(), role, k.Passphrase)
		if err != nil {
			return false, err
		}
		keys = append(keys, found...)
	}
	known, err := k.known(keys)
	switch {
	case err != nil || known && len(keys) > 0:
		return known, err
	case k.New != "":
		return false, fmt.Errorf("%s: there already, and not the keys of this repository; keys are never overwritten", k.New)
	}
	return false, k.remove(k.made())
}

// known reports whether the repository names all of keys.
func (k *keyRotation) known(keys []*Key) (bool, error) {
	root, _, err := k.repo.newestRoot()
	if err != nil {
		return false, err
	}
	nexus, err := k.repo.NexusKeys()
	for _, key := range keys {
		switch {
		case key.Role == RoleNexus && slices.ContainsFunc(nexus, func(n ed25519.PublicKey) bool { return n.Equal(key.Ed25519()) }):
		case key.Role != RoleNexus && len(counting(root, key.Role, []*Key{key})) == 1:
		default:
			return false, err
		}
	}
	return true, err
}

func (k *keyRotation) remove(dir string) error {
	if err := k.disk.may("remove"); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(dir), k.disk.syncDir(filepath.Dir(dir)))
}
