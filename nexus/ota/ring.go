package ota

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hive-spore/hive/bundle"
)

// Keys sign for a repository that a nexus keeps.
type Keys struct {
	Snapshot, Timestamp []*bundle.Key
	Nexus               *bundle.Key // signs assignments, and heads of the audit log
}

// Ring has the online keys of a key directory, those that are there now: they are
// rotated while a nexus runs. As a [crypto.Signer] it is the nexus key.
type Ring struct {
	dir    string
	accept func(Keys) error

	mu   sync.Mutex
	seen string // what the directory was like when keys were read; "": not as it was to be
	keys Keys
}

// OpenRing reads the keys of a directory. Those that accept refuses are not used.
func OpenRing(dir string, accept func(Keys) error) (*Ring, error) {
	r := &Ring{dir: dir, accept: accept}
	if _, err := r.Look(); err != nil {
		return nil, err
	}
	return r, nil
}

// Look reads the keys anew if the directory has changed, and reports whether they are
// others. With an error they stay as they were.
func (r *Ring) Look() (changed bool, err error) {
	now, err := listing(r.dir)
	if err != nil {
		return false, fmt.Errorf("keys: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now == r.seen && r.keys.Nexus != nil {
		return false, nil
	}
	r.seen = ""
	keys, err := onlineKeys(r.dir)
	if err == nil {
		err = r.accept(keys)
	}
	if err != nil {
		return false, err
	}
	r.seen, r.keys = now, keys
	return true, nil
}

// Keys are those that are good now.
func (r *Ring) Keys() Keys {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys
}

// Public is the public half of the nexus key.
func (r *Ring) Public() crypto.PublicKey { return r.Keys().Nexus.Public() }

// Sign signs with the nexus key.
func (r *Ring) Sign(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return r.Keys().Nexus.Sign(rand, message, opts)
}

func onlineKeys(dir string) (k Keys, err error) {
	var errSnapshot, errTimestamp error
	k.Snapshot, errSnapshot = bundle.LoadKeys(dir, bundle.RoleSnapshot, "")
	k.Timestamp, errTimestamp = bundle.LoadKeys(dir, bundle.RoleTimestamp, "")
	nexus, errNexus := bundle.LoadKeys(dir, bundle.RoleNexus, "")
	if err := errors.Join(errSnapshot, errTimestamp, errNexus); err != nil {
		return k, err
	}
	k.Nexus = nexus[0]
	return k, nil
}

// listing tells the key files of a directory from what they were before.
func listing(dir string) (string, error) {
	var b strings.Builder
	for _, folder := range []string{dir, filepath.Join(dir, bundle.NextKeys)} {
		entries, err := os.ReadDir(folder)
		if errors.Is(err, fs.ErrNotExist) && folder != dir {
			continue // no rotation is under way
		}
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			info, err := e.Info()
			if err == nil && strings.HasSuffix(e.Name(), ".key") {
				fmt.Fprintln(&b, folder, e.Name(), info.Size(), info.Mode(), info.ModTime().UnixNano())
			}
		}
	}
	return b.String(), nil
}
