package preview1

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/tetratelabs/wazero/api"
)

// maxPath is how long a path may be, in bytes.
const maxPath = 4096

// path returns the directory of a descriptor, and the path of n bytes at ptr
// that is to be taken from there. Whether it leads out of it, its root knows.
func (s *State) path(mem api.Memory, fd, ptr, n uint64) (*dir, string, errno) {
	switch s.at(fd) {
	case directory:
	case closed:
		return nil, "", badf
	default:
		return nil, "", notdir
	}
	n = uint64(uint32(n))
	b, ok := view(mem, ptr, n)
	switch {
	case !ok:
		return nil, "", fault
	case n == 0:
		return nil, "", noent
	case n > maxPath:
		return nil, "", nametoolong
	}
	return s.entry(fd).dir, string(b), success
}

// lookupFollow is the lookupflag to follow a symbolic link at the end of a path.
const lookupFollow = 1 << 0

// stat tells what is at a path.
func (d *dir) stat(path string, lookup uint64) (fs.FileInfo, error) {
	if lookup&lookupFollow != 0 {
		return d.root.Stat(path)
	}
	return d.root.Lstat(path)
}

// pathFilestatGet is path_filestat_get(fd, lookup, path, len, stat), see putStat.
func pathFilestatGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	d, path, e := s.path(mem, p[0], p[2], p[3])
	if e != success {
		return e
	}
	stat, ok := view(mem, p[4], statSize)
	if !ok {
		return fault
	}
	info, err := d.stat(path, p[1])
	if err != nil {
		return errnoOf(err)
	}
	putStat(stat, info)
	return success
}

// pathReadlink is path_readlink(fd, path, len, buf, size, used *u32): it writes
// where a symbolic link leads to, which may be out of the mount.
func pathReadlink(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	d, path, e := s.path(mem, p[0], p[1], p[2])
	if e != success {
		return e
	}
	buf, ok := view(mem, p[3], uint64(uint32(p[4])))
	if !ok {
		return fault
	}
	if _, ok := view(mem, p[5], 4); !ok {
		return fault
	}
	to, err := d.root.Readlink(path)
	if err != nil {
		return errnoOf(err)
	}
	if len(to) > len(buf) {
		return range_
	}
	return put32(mem, p[5], uint32(copy(buf, to)))
}

// Oflags, how to open what is at a path.
const (
	openCreate    = 1 << 0
	openDirectory = 1 << 1
	openExclusive = 1 << 2
	openTruncate  = 1 << 3
)

// pathOpen is path_open(fd, lookup, path, len, oflags, rights, inheriting u64,
// fdflags, opened *u32). Only files and directories are opened, and only to be
// read: of the rights, that to write is looked at. The others do not matter,
// nothing more is possible than with all of them.
func pathOpen(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	d, path, e := s.path(mem, p[0], p[2], p[3])
	if e != success {
		return e
	}
	if _, ok := view(mem, p[8], 4); !ok {
		return fault
	}
	info, err := d.stat(path, p[1])
	if e := mayOpen(info, err, p[4], p[5]&rightWrite != 0); e != success {
		return e
	}
	fd, ok := s.free()
	if !ok {
		return mfile
	}
	opened, err := d.open(path, info.IsDir())
	if err != nil {
		return errnoOf(err)
	}
	opened.flags = uint16(p[7]) & (flagAppend | flagNonblock)
	*s.entry(uint64(fd)) = opened
	return put32(mem, p[8], fd)
}

// mayOpen says what speaks against opening what a path was found to lead to, the
// same as a file system that can only be read.
func mayOpen(info fs.FileInfo, err error, oflags uint64, write bool) errno {
	switch {
	case errors.Is(err, fs.ErrNotExist) && oflags&openCreate != 0:
		return rofs
	case err != nil:
		return errnoOf(err)
	case oflags&openCreate != 0 && oflags&openExclusive != 0:
		return exist
	case info.Mode()&fs.ModeSymlink != 0:
		return loop
	case !readable(info):
		return perm
	case oflags&openDirectory != 0 && !info.IsDir():
		return notdir
	case !write && oflags&openTruncate == 0:
		return success
	case info.IsDir():
		return isdir
	}
	return rofs
}

// readable reports whether it is a file or a directory. To open a pipe waits for
// its other end, to open a device can do anything, even if it is closed again:
// that is why files are looked at before they are opened.
func readable(info fs.FileInfo) bool { return info.Mode().IsRegular() || info.IsDir() }

// open opens what is at a path. It may have become another one meanwhile.
func (d *dir) open(path string, isDir bool) (descriptor, error) {
	if isDir {
		root, err := d.root.OpenRoot(path)
		return descriptor{target: directory, dir: &dir{root: root}}, err
	}
	f, err := d.root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return descriptor{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrPermission
	}
	if err != nil {
		_ = f.Close()
		return descriptor{}, err
	}
	return descriptor{target: regular, file: &file{File: f}}, nil
}

// mount returns the guest's name for a directory that was mounted.
func (s *State) mount(fd uint64) (name string, ok bool) {
	if s.at(fd) != directory {
		return "", false
	}
	name = s.entry(fd).dir.mount
	return name, name != ""
}

// fdPrestatGet is fd_prestat_get(fd, prestat): how long the name of a mount is.
// Guests ask from 3 on, until there is none.
//
//	prestat  |0, a directory|length|
//	         0              4      8
func fdPrestatGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	name, ok := s.mount(p[0])
	if !ok {
		return badf
	}
	return put64(mem, p[1], uint64(len(name))<<32)
}

// fdPrestatDirName is fd_prestat_dir_name(fd, buf, len): it writes the name of a
// mount.
func fdPrestatDirName(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	name, ok := s.mount(p[0])
	if !ok {
		return badf
	}
	buf, ok := view(mem, p[1], uint64(uint32(p[2])))
	if !ok {
		return fault
	}
	if len(name) > len(buf) {
		return nametoolong
	}
	copy(buf, name)
	return success
}
