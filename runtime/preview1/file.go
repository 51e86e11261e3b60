package preview1

import (
	"context"
	"io"
	"os"

	"github.com/tetratelabs/wazero/api"
)

// file is one that the guest has open, to read it.
type file struct {
	*os.File
	at int64 // where fd_read begins
}

const (
	maxRead   = 1<<31 - 1 // bytes that one call reads, as its result is a u32
	readChunk = 1 << 20   // bytes read between two looks at whether the attempt is over
)

// fill reads from the file at an offset to a list of buffers until they are full
// or the file ends, and returns how many bytes it read.
func (f *file) fill(ctx context.Context, mem api.Memory, list []byte, at int64) (n int, e errno) {
	for i := 0; i < len(list); i += vectorSize {
		if over(ctx, i/vectorSize) {
			return 0, intr
		}
		buf, ok := vector(mem, list[i:])
		if !ok {
			return 0, fault
		}
		got, e := f.copy(ctx, buf[:min(len(buf), maxRead-n)], at+int64(n))
		if n += got; e != success || got < len(buf) {
			return n, e
		}
	}
	return n, success
}

// copy reads from the file at an offset until buf is full or the file ends.
func (f *file) copy(ctx context.Context, buf []byte, at int64) (n int, e errno) {
	for n < len(buf) {
		if ctx.Err() != nil {
			return n, intr
		}
		got, err := f.ReadAt(buf[n:min(len(buf), n+readChunk)], at+int64(n))
		n += got
		if err == io.EOF {
			break
		}
		if err != nil {
			return n, errnoOf(err)
		}
	}
	return n, success
}

// read is fdRead for a file.
func (f *file) read(ctx context.Context, mem api.Memory, list []byte, read uint64) errno {
	n, e := f.fill(ctx, mem, list, f.at)
	if e != success {
		return e
	}
	f.at += int64(n)
	return put32(mem, read, uint32(n))
}

// size returns the file's, in bytes.
func (f *file) size() (int64, errno) {
	info, err := f.Stat()
	if err != nil {
		return 0, errnoOf(err)
	}
	return info.Size(), success
}

// left returns how many bytes fd_read would find.
func (f *file) left() uint64 {
	size, _ := f.size()
	return uint64(max(0, size-f.at))
}

// seekable returns the file of a descriptor that has a position, or why there
// is none.
func (s *State) seekable(fd uint64) (*file, errno) {
	switch s.at(fd) {
	case regular:
		return s.entry(fd).file, success
	case directory:
		return nil, isdir
	case closed:
		return nil, badf
	}
	return nil, spipe
}

// fdPread is fd_pread(fd, iovs, n, offset u64, read *u32): fd_read at an offset,
// which leaves the file's position as it is.
func fdPread(ctx context.Context, s *State, mem api.Memory, p []uint64) errno {
	f, e := s.seekable(p[0])
	if e != success {
		return e
	}
	list, ok := vectors(mem, p[1], p[2], p[4])
	if !ok {
		return fault
	}
	at := int64(p[3])
	if at < 0 {
		return inval
	}
	n, e := f.fill(ctx, mem, list, at)
	if e != success {
		return e
	}
	return put32(mem, p[4], uint32(n))
}

// What fd_seek counts from.
const (
	fromStart = 0
	fromHere  = 1
	fromEnd   = 2
)

// fdSeek is fd_seek(fd, offset i64, from, position *u64).
func fdSeek(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	f, e := s.seekable(p[0])
	if e != success {
		return e
	}
	if _, ok := view(mem, p[3], 8); !ok {
		return fault
	}
	from := int64(0)
	switch uint32(p[2]) {
	case fromStart:
	case fromHere:
		from = f.at
	case fromEnd:
		if from, e = f.size(); e != success {
			return e
		}
	default:
		return inval
	}
	to := from + int64(p[1])
	if to < 0 { // or more than there can be
		return inval
	}
	f.at = to
	return put64(mem, p[3], uint64(to))
}

// fdTell is fd_tell(fd, position *u64).
func fdTell(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	f, e := s.seekable(p[0])
	if e != success {
		return e
	}
	return put64(mem, p[1], uint64(f.at))
}
