package audit

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// shortDisk is a disk with room for so many bytes more.
type shortDisk struct {
	file
	room     int
	failSync bool // the disk loses what it was to keep
	failUndo bool
}

func (d *shortDisk) WriteAt(b []byte, at int64) (int, error) {
	if len(b) <= d.room {
		d.room -= len(b)
		return d.file.WriteAt(b, at)
	}
	n, err := d.file.WriteAt(b[:d.room], at)
	d.room = 0
	return n, errors.Join(err, syscall.ENOSPC)
}

func (d *shortDisk) Sync() error {
	if d.failSync {
		return syscall.EIO
	}
	return d.file.Sync()
}

func (d *shortDisk) Truncate(size int64) error {
	if d.failUndo {
		return syscall.EIO
	}
	return d.file.Truncate(size)
}

// A disk that is full at every byte of a record: nothing of it stays, and when
// there is room again the log goes on.
func TestDiskIsFull(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, t.TempDir(), Options{NoSync: true, Now: ticking()})
	mustAppend(t, l, 2)
	line := len(strings.SplitAfter(string(read(t, onlyFile(t, l.dir))), "\n")[1])
	disk := &shortDisk{file: l.f}
	l.f = disk
	for room := range line {
		disk.room = room
		if _, err := l.Append(entry(3)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("room for %d bytes: Append = %v, want %v", room, err, syscall.ENOSPC)
		}
		if r := mustVerify(t, l.dir); r.Last != 2 || r.Unfinished != 0 {
			t.Fatalf("room for %d bytes: %+v, want 2 records", room, r)
		}
	}
	disk.room = 1 << 20
	mustAppend(t, l, 1)
	mustClose(t, l)
	mustVerify(t, l.dir)
}

// What could not be taken back, or may not be on the disk, ends the writing; the
// log can be opened again.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	for name, disk := range map[string]*shortDisk{
		"sync": {room: 1 << 20, failSync: true},
		"undo": {room: 10, failUndo: true},
	} {
		l := mustOpen(t, t.TempDir(), Options{})
		mustAppend(t, l, 2)
		disk.file = l.f
		l.f = disk
		if _, err := l.Append(entry(3)); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "opened again") {
			t.Fatalf("%s: Append = %v, want %v", name, err, syscall.EIO)
		}
		disk.room, disk.failSync, disk.failUndo = 1<<20, false, false
		before := read(t, onlyFile(t, l.dir))
		if _, err := l.Append(entry(4)); !errors.Is(err, syscall.EIO) || string(read(t, onlyFile(t, l.dir))) != string(before) {
			t.Fatalf("%s: the next Append = %v, want %v and nothing written", name, err, syscall.EIO)
		}
		if _, err := l.Head(); name == "sync" && !errors.Is(err, syscall.EIO) {
			t.Fatalf("%s: Head = %v, want %v", name, err, syscall.EIO)
		}
		mustClose(t, l)
		again := mustOpen(t, l.dir, Options{})
		mustAppend(t, again, 1)
		mustVerify(t, l.dir)
	}
}

// A file system of 16 KiB, where one can be mounted: the same through the kernel.
func TestFileSystemIsFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if unmount, err := mountSmall(dir); err == nil {
		t.Cleanup(func() {
			if err := unmount(); err != nil {
				t.Error(err)
			}
		})
	} else if !errors.Is(err, os.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	l := mustOpen(t, dir, Options{MaxFile: 4 << 10})
	var full error
	n := int64(0)
	for ; full == nil && n < 100; n++ {
		_, full = l.Append(entry(n))
	}
	if full != nil && !errors.Is(full, syscall.ENOSPC) {
		t.Fatal(full)
	}
	mustClose(t, l)
	if r := mustVerify(t, dir); full != nil && r.Last != n-1 || full == nil && r.Last != n {
		t.Errorf("%d records, want those that Append took: %d, %v", r.Last, n, full)
	}
	t.Logf("%d records, then %v", n, full)
}
