package hostfuncs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// What one call answers at most.
const (
	maxFileRead = 1 << 20 // bytes
	maxFileList = 10_000  // names
	maxFilePath = 4 << 10 // bytes of a path
)

// Files are the folders that a spore gives its attempts, by name.
type Files struct{ roots map[string]*os.Root }

// OpenFiles opens folders: the names that manifests use, and their paths on the
// spore.
func OpenFiles(folders map[string]string) (*Files, error) {
	files := &Files{map[string]*os.Root{}}
	for name, path := range folders {
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("folder %s: %w", name, err), files.Close())
		}
		files.roots[name] = root
	}
	return files, nil
}

// Close closes the folders. No attempt may have them any more.
func (f *Files) Close() error {
	var all []error
	for _, root := range f.roots {
		all = append(all, root.Close())
	}
	return errors.Join(all...)
}

var fileFunctions = []function{
	{"file_read", hive.GrantFiles, "BLI", fileRead},
	{"file_list", hive.GrantFiles, "B", fileList},
}

// errNoFiles answers where no folders are given.
var errNoFiles = errors.New("this spore gives no folders")

// opened is a file of a folder.
type opened struct {
	*os.File
	root *os.Root
	path string // in root
}

// file opens what parameters 0 and 1, FOLDER/PATH, name, or returns an error number.
// Only files and directories are opened, and no link leads out of the folder. It
// is looked at once it is open: before that it could be replaced.
func (c *call) file(dir bool) (*opened, int32) {
	path, code := c.text(0, maxFilePath)
	if code != 0 {
		return nil, code
	}
	if dir {
		path = strings.TrimSuffix(path, "/") // as file_list writes the names of folders
	}
	folder, rest, deep := strings.Cut(path, "/")
	if !deep {
		rest = "."
	}
	local, err := filepath.Localize(rest)
	switch {
	case folder == "" || !utf8.ValidString(path) || err != nil:
		return nil, errInvalid
	case !slices.Contains(c.Allow.Files, folder):
		return nil, errDenied
	case c.Files == nil:
		return nil, c.unavailable(errNoFiles)
	}
	root := c.Files.roots[folder]
	if root == nil {
		return nil, errAbsent
	}
	// Without O_NONBLOCK opening a pipe would wait for its other end.
	f, err := root.OpenFile(local, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, c.fileError(err)
	}
	info, err := f.Stat()
	if err == nil && (dir && info.IsDir() || !dir && info.Mode().IsRegular()) {
		return &opened{f, root, local}, 0
	}
	_ = f.Close()
	if err != nil {
		return nil, c.fileError(err)
	}
	return nil, errInvalid
}

// fileError is the answer where the file system says no.
func (c *call) fileError(err error) int32 {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return errAbsent
	}
	return c.unavailable(withoutPath(err))
}

// fileRead is file_read(path_ptr, path_len i32, offset i64, limit i32) -> i32: it
// answers at most limit bytes of a file, from offset on. None is its end.
//
//	file    |········|=========|······|    ->    answer  |=========|
//	        0        offset    offset+limit
func fileRead(c *call) int32 {
	f, code := c.file(false)
	if code != 0 {
		return code
	}
	defer f.Close()
	offset, limit := int64(c.params[2]), min(c.u32(3), maxFileRead)
	if offset < 0 || limit == 0 {
		return errInvalid
	}
	b := make([]byte, limit)
	n, err := f.ReadAt(b, offset)
	if err != nil && err != io.EOF {
		return c.fileError(err)
	}
	return c.reply(b[:n])
}

// fileList is file_list(path_ptr, path_len i32) -> i32: it answers the names of
// the files and directories in a directory, in the order of their bytes, each with
// a newline behind it. Directories end in "/". What file_read would not open is
// left out, and so are names that are no line of UTF-8.
//
//	answer  |a.bin\n|sub/\n|z.txt\n|
func fileList(c *call) int32 {
	f, code := c.file(true)
	if code != 0 {
		return code
	}
	defer f.Close()
	// At most one too many: a directory may have millions.
	found, err := f.ReadDir(maxFileList + 1)
	if err != nil && err != io.EOF {
		return c.fileError(err)
	}
	if len(found) > maxFileList {
		return errFull
	}
	var names []string
	for _, entry := range found {
		name, mode := entry.Name(), entry.Type()
		if mode&fs.ModeSymlink != 0 {
			// Only one that stays in the folder leads anywhere.
			info, err := f.root.Stat(filepath.Join(f.path, name))
			if err != nil {
				continue
			}
			mode = info.Mode()
		}
		switch {
		case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		case mode.IsDir():
			names = append(names, name+"/\n")
		case mode.IsRegular():
			names = append(names, name+"\n")
		}
	}
	slices.Sort(names)
	return c.reply([]byte(strings.Join(names, "")))
}
