package preview1

import (
	"context"
	"io"
	"os"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// dir is a directory that the guest has open.
type dir struct {
	root  *os.Root
	mount string // the guest's name for it, if it was mounted

	list  *os.File // for its names; nil until the guest asks for some
	ahead []string // those read of it last
	first uint64   // how many were read before ahead
}

func (d *dir) close() {
	_ = d.root.Close()
	if d.list != nil {
		_ = d.list.Close()
	}
}

// batch is how many names are read at a time, between two looks at whether the
// attempt is over.
const batch = 64

// name returns the name of an entry, the first of which are "." and "..", or ""
// when there are no more. Names are read in order: to go back to one before
// those read last begins anew, and its number may be another's by now.
func (d *dir) name(ctx context.Context, i uint64) (string, errno) {
	if i < 2 {
		return ".."[:i+1], success
	}
	i -= 2
	if i < d.first {
		if e := d.rewind(); e != success {
			return "", e
		}
	}
	for i-d.first >= uint64(len(d.ahead)) {
		if ctx.Err() != nil {
			return "", intr
		}
		if more, e := d.next(); !more {
			return "", e
		}
	}
	return d.ahead[i-d.first], success
}

// next reads the next names, or reports false at the end or because of an error.
func (d *dir) next() (more bool, e errno) {
	var err error
	if d.list == nil {
		if d.list, err = d.root.Open("."); err != nil {
			d.list = nil
			return false, errnoOf(err)
		}
	}
	d.first += uint64(len(d.ahead))
	d.ahead, err = d.list.Readdirnames(batch)
	if err != nil && err != io.EOF {
		return false, errnoOf(err)
	}
	return len(d.ahead) > 0, success
}

// rewind begins anew, with the entries there are now.
func (d *dir) rewind() errno {
	d.ahead, d.first = nil, 0
	if d.list == nil {
		return success
	}
	if _, err := d.list.Seek(0, io.SeekStart); err != nil {
		return errnoOf(err)
	}
	return success
}

// direntSize is the size of an entry without its name, in bytes.
const direntSize = 24

// dirent describes an entry.
//
//	|next|inode|length|type|····|name
//	0    8     16     20        24
//
// next is the number of the one after it. The inode of ".." is nobody's
// business, and one that is gone meanwhile has none.
func (d *dir) dirent(name string, next uint64) (head [direntSize]byte) {
	le.PutUint64(head[:], next)
	le.PutUint32(head[16:], uint32(len(name)))
	if name == ".." {
		head[20] = typeDirectory
		return head
	}
	if info, err := d.root.Lstat(name); err == nil {
		le.PutUint64(head[8:], sys.NewStat_t(info).Ino)
		head[20] = typeOf(info.Mode())
	}
	return head
}

// fdReaddir is fd_readdir(fd, buf, len, cookie u64, used *u32): it writes the
// entries from number cookie on, one after the other, of the last as much as
// there is room for. Less than len is used where they end.
func fdReaddir(ctx context.Context, s *State, mem api.Memory, p []uint64) errno {
	switch s.at(p[0]) {
	case directory:
	case regular:
		return notdir
	default:
		return badf
	}
	buf, ok := view(mem, p[1], uint64(uint32(p[2])))
	if !ok {
		return fault
	}
	if _, ok := view(mem, p[4], 4); !ok {
		return fault
	}
	if len(buf) < direntSize { // it would ask again and again
		return inval
	}
	n, e := s.entry(p[0]).dir.read(ctx, buf, p[3])
	if e != success {
		return e
	}
	return put32(mem, p[4], uint32(n))
}

// read fills buf with the entries from number i on.
func (d *dir) read(ctx context.Context, buf []byte, i uint64) (n int, e errno) {
	if i == 0 {
		if e := d.rewind(); e != success {
			return 0, e
		}
	}
	for n < len(buf) {
		name, e := d.name(ctx, i)
		if e != success || name == "" {
			return n, e
		}
		i++
		head := d.dirent(name, i)
		n += copy(buf[n:], head[:])
		n += copy(buf[n:], name)
	}
	return n, success
}
