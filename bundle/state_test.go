package bundle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// aged is a world whose client has seen crow@2.0.0 and a rotation, and what it showed
// before.
func aged(t *testing.T) (w *world, o ClientOptions, old string) {
	w = newWorld(t)
	old = w.copy()
	w.pass(time.Hour)
	w.publish("crow", "2.0.0")
	w.seal()
	if _, err := w.repo.Rotate(testRoles(), rootKeys, targetsKeys); err != nil {
		t.Fatal(err)
	}
	w.seal()
	o = w.clientOptions()
	c := w.client(o)
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0", "2.0.0")
	return w, o, old
}

// stateOf copies a client's state to where it can be broken.
func stateOf(w *world, o ClientOptions) ClientOptions {
	w.Helper()
	before := o.State
	o.State = filepath.Join(w.TempDir(), "state")
	if err := os.CopyFS(o.State, os.DirFS(before)); err != nil {
		w.Fatal(err)
	}
	return o
}

// survives checks that a client with damaged state opens, believes what it did or
// nothing, refuses an older state, and takes the newest.
func survives(w *world, o ClientOptions, old string) {
	w.Helper()
	c := w.client(o)
	if list, err := c.Bundles(); Reason(err) != ReasonNotListed && len(list) != 2 {
		w.Fatalf("Bundles = %v, %v", list, err)
	}
	w.shown.Store(old)
	w.refused(c, ReasonRollback)
	w.honest()
	if _, err := c.Refresh(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.believes(c, "crow", "1.0.0", "2.0.0")
	c.Close()
	c = w.client(o)
	w.believes(c, "crow", "1.0.0", "2.0.0")
	c.Close()
}

func TestBrokenState(t *testing.T) {
	t.Parallel()
	w, o, old := aged(t)
	err := filepath.WalkDir(o.State, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(o.State, path)
		if err != nil {
			return err
		}
		for what, damage := range map[string]func(path string) error{
			"removed":   os.Remove,
			"emptied":   func(path string) error { return os.Truncate(path, 0) },
			"of zeroes": func(path string) error { return os.WriteFile(path, make([]byte, 100), 0o600) },
			"json":      func(path string) error { return os.WriteFile(path, []byte("{}\n"), 0o600) },
			"a folder":  func(path string) error { return errors.Join(os.Remove(path), os.MkdirAll(path+"/x", 0o700)) },
			"a link":    func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)) },
			"flipped": func(path string) error {
				data := w.read(path)
				data[len(data)/2] ^= 1
				return os.WriteFile(path, data, 0o600)
			},
		} {
			broken := stateOf(w, o)
			if err := damage(filepath.Join(broken.State, name)); err != nil {
				t.Fatal(name, what, err)
			}
			t.Log(name, what)
			survives(w, broken, old)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A file of the state that ends at any of its bytes is as good as missing.
func TestTruncatedState(t *testing.T) {
	t.Parallel()
	w, o, old := aged(t)
	for _, name := range []string{trustedFile, floorFile} {
		data := w.read(o.State, name)
		broken := filepath.Join(t.TempDir(), name)
		for n := range len(data) {
			w.write(broken, data[:n])
			var into map[string]any
			if damaged, err := private().loadState(broken, &into); !damaged || err != nil || into != nil {
				t.Fatal(name, n, damaged, into, err)
			}
		}
		for n := 0; n < len(data); n += len(data) / 10 {
			broken := stateOf(w, o)
			w.write(filepath.Join(broken.State, name), data[:n])
			survives(w, broken, old)
		}
	}
}

func TestTruncatedBlob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	program := []byte("\x00asm, thirty bytes of program.")
	digest, err := w.repo.AddBlob(program)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(program) {
		w.write(filepath.Join(c.blobDir(), digest[len("sha256:"):]), program[:n])
		path, err := c.Blob(t.Context(), digest, int64(len(program)))
		if err != nil || string(w.read(path)) != string(program) {
			t.Fatal(n, path, err)
		}
	}
}

// What is asked of a client that is killed while it learns of crow@2.0.0 and of new
// keys, at any change it makes to its disk.
func TestKilledClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.clientOptions()
	w.believes(refreshed(w, old), "crow", "1.0.0")
	program := []byte("\x00asm")
	digest, err := w.repo.AddBlob(program)
	if err != nil {
		t.Fatal(err)
	}
	roles := testRoles()
	roles.Root.Threshold = 1
	if _, err := w.repo.Rotate(roles, rootKeys, targetsKeys); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.publish("crow", "2.0.0")
	w.seal()

	for n := 0; ; n++ {
		o, dead := stateOf(w, old), false
		d := private()
		d.fault = killedAt(n, &dead)
		if err := learn(w, o, d, digest, len(program)); (err != nil) != dead {
			t.Fatal(n, err)
		}
		c := w.client(o)
		if list, err := c.Bundles(); err != nil || len(list) != 1 && len(list) != 2 {
			t.Fatal(n, list, err)
		}
		if _, err := c.Refresh(t.Context()); err != nil {
			t.Fatal(n, err)
		}
		w.believes(c, "crow", "1.0.0", "2.0.0")
		if _, err := c.Blob(t.Context(), digest, int64(len(program))); err != nil {
			t.Fatal(n, err)
		}
		left, err := filepath.Glob(filepath.Join(o.State, "*", temporary+"*"))
		if err != nil || len(left) > 0 {
			t.Fatal(n, left, err)
		}
		if !dead {
			return
		}
	}
}

