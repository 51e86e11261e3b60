package bundle

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Whatever has the name of the new folder makes room for it, and what it led to
// stays as it was.
func TestImportReplaces(t *testing.T) {
	t.Parallel()
	name := hexDigits(sample().Digest())
	for _, tt := range []struct {
		what  string
		plant func(path, outside string) error
	}{
		{"the same bundle, damaged", func(path, _ string) error {
			return errors.Join(os.MkdirAll(filepath.Join(path, "blobs"), 0o755), os.WriteFile(filepath.Join(path, "bundle.json"), nil, 0o644))
		}},
		{"an empty folder", func(path, _ string) error { return os.Mkdir(path, 0o755) }},
		{"a file", func(path, _ string) error { return os.WriteFile(path, []byte("x"), 0o644) }},
		{"a link out of the folder", func(path, outside string) error { return os.Symlink(outside, path) }},
		{"a folder of links out of it", func(path, outside string) error {
			return errors.Join(os.Mkdir(path, 0o755), os.Symlink(outside, path+"/blobs"), os.Symlink(outside+"/file", path+"/bundle.json"))
		}},
	} {
		dir, outside := t.TempDir(), t.TempDir()
		if err := os.WriteFile(filepath.Join(outside, "file"), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := tt.plant(filepath.Join(dir, name), outside); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(bytes.NewReader(exported(t, sample(), "chain")), dir); err != nil {
			t.Errorf("%s: Import() = %v", tt.what, err)
		}
		if left := entries(t, dir); !slices.Equal(left, []string{name}) {
			t.Errorf("%s: Import() left %q, want the bundle alone", tt.what, left)
		}
		if files := tree(t, filepath.Join(dir, name)); len(files) != 4 {
			t.Errorf("%s: imported %q", tt.what, files)
		}
		if files := tree(t, outside); !maps.Equal(files, map[string]string{"file": "mine"}) {
			t.Errorf("%s: outside there is %q now", tt.what, files)
		}
	}
}

// Several that import one file all have it.
func TestImportsAtOnce(t *testing.T) {
	t.Parallel()
	file := exported(t, sample(), "chain")
	dir := t.TempDir()
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := Import(bytes.NewReader(file), dir)
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Errorf("Import() = %v", err)
		}
	}
	if files := tree(t, dir); len(files) != 4 {
		t.Errorf("there is %q", files)
	}
}

// What a crash left is removed when it is a day old: what is younger may be in use.
func TestImportForgets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{unfinished + "old", unfinished + "new", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "blobs"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-25 * time.Hour)
	for _, name := range []string{unfinished + "old", "other"} {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Import(bytes.NewReader(exported(t, sample(), "")), dir); err != nil {
		t.Fatal(err)
	}
	want := []string{unfinished + "new", hexDigits(sample().Digest()), "other"}
	if left := entries(t, dir); !slices.Equal(left, want) {
		t.Errorf("there is %q, want %q", left, want)
	}
}
