package prepare

// How work is charged.
//
// Code runs a second time only through a loop header or a new call. So the
// unit of metering is the region: what one pass through a loop's header (or
// one call of a function) can run before the next, without the loops within,
// which are regions of their own. Within a region control goes only forward,
// and debt is the most that is owed on any way from its beginning to here. The
// header charges in advance what is owed where the region ends: at a branch
// back, at a branch or return out, at its end. Nothing is ever undercharged
// then, but a way that is short pays for the longest.
//
// Therefore ways that differ by more than slack part: what a long way owes
// above the cheapest one is subtracted where it joins the others ("settled"),
// and what is owed before a way forks, once it exceeds slack. Settling does not
// look at the result; the next header does.
//
// Frames that wait for a call to return have been charged for what they did
// so far: a call is an end, too. A trap ends everything, so ways that end in
// unreachable owe nothing; an attempt can have done one region's work unpaid.

// region is a loop's, or the function's, pass from its header on.
type region struct {
	point int   // of its header, where it is charged
	debt  int64 // what is owed here; in all but the innermost: where the next one began; dead: nothing comes here
	ends  ways
	calls int64 // the most owed at a call
	outer int   // the outermost region that ends together with this one
	held  bool  // there is a call, here or in a region within
	from  int   // offset of the loop instruction
}

const dead = -1

// ways lead to one point.
type ways struct {
	fixed int64 // the most owed on one that cannot be charged by itself
	free  []way
}

// way is one that can be charged by itself, by what is put at an offset.
type way struct {
	at   int
	debt int64
}

var noWays = ways{fixed: dead}

// label is a block that is open.
type label struct {
	op     byte
	region int   // the one it lies in, or begins
	arity  int64 // values a branch to it carries
	joins  ways
	saved  int64 // what was owed at its if
}

// point is something put into the code.
type point struct {
	at, to int // offsets of what it takes the place of
	kind   pointKind
	cost   int64
}

type pointKind byte

const (
	nothing   pointKind = iota
	check               // subtract, and look whether something is left
	settle              // subtract
	measure             // charge by the length on the stack
	fill                // the helper in place of memory.fill
	duplicate           // the helper in place of memory.copy
	load                // fuel into the local
	chooseF32           // in place of a select
	chooseF64
	chooseV128
)

func (w *walk) top() *region { return &w.regions[len(w.regions)-1] }

func (w *walk) spend(cost int64) {
	if top := w.top(); top.debt != dead {
		top.debt += cost
	}
}

// put adds a point and returns its index.
func (w *walk) put(p point) int {
	w.points = append(w.points, p)
	return len(w.points) - 1
}

// part settles what is owed before the instruction at an offset, from which
// on ways differ.
func (w *walk) part(at int) {
	if top := w.top(); top.debt > slack {
		w.put(point{at, at, settle, top.debt})
		top.debt = 0
	}
}

// call notes that whatever is owed here may wait for ever.
func (w *walk) call(at int) {
	w.part(at)
	w.calls, w.branchy = true, true
	top := w.top()
	top.calls = max(top.calls, top.debt)
	top.held = true
}

// branch is a way from the instruction at an offset to a label: the only way
// from there, or one of them.
func (w *walk) branch(depth uint32, only bool, at int) {
	l := &w.labels[len(w.labels)-1-int(depth)]
	top := w.top()
	if top.debt == dead {
		return
	}
	outermost := l.region
	if l.op != opLoop && l.op != opEnd {
		outermost++
		target := &w.regions[l.region]
		l.joins.add(target.debt, only && target == top, at)
	}
	if outermost < len(w.regions) {
		top.ends.add(top.debt, only, at)
		top.outer = min(top.outer, outermost)
	}
}

func (s *ways) add(debt int64, alone bool, at int) {
	switch {
	case debt == dead:
	case alone:
		s.free = append(s.free, way{at, debt})
	default:
		s.fixed = max(s.fixed, debt)
	}
}

// join returns what is owed where ways meet, after what the long ones owe
// above the others is settled.
func (w *walk) join(s ways) int64 {
	base := s.fixed
	if base == dead && len(s.free) > 0 {
		base = s.free[0].debt
		for _, way := range s.free {
			base = min(base, way.debt)
		}
	}
	owed := base
	for _, way := range s.free {
		if way.debt > base+slack {
			w.put(point{way.at, way.at, settle, way.debt - base})
		} else {
			owed = max(owed, way.debt)
		}
	}
	return owed
}

// begin opens the region of a loop, whose first instruction is at an offset.
func (w *walk) begin(from, at int) {
	debt := int64(0)
	if len(w.regions) > 0 && w.top().debt == dead {
		debt = dead
	}
	header := w.put(point{at, at, check, 0})
	w.regions = append(w.regions, region{point: header, debt: debt, ends: noWays, outer: len(w.regions), from: from})
}

// finish closes the innermost region at the offset of its end. What ends with
// it outside of it ends with what is owed there.
func (w *walk) finish(at int) {
	index := len(w.regions) - 1
	r := w.regions[index]
	w.points[r.point].cost = max(w.join(r.ends), r.calls, 0)
	w.regions = w.regions[:index]
	if index == 0 {
		return
	}
	if !r.held {
		w.quiet(r.from, at)
	}
	parent := w.top()
	if r.outer < index {
		parent.ends.add(parent.debt, false, 0)
		parent.outer = min(parent.outer, r.outer)
	}
	if r.held {
		parent.calls = max(parent.calls, parent.debt)
		parent.held = true
	}
}

// span is a loop that calls nothing but leaves. Within it a local has what fuel has, so
// that a turn must not wait for what the last one stored: that alone would take
// more time than the smallest loops. fuel itself is stored as well, and so is
// right wherever the loop is left or traps.
type span struct{ from, to int }

// quiet notes a span. It takes in those within.
func (w *walk) quiet(from, to int) {
	for n := len(w.spans); n > 0 && w.spans[n-1].from > from; n-- {
		w.spans = w.spans[:n-1]
	}
	w.spans = append(w.spans, span{from, to})
}
