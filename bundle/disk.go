package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// temporary begins the names of files that are being written.
const temporary = ".tmp-"

// disk writes files whole or not at all: beside, synced, renamed, and the folder
// synced as well. What stands after a power cut is the old file or the new one.
type disk struct {
	dir, file fs.FileMode // modes of what is made
	// fault is asked before each change; tests end the world here.
	fault func(change string) error
}

// private is for what only this user is to read, public for what is served.
func private() disk { return disk{dir: 0o700, file: 0o600} }
func public() disk  { return disk{dir: 0o755, file: 0o644} }

func (d disk) may(change string) error {
	if d.fault == nil {
		return nil
	}
	return d.fault(change)
}

// write puts data at path.
func (d disk) write(path string, data []byte) error {
	return d.stream(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// stream puts at path what fill writes, unless fill fails.
func (d disk) stream(path string, fill func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if err := d.makeAll(dir); err != nil {
		return err
	}
	if err := d.may("create"); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, temporary)
	if err != nil {
		return err
	}
	defer func() {
		_ = f.Close() // a second time, where all went well
		if err != nil {
			d.remove(f.Name())
		}
	}()
	if err := fill(faulty{d, f}); err != nil {
		return err
	}
	return d.place(f, path)
}

// remove is best effort, after what failed for another reason.
func (d disk) remove(path string) {
	if d.may("remove") == nil {
		_ = os.Remove(path)
	}
}

// place makes what was written last, and gives it its name.
func (d disk) place(f *os.File, path string) error {
	if err := d.may("sync"); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(d.file), f.Sync(), f.Close()); err != nil {
		return err
	}
	return d.rename(f.Name(), path)
}

func (d disk) rename(from, to string) error {
	if err := d.may("rename"); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(to))
}

// makeAll makes a folder and those above it, each to stay.
func (d disk) makeAll(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := d.makeAll(parent); err != nil {
			return err
		}
	}
	if err := d.may("mkdir"); err != nil {
		return err
	}
	if err := os.Mkdir(dir, d.dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.syncDir(filepath.Dir(dir))
}

// syncDir makes names in a folder last. Windows does so by itself.
func (d disk) syncDir(dir string) error {
	if err := d.may("sync folder"); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// read returns a file of at most limit bytes.
func (d disk) read(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", filepath.Base(path))
	case info.Size() > limit:
		return nil, fmt.Errorf("%s has %d bytes, at most %d allowed", filepath.Base(path), info.Size(), limit)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// sweep removes what was being written when a process ended.
func (d disk) sweep(dirs ...string) error {
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), temporary) {
				_ = os.Remove(filepath.Join(dir, e.Name()))
			}
		}
	}
	return nil
}

// faulty writes half of what it is given before it fails.
type faulty struct {
	d disk
	w io.Writer
}

func (f faulty) Write(p []byte) (int, error) {
	if err := f.d.may("write"); err != nil {
		n, _ := f.w.Write(p[:len(p)/2])
		return n, err
	}
	return f.w.Write(p)
}
