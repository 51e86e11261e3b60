package runtime

// The items of a module's sections, as far as scan must look into them to keep
// its place. Encodings: https://webassembly.github.io/spec/core/binary/modules.html

// limits reads the size something begins with and the most it may grow to.
func limits(r *reader) (low, high uint32) {
	flags := r.byte()
	switch {
	case flags > 7:
		r.damaged()
	case flags&4 != 0:
		r.fail(unsupported("64-bit memory"))
	case flags&2 != 0:
		r.fail(unsupported("shared memory (threads)"))
	}
	low, high = r.u32(), noLimit
	if flags&1 != 0 {
		high = r.u32()
	}
	if high < low {
		r.damaged()
	}
	return low, high
}

func valueType(r *reader) {
	switch t := r.byte(); {
	case t >= 0x7b && t <= 0x7f: // v128, f64, f32, i64, i32
	case t == 0x70 || t == 0x6f: // funcref, externref
	case t >= 0x63 && t <= 0x74:
		r.fail(unsupported("reference types of WebAssembly GC or exception handling"))
	default:
		r.damaged()
	}
}

func functionType(r *reader) {
	switch form := r.byte(); {
	case form == 0x60:
	case form >= 0x4e && form <= 0x5f:
		r.fail(unsupported("WebAssembly GC"))
	default:
		r.damaged()
	}
	r.vector("parameters", maxParams, func() { valueType(r) })
	r.vector("results", maxParams, func() { valueType(r) })
}

// constant skips an expression that gives an initial value or an offset.
func constant(r *reader) {
	for r.err == nil {
		switch op := r.byte(); op {
		case 0x0b: // end
			return
		case 0x41, 0x23, 0xd2, 0xd0: // i32.const, global.get, ref.func, ref.null
			r.skipLEB(5)
		case 0x42: // i64.const
			r.skipLEB(10)
		case 0x43: // f32.const
			r.bytes(4)
		case 0x44: // f64.const
			r.bytes(8)
		case 0xfd: // vector instructions: v128.const
			if r.u32() != 12 {
				r.damaged()
			}
			r.bytes(16)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // add, sub, mul
			r.fail(unsupported("the WebAssembly feature extended-const"))
		case 0xfb:
			r.fail(unsupported("WebAssembly GC"))
		default:
			r.damaged()
		}
	}
}

func elements(r *reader) {
	flags := r.u32()
	if flags > 7 {
		r.damaged()
	}
	active, explicit, expressions := flags&1 == 0, flags&2 != 0, flags&4 != 0
	if active && explicit {
		r.u32() // the table
	}
	if active {
		constant(r)
	}
	if !active || explicit {
		if expressions {
			valueType(r)
		} else {
			r.byte() // kind
		}
	}
	r.vector("elements", noLimit, func() {
		if expressions {
			constant(r)
		} else {
			r.u32()
		}
	})
}

func data(r *reader) {
	switch r.u32() {
	case 0:
		constant(r)
	case 1: // passive
	case 2:
		r.u32() // the memory
		constant(r)
	default:
		r.damaged()
	}
	r.bytes(r.u32())
}

// function reads the locals of one function and skips its code.
func (m *module) function(r *reader) {
	body := r.sized()
	if len(body.b) > maxCode {
		r.fail(refuse("has a function of %d bytes, at most %d are allowed", len(body.b), maxCode))
		return
	}
	locals := uint64(0)
	body.vector("groups of locals", maxLocals, func() {
		locals += uint64(body.u32())
		valueType(body)
	})
	if locals > maxLocals {
		body.fail(refuse("has a function with %d locals, at most %d are allowed", locals, maxLocals))
	}
	if m.locals += locals; m.locals > maxAllLocals {
		body.fail(refuse("has more than %d locals", maxAllLocals))
	}
	if body.err == nil {
		body.b = nil
	}
	r.done(body)
}
