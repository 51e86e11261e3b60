package prepare

import "slices"

// The functions that are added. refill is always there, the others as needed,
// in this order.
var helperOrder = []pointKind{check, measure, fill, duplicate}

// helperTypes are the types of the helpers, added to those of the module:
// () -> (), (i32) -> (i32), (i32, i32, i32) -> ().
var helperTypes = [][]byte{{0x60, 0, 0}, {0x60, 1, i32, 1, i32}, {0x60, 3, i32, i32, i32, 0}}

var helperType = [...]uint32{check: 0, measure: 1, fill: 2, duplicate: 2}

func (m *module) needs(kind pointKind) bool { return kind == check || m.helpers[kind] }

func (m *module) helperCount() (n uint32) {
	for _, kind := range helperOrder {
		if m.needs(kind) {
			n++
		}
	}
	return n
}

// helper returns the index of the function of a kind.
func (m *module) helper(kind pointKind) uint32 {
	index := uint32(len(m.funcs))
	for _, other := range helperOrder {
		if other == kind {
			break
		}
		if m.needs(other) {
			index++
		}
	}
	return index
}

// helperTypes returns the added types and the types of the added functions.
func (m *module) helperTypes() (types, funcs []byte) {
	for _, kind := range helperOrder {
		if m.needs(kind) {
			funcs = uleb(funcs, uint32(len(m.types))+helperType[kind])
		}
	}
	return slices.Concat(helperTypes...), funcs
}

func (m *module) helperBodies() (b []byte) {
	for _, kind := range helperOrder {
		if !m.needs(kind) {
			continue
		}
		one := m.helperBody(kind)
		b = append(uleb(b, uint32(len(one))), one...)
	}
	return b
}

func (m *module) helperBody(kind pointKind) []byte {
	switch kind {
	case measure:
		return m.measureBody()
	case fill:
		return m.fillBody()
	case duplicate:
		return m.copyBody()
	}
	return m.refillBody()
}

// Instructions of the helpers.

func ins(ops ...byte) []byte     { return ops }
func localGet(local byte) []byte { return []byte{opLocalGet, local} }
func localSet(local byte) []byte { return []byte{opLocalSet, local} }
func const32(n int64) []byte     { return sleb([]byte{0x41}, n) }
func const64(n int64) []byte     { return sleb([]byte{0x42}, n) }

const (
	void   = 0x40
	orI32  = 0x72
	addI32 = 0x6a
	subI32 = 0x6b
	gtUI32 = 0x4b
	leUI32 = 0x4d
	addI64 = 0x7c
	subI64 = 0x7d
	ltSI64 = 0x53
	gtUI64 = 0x56
	shlI64 = 0x86
	shrI64 = 0x88 // unsigned
	widen  = 0xad // i64.extend_i32_u
)

// yield leaves the guest, so that Go can run something else and a store to kill
// becomes visible, and traps if it is to stop. memory.grow is the only
// instruction that does so and changes nothing.
func (m *module) yield() []byte {
	return slices.Concat(
		const32(0), ins(opMemoryGrow, 0, opDrop),
		m.global(opGlobalGet, 2), ins(opIf, void, opUnreachable, opEnd),
	)
}

// refillBody takes as much as fills up the slice, or all that is left, and
// traps if that is not enough.
func (m *module) refillBody() []byte {
	const take = 0
	left := m.global(opGlobalGet, 1)
	return slices.Concat(ins(1, 1, i64),
		m.yield(),
		const64(Slice), m.getFuel(), ins(subI64), localSet(take),
		localGet(take), left, localGet(take), left, ins(ltSI64, opSelect), localSet(take),
		left, localGet(take), ins(subI64), m.global(opGlobalSet, 1),
		m.getFuel(), localGet(take), ins(addI64), m.setFuel(),
		m.getFuel(), const64(0), ins(ltSI64, opIf, void, opUnreachable, opEnd, opEnd),
	)
}

// charge subtracts a length, shifted to units, and looks.
func (m *module) charge(length byte, shift int64) []byte {
	b := slices.Concat(m.getFuel(), localGet(length), ins(widen), const64(shift), ins(shrI64, subI64), m.setFuel())
	return fuel{m: m}.look(b)
}

// measureBody charges a number of entries and returns it.
func (m *module) measureBody() []byte {
	return slices.Concat(ins(0), m.charge(0, 0), localGet(0), ins(opEnd))
}

// Parameters of memory.fill and memory.copy.
const (
	to     = 0
	from   = 1 // the value, of fill
	length = 2
)

// beyond tells whether a range leaves the memory.
func beyond(start byte) []byte {
	return slices.Concat(localGet(start), ins(widen), localGet(length), ins(widen, addI64),
		ins(opMemorySize, 0, widen), const64(16), ins(shlI64, gtUI64))
}

// fillBody fills chunk by chunk. What is small, or traps, is one chunk.
func (m *module) fillBody() []byte {
	whole := slices.Concat(localGet(to), localGet(from), localGet(length), ins(opMisc, miscMemoryFill, 0))
	return slices.Concat(ins(0),
		m.charge(length, bytesShift),
		localGet(length), const32(chunk), ins(leUI32), beyond(to), ins(orI32, opIf, void),
		whole, ins(opReturn, opEnd),
		ins(opLoop, void),
		localGet(to), localGet(from), const32(chunk), ins(opMisc, miscMemoryFill, 0),
		localGet(to), const32(chunk), ins(addI32), localSet(to),
		m.nextChunk(),
		whole, ins(opEnd),
	)
}

// nextChunk ends a loop over chunks.
func (m *module) nextChunk() []byte {
	return slices.Concat(
		localGet(length), const32(chunk), ins(subI32), localSet(length),
		m.yield(),
		localGet(length), const32(chunk), ins(gtUI32, opBrIf, 0, opEnd),
	)
}

// copyBody copies chunk by chunk, from the end where the beginning would be
// overwritten before it is read.
func (m *module) copyBody() []byte {
	const copies = miscMemoryCopy
	whole := slices.Concat(localGet(to), localGet(from), localGet(length), ins(opMisc, copies, 0, 0))
	rest := slices.Concat(localGet(length), const32(chunk), ins(subI32))
	return slices.Concat(ins(0),
		m.charge(length, bytesShift),
		localGet(length), const32(chunk), ins(leUI32), beyond(to), ins(orI32), beyond(from), ins(orI32, opIf, void),
		whole, ins(opReturn, opEnd),
		localGet(to), localGet(from), ins(gtUI32, opIf, void, opLoop, void),
		localGet(to), rest, ins(addI32), localGet(from), rest, ins(addI32), const32(chunk), ins(opMisc, copies, 0, 0),
		m.nextChunk(),
		ins(opElse, opLoop, void),
		localGet(to), localGet(from), const32(chunk), ins(opMisc, copies, 0, 0),
		localGet(to), const32(chunk), ins(addI32), localSet(to),
		localGet(from), const32(chunk), ins(addI32), localSet(from),
		m.nextChunk(),
		ins(opEnd), whole, ins(opEnd),
	)
}
