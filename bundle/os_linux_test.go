package bundle

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// again runs the test that calls it in another process, with variables of its own,
// and returns what that said.
func again(t *testing.T, env ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// killer kills its process when it is read.
type killer struct{}

func (killer) Read([]byte) (int, error) { return 0, syscall.Kill(os.Getpid(), syscall.SIGKILL) }

// A process that is killed while it imports leaves nothing that looks like a bundle,
// and what was there already is whole.
func TestImportKilled(t *testing.T) {
	file := exported(t, sample(), "chain")
	if at, err := strconv.Atoi(os.Getenv("BUNDLE_KILLED_AT")); err == nil {
		Import(io.MultiReader(bytes.NewReader(file[:at]), killer{}), os.Getenv("BUNDLE_DIR"))
		t.Fatal("it was not killed")
	}
	t.Parallel()
	programs := len(file) - 2*32
	for _, at := range []int{0, 11, programs - 10, programs, programs + 1, programs + 16, programs + 31, programs + 32, len(file) - 1, len(file)} {
		dir := t.TempDir()
		out, err := again(t, "BUNDLE_KILLED_AT="+strconv.Itoa(at), "BUNDLE_DIR="+dir)
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("killed at %d: %v: %s", at, err, out)
		}
		for _, name := range entries(t, dir) {
			if !strings.HasPrefix(name, unfinished) {
				t.Errorf("killed at %d: there is %s", at, name)
			}
		}
		if _, err := Import(bytes.NewReader(file), dir); err != nil {
			t.Errorf("killed at %d: Import() afterwards = %v", at, err)
		}
	}
}

// A disk that takes no more leaves nothing, neither of a bundle nor of keys. What may
// be written to a file is limited, which fails as a full disk does.
func TestFullDiskTakesNothing(t *testing.T) {
	file := exported(t, sample(), strings.Repeat("chain", 1000))
	if room, err := strconv.ParseUint(os.Getenv("BUNDLE_ROOM"), 10, 64); err == nil {
		fillDisk(t, room, file, os.Getenv("BUNDLE_DIR"))
		return
	}
	t.Parallel()
	for _, room := range []int{0, 10, 100, 4999} { // the chain has 5,000
		dir := t.TempDir()
		if out, err := again(t, "BUNDLE_ROOM="+strconv.Itoa(room), "BUNDLE_DIR="+dir); err != nil {
			t.Errorf("room for %d: %v: %s", room, err, out)
		}
		if left := entries(t, dir); len(left) > 0 {
			t.Errorf("room for %d: there is %q", room, left)
		}
	}
}

func fillDisk(t *testing.T, room uint64, file []byte, dir string) {
	signal.Ignore(syscall.SIGXFSZ) // EFBIG instead
	var usual syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &usual); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: room, Max: usual.Max}); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &usual) // the test program may have more to write
	if _, err := Import(bytes.NewReader(file), dir); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Import() = %v, want %v", err, syscall.EFBIG)
	}
	key, err := NewKey(RoleRoot)
	if err != nil {
		t.Fatal(err)
	}
	if room > 100 {
		return
	}
	if err := key.Save(filepath.Join(dir, "root.key"), ""); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Save() = %v, want %v", err, syscall.EFBIG)
	}
	if err := InitKeys(filepath.Join(dir, "keys"), Quorum{1, 1}, Quorum{1, 1}, sample().Created, ""); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("InitKeys() = %v, want %v", err, syscall.EFBIG)
	}
}

// Killed on both sides of the rename, and between the two of a replacement: there is
// the old folder, none, or the new one, and never parts of one.
func TestAppearKilled(t *testing.T) {
	if step := os.Getenv("BUNDLE_KILLED_STEP"); step != "" {
		killWhilePlacing(t, step, os.Getenv("BUNDLE_DIR"))
	}
	t.Parallel()
	for _, tt := range []struct{ step, want string }{{"before", "old"}, {"between", ""}, {"after", "new"}} {
		dir := t.TempDir()
		write := func(text string) error {
			return appear(dir, "it", replace, func(f draft) error { return errors.Join(f.write("a/1", []byte(text)), f.write("a/2", []byte(text))) })
		}
		if err := write("old"); err != nil {
			t.Fatal(err)
		}
		if out, err := again(t, "BUNDLE_KILLED_STEP="+tt.step, "BUNDLE_DIR="+dir); err == nil || strings.Contains(out, "FAIL") {
			t.Fatalf("killed %s: %v: %s", tt.step, err, out)
		}
		one, _ := os.ReadFile(filepath.Join(dir, "it", "a", "1"))
		two, _ := os.ReadFile(filepath.Join(dir, "it", "a", "2"))
		if string(one) != tt.want || string(two) != tt.want {
			t.Errorf("killed %s: there is %q and %q, want %q", tt.step, one, two, tt.want)
		}
		if err := write("newer"); err != nil || !slices.Contains(entries(t, dir), "it") {
			t.Errorf("killed %s: afterwards: %v", tt.step, err)
		}
	}
}

func killWhilePlacing(t *testing.T, step, dir string) {
	kill := func() { killer{}.Read(nil) }
	place := func(root *os.Root, from, to string) error {
		if step == "before" {
			kill()
		}
		if err := root.Rename(to, unfinished+"aside"); err != nil {
			return err
		}
		if step == "between" {
			kill()
		}
		if err := root.Rename(from, to); err != nil {
			return err
		}
		kill()
		return nil
	}
	err := appear(dir, "it", place, func(f draft) error { return errors.Join(f.write("a/1", []byte("new")), f.write("a/2", []byte("new"))) })
	t.Fatalf("it was not killed: %v", err)
}

// To open a pipe would wait for whoever writes to it.
func TestLoadKeyFromPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(pipe, ""); err == nil || err.Error() != pipe+": not a regular file" {
		t.Errorf("LoadKey(a pipe) = %v", err)
	}
}
