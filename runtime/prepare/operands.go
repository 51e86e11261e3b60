package prepare

// operands are the types of the values on the stack where the walk is. They are
// followed as validation does, but it checks more: what is wrong here is wrong there,
// and then nothing is chosen any more, so that wazero refuses the module as it was.
type operands struct {
	m      *module
	r      reader // of the instruction
	values []byte
	locals []byte // with parameters
	blocks []block
	dead   int  // blocks open in code that nothing comes to, 0: something does
	lost   bool // the function is not valid
	full   bool // it may be valid, but has more than maxOperands
}

// block is one that is open, or the function.
type block struct {
	height       int // of the values below what it takes
	takes, gives string
}

const onlyI32 = "\x7f"

// begin goes to the beginning of a function.
func (o *operands) begin(m *module, t funcType, f body) {
	*o = operands{m: m, r: reader{b: f.locals}, values: o.values[:0], locals: append(o.locals[:0], t.params...),
		blocks: append(o.blocks[:0], block{gives: t.results})}
	for range o.r.u32() {
		n := o.r.u32()
		t := o.r.byte()
		for range n {
			o.locals = append(o.locals, t)
		}
	}
	o.r = reader{b: f.code}
}

// instruction follows the one at an offset, which the walk has read. It returns what
// a select that is reached chooses from: f32, f64 or v128, or 0 if it is no such.
func (o *operands) instruction(at int) byte {
	o.r.at = at
	op := o.r.byte()
	switch {
	case o.lost || o.full:
	case o.dead > 0:
		o.skip(op)
	case op == opSelect || op == opSelectOf:
		return o.choose()
	default:
		o.apply(op)
	}
	return 0
}

// skip goes on to where code is reached again: wazero leaves out what is not.
func (o *operands) skip(op byte) {
	switch op {
	case opBlock, opLoop, opIf:
		o.dead++
	case opElse:
		if o.dead == 1 {
			o.dead = 0
			o.otherwise()
		}
	case opEnd:
		if o.dead--; o.dead == 0 {
			o.end()
		}
	}
}

func (o *operands) apply(op byte) {
	switch r := &o.r; op {
	case opBlock, opLoop, opIf:
		o.block(op)
	case opElse:
		o.leave()
		o.otherwise()
	case opEnd:
		o.leave()
		o.end()
	case opUnreachable, opBr, opBrTable, opReturn, opReturnCall, opReturnCallIn:
		o.dead = 1
	case opCall:
		o.call(o.m.funcs[r.u32()])
	case opCallIndirect:
		o.take(onlyI32)
		o.call(r.u32())
	case opLocalGet:
		o.give(string(o.locals[r.u32()]))
	case opLocalSet, opLocalTee:
		o.local(op, string(o.locals[r.u32()]))
	case opGlobalGet:
		o.give(string(o.m.globals[r.u32()].valueType))
	case opTableGet:
		o.take(onlyI32)
		o.give(string(o.m.tables[r.u32()].valueType))
	case opRefNull:
		o.give(string(r.byte()))
	case opMisc:
		o.have(miscEffects[r.u32()])
	case opVector:
		o.have(vectorEffects[r.byte()])
	case opAtomic:
		o.have(atomicEffects[r.byte()])
	default:
		o.have(effects[op])
	}
}

func (o *operands) top() *block { return &o.blocks[len(o.blocks)-1] }

// drop takes values of any types.
func (o *operands) drop(n int) {
	if o.lost = o.lost || len(o.values)-o.top().height < n; !o.lost {
		o.values = o.values[:len(o.values)-n]
	}
}

func (o *operands) take(types string) {
	n := len(o.values) - len(types)
	if o.lost = o.lost || n < o.top().height || string(o.values[n:]) != types; !o.lost {
		o.values = o.values[:n]
	}
}

func (o *operands) give(types string) {
	if o.full = o.full || len(o.values)+len(types) > maxOperands; !o.full {
		o.values = append(o.values, types...)
	}
}

func (o *operands) have(e effect) {
	o.drop(int(e.takes))
	if e.gives != 0 {
		o.give(string(e.gives))
	}
}

func (o *operands) call(index uint32) {
	t := o.m.types[index]
	o.take(t.params)
	o.give(t.results)
}

func (o *operands) local(op byte, t string) {
	o.take(t)
	if op == opLocalTee {
		o.give(t)
	}
}

// choose looks at the values alone, as wazero does: what a select with a type says
// of them is the same in a valid module.
func (o *operands) choose() byte {
	o.take(onlyI32)
	n := len(o.values)
	if o.lost = o.lost || n-o.top().height < 2 || o.values[n-1] != o.values[n-2]; o.lost {
		return 0
	}
	o.values = o.values[:n-1]
	if t := o.values[n-2]; t >= v128 && t <= f32 {
		return t
	}
	return 0
}

func (o *operands) block(op byte) {
	if op == opIf {
		o.take(onlyI32)
	}
	takes, gives := o.m.blockType(&o.r)
	o.take(takes)
	o.blocks = append(o.blocks, block{len(o.values), takes, gives})
	o.give(takes)
}

// leave comes to the end of a block, or of its first half.
func (o *operands) leave() {
	o.lost = o.lost || string(o.values[o.top().height:]) != o.top().gives
}

func (o *operands) otherwise() {
	o.values = o.values[:o.top().height]
	o.give(o.top().takes)
}

func (o *operands) end() {
	b := *o.top()
	o.blocks = o.blocks[:len(o.blocks)-1]
	o.values = o.values[:b.height]
	o.give(b.gives)
}
