package prepare_test

import (
	"math/rand/v2"
	"strconv"

	"github.com/hive-spore/hive/runtime/prepare"
)

// generator writes random valid modules that end. With counting it writes the
// same module with a counter of its own, global 0, which has the exact cost
// of what was executed.
type generator struct {
	*rand.Rand
	counting bool
	b        []byte
	sigs     []signature
	index    int // of the function being written
	locals   []byte
	counters int // locals for loops, behind the others
	labels   []genLabel
	loops    int
	size     int // instructions that may still be written
}

type signature struct {
	params  []byte
	results []byte
}

// genLabel is a block: what a branch to it carries, or its loop's counter.
type genLabel struct {
	carries []byte
	counter int // -1: no loop
}

const (
	ti32 = 0x7f
	ti64 = 0x7e
	tf32 = 0x7d
	tf64 = 0x7c
)

var numbers = []byte{ti32, ti64, tf32, tf64}

const genGlobals = 4 // of each number type one, after the counter

// generate returns a module whose function run takes an i32.
func generate(seed uint64, counting bool) []byte {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), counting: counting}
	g.sigs = []signature{{[]byte{ti32}, []byte{ti64}}}
	for range g.IntN(4) {
		g.sigs = append(g.sigs, signature{g.typesOf(3), g.typesOf(3)})
	}
	m := guest{tables: []string{"\x70\x00\x08"}, memory: "\x01\x01\x03"}
	m.globals = append(m.globals, "\x7e\x01\x42\x00\x0b")
	for i, t := range numbers {
		m.globals = append(m.globals, string([]byte{t, 1})+string(g.constant(t))+end)
		m.exports = append(m.exports, text("g"+strconv.Itoa(i))+"\x03"+string(uleb(i+1)))
	}
	m.exports = append(m.exports, text("count")+"\x03\x00", text("memory")+"\x02\x00")
	m.elems = []string{"\x00\x41\x00\x0b" + string(uleb(len(g.sigs)))}
	for i, s := range g.sigs {
		m.types = append(m.types, "\x60"+text(string(s.params))+text(string(s.results)))
		m.elems[0] += string(uleb(i))
		f := fn{typ: i, code: g.function(i)}
		f.locals = g.localGroups()
		if i == 0 {
			f.name = "run"
		}
		m.funcs = append(m.funcs, f)
	}
	m.datas = []string{"\x00\x41\x10\x0b" + text("the bees are busy")}
	return m.bytes()
}

func (g *generator) typesOf(n int) (t []byte) {
	for range g.IntN(n) {
		t = append(t, g.number())
	}
	return t
}

func (g *generator) number() byte { return numbers[g.IntN(4)] }

func (g *generator) function(index int) []byte {
	g.index, g.b, g.labels, g.loops, g.counters = index, nil, nil, 0, 0
	g.size = 20 + g.IntN(200)
	g.locals = append([]byte{}, g.sigs[index].params...)
	for range 1 + g.IntN(4) {
		g.locals = append(g.locals, g.number())
	}
	g.push(g.sigs[index].results, -1)
	g.statements(1 + g.IntN(8))
	g.values(g.sigs[index].results, 3)
	g.pop()
	return g.b
}

func (g *generator) localGroups() string {
	own := g.locals[len(g.sigs[g.index].params):]
	s := string(uleb(len(own) + 1))
	for _, t := range own {
		s += "\x01" + string(t)
	}
	return s + string(uleb(maxCounters)) + "\x7f"
}

const maxCounters = 40

// emit writes an instruction and, before it, what it costs.
func (g *generator) emit(ins []byte, cost int64) {
	g.size--
	if g.counting && cost > 0 {
		g.b = append(g.b, 0x23, 0, 0x42)
		g.b = append(append(g.b, sleb(cost)...), 0x7c, 0x24, 0)
	}
	g.b = append(g.b, ins...)
}

// op writes an instruction of one byte and its operands.
func (g *generator) op(ins ...byte) { g.emit(ins, prepare.Cost(ins[0])) }

func (g *generator) push(carries []byte, counter int) {
	g.labels = append(g.labels, genLabel{carries, counter})
}

func (g *generator) pop() { g.labels = g.labels[:len(g.labels)-1] }

func (g *generator) local(of byte) int {
	start := g.IntN(len(g.locals))
	for i := range g.locals {
		if at := (start + i) % len(g.locals); g.locals[at] == of {
			return at
		}
	}
	return -1
}

func (g *generator) constant(t byte) []byte {
	switch t {
	case ti32:
		return append([]byte{0x41}, sleb(int64(int32(g.interesting())))...)
	case ti64:
		return append([]byte{0x42}, sleb(g.interesting())...)
	case tf32:
		return []byte{0x43, byte(g.IntN(256)), byte(g.IntN(256)), byte(g.IntN(256)), byte(g.IntN(256))}
	}
	return []byte{0x44, byte(g.IntN(256)), 2, 3, 4, 5, 6, byte(g.IntN(256)), byte(g.IntN(256))}
}

func (g *generator) interesting() int64 {
	switch g.IntN(4) {
	case 0:
		return int64(g.Uint64())
	case 1:
		return -1 << g.IntN(64)
	}
	return int64(g.IntN(200)) - 50
}

func (g *generator) values(types []byte, depth int) {
	for _, t := range types {
		g.value(t, depth)
	}
}
