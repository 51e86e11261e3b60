package sdk

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestNothingHalf: what cannot be written or moved as a whole leaves nothing.
func TestNothingHalf(t *testing.T) {
	errFull := errors.New("the disk is full")
	twoFiles := func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "a"), nil, 0o666), os.WriteFile(filepath.Join(dir, "b"), nil, 0o666))
	}
	for _, tt := range []struct {
		name string
		fill func(string) error
		want error
	}{
		{"written", func(dir string) error { return errors.Join(twoFiles(dir), errFull) }, errFull},
		{"moved", twoFiles, os.ErrExist}, // b is a folder
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "b"), 0o777); err != nil {
			t.Fatal(err)
		}
		err := whole(dir, tt.fill, func(made string) error { return moveAll(made, dir) })
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%s: %v left, %v", tt.name, entries, err)
		}
	}
}
