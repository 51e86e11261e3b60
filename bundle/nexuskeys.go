package bundle

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// NexusKeysTarget is the target with the public keys of the nexus.
const NexusKeysTarget = "keys/nexus.json"

// maxNexusKeys bounds how many keys may sign for a nexus at a time.
const maxNexusKeys = 8

// nexusKeys is what the target holds.
type nexusKeys struct {
	Keys [][]byte `json:"keys"`
}

func (n *nexusKeys) validate() error {
	if len(n.Keys) == 0 || len(n.Keys) > maxNexusKeys {
		return fmt.Errorf("%d keys: want 1 to %d", len(n.Keys), maxNexusKeys)
	}
	for i, key := range n.Keys {
		if len(key) != ed25519.PublicKeySize {
			return fmt.Errorf("key %d: want %d bytes", i+1, ed25519.PublicKeySize)
		}
		if slices.ContainsFunc(n.Keys[:i], func(k []byte) bool { return bytes.Equal(k, key) }) {
			return fmt.Errorf("key %d is there twice", i+1)
		}
	}
	return nil
}

// EncodeNexusKeys returns the target by which a publisher lets a nexus with any of
// these keys assign bundles and give commands.
func EncodeNexusKeys(keys ...ed25519.PublicKey) ([]byte, error) {
	n := new(nexusKeys)
	for _, key := range keys {
		n.Keys = append(n.Keys, key)
	}
	data, err := spell(n, new(nexusKeys), MaxTarget)
	if err != nil {
		return nil, refuse(ReasonInvalid, NexusKeysTarget, err)
	}
	return data, nil
}

// NexusKeys returns the keys that may sign for the nexus now.
func (c *Client) NexusKeys(ctx context.Context) ([]ed25519.PublicKey, error) {
	data, err := c.Target(ctx, NexusKeysTarget)
	if err != nil {
		return nil, err
	}
	return decodeNexusKeys(data)
}

// NexusKeys returns the keys of the nexus that are listed now: none if there is no such
// target.
func (r *Repository) NexusKeys() (keys []ed25519.PublicKey, err error) {
	err = r.locked(func(set *trustedmetadata.TrustedMetadata) error {
		targets, _, err := newest[metadata.TargetsType](r, set, metadata.TARGETS)
		if err != nil {
			return err
		}
		keys, err = r.nexusIn(targets.Signed.Targets)
		return err
	})
	return keys, err
}

func (r *Repository) nexusIn(list targetFiles) ([]ed25519.PublicKey, error) {
	t := list[NexusKeysTarget]
	if t == nil {
		return nil, nil
	}
	data, err := r.stored(NexusKeysTarget, digestOf(t.Hashes["sha256"]))
	if err != nil {
		return nil, err
	}
	return decodeNexusKeys(data)
}

// nexusTarget writes the target with the keys of the nexus and lists it.
func (r *Repository) nexusTarget(c *changed, keys []ed25519.PublicKey) error {
	data, err := EncodeNexusKeys(keys...)
	if err != nil {
		return err
	}
	return r.target(c, NexusKeysTarget, data)
}

func decodeNexusKeys(data []byte) (keys []ed25519.PublicKey, err error) {
	n := new(nexusKeys)
	if err := parse(data, n, MaxTarget); err != nil {
		return nil, refuse(ReasonUnparsable, NexusKeysTarget, err)
	}
	for _, key := range n.Keys {
		keys = append(keys, key)
	}
	return keys, nil
}

var besideName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}\.json$`)

// File returns a file of at most limit bytes that lies beside the metadata. Nothing of
// it is verified: who asks for it knows how.
func (c *Client) File(ctx context.Context, name string, limit int64) ([]byte, error) {
	if !besideName.MatchString(name) {
		return nil, refuse(ReasonInvalid, fmt.Sprintf("file %.80q", name), errors.New("want NAME.json of a-z, 0-9 and '-'"))
	}
	return c.fetch.bytes(ctx, name, limit)
}

// SaveState writes v as a state of this user alone that is there whole or not at all,
// whatever happens meanwhile, and is known when it is damaged.
func SaveState(path string, v any) error { return private().saveState(path, v) }

// LoadState reads what SaveState wrote; none being there, v stays as it is. A file that
// is damaged is put aside as PATH.broken.
func LoadState(path string, v any) (damaged bool, err error) { return private().loadState(path, v) }

// WriteFile writes a file that others may read and that is there whole or not at all,
// in the place of what was there.
func WriteFile(path string, data []byte) error {
	return diskError(filepath.Base(path), public().write(path, data))
}

// LockFolder makes a folder if there is none, and locks it against other processes until
// the lock is closed or the process ends: with ReasonBusy another one has it.
func LockFolder(dir string) (io.Closer, error) {
	d := private()
	if err := d.makeAll(dir); err != nil {
		return nil, diskError(dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, diskError(dir, err)
	}
	if err := lockFile(lock); err != nil {
		_ = lock.Close()
		return nil, refuse(ReasonBusy, dir, err)
	}
	return lock, nil
}
