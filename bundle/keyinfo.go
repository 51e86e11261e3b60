package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// KeyInfo is what people may know of a key file.
type KeyInfo struct {
	Role   string
	File   string // its name in the key directory
	Mode   fs.FileMode
	Locked bool   // it has a passphrase
	ID     string // the key's id in TUF metadata; empty if its passphrase was not given
	Err    error  // why it cannot be used
}

// ListKeys tells of every key file of a directory, by role, and shows none of their
// bytes. Without the passphrase the ids of keys that have one stay unknown.
func ListKeys(dir, passphrase string) (list []KeyInfo, err error) {
	for _, role := range KeyRoles {
		for _, name := range keyNames(role) {
			info, err := os.Lstat(filepath.Join(dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			one := KeyInfo{Role: role, File: name, Mode: info.Mode().Perm()}
			one.look(dir, passphrase)
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no keys there; nexus keys init makes some", dir)
	}
	return list, nil
}

// look opens the key's file.
func (i *KeyInfo) look(dir, passphrase string) {
	path := filepath.Join(dir, i.File)
	data, err := readSecret(path)
	if err != nil {
		i.Err = err
		return
	}
	i.Locked = locked(data)
	key, err := openKey(path, data, passphrase)
	switch {
	case errors.Is(err, ErrPassphrase):
	case err != nil:
		i.Err = err
	case key.Role != i.Role:
		i.Err = fmt.Errorf("%s: it is a %s key", path, key.Role)
	default:
		i.ID = key.ID()
	}
}

// RootInfo is what a root says.
type RootInfo struct {
	Version int64               `json:"version"`
	Expires time.Time           `json:"expires"`
	Roles   map[string]RoleInfo `json:"roles"`
}

// RoleInfo says which keys sign for a role, by their ids, and how many of them must.
type RoleInfo struct {
	Need int      `json:"need"`
	Keys []string `json:"keys"`
}

// ReadRoot reads a root that enough of its own keys have signed.
func ReadRoot(data []byte) (*RootInfo, error) {
	set, err := (chain{Root: data}).root()
	if err != nil {
		return nil, err
	}
	return infoOf(&set.Root.Signed), nil
}

func infoOf(root *metadata.RootType) *RootInfo {
	info := &RootInfo{root.Version, root.Expires, map[string]RoleInfo{}}
	for name, role := range root.Roles {
		info.Roles[name] = RoleInfo{role.Threshold, role.KeyIDs}
	}
	return info
}
