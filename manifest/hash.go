package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hive-spore/hive"
)

// What a skill folder may hold at most, for it to be hashed.
const (
	maxSourceFiles = 20_000
	maxSourceBytes = 512 << 20
)

// SourceHash returns 64 hex digits that change when the folder's program has
// to be built again: they cover the build table and the names and contents of
// all files. Left out are the build's output, what begins with a dot, and
// directories marked as caches by a CACHEDIR.TAG (cargo's target). Sources
// outside of the folder are seen if build.sources names their folders.
func (f *Folder) SourceHash() (string, error) {
	table, err := json.Marshal(f.Build)
	if err != nil {
		return "", err
	}
	h := sourceHash{Hash: sha256.New(), skip: f.Build.Output}
	h.record("build", string(table))
	if err := h.folder(f.Dir); err != nil {
		return "", err
	}
	h.skip = ""
	for _, source := range f.Build.Sources {
		h.record("source", source)
		if err := h.folder(filepath.Join(f.Dir, filepath.FromSlash(source))); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// sourceHash hashes records of length-prefixed fields, so that no two folders
// write the same bytes.
type sourceHash struct {
	hash.Hash
	root  *os.Root // of the folder that is walked
	skip  string
	files int
	bytes int64
}

// folder records all of a folder.
func (h *sourceHash) folder(dir string) (err error) {
	if h.root, err = openFolder(dir); err != nil {
		return err
	}
	defer h.root.Close()
	if err := fs.WalkDir(h.root.FS(), ".", h.visit); err != nil {
		return fmt.Errorf("hash %s: %w", dir, err)
	}
	return nil
}

func (h *sourceHash) record(fields ...string) {
	for _, f := range fields {
		fmt.Fprintf(h, "%d:%s", len(f), f)
	}
}

// visit takes one entry of the walk, which comes in the order of names.
func (h *sourceHash) visit(path string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case path == ".":
		return nil
	case strings.HasPrefix(entry.Name(), "."), entry.IsDir() && h.isCache(path):
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	case path == h.skip:
		return nil
	case entry.Type() == fs.ModeSymlink:
		target, err := h.root.Readlink(path)
		h.record("link", path, target)
		return err
	case entry.Type().IsRegular():
		return h.file(path)
	}
	return nil
}

func (h *sourceHash) isCache(dir string) bool {
	_, err := h.root.Stat(dir + "/CACHEDIR.TAG")
	return err == nil
}

func (h *sourceHash) file(path string) error {
	f, err := h.root.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h.files++
	h.bytes += info.Size()
	if h.files > maxSourceFiles || h.bytes > maxSourceBytes {
		return fmt.Errorf("more than %d files or %d bytes: %w", maxSourceFiles, maxSourceBytes, hive.ErrTooLarge)
	}
	content := sha256.New()
	_, err = io.Copy(content, io.LimitReader(f, info.Size()))
	h.record("file", path, string(content.Sum(nil)))
	return err
}
