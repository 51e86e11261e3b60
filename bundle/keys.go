package bundle

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// The roles of keys. Those of root and targets stay with the publisher, offline; the
// others are nexus', which signs with them while it runs.
const (
	RoleRoot      = metadata.ROOT
	RoleTargets   = metadata.TARGETS
	RoleSnapshot  = metadata.SNAPSHOT
	RoleTimestamp = metadata.TIMESTAMP
	RoleNexus     = "nexus" // assignments and commands
)

// KeyRoles lists every role.
var KeyRoles = []string{RoleRoot, RoleTargets, RoleSnapshot, RoleTimestamp, RoleNexus}

// ErrPassphrase says that a key needs a passphrase, and none was given.
var ErrPassphrase = errors.New("the key has a passphrase, and none was given")

// Key is an ed25519 key and what it signs for, a [crypto.Signer]. However it is
// printed, its private part is not.
type Key struct {
	Role    string
	private ed25519.PrivateKey
}

// NewKey makes a key for a role.
func NewKey(role string) (*Key, error) {
	if !slices.Contains(KeyRoles, role) {
		return nil, fmt.Errorf("role %.40q: want one of %s", role, strings.Join(KeyRoles, ", "))
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return &Key{role, private}, nil
}

// Public is the half that others know, as [crypto.Signer] has it.
func (k Key) Public() crypto.PublicKey { return k.private.Public() }

// Ed25519 is Public as what it is.
func (k Key) Ed25519() ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// ID is the key's id in TUF metadata: 64 hex digits.
func (k Key) ID() string {
	id, _ := k.tuf().ID() // fails for keys that are not ed25519
	return id
}

// tuf is the public key as TUF metadata has it.
func (k Key) tuf() *metadata.Key {
	key, _ := metadata.KeyFromPublicKey(k.Ed25519()) // fails for keys that are not ed25519
	return key
}

// Sign returns the signature of a message, 64 bytes. It is of the message and not of a
// hash, so that opts must be [crypto.Hash](0); it takes no randomness.
func (k Key) Sign(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.private.Sign(rand, message, opts)
}

// String names the key.
func (k Key) String() string { return k.Role + " key " + k.ID() }

// Format prints String whatever the verb is: %+v and %x would print private bytes.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// text is what a key file says: one line for people, which is checked too, and the
// private key as PKCS #8 in PEM.
func (k Key) text() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return append([]byte("hive "+k.String()+"\n"), block...), nil
}

// Save writes a new file that its owner alone may read, encrypted if there is a
// passphrase. A file that is there already stays as it is.
func (k Key) Save(path, passphrase string) error {
	data, err := k.seal(passphrase)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer root.Close()
	if err := (draft{root}).write(filepath.Base(path), data); err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return syncFolder(root, ".")
}

// seal is the contents of the key's file.
func (k Key) seal(passphrase string) ([]byte, error) {
	text, err := k.text()
	if err != nil || passphrase == "" {
		return text, err
	}
	return lock(text, passphrase, workFactor)
}

// maxKeyFile bounds a key file, in bytes.
const maxKeyFile = 4 << 10

// LoadKey reads a file that Save wrote. The passphrase is used if the file has one,
// and a file that has one gives ErrPassphrase without. A file that others than its
// owner may read is refused. No error shows what is in the file.
func LoadKey(path, passphrase string) (*Key, error) {
	data, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	return openKey(path, data, passphrase)
}

// openKey reads what is in a key file.
func openKey(path string, data []byte, passphrase string) (_ *Key, err error) {
	if locked(data) {
		if data, err = unlock(data, passphrase); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	key, ok := parseKey(data)
	if !ok {
		return nil, fmt.Errorf("%s: not a key as nexus keys init writes it, or damaged", path)
	}
	return key, nil
}

// parseKey reads what text writes and nothing else.
func parseKey(data []byte) (*Key, bool) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, false
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, false
	}
	edwards, ok := private.(ed25519.PrivateKey)
	if !ok {
		return nil, false
	}
	for _, role := range KeyRoles {
		key := &Key{role, edwards}
		if text, err := key.text(); err == nil && string(text) == string(data) {
			return key, true
		}
	}
	return nil, false
}

// readSecret reads a small file that its owner alone may read. Windows has no such
// modes: there, folders guard their files.
func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening: a named pipe would block
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && goruntime.GOOS != "windows" {
		return nil, fmt.Errorf("%s: others may read or change it (mode %04o); chmod 600 %[1]s, and think of the key as known", path, mode)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(data) > maxKeyFile {
		err = fmt.Errorf("%s: more than %d bytes: not a key", path, maxKeyFile)
	}
	return data, err
}
