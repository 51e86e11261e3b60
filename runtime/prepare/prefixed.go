package prepare

// prefixed reads an instruction behind a prefix.
func (w *walk) prefixed(prefix byte, at int) {
	if prefix == opMisc {
		w.misc(w.r.u32(), at)
		return
	}
	op := w.r.byte()
	switch prefix {
	case opVector:
		if op >= 0x80 && w.r.byte() != 1 { // see vectors
			w.unknown(prefix)
			return
		}
		w.known(prefix, vectors[op])
	default:
		if op <= 2 && op > 0 && w.m.memory != nil && w.m.memory.shared {
			w.r.fail(refuse("waits for other threads (memory.atomic.wait), which nothing could stop"))
			return
		}
		w.known(prefix, atomics[op])
	}
}

func (w *walk) known(prefix byte, f form) {
	if f == illegal {
		w.unknown(prefix)
		return
	}
	w.immediates(f)
}

// misc reads an instruction behind opMisc: the saturating conversions, and
// those that move many bytes or entries at once, which are charged by length.
func (w *walk) misc(op uint32, at int) {
	if op > miscTableFill {
		w.unknown(opMisc)
		return
	}
	w.spend(miscCosts[op] - costs[opMisc])
	switch op {
	case miscMemoryFill:
		w.r.zero()
		w.bulk(fill, at)
	case miscMemoryCopy:
		w.r.zero()
		w.r.zero()
		w.bulk(duplicate, at)
	case miscMemoryInit:
		w.segment()
		w.r.zero()
		w.bulk(measure, at)
		w.r.check("memory", 0, w.m.memories())
	case miscDataDrop:
		w.segment()
	default:
		w.tables(op, at)
	}
}

func (w *walk) segment() {
	w.r.check("data segment", w.r.u32(), uint32(max(w.m.dataCount, 0)))
	w.m.bulk = true
}

// bulk puts a helper before the instruction or in its place.
func (w *walk) bulk(kind pointKind, at int) {
	w.branchy = true
	w.m.helpers[kind] = true
	to := at
	if kind != measure {
		to = w.r.at
		w.r.check("memory", 0, w.m.memories())
	}
	w.put(point{at: at, to: to, kind: kind})
	w.top().held = true
}

func (w *walk) tables(op uint32, at int) {
	r := &w.r
	table := func() { r.check("table", r.u32(), uint32(len(w.m.tables))) }
	element := func() { r.check("element segment", r.u32(), w.m.elements) }
	switch op {
	case miscTableInit:
		element()
		table()
	case miscElemDrop:
		element()
	case miscTableCopy:
		table()
		table()
	case miscTableGrow, miscTableSize, miscTableFill:
		table()
	default: // a saturating conversion
		return
	}
	switch op {
	case miscTableSize:
		return
	case miscTableInit, miscTableCopy, miscTableFill:
		w.bulk(measure, at)
	}
	w.m.keep("changes a table")
}
