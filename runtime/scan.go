package runtime

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
)

// What a program may declare. A count that its bytes cannot back is refused
// whatever it is: wazero allocates by the count alone, and a module of 21 bytes
// that declares 2³²−1 functions ends the process.
const (
	maxFunctions = 100_000
	maxLocals    = 50_000    // of one function
	maxAllLocals = 4_000_000 // of all functions: wazero takes 8 bytes for each
	maxCode      = 1 << 20   // bytes of one function
	maxParams    = 1_000     // of one function type, and results
	maxTables    = 16
	maxTableSize = 1 << 18 // entries of one table: 2 MiB
	noLimit      = math.MaxUint32
)

// Numbers of the binary format.
const (
	kindFunction  = 0
	kindMemory    = 2
	sectionCustom = 0
	sectionTable  = 4
)

// module is what can be known of a program without compiling it.
type module struct {
	wasm    []byte
	imports []symbol // functions
	exports []symbol
	memory  uint64 // bytes it begins with
	locals  uint64 // of all functions

	tables           []table
	tableAt, tableTo int // offsets of the table section
}

type symbol struct {
	module string // of an import
	name   string
	kind   byte
}

// table has both limits, whether or not the program declares the upper one.
type table struct {
	kind     byte
	min, max uint32
}

// scan walks a module before anything else looks at it. It refuses what would
// make decoding it dangerous and leaves all other validation to wazero.
func scan(wasm []byte) (*module, error) {
	m := &module{wasm: wasm}
	switch version, ok := bytes.CutPrefix(wasm, []byte("\x00asm")); {
	case !ok || len(version) < 4:
		return nil, refuse("not a WebAssembly module")
	case string(version[:4]) == "\x0d\x00\x01\x00":
		return nil, refuse("this is a WebAssembly component; build a core module (WASI preview 1)")
	case string(version[:4]) != "\x01\x00\x00\x00":
		return nil, refuse("not a WebAssembly module of version 1")
	}
	r := &reader{b: wasm[8:]}
	for len(r.b) > 0 {
		m.section(r)
	}
	return m, r.err
}

// section reads one section: its id, its length and what is in it.
func (m *module) section(r *reader) {
	at := len(m.wasm) - len(r.b)
	id := r.byte()
	body := r.sized()
	switch id {
	case sectionCustom:
		m.custom(body)
	case 1:
		body.vector("types", noLimit, func() { functionType(body) })
	case 2:
		body.vector("imports", noLimit, func() { m.importOf(body) })
	case 3:
		body.vector("functions", maxFunctions, func() { body.u32() })
	case sectionTable:
		m.tableAt, m.tableTo = at, len(m.wasm)-len(r.b)
		body.vector("tables", maxTables, func() { m.table(body) })
	case 5:
		body.vector("memories", 1, func() { m.memoryOf(body) })
	case 6:
		body.vector("globals", noLimit, func() { valueType(body); body.byte(); constant(body) })
	case 7:
		body.vector("exports", noLimit, func() { m.exportOf(body) })
	case 8, 12: // start, count of data segments
		body.u32()
	case 9:
		body.vector("element segments", noLimit, func() { elements(body) })
	case 10:
		body.vector("functions", maxFunctions, func() { m.function(body) })
	case 11:
		body.vector("data segments", noLimit, func() { data(body) })
	case 13:
		body.fail(unsupported("exception handling"))
	default:
		body.damaged()
	}
	r.done(body)
}

func (m *module) importOf(r *reader) {
	s := symbol{module: r.name(), name: r.name(), kind: r.byte()}
	if s.kind != kindFunction && r.err == nil {
		kind := "something"
		if k := []string{"", "table", "memory", "global", "tag"}; int(s.kind) < len(k) {
			kind = k[s.kind]
		}
		r.fail(refuse("imports the %s %s, which no host provides", kind, s))
	}
	r.u32()
	m.imports = append(m.imports, s)
}

func (m *module) exportOf(r *reader) {
	m.exports = append(m.exports, symbol{name: r.name(), kind: r.byte()})
	r.u32()
}

func (m *module) table(r *reader) {
	kind := r.byte()
	if r.err == nil && kind != 0x70 && kind != 0x6f { // funcref, externref
		r.fail(unsupported("a table of typed references"))
	}
	low, high := limits(r)
	if low > maxTableSize {
		r.fail(refuse("has a table of %d entries, at most %d are allowed", low, maxTableSize))
	}
	m.tables = append(m.tables, table{kind, low, min(high, maxTableSize)})
}

func (m *module) memoryOf(r *reader) {
	pages, _ := limits(r)
	m.memory = uint64(pages) * pageSize
}

// custom checks the one custom section that wazero decodes: names.
func (m *module) custom(r *reader) {
	if r.name() != "name" {
		r.b = nil
		return
	}
	association := func(part *reader) func() { return func() { part.u32(); part.name() } }
	for len(r.b) > 0 {
		id, part := r.byte(), r.sized()
		switch id {
		case 0: // of the module
			part.name()
		case 1: // of functions
			part.vector("names", noLimit, association(part))
		case 2: // of locals, by function
			part.vector("names", noLimit, func() {
				part.u32()
				part.vector("names", noLimit, association(part))
			})
		default:
			part.b = nil
		}
		r.done(part)
	}
}

// bounded returns the program with an upper limit on every table: nothing else
// bounds table.grow, and no limit of wazero covers it.
func (m *module) bounded() []byte {
	if len(m.tables) == 0 {
		return m.wasm
	}
	body := binary.AppendUvarint(nil, uint64(len(m.tables)))
	for _, t := range m.tables {
		body = append(body, t.kind, 1) // 1: with an upper limit
		body = binary.AppendUvarint(body, uint64(t.min))
		body = binary.AppendUvarint(body, uint64(t.max))
	}
	head := binary.AppendUvarint([]byte{sectionTable}, uint64(len(body)))
	return slices.Concat(m.wasm[:m.tableAt], head, body, m.wasm[m.tableTo:])
}
