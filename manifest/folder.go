package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hive-spore/hive"
)

// readFile reads a regular file of at most limit bytes. The root keeps names
// and links from leading out of the folder.
func readFile(root *os.Root, name string, limit int64) ([]byte, error) {
	if !localPath(name) {
		return nil, fmt.Errorf("%.80q: want the path of a file inside the folder", name)
	}
	path := filepath.FromSlash(name)
	info, err := root.Stat(path) // before opening: a named pipe would block
	if err != nil {
		return nil, fileError(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := root.Open(path)
	if err != nil {
		return nil, fileError(name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fileError(name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: more than %d bytes: %w", name, limit, hive.ErrTooLarge)
	}
	return data, nil
}

// fileError says what is wrong with name, without the system call's name.
func fileError(name string, err error) error {
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		err = bad.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}
