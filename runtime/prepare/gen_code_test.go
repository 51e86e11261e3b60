package prepare_test

import "github.com/hive-spore/hive/runtime/prepare"

// What the generator writes into functions.

func (g *generator) statements(n int) {
	for range n {
		if g.size > 0 {
			g.statement()
		}
	}
}

func (g *generator) statement() {
	switch g.IntN(14) {
	case 0, 1:
		i := g.IntN(len(g.locals))
		g.value(g.locals[i], 3)
		g.op(0x21, byte(i))
	case 2:
		i := g.IntN(genGlobals)
		g.value(numbers[i], 3)
		g.op(0x24, byte(i+1))
	case 3:
		g.store()
	case 4:
		g.value(ti32, 2)
		g.op(0x04, 0x40)
		g.push(nil, -1)
		g.statements(1 + g.IntN(4))
		if g.IntN(2) == 0 {
			g.op(0x05)
			g.statements(1 + g.IntN(8))
		}
		g.pop()
		g.op(0x0b)
	case 5, 6:
		g.loop()
	case 7:
		g.op(0x02, 0x40)
		g.push(nil, -1)
		g.statements(1 + g.IntN(6))
		g.pop()
		g.op(0x0b)
	case 8, 9:
		g.maybe()
	case 10:
		g.bulk()
	case 11:
		g.value(ti32, 1)
		g.op(0x04, 0x40)
		g.push(nil, -1)
		g.away()
		g.pop()
		g.op(0x0b)
	default:
		t := g.number()
		g.value(t, 4)
		g.op(0x1a)
	}
}

// away leaves unconditionally. What follows is dead, and sometimes there.
func (g *generator) away() {
	switch g.IntN(5) {
	case 0:
		if g.IntN(6) == 0 {
			g.op(0x00)
		}
		return
	case 1:
		results := g.labels[0].carries
		g.values(results, 1)
		g.op(0x0f)
	case 2:
		g.targets()
	default:
		if depth := g.forward(); depth >= 0 {
			carries := g.target(depth).carries
			g.values(carries, 1)
			g.emit(append([]byte{0x0c}, uleb(depth)...), 1+int64(len(carries)))
		} else {
			return
		}
	}
	if g.IntN(3) == 0 {
		g.b = append(g.b, 0x02, 0x40, 0x0b, 0x03, 0x40, 0x0b) // dead
	}
}

func (g *generator) target(depth int) genLabel { return g.labels[len(g.labels)-1-depth] }

// forward picks a label that is no loop.
func (g *generator) forward() int {
	for range 4 {
		if depth := g.IntN(len(g.labels)); g.target(depth).counter < 0 {
			return depth
		}
	}
	return -1
}

func (g *generator) targets() {
	var depths []int
	for depth := range g.labels {
		if l := g.target(depth); l.counter < 0 && len(l.carries) == 0 {
			depths = append(depths, depth)
		}
	}
	if len(depths) == 0 {
		return
	}
	n := g.IntN(6)
	ins := append([]byte{0x0e}, uleb(n)...)
	for range n + 1 {
		ins = append(ins, uleb(depths[g.IntN(len(depths))])...)
	}
	g.value(ti32, 2)
	g.emit(ins, 1)
}

// maybe branches on a condition: out, or back to a loop that has turns left.
func (g *generator) maybe() {
	depth := g.IntN(len(g.labels))
	l := g.target(depth)
	if l.counter >= 0 {
		g.turn(l.counter)
		g.emit(append([]byte{0x0d}, uleb(depth)...), 1)
		return
	}
	g.values(l.carries, 1)
	g.value(ti32, 2)
	g.emit(append([]byte{0x0d}, uleb(depth)...), 1+int64(len(l.carries)))
	for range l.carries {
		g.op(0x1a)
	}
}

// turn takes one from a loop's counter and says whether there are more.
func (g *generator) turn(counter int) {
	at := byte(len(g.locals) + counter)
	g.op(0x20, at)
	g.op(0x41, 1)
	g.op(0x6b)
	g.op(0x22, at)
	g.op(0x41, 0)
	g.op(0x4a)
}

func (g *generator) loop() {
	if g.loops >= 3 || g.counters >= maxCounters {
		return
	}
	counter := g.counters
	g.counters++
	g.loops++
	g.op(0x41, byte(1+g.IntN(4)))
	g.op(0x21, byte(len(g.locals)+counter))
	g.op(0x03, 0x40)
	g.push(nil, counter)
	g.statements(g.IntN(6))
	g.turn(counter)
	g.op(0x0d, 0)
	g.pop()
	g.op(0x0b)
	g.loops--
}

func (g *generator) address() {
	g.value(ti32, 1)
	g.op(0x41, 0xff, 0x07) // 1023, and sometimes anything
	if g.IntN(20) > 0 {
		g.op(0x71)
	} else {
		g.op(0x6c)
	}
}

var (
	loads  = map[byte][]byte{ti32: {0x28, 0x2c, 0x2d, 0x2e, 0x2f}, ti64: {0x29, 0x30, 0x33, 0x35}, tf32: {0x2a}, tf64: {0x2b}}
	stores = map[byte][]byte{ti32: {0x36, 0x3a, 0x3b}, ti64: {0x37, 0x3c, 0x3e}, tf32: {0x38}, tf64: {0x39}}
)

