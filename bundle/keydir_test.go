package bundle

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"filippo.io/age/armor"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

var began2026 = time.Date(2026, 11, 27, 3, 20, 0, 5, time.UTC)

func TestInitKeys(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "keys")
	if err := InitKeys(dir, Quorum{2, 3}, Quorum{1, 2}, began2026, ""); err != nil {
		t.Fatal(err)
	}
	want := []string{"nexus.key", "root-1.key", "root-2.key", "root-3.key", "root.json", "snapshot.key", "targets-1.key", "targets-2.key", "timestamp.key"}
	if got := entries(t, dir); !slices.Equal(got, want) {
		t.Errorf("InitKeys made %q\nwant %q", got, want)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v, want 0700", info.Mode(), err)
	}
	if left := entries(t, filepath.Dir(dir)); len(left) != 1 {
		t.Errorf("InitKeys left %q", left)
	}
	data, err := os.ReadFile(filepath.Join(dir, FirstRoot))
	if err != nil {
		t.Fatal(err)
	}
	checkFirstRoot(t, dir, data)
}

// checkFirstRoot holds root.json to be what TUF trusts, and to name the keys.
func checkFirstRoot(t *testing.T, dir string, data []byte) {
	t.Helper()
	if _, err := trustedmetadata.New(data); err != nil {
		t.Fatalf("root.json: %v", err)
	}
	root, err := metadata.Root().FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	if s := root.Signed; s.Version != 1 || !s.ConsistentSnapshot || !s.Expires.Equal(time.Date(2027, 11, 27, 3, 20, 0, 0, time.UTC)) || len(root.Signatures) != 3 {
		t.Errorf("root.json has version %d, expires %v, %d signatures", s.Version, s.Expires, len(root.Signatures))
	}
	for role, threshold := range map[string]int{RoleRoot: 2, RoleTargets: 1, RoleSnapshot: 1, RoleTimestamp: 1} {
		keys, err := LoadKeys(dir, role, "")
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, key := range keys {
			ids = append(ids, key.ID())
		}
		if r := root.Signed.Roles[role]; r.Threshold != threshold || !slices.Equal(r.KeyIDs, ids) {
			t.Errorf("root.json has %d of %q for %s, want %d of %q", r.Threshold, r.KeyIDs, role, threshold, ids)
		}
	}
	nexus, err := LoadKeys(dir, RoleNexus, "")
	if err != nil || len(nexus) != 1 || root.Signed.Keys[nexus[0].ID()] != nil {
		t.Errorf("LoadKeys(nexus) = %v, %v; root.json must not name it", nexus, err)
	}
}

// The passphrase is for what stays offline: nexus signs unattended.
func TestInitKeysWithPassphrase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // empty, and there already
	if err := InitKeys(dir, Quorum{1, 1}, Quorum{1, 1}, began2026, "correct horse"); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{RoleRoot, RoleTargets} {
		if _, err := LoadKeys(dir, role, ""); !errors.Is(err, ErrPassphrase) {
			t.Errorf("LoadKeys(%s) without the passphrase = %v, want %v", role, err, ErrPassphrase)
		}
		data, err := os.ReadFile(filepath.Join(dir, role+"-1.key"))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(armor.NewReader(bytes.NewReader(data))); err != nil || !regexp.MustCompile(`^age-encryption.org/v1\n-> scrypt \S+ 18\n`).Match(plain) {
			t.Errorf("the file of %s is %q, %v; want scrypt of cost 18", role, plain, err)
		}
	}
	for _, role := range []string{RoleSnapshot, RoleTimestamp, RoleNexus} {
		if _, err := LoadKeys(dir, role, ""); err != nil {
			t.Errorf("LoadKeys(%s) = %v", role, err)
		}
	}
}

func TestInitKeysRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		root, targets Quorum
		want          string
	}{
		{Quorum{0, 1}, Quorum{1, 1}, "root keys: 0 of 1 must sign; want 1 or more, of at most 16"},
		{Quorum{3, 2}, Quorum{1, 1}, "root keys: 3 of 2 must sign; want 1 or more, of at most 16"},
		{Quorum{1, 1}, Quorum{1, 17}, "targets keys: 1 of 17 must sign; want 1 or more, of at most 16"},
	} {
		dir := t.TempDir()
		if err := InitKeys(filepath.Join(dir, "keys"), tt.root, tt.targets, began2026, ""); err == nil || err.Error() != tt.want {
			t.Errorf("InitKeys(%v, %v) = %v, want %s", tt.root, tt.targets, err, tt.want)
		}
		if left := entries(t, dir); len(left) > 0 {
			t.Errorf("InitKeys left %q", left)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "root-1.key"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "root-1.key")} {
		if err := InitKeys(path, Quorum{1, 1}, Quorum{1, 1}, began2026, ""); err == nil || err.Error() != path+": there already, and no empty folder; keys are never overwritten" {
			t.Errorf("InitKeys over what is there = %v", err)
		}
	}
	if files := tree(t, dir); len(files) != 1 || files["root-1.key"] != "mine" {
		t.Errorf("InitKeys over keys left %q", files)
	}
}

func TestLoadKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := LoadKeys(dir, RoleRoot, ""); err == nil || err.Error() != dir+": no key for the role root (root.key or root-1.key); nexus keys init makes one" {
		t.Errorf("LoadKeys() of an empty folder = %v", err)
	}
	for name, role := range map[string]string{"root-2.key": RoleRoot, "root-3.key": RoleRoot, "targets-1.key": RoleNexus, "snapshot.key": RoleSnapshot} {
		if err := newKey(t, role).Save(filepath.Join(dir, name), ""); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := LoadKeys(dir, RoleRoot, ""); err != nil || len(keys) != 2 {
		t.Errorf("LoadKeys(root) = %v, %v, want two", keys, err)
	}
	if _, err := LoadKeys(dir, RoleTargets, ""); err == nil || err.Error() != filepath.Join(dir, "targets-1.key")+": it is a nexus key" {
		t.Errorf("LoadKeys(targets) = %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "root-3.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if keys, err := LoadKeys(dir, RoleRoot, ""); err == nil {
		t.Errorf("LoadKeys(root) = %v although others may read one", keys)
	}
}