func refreshed(w *world, o ClientOptions) *Client {
	w.Helper()
	c := w.client(o)
	w.refresh(c, true)
	return c
}

func learn(w *world, o ClientOptions, d disk, digest string, size int) error {
	c, err := newClient(o, d)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Refresh(w.Context()); err != nil {
		return err
	}
	if _, err := c.Target(w.Context(), targetOf("crow", "2.0.0")); err != nil {
		return err
	}
	_, err = c.Blob(w.Context(), digest, int64(size))
	return err
}

// A disk that is full at the n-th change and after: everything is refused with one
// reason, and nothing is lost.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.clientOptions()
	w.believes(refreshed(w, o), "crow", "1.0.0")
	w.pass(time.Hour)
	w.publish("crow", "2.0.0")
	w.seal()
	for n := 0; ; n++ {
		full, left, o := false, n, stateOf(w, o)
		d := private()
		d.fault = func(change string) error {
			if left--; left < 0 && (change == "write" || change == "create" || change == "mkdir") {
				full = true
				return &fs.PathError{Op: change, Path: o.State, Err: syscall.ENOSPC}
			}
			return nil
		}
		c, err := newClient(o, d)
		if err != nil {
			t.Fatal(n, err)
		}
		_, err = c.Refresh(t.Context())
		if full && Reason(err) == ReasonNoSpace {
			w.believes(c, "crow", "1.0.0")
		} else if err != nil {
			t.Fatal(n, err)
		}
		_, errTarget := c.Target(t.Context(), targetOf("crow", "2.0.0"))
		if full && Reason(errTarget) != ReasonNoSpace && Reason(errTarget) != ReasonNotListed {
			t.Fatal(n, errTarget)
		}
		c.disk.fault = nil
		if _, err := c.Refresh(t.Context()); err != nil {
			t.Fatal(n, err)
		}
		w.believes(c, "crow", "1.0.0", "2.0.0")
		c.Close()
		if !full {
			return
		}
	}
}

// Another first root begins trust anew: it is the operator's word.
func TestAnotherFirstRoot(t *testing.T) {
	t.Parallel()
	w, o, _ := aged(t)
	other := newWorld(t)
	o.Repository = other.server.URL
	c := w.client(o)
	w.refused(c, ReasonRollback)
	roles := testRoles()
	roles.Root.Threshold = 1
	other.dir = filepath.Join(t.TempDir(), "other")
	other.repo, other.root = newRepository(t, other.dir, roles, other.options())
	other.publish("crab", "0.1.0")
	other.seal()
	other.honest()
	o.Root = other.root
	c = w.client(o)
	if _, err := c.Bundles(); Reason(err) != ReasonNotListed {
		t.Fatalf("Bundles of another root: %v", err)
	}
	w.refresh(c, true)
	w.believes(c, "crab", "0.1.0")
}

func TestBadFirstRoot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	under := latest[metadata.RootType](w, w.dir, metadata.ROOT)
	one, err := signMetadata(under, keys("root-1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct{ root, reason string }{
		{"", ReasonUnparsable},
		{"{}", ReasonUnparsable},
		{"null", ReasonUnparsable},
		{string(w.root[:len(w.root)/2]), ReasonUnparsable},
		{`{"signed":{"_type":"root","version":1,"keys":{"a":null},"roles":{"root":{"keyids":["a"],"threshold":1}}},"signatures":[]}`, ReasonUnparsable},
		{`{"signed":{"_type":"root","version":1,"keys":{},"roles":{"root":null}},"signatures":[]}`, ReasonUnparsable},
		{`{"signed":{"_type":"root","version":1,"keys":{},"roles":{"root":{"keyids":[],"threshold":0}}},"signatures":[]}`, ReasonUnparsable},
		{string(w.read(w.dir, metadataDir, "timestamp.json")), ReasonUnparsable},
		{string(one), ReasonBadSignature},
	} {
		o := w.clientOptions()
		o.Root = []byte(bad.root)
		if _, err := NewClient(o); Reason(err) != bad.reason {
			t.Errorf("NewClient with the root %.60q: %v, want %s", bad.root, err, bad.reason)
		}
		if _, err := OpenRepository(w.dir, []byte(bad.root), w.options()); Reason(err) != bad.reason {
			t.Errorf("OpenRepository with the root %.60q: %v, want %s", bad.root, err, bad.reason)
		}
	}
}

// Refreshes at the same time come one after the other, and readers do not wait.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := refreshed(w, w.clientOptions())
	errs := make(chan error)
	for range 4 {
		go func() {
			_, err := c.Refresh(t.Context())
			errs <- err
		}()
		go func() {
			_, err := c.Target(t.Context(), targetOf("crow", "1.0.0"))
			errs <- err
		}()
		go func() {
			_, err := c.Bundles()
			errs <- err
		}()
	}
	for range 12 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
