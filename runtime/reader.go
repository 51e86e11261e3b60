package runtime

import "math"

// reader takes foreign bytes apart. The first mistake sticks: after it there
// is nothing left to read, every number is zero and every vector empty, so
// that callers need look at err only once, at the end.
type reader struct {
	b   []byte // what is left
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) damaged() { r.fail(refuse("not a WebAssembly module: truncated or damaged")) }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.damaged()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)) {
		r.damaged()
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// sized reads a length and returns a reader of so many bytes.
func (r *reader) sized() *reader { return &reader{b: r.bytes(r.u32())} }

// done passes on the mistake of a sized reader; what it left over is one.
func (r *reader) done(part *reader) {
	if part.err == nil && len(part.b) > 0 {
		part.damaged()
	}
	if part.err != nil {
		r.fail(part.err)
	}
}

func (r *reader) name() string { return string(r.bytes(r.u32())) }

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
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

// skipLEB skips a LEB128 number of at most n bytes.
func (r *reader) skipLEB(n int) {
	for range n {
		if r.byte() < 0x80 {
			return
		}
	}
	r.damaged()
}

// vector reads the length of a vector, whose items take a byte or more each,
// and calls item so many times. More than limit of what are refused.
func (r *reader) vector(what string, limit uint32, item func()) {
	n := r.u32()
	if n > limit {
		r.fail(refuse("has %d %s, at most %d are allowed", n, what, limit))
		return
	}
	if uint64(n) > uint64(len(r.b)) {
		r.damaged()
		return
	}
	for range n {
		if r.err != nil {
			return
		}
		item()
	}
}
