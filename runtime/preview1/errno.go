package preview1

import (
	"errors"
	"io/fs"
	"syscall"
)

// errno is an error number of preview 1, of which these are the ones used.
type errno uint32

const (
	success     errno = 0
	acces       errno = 2  // the host may not read it
	badf        errno = 8  // no such descriptor, or not for this
	exist       errno = 20 // a file is there and should not be
	fault       errno = 21 // an address outside of the guest's memory
	intr        errno = 27 // the attempt is ending
	inval       errno = 28 // an argument that means nothing
	io_         errno = 29 // a stream or file failed
	isdir       errno = 31 // a directory where a file is asked for
	loop        errno = 32 // a symbolic link that is not to be followed, or too many
	mfile       errno = 33 // the attempt has too many files open
	nametoolong errno = 37
	nfile       errno = 41 // the host has too many files open
	noent       errno = 44 // no such file
	nosys       errno = 52 // not offered
	notdir      errno = 54 // something else where a directory is asked for
	notsock     errno = 57 // something else where a socket is asked for
	perm        errno = 63 // outside of the mount, or neither file nor directory
	range_      errno = 68 // a buffer too small
	rofs        errno = 69 // a change of what can only be read
	spipe       errno = 70 // a position in a stream
)

// ofHost are the errors of the host's files that programs tell apart. The first
// that fits counts: some systems have several errors for one of fs.
var ofHost = []struct {
	err error
	e   errno
}{
	{syscall.EACCES, acces},
	{syscall.EINVAL, inval},
	{syscall.EISDIR, isdir},
	{syscall.ELOOP, loop},
	{syscall.EMFILE, mfile},
	{syscall.ENAMETOOLONG, nametoolong},
	{syscall.ENFILE, nfile},
	{syscall.ENOTDIR, notdir},
	{fs.ErrNotExist, noent},
	{fs.ErrPermission, perm},
}

// errnoOf returns the number of an error of the host's files. One that does not
// come from the system is that of a root: the path would leave it.
func errnoOf(err error) errno {
	for _, known := range ofHost {
		if errors.Is(err, known.err) {
			return known.e
		}
	}
	if _, system := errors.AsType[syscall.Errno](err); system {
		return io_
	}
	return perm
}
