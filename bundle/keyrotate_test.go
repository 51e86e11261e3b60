package bundle

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRotateKeys(t *testing.T) {
	t.Parallel()
	w := newKeyed(t, Quorum{2, 3})
	c := w.client()
	w.refresh(c, true)
	before := map[string]*Key{}
	for _, role := range KeyRoles {
		before[role] = w.load(role)[0]
	}
	w.mayAssign(c, before[RoleNexus])

	out := w.rotate(Rotation{Roles: KeyRoles, Root: Quorum{1, 2}, Targets: Quorum{2, 2}})
	if out.Root != 2 || !out.Sealed || out.Resumed || len(out.Old) != 7 {
		t.Errorf("RotateKeys = %+v", out)
	}
	want := []string{".lock", "newest-root.json", "nexus.key", "nexus.key.old-1", "root-1.key", "root-1.key.old-1", "root-2.key", "root-2.key.old-1",
		"root-3.key.old-1", "root.json", "snapshot.key", "snapshot.key.old-1", "targets-1.key", "targets-1.key.old-1", "targets-2.key", "timestamp.key", "timestamp.key.old-1"}
	if got := entries(t, w.keys); !slices.Equal(got, want) {
		t.Errorf("the directory holds %q\nwant %q", got, want)
	}
	if string(w.read(w.keys, FirstRoot)) != string(w.root) {
		t.Error("root.json is not the first root any more")
	}
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0")
	w.mayAssign(c, before[RoleNexus], w.load(RoleNexus)[0])
	for role, key := range before {
		if w.load(role)[0].ID() == key.ID() {
			t.Errorf("the key of %s is the old one", role)
		}
	}
	if _, err := w.open().Publish([]*Key{before[RoleTargets]}, nil); Reason(err) != ReasonBadSignature {
		t.Errorf("Publish with the old key = %v", err)
	}
	w.publishes("2.0.0")
	w.refresh(c, true)

	// The newest root is one to begin with, too.
	w.root = w.read(w.keys, NewestRoot)
	w.refresh(w.client(), true)
	if info, err := ReadRoot(w.root); err != nil || info.Version != 2 || info.Roles[RoleTargets].Need != 2 {
		t.Errorf("newest-root.json = %+v, %v", info, err)
	}
}

// A rotation again, one role at a time, and with the same keys for longer.
func TestRotateOneRole(t *testing.T) {
	t.Parallel()
	w := newKeyed(t, Quorum{2, 3})
	c := w.client()
	w.refresh(c, true)
	for i, role := range []string{RoleRoot, RoleTargets, RoleSnapshot, RoleTimestamp} {
		was := map[string]string{}
		for _, r := range KeyRoles {
			was[r] = w.load(r)[0].ID()
		}
		if out := w.rotate(Rotation{Roles: []string{role}}); out.Root != int64(i+2) || !out.Sealed {
			t.Errorf("RotateKeys(%s) = %+v", role, out)
		}
		for _, r := range KeyRoles {
			if is := w.load(r)[0].ID(); (is != was[r]) != (r == role) {
				t.Errorf("a rotation of %s: the key of %s was %s and is %s", role, r, was[r], is)
			}
		}
		w.refresh(c, true)
	}
	w.pass(300 * 24 * time.Hour)
	if out := w.rotate(Rotation{}); out.Root != 6 || !out.Sealed {
		t.Errorf("RotateKeys for longer = %+v", out)
	}
	w.pass(80 * 24 * time.Hour) // past the first year
	w.publishes("2.0.0")
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0", "2.0.0")
}

