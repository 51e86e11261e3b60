package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

func sourceHashOf(t *testing.T, files map[string]string, change func(dir string, f *Folder)) string {
	t.Helper()
	dir := writeFolder(t, files)
	f, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(dir, f)
	}
	return hashOf(t, f)
}

func hashOf(t *testing.T, f *Folder) string {
	t.Helper()
	sum, err := f.SourceHash()
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSourceHash(t *testing.T) {
	t.Parallel()
	base := sourceHashOf(t, goodFiles(), nil)
	if len(base) != 64 {
		t.Fatalf("hash %q, want 64 hex digits", base)
	}
	tests := []struct {
		name   string
		change func(dir string, f *Folder)
		same   bool
	}{
		{"nothing", nil, true},
		{"built", func(dir string, _ *Folder) { write(t, dir, "secscan.wasm", "\x00asm") }, true},
		{"dot file", func(dir string, _ *Folder) { write(t, dir, ".env", "x") }, true},
		{"dot folder", func(dir string, _ *Folder) { write(t, dir, ".git/HEAD", "x") }, true},
		{"cache", func(dir string, _ *Folder) {
			write(t, dir, "target/CACHEDIR.TAG", "")
			write(t, dir, "target/x.o", "x")
		}, true},
		{"another program", func(dir string, _ *Folder) { write(t, dir, "sub/secscan.wasm", "\x00asm") }, false},
		{"content", func(dir string, _ *Folder) { write(t, dir, "main.go", "package main // x\n") }, false},
		{"new file", func(dir string, _ *Folder) { write(t, dir, "a/b.go", "") }, false},
		{"file gone", func(dir string, _ *Folder) { os.Remove(filepath.Join(dir, "main.go")) }, false},
		{"file renamed", func(dir string, _ *Folder) {
			os.Rename(filepath.Join(dir, "main.go"), filepath.Join(dir, "main2.go"))
		}, false},
		{"link", func(dir string, _ *Folder) { os.Symlink("main.go", filepath.Join(dir, "link.go")) }, false},
		{"build table", func(_ string, f *Folder) { f.Build.Env["GOOS"] = "js" }, false},
		{"command", func(_ string, f *Folder) { f.Build.Command = append(f.Build.Command, "-v") }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := sourceHashOf(t, goodFiles(), tt.change); (got == base) != tt.same {
				t.Errorf("hash %s, base %s, want same = %v", got, base, tt.same)
			}
		})
	}
}

// What a skill is built of beside its folder counts, if it says so.
func TestSourceHashBesideTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range goodFiles() {
		write(t, filepath.Join(dir, "skill"), name, content)
	}
	write(t, dir, "shared/a.go", "package shared\n")
	write(t, dir, "other/a.go", "package other\n")
	f, err := Load(filepath.Join(dir, "skill"))
	if err != nil {
		t.Fatal(err)
	}
	alone := hashOf(t, f)
	f.Build.Sources = []string{"../shared"}
	base := hashOf(t, f)
	write(t, dir, "other/a.go", "package other // x\n")
	if alone == base || hashOf(t, f) != base {
		t.Errorf("hashes %s without sources, %s with, %s after another folder changed", alone, base, hashOf(t, f))
	}
	write(t, dir, "shared/a.go", "package shared // x\n")
	if got := hashOf(t, f); got == base {
		t.Error("a change in a named folder does not count")
	}
	f.Build.Sources = []string{"../gone"}
	if _, err := f.SourceHash(); err == nil {
		t.Error("SourceHash of sources that are gone has no error")
	}
}

// Where one name ends and the next begins is part of the hash.
func TestSourceHashIsUnambiguous(t *testing.T) {
	t.Parallel()
	one, other := goodFiles(), goodFiles()
	one["a"], one["b"] = "xb", ""
	other["a"], other["bx"] = "b", ""
	if sourceHashOf(t, one, nil) == sourceHashOf(t, other, nil) {
		t.Error("two different folders have the same hash")
	}
}

func TestSourceHashBounds(t *testing.T) {
	t.Parallel()
	dir := writeFolder(t, goodFiles())
	f, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	big, err := os.Create(filepath.Join(dir, "big"))
	if err != nil {
		t.Fatal(err)
	}
	defer big.Close()
	if err := big.Truncate(maxSourceBytes + 1); err != nil { // sparse: takes no room
		t.Fatal(err)
	}
	if _, err := f.SourceHash(); err == nil || !strings.HasSuffix(err.Error(), hive.ErrTooLarge.Error()) {
		t.Errorf("SourceHash = %v, want %v", err, hive.ErrTooLarge)
	}
	f.Dir = filepath.Join(dir, "gone")
	if _, err := f.SourceHash(); err == nil {
		t.Error("SourceHash of a folder that is gone has no error")
	}
}
