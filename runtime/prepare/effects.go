package prepare

// effect is how many values an instruction takes from the stack, and the type of
// the one it gives, 0 if it gives none.
type effect struct{ takes, gives byte }

// effectsOf says that the opcodes from first to last have one effect.
type effectsOf struct {
	first, last  byte
	takes, gives byte
}

func effects256(all ...effectsOf) (t [256]effect) {
	for _, a := range all {
		for op := int(a.first); op <= int(a.last); op++ {
			t[op] = effect{a.takes, a.gives}
		}
	}
	return t
}

// effects has the instructions of one byte whose effect is always the same.
var effects = effects256(
	effectsOf{opBrIf, opBrIf, 1, 0},
	effectsOf{opDrop, opDrop, 1, 0},
	effectsOf{opGlobalSet, opGlobalSet, 1, 0},
	effectsOf{opTableSet, opTableSet, 2, 0},
	effectsOf{0x28, 0x35, 1, i32}, // loads, but
	effectsOf{0x29, 0x29, 1, i64}, effectsOf{0x30, 0x35, 1, i64}, effectsOf{0x2a, 0x2a, 1, f32}, effectsOf{0x2b, 0x2b, 1, f64},
	effectsOf{0x36, 0x3e, 2, 0}, // stores
	effectsOf{opMemorySize, opMemorySize, 0, i32},
	effectsOf{opMemoryGrow, opMemoryGrow, 1, i32},
	effectsOf{0x41, 0x41, 0, i32}, effectsOf{0x42, 0x42, 0, i64}, effectsOf{0x43, 0x43, 0, f32}, effectsOf{0x44, 0x44, 0, f64}, // constants
	effectsOf{0x45, 0x66, 2, i32},                                // comparisons, but
	effectsOf{0x45, 0x45, 1, i32}, effectsOf{0x50, 0x50, 1, i32}, // with zero
	effectsOf{0x67, 0x69, 1, i32}, effectsOf{0x6a, 0x78, 2, i32},
	effectsOf{0x79, 0x7b, 1, i64}, effectsOf{0x7c, 0x8a, 2, i64},
	effectsOf{0x8b, 0x91, 1, f32}, effectsOf{0x92, 0x98, 2, f32},
	effectsOf{0x99, 0x9f, 1, f64}, effectsOf{0xa0, 0xa6, 2, f64},
	effectsOf{0xa7, 0xab, 1, i32}, effectsOf{0xac, 0xb1, 1, i64}, effectsOf{0xb2, 0xb6, 1, f32}, effectsOf{0xb7, 0xbb, 1, f64}, // conversions
	effectsOf{0xbc, 0xbc, 1, i32}, effectsOf{0xbd, 0xbd, 1, i64}, effectsOf{0xbe, 0xbe, 1, f32}, effectsOf{0xbf, 0xbf, 1, f64}, // the same bits
	effectsOf{0xc0, 0xc1, 1, i32}, effectsOf{0xc2, 0xc4, 1, i64}, // sign extension
	effectsOf{0xd1, 0xd1, 1, i32}, // ref.is_null
	effectsOf{opRefFunc, opRefFunc, 0, funcref},
)

var miscEffects = effects256(
	effectsOf{0x00, 0x03, 1, i32}, effectsOf{0x04, 0x07, 1, i64}, // saturating conversions
	effectsOf{miscMemoryInit, miscTableFill, 3, 0}, // but
	effectsOf{miscDataDrop, miscDataDrop, 0, 0}, effectsOf{miscElemDrop, miscElemDrop, 0, 0},
	effectsOf{miscTableGrow, miscTableGrow, 2, i32}, effectsOf{miscTableSize, miscTableSize, 0, i32},
)

// vectorEffects: most take two vectors and give one.
var vectorEffects = effects256(
	effectsOf{0x00, 0xff, 2, v128},
	effectsOf{0x00, 0x0a, 1, v128}, effectsOf{0x0b, 0x0b, 2, 0}, effectsOf{0x0c, 0x0c, 0, v128}, // loads, store, constant
	effectsOf{0x0f, 0x14, 1, v128},                                                              // splats
	effectsOf{0x15, 0x16, 1, i32}, effectsOf{0x18, 0x19, 1, i32}, effectsOf{0x1b, 0x1b, 1, i32}, // what a lane has
	effectsOf{0x1d, 0x1d, 1, i64}, effectsOf{0x1f, 0x1f, 1, f32}, effectsOf{0x21, 0x21, 1, f64},
	effectsOf{0x4d, 0x4d, 1, v128}, effectsOf{0x52, 0x52, 3, v128}, effectsOf{0x53, 0x53, 1, i32}, // not, bitselect, any true
	effectsOf{0x58, 0x5b, 2, 0}, effectsOf{0x5c, 0x5f, 1, v128}, // stores of a lane, loads of one, demote, promote
	// Of one operand, by lanes: 8, 16, 32 and 64 bits, floats. All true and the bit masks give an i32.
	effectsOf{0x60, 0x62, 1, v128}, effectsOf{0x63, 0x64, 1, i32}, effectsOf{0x67, 0x6a, 1, v128},
	effectsOf{0x74, 0x75, 1, v128}, effectsOf{0x7a, 0x7a, 1, v128}, effectsOf{0x7c, 0x7f, 1, v128},
	effectsOf{0x80, 0x81, 1, v128}, effectsOf{0x83, 0x84, 1, i32}, effectsOf{0x87, 0x8a, 1, v128}, effectsOf{0x94, 0x94, 1, v128},
	effectsOf{0xa0, 0xa1, 1, v128}, effectsOf{0xa3, 0xa4, 1, i32}, effectsOf{0xa7, 0xaa, 1, v128},
	effectsOf{0xc0, 0xc1, 1, v128}, effectsOf{0xc3, 0xc4, 1, i32}, effectsOf{0xc7, 0xca, 1, v128},
	effectsOf{0xe0, 0xe1, 1, v128}, effectsOf{0xe3, 0xe3, 1, v128},
	effectsOf{0xec, 0xed, 1, v128}, effectsOf{0xef, 0xef, 1, v128}, effectsOf{0xf8, 0xff, 1, v128},
)

// atomicEffects: from the loads on, seven of each kind, for i32 and i64 and what is
// narrower in them.
var atomicEffects = func() (t [256]effect) {
	t = effects256(effectsOf{0x00, 0x00, 2, i32}, effectsOf{0x01, 0x02, 3, i32}) // notify, wait
	takes := []byte{1, 2, 2, 2, 2, 2, 2, 2, 3}                                   // load, store, add to exchange, compare and exchange
	for i := range 7 * len(takes) {
		e := effect{takes[i/7], i64}
		switch i % 7 {
		case 0, 2, 3:
			e.gives = i32
		}
		if i/7 == 1 {
			e.gives = 0
		}
		t[0x10+i] = e
	}
	return t
}()
