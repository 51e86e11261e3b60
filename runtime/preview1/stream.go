package preview1

import (
	"context"

	"github.com/tetratelabs/wazero/api"
)

// vectorSize is the size of one buffer's description in a list of them.
const vectorSize = 8

// patience is how many buffers of a list are gone through between two looks
// at whether the attempt is over: a list may hold half a billion of them.
const patience = 64

// fdRead is fd_read(fd, iovs, n, read *u32): it copies from standard input or a
// file to the guest's n buffers until they are full or nothing is left, see
// vector. read is 0 at the end. What fails has read nothing, whatever the
// buffers hold.
func fdRead(ctx context.Context, s *State, mem api.Memory, p []uint64) errno {
	now := s.at(p[0])
	switch now {
	case stdin, regular:
	case directory:
		return isdir
	default:
		return badf
	}
	list, ok := vectors(mem, p[1], p[2], p[3])
	if !ok {
		return fault
	}
	if now == regular {
		return s.entry(p[0]).file.read(ctx, mem, list, p[3])
	}
	return s.readInput(ctx, mem, list, p[3])
}

// readInput is fdRead for standard input.
func (s *State) readInput(ctx context.Context, mem api.Memory, list []byte, read uint64) errno {
	rest := s.left()
	for i := 0; i < len(list) && len(rest) > 0; i += vectorSize {
		if over(ctx, i/vectorSize) {
			return intr
		}
		buf, ok := vector(mem, list[i:])
		if !ok {
			return fault
		}
		rest = rest[copy(buf, rest):]
	}
	n := len(s.left()) - len(rest)
	s.read += n
	return put32(mem, read, uint32(n))
}

// fdWrite is fd_write(fd, iovs, n, written *u32): it hands the guest's n
// buffers to the attempt's standard output or error one by one, see vector.
func fdWrite(ctx context.Context, s *State, mem api.Memory, p []uint64) errno {
	w := s.writer(s.at(p[0]))
	if w == nil {
		return badf
	}
	list, ok := vectors(mem, p[1], p[2], p[3])
	if !ok {
		return fault
	}
	written := uint32(0)
	for i := 0; i < len(list); i += vectorSize {
		if over(ctx, i/vectorSize) {
			return intr
		}
		buf, ok := vector(mem, list[i:])
		if !ok {
			return fault
		}
		if len(buf) == 0 {
			continue
		}
		if _, err := w.Write(buf); err != nil {
			return io_
		}
		written += uint32(len(buf))
	}
	return put32(mem, p[3], written)
}

// over reports whether the attempt is, now and then.
func over(ctx context.Context, i int) bool {
	return i > 0 && i%patience == 0 && ctx.Err() != nil
}

// vectors returns the list of n buffers at ptr, or false if that or a result of
// four bytes is outside of the guest's memory.
func vectors(mem api.Memory, ptr, n, result uint64) ([]byte, bool) {
	if _, ok := view(mem, result, 4); !ok {
		return nil, false
	}
	return view(mem, ptr, uint64(uint32(n))*vectorSize)
}

// vector returns the buffer that a list begins with, for a list of two:
//
//	list    |ptr|len|ptr|len|        each a u32
//	          |       └────────┐
//	memory  |·|buf    |········|buf    |····
//	          ptr     ptr+len  ptr     ptr+len
func vector(mem api.Memory, list []byte) ([]byte, bool) {
	return view(mem, uint64(le.Uint32(list)), uint64(le.Uint32(list[4:])))
}
