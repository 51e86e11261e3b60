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

// fdRead is fd_read(fd, iovs, n, read *u32): it copies from standard input to
// the guest's n buffers until they are full or nothing is left, see vector.
// read is 0 at the end of the input. What fails has read nothing, whatever
// the buffers hold.
func fdRead(ctx context.Context, s *State, mem api.Memory, p []uint64) errno {
	if s.at(p[0]) != stdin {
		return badf
	}
	list, ok := vectors(mem, p)
	if !ok {
		return fault
	}
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
	return put32(mem, p[3], uint32(n))
}

// fdWrite is fd_write(fd, iovs, n, written *u32): it hands the guest's n
// buffers to the attempt's standard output or error one by one, see vector.
func fdWrite(ctx context.Context, s *State, mem api.Memory, p []uint64) errno {
	w := s.writer(s.at(p[0]))
	if w == nil {
		return badf
	}
	list, ok := vectors(mem, p)
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

// vectors returns the list of a call's buffers, which p[1] and p[2] describe,
// or false if that or the result at p[3] is outside of the guest's memory.
func vectors(mem api.Memory, p []uint64) ([]byte, bool) {
	if _, ok := view(mem, p[3], 4); !ok {
		return nil, false
	}
	return view(mem, p[1], uint64(uint32(p[2]))*vectorSize)
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
