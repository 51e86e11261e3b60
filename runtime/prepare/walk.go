package prepare

// walk reads the instructions of one function from first to last, once, and
// finds what to put where.
type walk struct {
	m       *module
	leaves  *leaves
	r       reader
	labels  []label
	regions []region
	index   int // of the function into the bodies
	points  []point
	spans   []span
	locals  uint32 // with parameters
	calls   bool
	loops   int
	branchy bool // something may go another way than straight on to the first loop
	first   int  // point of that loop's header, 0: there is none

	operands operands // if there is a select, when it is known
	chooses  bool     // something takes the place of one
}

// function walks the function with an index into the bodies. The result is
// valid until the next one.
func (w *walk) function(index int) {
	b := w.m.bodies[index]
	t := w.m.types[w.m.funcs[int(w.m.imported)+index]]
	*w = walk{m: w.m, leaves: w.leaves, index: index, r: reader{b: b.code}, operands: w.operands,
		labels: w.labels[:0], regions: w.regions[:0], points: w.points[:0], spans: w.spans[:0], locals: uint32(len(t.params)) + uint32(b.count)}
	if b.choose {
		w.operands.begin(w.m, t, b)
	}
	w.begin(0, 0)
	w.labels = append(w.labels, label{op: opEnd, arity: int64(len(t.results)), joins: noWays})
	w.spend(int64(b.count) / localsPerUnit)
	for len(w.labels) > 0 && w.r.err == nil {
		at := w.r.at
		w.instruction()
		if b.choose && w.r.err == nil {
			w.choose(at)
		}
	}
	if w.r.left() > 0 {
		w.r.damaged()
	}
}

func (w *walk) instruction() {
	at := w.r.at
	op := w.r.byte()
	w.spend(costs[op])
	switch f := forms[op]; f {
	case formBlock:
		w.block(op, at)
	case formLabel:
		w.jump(op, at)
	case formLabels:
		w.jumps(at)
	case formIndirect:
		w.indirect(op, at)
	case formPrefix:
		w.prefixed(op, at)
	case illegal:
		w.unknown(op)
	default:
		w.immediates(f)
		w.simple(op, at)
	}
}

// unknown names what a newer compiler may have used.
func (w *walk) unknown(op byte) {
	switch {
	case w.r.err != nil:
	case op >= 0x06 && op <= 0x0a, op == 0x18, op == 0x19, op == 0x1f:
		w.r.fail(unsupported("exception handling"))
	case op == 0x14, op == 0x15, op >= 0xd3 && op <= 0xd6:
		w.r.fail(unsupported("typed function references"))
	case op == 0xfb:
		w.r.fail(unsupported("WebAssembly GC"))
	default:
		w.r.fail(refuse("not a valid WebAssembly module: unknown instruction %#x", op))
	}
}

// simple is what is special about some instructions without a form of their own.
func (w *walk) simple(op byte, at int) {
	switch op {
	case opEnd:
		w.end(at)
	case opElse:
		w.otherwise(at)
	case opReturn:
		w.leave(at)
	case opUnreachable:
		w.top().debt = dead
	case opCall, opReturnCall:
		w.direct(op, at)
	case opSelect, opSelectOf:
		w.m.bodies[w.index].choose = true
	case opTableSet:
		w.m.keep("changes a table")
	}
}

func (w *walk) block(op byte, at int) {
	takes, gives := w.m.blockType(&w.r)
	if len(w.labels) > maxNesting {
		w.r.fail(refuse("nests more than %d blocks", maxNesting))
	}
	l := label{op: op, region: len(w.regions) - 1, arity: int64(len(gives)), joins: noWays}
	switch op {
	case opIf:
		w.branchy = true
		w.part(at)
		l.saved = w.top().debt
	case opLoop:
		w.part(at)
		w.begin(at, w.r.at)
		l.region, l.arity = len(w.regions)-1, int64(len(takes))
		if w.loops++; !w.branchy {
			w.first, w.branchy = len(w.points)-1, true
		}
	}
	w.labels = append(w.labels, l)
}

func (w *walk) otherwise(at int) {
	l := &w.labels[len(w.labels)-1]
	if l.op != opIf {
		w.r.damaged()
		return
	}
	l.op = opElse
	top := w.top()
	l.joins.add(top.debt, true, at)
	top.debt = l.saved
}

func (w *walk) end(at int) {
	l := w.labels[len(w.labels)-1]
	w.labels = w.labels[:len(w.labels)-1]
	top := w.top()
	through := top.debt
	switch l.op {
	case opLoop, opEnd:
		top.ends.add(through, true, at)
		w.finish(at)
		if len(w.regions) > 0 && through == dead {
			w.top().debt = dead
		}
		return
	case opIf: // without an else
		l.joins.add(l.saved, false, at)
	}
	l.joins.add(through, true, at)
	top.debt = w.join(l.joins)
}

func (w *walk) leave(at int) {
	w.branchy = true
	w.branch(uint32(len(w.labels)-1), true, at)
	w.top().debt = dead
}

// target reads the label of a branch and returns its depth.
func (w *walk) target() uint32 {
	return w.r.check("label", w.r.u32(), uint32(len(w.labels)))
}

func (w *walk) carry(depth uint32) {
	w.spend(w.labels[len(w.labels)-1-int(depth)].arity)
}

func (w *walk) jump(op byte, at int) {
	w.branchy = true
	depth := w.target()
	w.carry(depth)
	if op == opBr {
		w.branch(depth, true, at)
		w.top().debt = dead
		return
	}
	w.part(at)
	w.branch(depth, false, at)
}

func (w *walk) jumps(at int) {
	w.branchy = true
	n := w.r.count("targets of a br_table", maxTargets)
	from := w.r.at
	last := uint32(0)
	for range n + 1 {
		last = w.target()
	}
	if w.r.err != nil {
		return
	}
	w.carry(last) // all carry the same
	w.part(at)
	w.r.at = from
	for range n + 1 {
		w.branch(w.r.u32(), false, at)
	}
	w.top().debt = dead
}

// direct has read a call. Its index is read again: it is the last operand.
func (w *walk) direct(op byte, at int) {
	w.r.at = at + 1
	f := w.r.u32()
	if w.r.err != nil {
		return
	}
	cost, leaf := int64(costHost), int64(noLeaf)
	if f >= w.m.imported {
		cost, leaf = costCall, w.leaves.cost[f-w.m.imported]
	}
	w.called(w.m.funcs[f], cost+max(leaf, 0))
	if leaf == noLeaf {
		w.call(at)
	}
	if op == opReturnCall {
		w.leave(at)
	}
}

func (w *walk) indirect(op byte, at int) {
	t := w.m.typeIndex(&w.r)
	w.r.check("table", w.r.u32(), uint32(len(w.m.tables)))
	if w.r.err != nil {
		return
	}
	w.called(t, costIndirect+w.leaves.byType[t])
	w.call(at)
	if op == opReturnCallIn {
		w.leave(at)
	}
}

// called charges a call of a function of a type.
func (w *walk) called(index uint32, cost int64) {
	t := w.m.types[index]
	w.spend(cost - costPlain + int64(len(t.params)+len(t.results)))
}
