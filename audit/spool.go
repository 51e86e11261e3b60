package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The spool of a log is a folder in its directory: a file for each note that was left
// by somebody who does not hold the log.
const (
	spoolName   = "pending"
	spoolSuffix = ".json"
	spoolBatch  = 256 // notes that are taken in at once
)

// Leave puts a note beside the log in a directory, which need not be there, for whoever
// holds it now or next to take in. It is on the disk when Leave returns.
func Leave(dir string, n Note) error {
	data, err := n.Encode()
	if err != nil {
		return err
	}
	spool := filepath.Join(dir, spoolName)
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	if err := putFile(spool, n.ID+spoolSuffix, data); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return syncDir(dir)
}

// putFile writes a file that its owner alone may read: all of it, or none.
func putFile(dir, name string, data []byte) error {
	f, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// Pending lists the files of the notes that nobody took in yet, in the order of their
// ids.
func Pending(dir string) (paths []string, err error) {
	entries, err := os.ReadDir(filepath.Join(dir, spoolName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	for _, e := range entries { // sorted by name
		if strings.HasSuffix(e.Name(), spoolSuffix) && !strings.HasPrefix(e.Name(), ".") {
			paths = append(paths, filepath.Join(dir, spoolName, e.Name()))
		}
	}
	return paths, nil
}

// Spool takes in the notes that were left beside the log, and then removes them.
func (in *Intake) Spool() error {
	paths, err := Pending(in.dir)
	if err != nil || len(paths) == 0 {
		return err
	}
	if err := in.open(); err != nil {
		return err
	}
	for batch := range slices.Chunk(paths, spoolBatch) {
		if err := in.spool(batch); err != nil {
			return err
		}
	}
	return syncDir(filepath.Join(in.dir, spoolName))
}

func (in *Intake) spool(paths []string) error {
	var notes []Note
	var taken []string
	var errs []error
	for _, path := range paths {
		data, err := readSpooled(path)
		if err != nil {
			errs = append(errs, err) // it stays: perhaps it is somebody else's
			continue
		}
		n, err := ReadNote(data)
		if err == nil {
			taken = append(taken, path)
		} else if n, err = in.aside(path, err); err != nil {
			return err
		}
		notes = append(notes, n)
	}
	if err := in.Take(notes...); err != nil {
		return err
	}
	for _, path := range taken {
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}

// readSpooled reads a file up to one byte more than a note may have. What is no regular
// file reads as nothing.
func readSpooled(path string) ([]byte, error) {
	info, err := os.Lstat(path) // before opening: a named pipe would block
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxNote+1))
}

// aside renames what is no note, so that it is asked about once, and returns what is
// to be said of it.
func (in *Intake) aside(path string, cause error) (Note, error) {
	if err := os.Rename(path, path+".bad"); err != nil {
		return Note{}, fmt.Errorf("audit log: %w", err)
	}
	e := Entry{Actor: "audit", Action: ActionUnreadable, Subject: spoolName + "/" + filepath.Base(path), Outcome: Refused, Reason: cause.Error(), Fields: count(1)}
	return NewNote(e, in.log.opts.Now())
}
