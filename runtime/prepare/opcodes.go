package prepare

// form is what follows an opcode.
type form byte

const (
	illegal form = iota
	plain
	formBlock
	formLabel
	formLabels
	formFunction
	formIndirect
	formSelect
	formLocal
	formGlobal
	formTable
	formMemArg
	formLane // and a memory argument before it
	formLaneOnly
	formMemory // the index of a memory, one byte
	formFence  // a byte without a meaning
	formI32
	formI64
	form4
	form8
	form16
	formRef
	formPrefix
)

// Opcodes that the walk looks at. https://webassembly.github.io/spec/core/appendix/index-instructions.html
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opReturnCall   = 0x12
	opReturnCallIn = 0x13
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectOf     = 0x1c // with the type of its values
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opMisc         = 0xfc
	opVector       = 0xfd
	opAtomic       = 0xfe
)

// Instructions behind opMisc, whose number is in the next byte.
const (
	miscMemoryInit = 8 + iota
	miscDataDrop
	miscMemoryCopy
	miscMemoryFill
	miscTableInit
	miscElemDrop
	miscTableCopy
	miscTableGrow
	miscTableSize
	miscTableFill
)

// run says that the opcodes from first to last have one form.
type run struct {
	first, last byte
	form        form
}

func table256(runs ...run) (t [256]form) {
	for _, r := range runs {
		for op := int(r.first); op <= int(r.last); op++ {
			t[op] = r.form
		}
	}
	return t
}

// forms has every instruction of one byte that wazero runs.
var forms = table256(
	run{opUnreachable, 0x01, plain}, // unreachable, nop
	run{opBlock, opIf, formBlock},
	run{opElse, opElse, plain},
	run{opEnd, opEnd, plain},
	run{opBr, opBrIf, formLabel},
	run{opBrTable, opBrTable, formLabels},
	run{opReturn, opReturn, plain},
	run{opCall, opCall, formFunction},
	run{opCallIndirect, opCallIndirect, formIndirect},
	run{opReturnCall, opReturnCall, formFunction},
	run{opReturnCallIn, opReturnCallIn, formIndirect},
	run{opDrop, opSelect, plain},
	run{opSelectOf, opSelectOf, formSelect},
	run{opLocalGet, opLocalTee, formLocal},
	run{opGlobalGet, opGlobalSet, formGlobal},
	run{opTableGet, opTableSet, formTable},
	run{0x28, 0x3e, formMemArg},
	run{opMemorySize, opMemoryGrow, formMemory},
	run{0x41, 0x41, formI32},
	run{0x42, 0x42, formI64},
	run{0x43, 0x43, form4},
	run{0x44, 0x44, form8},
	run{0x45, 0xc4, plain}, // comparison, arithmetic, conversion, sign extension
	run{opRefNull, opRefNull, formRef},
	run{0xd1, 0xd1, plain}, // ref.is_null
	run{opRefFunc, opRefFunc, formFunction},
	run{opMisc, opAtomic, formPrefix},
)

// vectors has the instructions behind opVector. wazero reads their number from
// one byte, although it is a LEB128 number, and takes its second byte, 1, for a
// nop; so the number must be written in the shortest way.
var vectors = table256(
	run{0x00, 0x0b, formMemArg},
	run{0x0c, 0x0d, form16},
	run{0x0e, 0x14, plain},
	run{0x15, 0x22, formLaneOnly},
	run{0x23, 0x53, plain},
	run{0x54, 0x5b, formLane},
	run{0x5c, 0x5d, formMemArg},
	run{0x5e, 0x99, plain},
	run{0x9a, 0x9a, illegal},
	run{0x9b, 0xff, plain},
	run{0xa2, 0xa2, illegal}, run{0xa5, 0xa6, illegal}, run{0xaf, 0xb0, illegal},
	run{0xb2, 0xb4, illegal}, run{0xbb, 0xbb, illegal}, run{0xc2, 0xc2, illegal},
	run{0xc5, 0xc6, illegal}, run{0xcf, 0xd0, illegal}, run{0xd2, 0xd4, illegal},
	run{0xe2, 0xe2, illegal}, run{0xee, 0xee, illegal},
)

// atomics has the instructions behind opAtomic.
var atomics = table256(
	run{0x00, 0x02, formMemArg},
	run{0x03, 0x03, formFence},
	run{0x10, 0x4e, formMemArg},
)

// immediates skips the simple immediates of an instruction.
func (w *walk) immediates(f form) {
	r := &w.r
	switch f {
	case plain:
	case formMemory:
		r.check("memory", uint32(r.byte()), w.m.memories())
	case formFence:
		r.zero()
	case formMemArg, formLane:
		w.memArg()
		if f == formLane {
			r.byte()
		}
	case formLaneOnly:
		r.byte()
	case formSelect:
		if r.byte() != 1 {
			r.damaged()
		}
		valueType(r)
	case formLocal:
		r.check("local", r.u32(), w.locals)
	case formGlobal:
		r.check("global", r.u32(), uint32(len(w.m.globals)))
	case formTable:
		r.check("table", r.u32(), uint32(len(w.m.tables)))
	case formFunction:
		r.check("function", r.u32(), uint32(len(w.m.funcs)))
	case formRef:
		refType(r)
	default:
		w.numbers(f)
	}
}

func (w *walk) numbers(f form) {
	switch r := &w.r; f {
	case formI32:
		r.signed(32)
	case formI64:
		r.signed(64)
	case form4:
		r.bytes(4)
	case form8:
		r.bytes(8)
	case form16:
		r.bytes(16)
	default:
		r.damaged()
	}
}

// memArg reads alignment and offset. Alignments of 64 and more are other
// encodings to newer specifications (a memory index follows).
func (w *walk) memArg() {
	r := &w.r
	if r.u32() >= 32 {
		r.damaged()
	}
	r.u32()
	r.check("memory", 0, w.m.memories())
}
