package prepare

// constant reads an expression that gives an initial value or an offset. It
// returns its value if that is an i32 known without an instance.
func (m *module) constant(r *reader) (value uint32, known bool) {
	var stack []uint32
	known = true
	for r.err == nil {
		switch op := r.byte(); op {
		case 0x0b: // end
			known = known && len(stack) == 1
			if known {
				value = stack[0]
			}
			return value, known
		case 0x41: // i32.const
			stack = append(stack, uint32(r.signed(32)))
		case 0x6a, 0x6b, 0x6c: // i32.add, sub, mul
			stack, known = fold(op, stack, known)
		default:
			m.other(r, op)
			known = false
		}
	}
	return 0, false
}

// fold applies an i32 instruction of the extended constant expressions.
func fold(op byte, stack []uint32, known bool) ([]uint32, bool) {
	n := len(stack)
	if !known || n < 2 {
		return stack, false
	}
	a, b := stack[n-2], stack[n-1]
	switch op {
	case 0x6a:
		a += b
	case 0x6b:
		a -= b
	default:
		a *= b
	}
	return append(stack[:n-2], a), true
}

// other skips a constant instruction whose value does not matter.
func (m *module) other(r *reader, op byte) {
	switch op {
	case 0x42: // i64.const
		r.signed(64)
	case 0x43: // f32.const
		r.bytes(4)
	case 0x44: // f64.const
		r.bytes(8)
	case 0x23: // global.get
		r.check("global", r.u32(), uint32(len(m.globals)))
	case 0xd0: // ref.null
		refType(r)
	case 0xd2: // ref.func
		r.check("function", r.u32(), uint32(len(m.funcs)))
	case 0x7c, 0x7d, 0x7e: // i64.add, sub, mul
	case 0xfd: // v128.const
		if r.byte() != 12 {
			r.damaged()
		}
		r.bytes(16)
	case 0xfb:
		r.fail(unsupported("WebAssembly GC"))
	default:
		r.damaged()
	}
}

// element reads an element segment. Its flags say what it is made of.
func (m *module) element(r *reader) {
	flags := r.u32()
	if flags > 7 {
		r.damaged()
	}
	active, explicit, expressions := flags&1 == 0, flags&2 != 0, flags&4 != 0
	if active {
		index := uint32(0)
		if explicit {
			index = r.u32()
		}
		r.check("table", index, uint32(len(m.tables)))
		m.constant(r)
	}
	if !active || explicit {
		if expressions {
			refType(r)
		} else {
			r.zero()
		}
	}
	r.vector("elements", noLimit, func() {
		if expressions {
			m.constant(r)
		} else {
			r.check("function", r.u32(), uint32(len(m.funcs)))
		}
	})
	m.elements++
}

// segment reads a data segment.
func (m *module) segment(r *reader) {
	kind := r.u32()
	if kind > 2 {
		r.damaged()
	}
	if kind == 1 {
		m.passive = true
		r.bytes(r.u32())
		return
	}
	index := uint32(0)
	if kind == 2 {
		index = r.u32()
	}
	r.check("memory", index, m.memories())
	offset, known := m.constant(r)
	if !known {
		m.dataAt = "places data where an import says"
	}
	m.data = append(m.data, Segment{offset, r.bytes(r.u32())})
}

// body reads the locals of a function; its instructions are read later, when
// all of the module is known.
func (m *module) body(r *reader) {
	b := r.sized()
	if len(b.b) > maxCode {
		r.fail(refuse("has a function of %d bytes, at most %d are allowed", len(b.b), maxCode))
		return
	}
	locals := uint64(0)
	b.vector("groups of locals", maxLocals, func() {
		locals += uint64(b.u32())
		valueType(b)
	})
	if locals > maxLocals {
		b.fail(refuse("has a function with %d locals, at most %d are allowed", locals, maxLocals))
	}
	if m.allLocals += locals; m.allLocals > maxAllLocals {
		b.fail(refuse("has more than %d locals", maxAllLocals))
	}
	m.bodies = append(m.bodies, body{locals: b.b[:b.at], count: locals, code: b.b[b.at:]})
	b.at = len(b.b)
	r.done(b)
}

// custom keeps the names, which stack traces are made of, if they can be read,
// and drops everything else.
func (m *module) custom(r *reader) {
	if r.name() == "name" && m.names == nil {
		if rest := (&reader{b: r.b, at: r.at}); names(rest) == nil {
			m.names = r.b
		}
	}
	if r.err == nil {
		r.at = len(r.b)
	}
}

// names walks the name section as wazero does, which allocates by the counts, and
// finds fault with names that are too long to be shown.
func names(r *reader) error {
	for r.left() > 0 {
		id, part := r.byte(), r.sized()
		name := func() {
			if len(part.name()) > maxNameLen {
				part.damaged()
			}
		}
		switch association := func() { part.u32(); name() }; id {
		case 0: // of the module
			name()
		case 1: // of functions
			part.vector("names", noLimit, association)
		case 2: // of locals, by function
			part.vector("names", noLimit, func() {
				part.u32()
				part.vector("names", noLimit, association)
			})
		default:
			part.at = len(part.b)
		}
		r.done(part)
	}
	return r.err
}
