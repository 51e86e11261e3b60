package prepare

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// reader takes foreign bytes apart. The first mistake sticks: after it there
// is nothing left to read, every number is zero and every vector empty, so
// that callers need look at err only once, at the end.
type reader struct {
	b   []byte
	at  int // of b
	err error
}

var errDamaged = errors.New("not a WebAssembly module: truncated or damaged")

func refuse(format string, args ...any) error { return fmt.Errorf(format, args...) }

func unsupported(feature string) error {
	return refuse("uses %s, which is not supported", feature)
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.b)
}

func (r *reader) damaged() { r.fail(errDamaged) }

// check fails unless an index is below the count of what it points into: one
// beyond it could mean what is added to the module.
func (r *reader) check(what string, index, count uint32) uint32 {
	if index >= count && r.err == nil {
		r.fail(refuse("not a valid WebAssembly module: there is no %s %d", what, index))
		return 0
	}
	return index
}

func (r *reader) left() int { return len(r.b) - r.at }

func (r *reader) byte() byte {
	if r.at >= len(r.b) {
		r.damaged()
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

// zero reads a byte that has no meaning yet.
func (r *reader) zero() {
	if r.byte() != 0 {
		r.damaged()
	}
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(r.left()) {
		r.damaged()
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at : r.at]
}

// sized reads a length and returns a reader of so many bytes.
func (r *reader) sized() *reader { return &reader{b: r.bytes(r.u32())} }

// done passes on the mistake of a sized reader; what it left over is one.
func (r *reader) done(part *reader) {
	if part.err == nil && part.left() > 0 {
		part.damaged()
	}
	if part.err != nil {
		r.fail(part.err)
	}
}

func (r *reader) name() string {
	b := r.bytes(r.u32())
	if !utf8.Valid(b) {
		r.damaged()
	}
	return string(b)
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	if r.at < len(r.b) && r.b[r.at] < 0x80 { // most numbers are small
		r.at++
		return uint32(r.b[r.at-1])
	}
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 && v <= math.MaxUint32 {
			return uint32(v)
		}
	}
	r.damaged()
	return 0
}

// signed reads a signed LEB128 number of at most so many bits.
func (r *reader) signed(bits uint) int64 {
	var v int64
	for shift := uint(0); shift < bits; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if used := shift + 7; used < 64 {
			v = v << (64 - used) >> (64 - used)
		} else if shift == 63 && c != 0 && c != 0x7f {
			break
		}
		if least := int64(-1) << (bits - 1); v < least || v > ^least {
			break
		}
		return v
	}
	r.damaged()
	return 0
}

// count reads the length of a vector, whose items take a byte or more each.
func (r *reader) count(what string, limit uint32) uint32 {
	n := r.u32()
	if n > limit {
		r.fail(refuse("has %d %s, at most %d are allowed", n, what, limit))
		return 0
	}
	if uint64(n) > uint64(r.left()) {
		r.damaged()
		return 0
	}
	return n
}

// vector calls item for each item of a vector. More than limit of what are
// refused.
func (r *reader) vector(what string, limit uint32, item func()) {
	for range r.count(what, limit) {
		if r.err != nil {
			return
		}
		item()
	}
}
