package runtime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

// cachedRun prepares and runs the counter with the cache in dir, and returns
// the file that holds its code.
func cachedRun(t *testing.T, dir string) string {
	t.Helper()
	s := skillIn(t, newEngine(t, Options{CacheDir: dir, Admit: admittedBy}), counter().bytes(), hive.Manifest{})
	wantResult(t, s.Call(t.Context(), Call{}), once)
	entries, _ := filepath.Glob(filepath.Join(dir, "*", "wazero-*", "*"))
	if len(entries) != 1 {
		t.Fatalf("cache holds %v, want one entry", entries)
	}
	return entries[0]
}

// replaced returns a function that reports whether the file was written anew.
// Holding it open keeps its identity from being given to the next one.
func replaced(t *testing.T, file string) func() bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	before, _ := f.Stat()
	return func() bool {
		now, err := os.Stat(file)
		return err == nil && !os.SameFile(before, now)
	}
}

func TestCacheIsUsedAgain(t *testing.T) {
	dir := t.TempDir()
	isNew := replaced(t, cachedRun(t, dir))
	if cachedRun(t, dir); isNew() {
		t.Error("the second engine compiled again")
	}
}

// TestDamagedCache: whatever is done to the cache, the program runs, and what
// was damaged is replaced.
func TestDamagedCache(t *testing.T) {
	flip := func(at float64) func(*testing.T, string) {
		return func(t *testing.T, entry string) {
			b, err := os.ReadFile(entry)
			if err != nil {
				t.Fatal(err)
			}
			b[int(at*float64(len(b)-1))] ^= 0xff
			write(t, entry, b)
		}
	}
	sums := func(entry string) string { return filepath.Join(filepath.Dir(filepath.Dir(entry)), sumsFile) }
	for name, damage := range map[string]func(t *testing.T, entry string){
		"first byte":  flip(0),
		"offsets":     flip(0.03), // of functions: wazero has no checksum of them
		"code":        flip(0.5),
		"last byte":   flip(1),
		"empty":       func(t *testing.T, entry string) { write(t, entry, nil) },
		"one more":    func(t *testing.T, entry string) { write(t, entry+"0", []byte("x")) },
		"no sums":     func(t *testing.T, entry string) { write(t, sums(entry), nil) },
		"nothing":     func(t *testing.T, entry string) { os.RemoveAll(filepath.Dir(entry)); write(t, sums(entry), nil) },
		"other sums":  func(t *testing.T, entry string) { write(t, sums(entry), []byte("x")) },
		"a directory": func(t *testing.T, entry string) { os.Remove(entry); os.MkdirAll(filepath.Join(entry, "x"), 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			entry := cachedRun(t, dir)
			isNew := replaced(t, entry)
			damage(t, entry)
			if cachedRun(t, dir) != entry || !isNew() {
				t.Error("the damaged entry was used")
			}
		})
	}
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFullDisk: that a program's code cannot be kept is not the program's fault.
func TestFullDisk(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "code", Err: errors.New("no space left on device")}
	for err, want := range map[error]bool{fmt.Errorf("compile: %w", full): true, errors.New("invalid function[0]"): false} {
		if ofDisk(err) != want {
			t.Errorf("ofDisk(%v) = %v", err, !want)
		}
	}
}

// TestCacheThatGoesAway puts a file where the cache was.
func TestCacheThatGoesAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	e := newEngine(t, Options{CacheDir: dir, Admit: admittedBy})
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	write(t, dir, nil)
	if _, err := e.Prepare(t.Context(), counter().bytes(), &hive.Manifest{}); err == nil || !strings.HasPrefix(err.Error(), "admit program: ") {
		t.Errorf("Prepare() = %v", err)
	}
	if _, err := New(t.Context(), Options{CacheDir: dir}); err == nil || !strings.HasPrefix(err.Error(), "start sandbox engine: cache: ") {
		t.Errorf("New() on a file = %v", err)
	}
}
