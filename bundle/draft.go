package bundle

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	goruntime "runtime"
	"strings"
	"time"
)

// unfinished begins the names of folders that are being filled. One that is older
// than a day was left by a crash.
const (
	unfinished    = ".hive-unfinished-"
	forgottenWhen = 24 * time.Hour
)

// draft is a folder that is being filled. Its names have slashes, and lead nowhere
// else, links or not.
type draft struct{ *os.Root }

// appear makes the folder name within dir appear with all that fill puts into it,
// or not at all. It is for its owner alone. What is there already under the name is
// left to place, which renames.
func appear(dir, name string, place func(root *os.Root, from, to string) error, fill func(draft) error) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	forget(root)
	beside := unfinished + rand.Text()
	if err := root.Mkdir(beside, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			root.RemoveAll(beside)
		}
	}()
	if err := fillDraft(root, beside, fill); err != nil {
		return err
	}
	if err := place(root, beside, name); err != nil {
		return err
	}
	return syncFolder(root, ".")
}

func fillDraft(root *os.Root, name string, fill func(draft) error) error {
	within, err := root.OpenRoot(name)
	if err != nil {
		return err
	}
	defer within.Close()
	if err := fill(draft{within}); err != nil {
		return err
	}
	return syncNames(within)
}

// replace puts a folder in the place of another. One with something in it cannot be
// renamed over, so it is renamed first.
func replace(root *os.Root, from, to string) error {
	err := root.Rename(from, to)
	for tries := 0; err != nil && tries < 100; tries++ { // others may be replacing it as well
		aside := unfinished + rand.Text()
		if moved := root.Rename(to, aside); moved == nil {
			root.RemoveAll(aside)
		} else if !errors.Is(moved, fs.ErrNotExist) {
			return err
		}
		err = root.Rename(from, to)
	}
	return err
}

// settle renames, in the place of an empty folder at most.
func settle(root *os.Root, from, to string) error {
	switch info, err := root.Lstat(to); {
	case err == nil && !info.IsDir():
		return fs.ErrExist
	case err == nil && root.Remove(to) != nil: // of folders, only an empty one is removed
		return fs.ErrExist
	}
	return root.Rename(from, to)
}

// forget removes what crashes left. It is best effort: whatever stays is tried again.
func forget(root *os.Root) {
	dir, err := root.Open(".")
	if err != nil {
		return
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(-1)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), unfinished) && time.Since(info.ModTime()) > forgottenWhen {
			root.RemoveAll(e.Name())
		}
	}
}

// write makes a file with these bytes, for its owner alone. It is on the disk when
// write returns, or after an error gone.
func (f draft) write(name string, data []byte) error {
	return f.stream(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// stream is write for bytes that come by and by.
func (f draft) stream(name string, fill func(io.Writer) error) error {
	if err := f.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := f.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = cmp.Or(fill(file), file.Sync(), file.Close()) // the first says it all
	if err != nil {
		f.Remove(name)
	}
	return err
}

// syncNames puts the names in all of a folder's folders on the disk.
func syncNames(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = syncFolder(root, name)
		}
		return err
	})
}

// syncFolder puts the names in a folder on the disk. Windows does that by itself, and
// opens no folder for it.
func syncFolder(root *os.Root, name string) error {
	if goruntime.GOOS == "windows" {
		return nil
	}
	dir, err := root.Open(name)
	if err != nil {
		return err
	}
	return cmp.Or(dir.Sync(), dir.Close())
}