func (g *generator) store() {
	t := g.number()
	g.address()
	g.value(t, 2)
	g.op(stores[t][g.IntN(len(stores[t]))], 0, byte(g.IntN(100)))
}

func (g *generator) bulk() {
	n := int64(g.IntN(2000))
	cost := prepare.CostBulk + n/prepare.BytesPerUnit
	g.address()
	if g.IntN(2) == 0 {
		g.value(ti32, 1)
		g.op(append([]byte{0x41}, sleb(n)...)...)
		g.emit([]byte{0xfc, 0x0b, 0}, cost)
		return
	}
	g.address()
	g.op(append([]byte{0x41}, sleb(n)...)...)
	g.emit([]byte{0xfc, 0x0a, 0, 0}, cost)
}

// Instructions by what they take and give.
var (
	monadic = map[byte][]byte{ti32: {0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1}, ti64: {0x79, 0x7a, 0x7b, 0xc2, 0xc3, 0xc4}, tf32: {0x8b, 0x8c, 0x8d, 0x91}, tf64: {0x99, 0x9a, 0x9c, 0x9f}}
	dyadic  = map[byte][]byte{ti32: {0x6a, 0x6b, 0x6c, 0x6d, 0x70, 0x71, 0x73, 0x74, 0x77, 0x46, 0x4d}, ti64: {0x7c, 0x7d, 0x7e, 0x80, 0x81, 0x83, 0x87, 0x89}, tf32: {0x92, 0x94, 0x95, 0x96, 0x98}, tf64: {0xa0, 0xa2, 0xa3, 0xa5, 0xa6}}
	casts   = map[byte][][2]byte{ti32: {{0xa7, ti64}, {0xa8, tf32}, {0xbc, tf32}, {0x50, ti64}, {0x5d, tf32}}, ti64: {{0xac, ti32}, {0xad, ti32}, {0xb0, tf64}, {0xbd, tf64}}, tf32: {{0xb2, ti32}, {0xb6, tf64}, {0xbe, ti32}}, tf64: {{0xb7, ti32}, {0xb9, ti64}, {0xbb, tf32}, {0xbf, ti64}}}
)

// value writes an expression.
func (g *generator) value(t byte, depth int) {
	if depth <= 0 || g.size <= 0 {
		g.simple(t)
		return
	}
	switch depth--; g.IntN(12) {
	case 0, 1, 2:
		g.value(t, depth)
		g.value(t, depth)
		op := dyadic[t][g.IntN(len(dyadic[t]))]
		g.op(op)
	case 3:
		g.value(t, depth)
		g.op(monadic[t][g.IntN(len(monadic[t]))])
	case 4:
		c := casts[t][g.IntN(len(casts[t]))]
		g.value(c[1], depth)
		g.cast(c[0], t)
	case 5:
		g.address()
		g.op(loads[t][g.IntN(len(loads[t]))], 0, byte(g.IntN(100)))
	case 6:
		g.values([]byte{t, t, ti32}, depth)
		g.op(0x1b)
	case 7:
		g.op(0x02, t)
		g.push([]byte{t}, -1)
		g.statements(g.IntN(3))
		g.value(t, depth)
		g.pop()
		g.op(0x0b)
	case 8:
		g.value(ti32, depth)
		g.op(0x04, t)
		g.push([]byte{t}, -1)
		g.value(t, depth)
		g.op(0x05)
		g.statements(g.IntN(3))
		g.value(t, depth)
		g.pop()
		g.op(0x0b)
	case 9:
		g.call(t, depth)
	default:
		g.simple(t)
	}
}

// cast converts; comparisons take two.
func (g *generator) cast(op, to byte) {
	if op == 0x5d && to == ti32 {
		g.op(0x43, 0, 0, 0x80, 0x3f)
	}
	g.op(op)
}

func (g *generator) simple(t byte) {
	if at := g.local(t); at >= 0 && g.IntN(3) > 0 {
		g.op(0x20, byte(at))
		return
	}
	if g.IntN(3) == 0 {
		for i, n := range numbers {
			if n == t {
				g.op(0x23, byte(i+1))
				return
			}
		}
	}
	g.op(g.constant(t)...)
}

// call calls a later function, so that all ends.
func (g *generator) call(t byte, depth int) {
	for i := g.index + 1; i < len(g.sigs); i++ {
		s := g.sigs[i]
		if len(s.results) == 0 || s.results[0] != t {
			continue
		}
		g.values(s.params, depth-1)
		carried := int64(len(s.params) + len(s.results))
		switch g.IntN(3) {
		case 0:
			g.op(0x41, byte(i))
			g.emit(append(append([]byte{0x11}, uleb(i)...), 0), prepare.CostIndirect+carried)
		default:
			g.emit(append([]byte{0x10}, uleb(i)...), prepare.CostCall+carried)
		}
		for range s.results[1:] {
			g.op(0x1a)
		}
		return
	}
	g.simple(t)
}
