package prepare

// What takes the place of a select of floats or vectors: wazero 1.12 can give
// another value than either of them on amd64 (its issue 2534). See docs/RATIONALE.md.

var choices = map[byte]pointKind{f32: chooseF32, f64: chooseF64, v128: chooseV128}

// choose puts it there, if the instruction at an offset is such a select.
func (w *walk) choose(at int) {
	if t := w.operands.instruction(at); t != 0 {
		w.put(point{at: at, to: w.r.at, kind: choices[t]})
		w.chooses = true
	}
	if w.operands.full {
		w.r.fail(refuse("has a function of more than %d values on its stack", maxOperands))
	}
}

// scratch are the groups of locals that are added: one i64 for fuel, one for an f64,
// and i32s for an f32 and a condition.
var scratch = []byte{1, i64, 1, i64, 2, i32}

// choose selects among the bits of floats, which are integers, and among those of
// vectors by a mask. Neither branches.
func (f fuel) choose(b []byte, kind pointKind) []byte {
	wide, narrow, condition := f.index+1, f.index+2, f.index+3
	local := func(op byte, index uint32) { b = uleb(append(b, op), index) }
	among := func(bits byte, other uint32, float byte) {
		local(opLocalSet, condition)
		b = append(b, bits)
		local(opLocalSet, other)
		b = append(b, bits)
		local(opLocalGet, other)
		local(opLocalGet, condition)
		b = append(b, opSelect, float)
	}
	switch kind {
	case chooseF32:
		among(0xbc, narrow, 0xbe) // i32.reinterpret_f32, f32.reinterpret_i32
	case chooseF64:
		among(0xbd, wide, 0xbf) // i64.reinterpret_f64, f64.reinterpret_i64
	case chooseV128:
		b = append(b, 0x45, widen, 0x42, 1, subI64)   // 0, or -1 if the condition is not 0
		b = append(b, opVector, 0x12, opVector, 0x52) // i64x2.splat, v128.bitselect
	}
	return b
}