// The nexus has both keys until it is said that the old one is not in use any more.
func TestRotateNexusKey(t *testing.T) {
	t.Parallel()
	w := newKeyed(t, Quorum{2, 3})
	c := w.client()
	first := w.load(RoleNexus)[0]
	finish := Rotation{Keys: w.keys, Roles: []string{RoleNexus}}
	if out := w.rotate(Rotation{Roles: []string{RoleNexus}}); out.Root != 1 || !out.Sealed || !slices.Equal(out.Old, []string{"nexus.key.old-1"}) {
		t.Errorf("RotateKeys = %+v", out)
	}
	w.rotate(Rotation{Roles: []string{RoleNexus}}) // lost again
	w.refresh(c, true)
	if keys, err := w.repo.NexusKeys(); err != nil || len(keys) != 3 || !first.Ed25519().Equal(keys[2]) {
		t.Errorf("NexusKeys = %d, %v, want 3", len(keys), err)
	}
	out, err := w.open().FinishKeys(finish)
	if err != nil || !out.Sealed || !slices.Equal(out.Old, []string{"nexus.key.old-1", "nexus.key.old-2"}) {
		t.Fatalf("FinishKeys = %+v, %v", out, err)
	}
	w.refresh(c, true)
	w.mayAssign(c, w.load(RoleNexus)[0])
	if old, err := oldKeys(w.keys, KeyRoles); err != nil || len(old) > 0 {
		t.Errorf("FinishKeys left %q, %v", old, err)
	}
	// A key that is not listed is not what the nexus signs with: nothing is dropped for it.
	w.write(filepath.Join(w.keys, "nexus.key"), must(newKey(t, RoleNexus).seal("")))
	if _, err := w.open().FinishKeys(finish); err == nil || !strings.HasSuffix(err.Error(), ": the repository does not list its nexus key; nexus keys rotate --role nexus does") {
		t.Errorf("FinishKeys with another key = %v", err)
	}
}

// New keys in a directory of their own: the old one stays as it is.
func TestRotateIntoNew(t *testing.T) {
	t.Parallel()
	w := newKeyed(t, Quorum{2, 3})
	before := tree(t, w.keys)
	to := filepath.Join(t.TempDir(), "new", "keys")
	out := w.rotate(Rotation{Roles: []string{RoleRoot, RoleSnapshot}, New: to})
	if out.Root != 2 || !out.Sealed || len(out.Old) > 0 {
		t.Errorf("RotateKeys = %+v", out)
	}
	after := tree(t, w.keys)
	if len(after) != len(before) {
		t.Errorf("the old directory holds %d files, had %d", len(after), len(before))
	}
	for name, text := range before {
		same := name != "snapshot.key" && !strings.HasPrefix(name, "root-")
		if after[name] != text || (string(w.read(to, name)) == text) != same {
			t.Errorf("%s: changed, or not as it should be in the new directory", name)
		}
	}
	old := w.keys
	w.keys = to
	w.publishes("2.0.0")
	w.rotate(Rotation{})
	w.keys = old
	if _, err := w.open().RotateKeys(Rotation{Keys: old, Roles: []string{RoleRoot}, New: old}); err == nil {
		t.Error("RotateKeys made new keys in the place of others")
	}
	if after := tree(t, w.keys); after["root-1.key"] != before["root-1.key"] {
		t.Error("the old directory was changed")
	}
}

