package runtime

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"golang.org/x/sys/cpu"
)

// cacheDir is where the compiled code of one program lies. wazero believes
// what it finds there (it checks the code's CRC, but not the tables that point
// into it), so a file "sums" lists what was written, in the form of sha256sum,
// and a directory that is otherwise is thrown away. It guards against disks and
// crashes, not against someone who may write there.
type cacheDir struct{ root, name string }

const sumsFile = "sums"

// newCacheDir names the directory after all that wazero's code depends on: the
// program as it is compiled, wazero's version and the processor.
func newCacheDir(root string, wasm []byte) cacheDir {
	h := sha256.New()
	fmt.Fprintln(h, versionDir(), goruntime.GOARCH, cpu.X86, cpu.ARM64)
	h.Write(wasm)
	return cacheDir{root, hex.EncodeToString(h.Sum(nil))}
}

func (c cacheDir) path() string { return filepath.Join(c.root, c.name) }

// versionDir is the directory that wazero makes within one, named after its
// version.
var versionDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "hive-code-")
	if err != nil {
		return ""
	}
	defer os.RemoveAll(dir)
	if _, err := wazero.NewCompilationCacheWithDir(dir); err != nil {
		return ""
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		return ""
	}
	return entries[0].Name()
})

// verify reports whether the directory holds what was put there, and removes it
// otherwise.
func (c cacheDir) verify() bool {
	sealed, err := os.ReadFile(filepath.Join(c.path(), sumsFile))
	if err == nil && c.whole() {
		if sums, err := c.sums(); err == nil && string(sealed) == sums {
			return true
		}
	}
	_ = os.RemoveAll(c.path())
	return false
}

// adopt takes over the directory that a child process compiled into, if there is
// nothing in it but the one file of code.
func (c cacheDir) adopt(from string) error {
	made := cacheDir{filepath.Dir(from), filepath.Base(from)}
	if !made.whole() {
		return fmt.Errorf("the compiled code is not where it should be")
	}
	sums, err := made.sums()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(from, sumsFile), []byte(sums), 0o600); err != nil {
		return err
	}
	if err := os.Rename(from, c.path()); err != nil && !c.verify() {
		// There was one already, and it was not whole: now it is gone.
		return os.Rename(from, c.path())
	}
	return nil
}

// whole reports whether there is the one file of code where it should be, and
// nothing else.
func (c cacheDir) whole() bool {
	files := c.files()
	return len(files) == 1 && filepath.Dir(files[0]) == filepath.Join(c.path(), versionDir())
}

// files returns all but the list of sums, in the order of names.
func (c cacheDir) files() (paths []string) {
	_ = filepath.WalkDir(c.path(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != sumsFile {
			paths = append(paths, path)
		}
		return nil // what cannot be listed has no sum, and is not trusted
	})
	return paths
}

// sums returns a line "digest  path" per file.
func (c cacheDir) sums() (string, error) {
	var list strings.Builder
	for _, file := range c.files() {
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
