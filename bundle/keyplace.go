package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// make makes the new keys. Their folder appears with all of them or not at all.
func (k *keyRotation) make(now Roles) (made []*Key, err error) {
	if len(k.Roles) == 0 {
		return nil, nil
	}
	beside := k.beside()
	if err := k.disk.makeAll(beside); err != nil {
		return nil, err
	}
	for _, file := range k.files(now, k.Roles) {
		key, err := k.makeKey(beside, file)
		if err != nil {
			return nil, err
		}
		made = append(made, key)
	}
	if k.New != "" {
		if err := k.copyOthers(beside); err != nil {
			return nil, err
		}
	}
	return made, k.disk.rename(beside, k.made())
}

// files are those of the new keys of roles.
func (k *keyRotation) files(now Roles, roles []string) []keyFile {
	all := keyFiles(k.quorum(now, RoleRoot), k.quorum(now, RoleTargets))
	return slices.DeleteFunc(all, func(f keyFile) bool { return !slices.Contains(roles, f.role) })
}

func (k *keyRotation) makeKey(dir string, file keyFile) (*Key, error) {
	key, err := NewKey(file.role)
	if err != nil {
		return nil, err
	}
	passphrase := k.Passphrase
	if !file.offline {
		passphrase = ""
	}
	data, err := key.seal(passphrase)
	if err != nil {
		return nil, err
	}
	return key, k.disk.write(filepath.Join(dir, file.name), data)
}

// copyOthers copies what stays as it is.
func (k *keyRotation) copyOthers(dir string) error {
	names := []string{FirstRoot}
	for _, role := range KeyRoles {
		if !k.has(role) {
			names = append(names, keyNames(role)...)
		}
	}
	for _, name := range names {
		data, err := k.disk.read(filepath.Join(k.Keys, name), maxRoot)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := k.disk.write(filepath.Join(dir, name), data); err != nil {
			return err
		}
	}
	return nil
}

// settle puts the new keys into the places of the old ones, and the newest root beside
// them. It goes on from wherever it was interrupted.
func (k *keyRotation) settle() (version int64, err error) {
	root, data, err := k.repo.newestRoot()
	if err != nil {
		return 0, err
	}
	dir := k.Keys
	if k.New != "" {
		dir = k.New
	}
	if root.Version > 1 {
		if err := k.disk.write(filepath.Join(dir, NewestRoot), data); err != nil {
			return 0, err
		}
	}
	if k.New != "" {
		return root.Version, nil
	}
	now, err := rolesIn(root)
	if err != nil {
		return 0, err
	}
	return root.Version, k.place(now)
}

// place moves the old keys of the roles that have new ones out of the way, first those
// that none takes the place of, and then the new keys to where they belong.
func (k *keyRotation) place(now Roles) error {
	names, err := keysIn(filepath.Join(k.Keys, NextKeys))
	if err != nil || names == nil {
		return err
	}
	k.Root, k.Targets = Quorum{}, Quorum{} // as the root says now
	var surplus []string
	for _, role := range KeyRoles {
		if !slices.ContainsFunc(names, func(n string) bool { return slices.Contains(keyNames(role), n) }) {
			continue
		}
		for _, name := range keyNames(role) {
			if !slices.ContainsFunc(k.files(now, []string{role}), func(f keyFile) bool { return f.name == name }) {
				surplus = append(surplus, name)
			}
		}
	}
	for _, name := range append(surplus, names...) {
		if err := k.setAside(name); err != nil {
			return err
		}
		if slices.Contains(names, name) {
			if err := k.disk.rename(filepath.Join(k.Keys, NextKeys, name), filepath.Join(k.Keys, name)); err != nil {
				return err
			}
		}
	}
	return k.remove(filepath.Join(k.Keys, NextKeys))
}

// setAside renames a key that is there to NAME.old-N, with the first N that is free.
func (k *keyRotation) setAside(name string) error {
	path := filepath.Join(k.Keys, name)
	if !exists(path) {
		return nil
	}
	for n := 1; ; n++ {
		if old := fmt.Sprintf("%s%s%d", path, oldKey, n); !exists(old) {
			return k.disk.rename(path, old)
		}
	}
}

// oldKey is what the names of old keys have after that of their file.
const oldKey = ".old-"

// keysIn are the names of the files with keys in a folder; nil without the folder.
func keysIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := []string{}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".key") {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// oldKeys are the names of the files with old keys of roles.
func oldKeys(dir string, roles []string) (old []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		name, _, aside := strings.Cut(e.Name(), oldKey)
		if aside && slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(keyNames(role), name) }) {
			old = append(old, e.Name())
		}
	}
	return old, err
}

// FinishKeys ends what RotateKeys began: of the keys of the nexus those alone are listed
// that the directory has, and the files of old keys of the roles are removed.
func (r *Repository) FinishKeys(o Rotation) (*Rotated, error) { return r.finishKeys(o, private()) }

func (r *Repository) finishKeys(o Rotation, d disk) (out *Rotated, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	err = alone(o.Keys, func() error {
		k := &keyRotation{Rotation: o, repo: r, disk: d}
		out, err = k.finish()
		return err
	})
	return out, err
}

func (k *keyRotation) finish() (*Rotated, error) {
	if exists(k.made()) {
		return nil, fmt.Errorf("%s: a rotation was interrupted; nexus keys rotate ends it", k.made())
	}
	root, _, err := k.repo.newestRoot()
	if err != nil {
		return nil, err
	}
	out := &Rotated{Root: root.Version}
	if k.has(RoleNexus) {
		if err := k.onlyNexus(); err != nil {
			return nil, err
		}
	}
	if out.Sealed, err = k.seal(); err != nil {
		return nil, err
	}
	if out.Old, err = oldKeys(k.Keys, k.Roles); err != nil {
		return nil, err
	}
	for _, name := range out.Old {
		if err := k.remove(filepath.Join(k.Keys, name)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// onlyNexus takes the keys off the list that the directory does not have.
func (k *keyRotation) onlyNexus() error {
	held, err := LoadKeys(k.Keys, RoleNexus, k.Passphrase)
	if errors.Is(err, ErrNoKey) && len(k.Roles) > 1 { // it is kept elsewhere
		return nil
	}
	if err != nil {
		return err
	}
	listed, err := k.repo.NexusKeys()
	if err != nil {
		return err
	}
	known, err := k.known(held)
	switch {
	case err != nil:
		return err
	case !known:
		return fmt.Errorf("%s: the repository does not list its nexus key; nexus keys rotate --role nexus does", k.Keys)
	case len(listed) == len(held):
		return nil
	}
	keys, err := LoadKeys(k.Keys, RoleTargets, k.Passphrase)
	if err != nil {
		return err
	}
	_, err = k.repo.change(keys, func(c *changed) error { return k.repo.nexusTarget(c, publicKeys(held)) })
	return err
}
