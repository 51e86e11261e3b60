package prepare

import "strings"

// Encodings: https://webassembly.github.io/spec/core/binary/modules.html

// Value types.
const (
	i32       = 0x7f
	i64       = 0x7e
	f32       = 0x7d
	f64       = 0x7c
	v128      = 0x7b
	funcref   = 0x70
	externref = 0x6f
)

func valueType(r *reader) byte {
	t := r.byte()
	switch {
	case t >= v128 && t <= i32:
	case t == funcref || t == externref:
	case t >= 0x63 && t <= 0x74:
		r.fail(unsupported("reference types of WebAssembly GC or exception handling"))
	default:
		r.damaged()
	}
	return t
}

func refType(r *reader) byte {
	t := valueType(r)
	if t != funcref && t != externref {
		r.damaged()
	}
	return t
}

func (m *module) funcType(r *reader) {
	switch form := r.byte(); {
	case form == 0x60:
	case form >= 0x4e && form <= 0x5f:
		r.fail(unsupported("WebAssembly GC"))
	default:
		r.damaged()
	}
	m.types = append(m.types, funcType{valueTypes(r, "parameters"), valueTypes(r, "results")})
}

func valueTypes(r *reader, what string) string {
	n := r.count(what, maxParams)
	from := r.at
	for range n {
		valueType(r)
	}
	return string(r.b[from:r.at])
}

// blockType reads what a block takes and gives.
func (m *module) blockType(r *reader) (takes, gives string) {
	switch t := r.signed(33); {
	case t >= 0:
		if index := r.check("type", uint32(t), uint32(len(m.types))); r.err == nil {
			return m.types[index].params, m.types[index].results
		}
	case t == -64: // nothing
	case t <= -1 && t >= -5 || t == -16 || t == -17: // value types
		gives = string(byte(t & 0x7f))
	case t == -23, t == -28, t == -29:
		r.fail(unsupported("typed references"))
	default:
		r.damaged()
	}
	return "", gives
}

func (m *module) typeIndex(r *reader) uint32 {
	return r.check("type", r.u32(), uint32(len(m.types)))
}

func (m *module) importOf(r *reader) {
	i := Import{r.name(), r.name(), Kind(r.byte())}
	switch i.Kind {
	case KindFunction:
		m.funcs = append(m.funcs, m.typeIndex(r))
		m.imported++
	case KindTable:
		t := m.tableType(r)
		t.imported = true
		m.tables = append(m.tables, t)
		m.keep("imports a table")
	case KindMemory:
		m.memoryType(r)
		if r.err == nil {
			m.memory.imported = true
		}
		m.keep("imports its memory")
	case KindGlobal:
		g := globalType(r)
		m.globals = append(m.globals, g)
		m.defGlobals++
		if g.mutable {
			m.keep("imports a global that can change")
		}
	case 4:
		r.fail(unsupported("exception handling"))
	default:
		r.damaged()
	}
	m.imports = append(m.imports, i)
}

// limits reads the size something begins with and the most it may grow to.
func limits(r *reader) (low, high uint32, flags byte) {
	flags = r.byte()
	switch {
	case flags > 7:
		r.damaged()
	case flags&4 != 0:
		r.fail(unsupported("64-bit memory"))
	}
	low, high = r.u32(), noLimit
	if flags&1 != 0 {
		high = r.u32()
	}
	if high < low {
		r.damaged()
	}
	return low, high, flags
}

func (m *module) tableType(r *reader) table {
	kind := r.byte()
	if r.err == nil && kind != funcref && kind != externref {
		r.fail(unsupported("a table of typed references"))
	}
	low, high, flags := limits(r)
	if flags > 1 {
		r.damaged()
	}
	if m.entries += uint64(low); m.entries > uint64(m.options.MaxTable) && r.err == nil {
		r.fail(refuse("has tables of %d entries, at most %d are allowed", m.entries, m.options.MaxTable))
	}
	return table{kind, low, min(high, m.options.MaxTable), false}
}

func (m *module) memoryType(r *reader) {
	low, high, flags := limits(r)
	shared := flags&2 != 0
	switch {
	case m.memory != nil:
		r.fail(unsupported("more than one memory"))
	case low > maxPages, high > maxPages && flags&1 != 0, shared && flags&1 == 0:
		r.damaged()
	}
	if shared {
		m.keep("shares its memory between threads")
	}
	m.memory = &memory{min: low, max: min(high, maxPages), shared: shared}
}

func globalType(r *reader) global {
	g := global{valueType: valueType(r)}
	switch r.byte() {
	case 0:
	case 1:
		g.mutable = true
	default:
		r.damaged()
	}
	return g
}

func (m *module) globalOf(r *reader) {
	g := globalType(r)
	m.constant(r)
	m.globals = append(m.globals, g)
	switch {
	case !g.mutable || g.valueType >= f64:
	case g.valueType == v128:
		m.keep("has a vector global that can change")
	default:
		m.keep("has a global reference that can change")
	}
}

func (m *module) exportOf(r *reader) {
	e := Export{r.name(), Kind(r.byte())}
	index := r.u32()
	switch e.Kind {
	case KindFunction:
		r.check("function", index, uint32(len(m.funcs)))
	case KindTable:
		r.check("table", index, uint32(len(m.tables)))
	case KindMemory:
		r.check("memory", index, m.memories())
		m.memoryNames = append(m.memoryNames, e.Name)
	case KindGlobal:
		r.check("global", index, uint32(len(m.globals)))
	default:
		r.damaged()
	}
	if strings.HasPrefix(e.Name, Reserved) && r.err == nil {
		r.fail(refuse("exports %q, but names that begin with %q are reserved", e.Name, Reserved))
	}
	m.exports = append(m.exports, e)
}

func (m *module) memories() uint32 {
	if m.memory == nil {
		return 0
	}
	return 1
}

func (m *module) startOf(r *reader) {
	f := r.check("function", r.u32(), uint32(len(m.funcs)))
	m.start = int64(f)
	if r.err != nil {
		return
	}
	if t := m.types[m.funcs[f]]; t != (funcType{}) {
		r.fail(refuse("not a valid WebAssembly module: the start function has parameters or results"))
	}
}
