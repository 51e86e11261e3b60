package bundle

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age/armor"
)

func newKey(t testing.TB, role string) *Key {
	t.Helper()
	key, err := NewKey(role)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestKey(t *testing.T) {
	t.Parallel()
	key, data := newKey(t, RoleTargets), []byte("signed")
	var signer crypto.Signer = key
	sig := must(signer.Sign(nil, data, crypto.Hash(0)))
	if !ed25519.Verify(key.Ed25519(), data, sig) || ed25519.Verify(key.Ed25519(), []byte("other"), sig) || !key.Ed25519().Equal(signer.Public()) {
		t.Error("the signature is not of the key and the data")
	}
	if sig, err := key.Sign(nil, make([]byte, 32), crypto.SHA256); err == nil {
		t.Errorf("Sign of a hash = %x, want an error", sig)
	}
	if len(key.ID()) != 64 || key.ID() == newKey(t, RoleTargets).ID() {
		t.Errorf("ID() = %s", key.ID())
	}
	if _, err := NewKey("admin"); err == nil || err.Error() != `role "admin": want one of root, targets, snapshot, timestamp, nexus` {
		t.Errorf("NewKey(admin) = %v", err)
	}
}

// The id is the one that other programs compute: SHA-256 of the public key as TUF
// spells it. The key is the first of RFC 8032.
func TestKeyID(t *testing.T) {
	t.Parallel()
	seed, err := hex.DecodeString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
	if err != nil {
		t.Fatal(err)
	}
	key := Key{RoleRoot, ed25519.NewKeyFromSeed(seed)}
	want := `{"keytype":"ed25519","keyval":{"public":"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},"scheme":"ed25519"}`
	if got := "sha256:" + key.ID(); got != digested([]byte(want)) {
		t.Errorf("ID() = %s, want that of %s", got, want)
	}
}

// However a key is printed, its private part is not.
func TestKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	key := newKey(t, RoleRoot)
	seed := key.private.Seed()
	secrets := []string{string(seed[:8]), hex.EncodeToString(seed)[:8], strings.ToUpper(hex.EncodeToString(seed))[:8],
		base64.StdEncoding.EncodeToString(seed)[:8], strings.Trim(fmt.Sprint(seed[:3]), "[]"), fmt.Sprintf("%#x, %#x", seed[0], seed[1])}
	var said bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%U", "% x", "%08b"} {
		for _, v := range []any{key, *key, []*Key{key}, []Key{*key}, struct{ K Key }{*key}} {
			fmt.Fprintf(&said, verb+"\n", v)
		}
	}
	slog.New(slog.NewJSONHandler(&said, nil)).Info("key", "key", key, "keys", []Key{*key})
	slog.New(slog.NewTextHandler(&said, nil)).Info("key", "key", key, "keys", []Key{*key})
	if data, err := json.Marshal(key); err != nil || string(data) != `{"Role":"root"}` {
		t.Errorf("as JSON the key is %s, %v", data, err)
	}
	for _, secret := range secrets {
		if strings.Contains(said.String(), secret) {
			t.Errorf("printed keys show %q:\n%s", secret, said.String())
		}
	}
	if got := fmt.Sprintf("%x", key); got != "root key "+key.ID() {
		t.Errorf("printed: %s", got)
	}
}

func TestSaveLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "it.key")
	key := newKey(t, RoleNexus)
	if err := key.Save(path, ""); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file has mode %v, %v, want 0600", info.Mode(), err)
	}
	if err := newKey(t, RoleNexus).Save(path, ""); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Save() over a key = %v, want %v", err, fs.ErrExist)
	}
	got, err := LoadKey(path, "not needed")
	if err != nil || got.Role != RoleNexus || !got.private.Equal(key.private) {
		t.Errorf("LoadKey() = %v, %v, want %v", got, err, key)
	}
}

// lockedFile is the file of a key, with a passphrase that is cheap to check.
func lockedFile(t *testing.T, key *Key, passphrase string) (path string, data []byte) {
	t.Helper()
	text, err := key.text()
	if err != nil {
		t.Fatal(err)
	}
	if data, err = lock(text, passphrase, 4); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "it.key")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, data
}

