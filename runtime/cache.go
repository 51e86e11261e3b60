package runtime

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// cacheDir is where the compiled code of one program lies. wazero believes
// what it finds there (it checks the code's CRC, but not the tables that point
// into it), so a file "sums" lists what was written, in the form of sha256sum,
// and anything else is thrown away. It guards against disks and crashes, not
// against someone who may write there.
type cacheDir struct{ root, digest string }

const sumsFile = "sums"

func (c cacheDir) path() string {
	return filepath.Join(c.root, strings.TrimPrefix(c.digest, "sha256:"))
}

// verify removes the directory unless its files are those that were sealed. It
// returns how many there are.
func (c cacheDir) verify() int {
	sealed, err := os.ReadFile(filepath.Join(c.path(), sumsFile))
	files := c.files()
	if sums, sumErr := c.sums(files); err != nil || sumErr != nil || string(sealed) != sums {
		_ = os.RemoveAll(c.path())
		return 0
	}
	return len(files)
}

// seal lists what compiling left there, unless nothing was added to what was
// verified. Not being able to costs a compilation after the next start.
func (c cacheDir) seal(verified int) {
	files := c.files()
	if len(files) == verified {
		return
	}
	sums, err := c.sums(files)
	if err != nil {
		return
	}
	// Another process may read or write the same list: replace it in one step.
	tmp, err := os.CreateTemp(c.path(), sumsFile+".*.tmp")
	if err != nil {
		return
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(sums)
	if tmp.Close() == nil && err == nil {
		_ = os.Rename(tmp.Name(), filepath.Join(c.path(), sumsFile))
	}
}

// files returns what is to be sealed, in the order of names.
func (c cacheDir) files() (paths []string) {
	_ = filepath.WalkDir(c.path(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != sumsFile && !strings.HasSuffix(path, ".tmp") {
			paths = append(paths, path)
		}
		return nil // what cannot be listed is not sealed, and not trusted
	})
	return paths
}

// sums returns a line "digest  path" per file.
func (c cacheDir) sums(files []string) (string, error) {
	var list strings.Builder
	for _, file := range files {
		sum, err := fileSum(file)
		if err != nil {
			return "", err
		}
		rel, err := filepath.Rel(c.path(), file)
		if err != nil {
			return "", err
		}
		list.WriteString(sum + "  " + filepath.ToSlash(rel) + "\n")
	}
	return list.String(), nil
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, bufio.NewReaderSize(f, 1<<20))
	return hex.EncodeToString(h.Sum(nil)), err
}
