package prepare_test

import "math/rand/v2"

// chooserGen writes functions of more floats and vectors than there are registers.
// Nothing it writes makes a NaN, whose bits may be any.
type chooserGen struct {
	*rand.Rand
	b    []byte
	size int
}

const tv128 = 0x7b

// Locals by type: behind the parameter, as many as held says.
var (
	held  = map[byte]int{ti32: 4, tf32: 14, tf64: 20, tv128: 10}
	first = map[byte]int{ti32: 1, tf32: 5, tf64: 19, tv128: 39}
	order = []byte{ti32, tf32, tf64, tv128}
)

func chooser(seed uint64) []byte {
	g := &chooserGen{Rand: rand.New(rand.NewPCG(seed, 2)), size: 600}
	locals := string(uleb(len(order)))
	for _, t := range order {
		locals += string(uleb(held[t])) + string(t)
	}
	data := make([]byte, 4096)
	for i := range data {
		data[i] = byte(g.IntN(256))
	}
	run := g.function()
	return guest{
		types: []string{"\x60\x01\x7f\x01\x7f", "\x60\x02\x7c\x7c\x01\x7f", "\x60\x02\x7d\x7b\x01\x7f"}, memory: "\x00\x01",
		datas: []string{"\x00\x41\x00\x0b" + text(string(data))}, exports: []string{text("memory") + "\x02\x00"},
		funcs: []fn{{name: "run", locals: locals, code: run},
			{typ: 1, code: code("\x20\x00\x20\x01\x64")}, {typ: 2, code: code("\x20\x00\x43\x00\x00\x00\x00\x5d\x20\x01\xfd\x53\x6a")}},
	}.bytes()
}

func (g *chooserGen) function() []byte {
	for _, t := range order {
		for i := range held[t] {
			g.load(t)
			g.put(0x21, byte(first[t]+i))
		}
	}
	g.put(0x03, 0x40)
	g.choose(tf64, 2)
	g.put(0x21, byte(first[tf64]))
	for g.size > 0 {
		g.statement()
	}
	g.put(0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x41, 0, 0x4a, 0x0d, 0, 0x0b) // as often as run is told, and once
	for _, t := range order {
		for i := range held[t] {
			g.put(0x41, 0)
			g.put(0x20, byte(first[t]+i))
			g.access(chooserStores[t], g.IntN(500))
		}
	}
	g.put(0x20, byte(first[ti32]))
	return g.b
}

var (
	chooserLoads  = map[byte][]byte{ti32: {0x28}, tf32: {0x2a}, tf64: {0x2b}, tv128: {0xfd, 0x00}}
	chooserStores = map[byte][]byte{ti32: {0x36}, tf32: {0x38}, tf64: {0x39}, tv128: {0xfd, 0x0b}}
)

func (g *chooserGen) put(b ...byte) {
	g.b = append(g.b, b...)
	g.size--
}

func (g *chooserGen) access(op []byte, at int) {
	g.put(append(append(op[:len(op):len(op)], 0), uleb(at)...)...)
}

func (g *chooserGen) load(t byte) {
	g.put(0x41, 0)
	g.access(chooserLoads[t], g.IntN(2000))
}

func (g *chooserGen) statement() {
	t := order[g.IntN(len(order))]
	switch g.IntN(5) {
	case 0:
		g.put(0x41, 0)
		g.value(t, 3)
		g.access(chooserStores[t], g.IntN(2000))
	case 1:
		g.value(ti32, 1)
		g.put(0x04, 0x40)
		g.value(t, 2)
		g.put(0x21, byte(first[t]+g.IntN(held[t])), 0x0b)
	default:
		g.value(t, 3)
		g.put(0x21, byte(first[t]+g.IntN(held[t])))
	}
}

func (g *chooserGen) choose(t byte, depth int) {
	g.value(t, depth)
	g.value(t, depth)
	g.value(ti32, depth)
	if g.IntN(3) > 0 {
		g.put(0x1b)
		return
	}
	g.put(0x1c, 1, t)
}

// value writes an expression.
func (g *chooserGen) value(t byte, depth int) {
	kind := g.IntN(10)
	switch {
	case depth == 0 && kind == 0:
		g.load(t)
	case depth == 0:
		g.put(0x20, byte(first[t]+g.IntN(held[t])))
	case kind < 6:
		g.choose(t, depth-1)
	case kind < 8 && t != ti32:
		g.signed(t, depth-1)
	case t == ti32:
		g.condition(depth - 1)
	default:
		at := byte(first[t] + g.IntN(held[t]))
		g.value(t, depth-1)
		g.put(0x22, at)
	}
}

// signed changes the sign of floats, and any bits of vectors.
func (g *chooserGen) signed(t byte, depth int) {
	g.value(t, depth)
	ops := map[byte][]byte{tf32: {0x8b, 0x8c}, tf64: {0x99, 0x9a}}[t]
	if t == tv128 {
		g.value(t, depth)
		g.put(0xfd, 0x51)
		return
	}
	g.put(ops[g.IntN(2)])
}

func (g *chooserGen) condition(depth int) {
	switch g.IntN(6) {
	case 0, 1:
		g.value(tf64, depth)
		g.value(tf64, depth)
		g.put(0x10, 1)
	case 2:
		g.value(tf32, depth)
		g.value(tv128, depth)
		g.put(0x10, 2)
	case 3:
		g.value(tf64, depth)
		g.value(tf64, depth)
		g.put(0x63)
	default:
		g.value(ti32, depth)
		g.put(0x45)
	}
}