// copyKeys copies a key directory, modes and all.
func copyKeys(t *testing.T, keys string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range tree(t, keys) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRotateKeysRefuses(t *testing.T) {
	t.Parallel()
	w := newKeyed(t, Quorum{2, 3})
	lacks := func(names ...string) string {
		dir := copyKeys(t, w.keys)
		for _, name := range names {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for _, tt := range []struct {
		name string
		o    Rotation
		want string
	}{
		{"role", Rotation{Keys: w.keys, Roles: []string{"admin"}}, `role "admin": want one of [root targets snapshot timestamp nexus]`},
		{"threshold", Rotation{Keys: w.keys, Roles: []string{RoleRoot}, Root: Quorum{3, 2}}, "root keys: 3 of 2 must sign; want 1 or more, of at most 16"},
		{"no root keys", Rotation{Keys: lacks("root-1.key", "root-2.key", "root-3.key"), Roles: []string{RoleSnapshot}}, "no key for the role root"},
		{"one root key", Rotation{Keys: lacks("root-1.key", "root-2.key"), Roles: []string{RoleSnapshot}}, "the new root is not signed by enough of the trusted keys"},
		{"no targets keys", Rotation{Keys: lacks("targets-1.key"), Roles: []string{RoleNexus}}, "no key for the role targets"},
	} {
		if _, err := w.open().RotateKeys(tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: RotateKeys = %v\nwant %s", tt.name, err, tt.want)
		}
	}
	if root, _, err := w.open().newestRoot(); err != nil || root.Version != 1 {
		t.Errorf("the root is %v, %v", root, err)
	}
	// Without the online keys it is for the nexus to seal.
	out, err := w.open().RotateKeys(Rotation{Keys: lacks("snapshot.key", "timestamp.key"), Roles: []string{RoleTargets}})
	if err != nil || out.Sealed || out.Root != 2 {
		t.Errorf("RotateKeys without online keys = %+v, %v", out, err)
	}
}

// Of two at once one is told so.
func TestRotateKeysBusy(t *testing.T) {
	t.Parallel()
	w := newKeyed(t, Quorum{2, 3})
	d := private()
	other := sync.OnceFunc(func() {
		if _, err := w.open().RotateKeys(Rotation{Keys: w.keys}); Reason(err) != ReasonBusy {
			t.Errorf("RotateKeys meanwhile = %v", err)
		}
	})
	d.fault = func(step string) error {
		other() // and waits its whole time: at the other steps the lock is looked at
		lock, err := os.Open(filepath.Join(w.keys, ".lock"))
		if err != nil {
			return err
		}
		defer lock.Close()
		if lockFile(lock) == nil {
			t.Errorf("%s: the lock is free", step)
		}
		return nil
	}
	if _, err := w.repo.rotateKeys(Rotation{Keys: w.keys, Roles: []string{RoleRoot}}, d); err != nil {
		t.Fatal(err)
	}
}

// toKill is few keys, since it is killed often: one less of root than before.
var toKill = Rotation{Roles: []string{RoleRoot, RoleTimestamp, RoleNexus}, Root: Quorum{1, 1}}

// Wherever a rotation is killed, the directory can sign and be rotated again.
func TestKilledKeyRotation(t *testing.T) {
	t.Parallel()
	w := newKeyed(t, Quorum{1, 2})
	keys, repo := w.keys, w.dir
	for n := 0; ; n++ {
		w.keys, w.dir = copyKeys(t, keys), filepath.Join(t.TempDir(), "repo")
		if err := os.CopyFS(w.dir, os.DirFS(repo)); err != nil {
			t.Fatal(err)
		}
		dead := killedKeyRotation(w, n)
		w.publishes("2.0.0")
		c := w.client()
		w.refresh(c, true)
		w.believes(c, "crow", "1.0.0", "2.0.0")
		known, err := c.NexusKeys(t.Context())
		if err != nil || !holdsKey(known, w.load(RoleNexus)[0]) {
			t.Fatalf("killed at %d: %v, and nexus.key is not among %d keys of the nexus", n, err, len(known))
		}
		if !dead {
			return
		}
		w.rotate(toKill)
		if got := entries(t, w.keys); slices.ContainsFunc(got, func(name string) bool { return name == NextKeys || strings.HasPrefix(name, temporary) }) {
			t.Fatalf("killed at %d and done again: %q", n, got)
		}
		for _, role := range KeyRoles {
			held := w.load(role)
			if known, err := (&keyRotation{repo: w.open()}).known(held); err != nil || !known || len(held) != 1 {
				t.Fatalf("killed at %d and done again: %d keys of %s, known: %v, %v", n, len(held), role, known, err)
			}
		}
		if _, err := c.Refresh(t.Context()); err != nil {
			t.Fatalf("killed at %d and done again: %v", n, err)
		}
	}
}

// With keys in a directory of their own it is one of the two that can sign, and the same
// once more goes on, unless the new one was made in vain.
func TestKilledRotationIntoNew(t *testing.T) {
	t.Parallel()
	w := newKeyed(t, Quorum{1, 1})
	keys, repo := w.keys, w.dir
	for n := 0; ; n++ {
		w.keys, w.dir = keys, filepath.Join(t.TempDir(), "repo")
		if err := os.CopyFS(w.dir, os.DirFS(repo)); err != nil {
			t.Fatal(err)
		}
		r, d, dead := w.open(), private(), false
		d.fault = killedAt(n, &dead)
		r.disk.fault = d.fault
		o := Rotation{Keys: keys, Roles: []string{RoleTimestamp}, New: filepath.Join(t.TempDir(), "new")}
		if _, err := r.rotateKeys(o, d); (err != nil) != dead {
			t.Fatal(n, err)
		}
		root, _, err := w.open().newestRoot()
		if err != nil {
			t.Fatal(n, err)
		}
		if root.Version == 2 {
			w.keys = o.New
		}
		w.publishes("2.0.0")
		if !dead {
			return
		}
		vain := root.Version == 1 && exists(o.New)
		if _, err := w.open().RotateKeys(o); (err != nil) != vain {
			t.Fatalf("killed at %d, and done again: %v", n, err)
		}
	}
}

func killedKeyRotation(w *keyed, n int) (dead bool) {
	w.Helper()
	r, d, o := w.open(), private(), toKill
	o.Keys = w.keys
	d.fault = killedAt(n, &dead)
	r.disk.fault = d.fault
	_, err := r.rotateKeys(o, d)
	if (err != nil) != dead {
		w.Fatal(n, err)
	}
	return dead
}