// A file with a passphrase tells nothing without it, and the right one only.
func TestPassphrase(t *testing.T) {
	t.Parallel()
	key := newKey(t, RoleRoot)
	path, data := lockedFile(t, key, "correct horse")
	if bytes.Contains(data, []byte("PRIVATE")) || bytes.Contains(data, []byte(key.ID())) {
		t.Errorf("the file is %s", data)
	}
	if got, err := LoadKey(path, "correct horse"); err != nil || got.Role != RoleRoot || !got.private.Equal(key.private) {
		t.Errorf("LoadKey() = %v, %v, want %v", got, err, key)
	}
	if _, err := LoadKey(path, ""); !errors.Is(err, ErrPassphrase) {
		t.Errorf("LoadKey() without the passphrase = %v, want %v", err, ErrPassphrase)
	}
	if _, err := LoadKey(path, "battery"); err == nil || err.Error() != path+": wrong passphrase" {
		t.Errorf("LoadKey() with another passphrase = %v", err)
	}
	for n := len("-----BEGIN AGE ENCRYPTED FILE-----"); n < len(data)-1; n++ {
		if text, err := unlock(data[:n], "correct horse"); err == nil || err.Error() != "the encrypted key is damaged" {
			t.Errorf("unlock() of %d bytes of %d = %q, %v", n, len(data), text, err)
		}
	}
}

// A file can ask for hours of work and all of the memory: this one for 16 times what
// is ever needed. Were it given that, the passphrase would be found wrong.
func TestPassphraseWorkIsBounded(t *testing.T) {
	t.Parallel()
	_, data := lockedFile(t, newKey(t, RoleRoot), "correct horse")
	cheap, err := io.ReadAll(armor.NewReader(bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	var hungry bytes.Buffer
	w := armor.NewWriter(&hungry)
	if _, err := w.Write(bytes.Replace(cheap, []byte(" 4\n"), []byte(" 22\n"), 1)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := unlock(hungry.Bytes(), "correct horse")
	if err == nil || err.Error() != "the encrypted key is damaged" {
		t.Errorf("unlock() = %q, %v", text, err)
	}
}

func TestLoadKeyRefuses(t *testing.T) {
	t.Parallel()
	key := newKey(t, RoleRoot)
	good, err := key.text()
	if err != nil {
		t.Fatal(err)
	}
	other, err := newKey(t, RoleRoot).text()
	if err != nil {
		t.Fatal(err)
	}
	first, pem, _ := strings.Cut(string(good), "\n")
	otherFirst, _, _ := strings.Cut(string(other), "\n")
	rsa := "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\nOF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n-----END PRIVATE KEY-----\n"
	const notAKey = ": not a key as nexus keys init writes it, or damaged"
	for _, tt := range []struct {
		name, data string
		mode       fs.FileMode
		want       string
	}{
		{"nothing", "", 0o600, notAKey},
		{"cut", string(good[:len(good)-1]), 0o600, notAKey},
		{"more", string(good) + "\n", 0o600, notAKey},
		{"no first line", pem, 0o600, notAKey},
		{"another role", strings.Replace(string(good), "root", "admin", 1), 0o600, notAKey},
		{"another id", otherFirst + "\n" + pem, 0o600, notAKey},
		{"a line more", first + "\n\n" + pem, 0o600, notAKey},
		{"another kind of key", first + "\n" + rsa, 0o600, notAKey},
		{"large", strings.Repeat("x", maxKeyFile+1), 0o600, ": more than 4096 bytes: not a key"},
		{"readable by the group", string(good), 0o640, ": others may read or change it (mode 0640); chmod 600 PATH, and think of the key as known"},
		{"readable by all", string(good), 0o604, ": others may read or change it (mode 0604); chmod 600 PATH, and think of the key as known"},
		{"writable by the group", string(good), 0o620, ": others may read or change it (mode 0620); chmod 600 PATH, and think of the key as known"},
	} {
		path := filepath.Join(t.TempDir(), "it.key")
		if err := errors.Join(os.WriteFile(path, []byte(tt.data), 0o600), os.Chmod(path, tt.mode)); err != nil {
			t.Fatal(err)
		}
		want := path + strings.ReplaceAll(tt.want, "PATH", path)
		if _, err := LoadKey(path, ""); err == nil || err.Error() != want {
			t.Errorf("%s: LoadKey() = %v\nwant %s", tt.name, err, want)
		}
	}
	if _, err := LoadKey(t.TempDir(), ""); err == nil || !strings.HasSuffix(err.Error(), ": not a regular file") {
		t.Errorf("LoadKey(a folder) = %v", err)
	}
}

// FuzzKey: a key file has one spelling.
func FuzzKey(f *testing.F) {
	good, err := newKey(f, RoleSnapshot).text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("hive root key \n-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, ok := parseKey(data)
		if !ok {
			return
		}
		if text, err := key.text(); err != nil || !bytes.Equal(text, data) {
			t.Fatalf("%q was read, and is written as %q, %v", data, text, err)
		}
	})
}
