package prepare

import "bytes"

// module is what the sections of the original say.
type module struct {
	options  Options
	sections [14]section

	imports []Import
	exports []Export
	types   []funcType
	funcs   []uint32 // the type of each function, imported ones first
	globals []global // imported ones first
	tables  []table  // likewise
	entries uint64   // of all tables, to begin with
	memory  *memory
	bodies  []body
	data    []Segment
	dataAt  string // why data must stay where it is
	start   int64  // the start function, -1: none
	names   []byte // the name section

	imported    uint32 // functions
	defGlobals  int    // index of the first global that is not imported
	dataCount   int64  // -1: not declared
	elements    uint32 // segments
	allLocals   uint64
	bulk        bool // memory.init or data.drop
	passive     bool // passive data segments
	memoryNames []string
	helpers     [duplicate + 1]bool // which are needed

	unrestorable string // the first reason
}

// section is the items of a section, as they are.
type section struct {
	count uint32
	items []byte
}

type funcType struct{ params, results string } // value types, as encoded

type global struct {
	valueType byte
	mutable   bool
}

// table has both limits, whether or not the module declares the upper one.
type table struct {
	valueType byte
	min, max  uint32
	imported  bool
}

type memory struct {
	min, max uint32
	shared   bool
	imported bool
}

// body is a function as it is in the code section.
type body struct {
	locals []byte
	count  uint64 // of locals
	code   []byte
	choose bool // there is a select
}

// Sections, as the binary format numbers them.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionTag
)

// order is where each section belongs. The count of data segments comes before
// the code although its number is higher.
var order = [14]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 7, 7: 8, 8: 9, 9: 10, 10: 12, 11: 13, 12: 11, 13: 6}

// decode reads the whole module but the instructions.
func (m *module) decode(wasm []byte) error {
	switch version, ok := bytes.CutPrefix(wasm, []byte("\x00asm")); {
	case !ok || len(version) < 4:
		return refuse("not a WebAssembly module")
	case string(version[:4]) == "\x0d\x00\x01\x00":
		return refuse("this is a WebAssembly component; build a core module (WASI preview 1)")
	case string(version[:4]) != "\x01\x00\x00\x00":
		return refuse("not a WebAssembly module of version 1")
	}
	r := &reader{b: wasm, at: 8}
	last := 0
	for r.left() > 0 {
		id := r.byte()
		part := r.sized()
		switch {
		case id == sectionCustom:
			m.custom(part)
		case int(id) >= len(order) || order[id] <= last:
			r.damaged()
		default:
			last = order[id]
			m.section(id, part)
		}
		r.done(part)
	}
	m.whole(r)
	return r.err
}

// section reads one section that is not custom.
func (m *module) section(id byte, r *reader) {
	from := r.at
	n := r.u32()
	m.sections[id] = section{n, r.b[r.at:]}
	r.at = from
	switch id {
	case sectionType:
		r.vector("types", maxTypes, func() { m.funcType(r) })
	case sectionImport:
		r.vector("imports", maxImports, func() { m.importOf(r) })
	case sectionFunction:
		r.vector("functions", maxFunctions, func() { m.funcs = append(m.funcs, m.typeIndex(r)) })
	case sectionTable:
		r.vector("tables", maxTables, func() { m.tables = append(m.tables, m.tableType(r)) })
	case sectionMemory:
		r.vector("memories", 1, func() { m.memoryType(r) })
	case sectionGlobal:
		r.vector("globals", maxGlobals, func() { m.globalOf(r) })
	case sectionExport:
		r.vector("exports", maxExports, func() { m.exportOf(r) })
	case sectionStart:
		m.startOf(r)
	case sectionElement:
		r.vector("element segments", noLimit, func() { m.element(r) })
	case sectionDataCount:
		m.dataCount = int64(r.u32())
	case sectionCode:
		r.vector("functions", maxFunctions, func() { m.body(r) })
	case sectionData:
		r.vector("data segments", noLimit, func() { m.segment(r) })
	case sectionTag:
		r.fail(unsupported("exception handling"))
	}
}

// whole checks what can be known only when all sections are read.
func (m *module) whole(r *reader) {
	if r.err != nil {
		return
	}
	if len(m.bodies) != len(m.funcs)-int(m.imported) {
		r.damaged()
	}
	if m.dataCount >= 0 && m.dataCount != int64(m.sections[sectionData].count) {
		r.damaged()
	}
}

// keep notes why instances of the module cannot be restored.
func (m *module) keep(reason string) {
	if m.unrestorable == "" {
		m.unrestorable = reason
	}
}
