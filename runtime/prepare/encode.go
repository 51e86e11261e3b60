package prepare

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
)

func uleb(b []byte, n uint32) []byte { return binary.AppendUvarint(b, uint64(n)) }

func sleb(b []byte, n int64) []byte {
	for {
		c := byte(n & 0x7f)
		n >>= 7
		if n == 0 && c&0x40 == 0 || n == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func text(b []byte, s string) []byte { return append(uleb(b, uint32(len(s))), s...) }

// more returns the content of a section with items added at its end.
func (s section) more(n uint32, items []byte) []byte {
	return slices.Concat(uleb(nil, s.count+n), s.items, items)
}

// prepared finds out what to put into the code and writes the module.
func (m *module) prepared() (*Module, error) {
	leaves, err := m.findLeaves()
	if err != nil {
		return nil, err
	}
	code, err := m.codeSection(leaves)
	if err != nil {
		return nil, err
	}
	m.decide()
	out := &Module{
		Imports: m.imports, Exports: m.exports, Unrestorable: m.unrestorable,
		Globals: m.mutable(), Start: m.start >= 0, Entries: m.entries,
	}
	if m.memory != nil {
		out.Memory = Memory{m.memory.min, m.memory.max, m.memory.imported, m.memoryNames}
	}
	if m.unrestorable == "" {
		out.Data = m.data
	}
	out.Wasm = m.write(code)
	return out, nil
}

// decide completes the reasons against restoring.
func (m *module) decide() {
	switch {
	case m.bulk:
		m.keep("copies or drops data segments while it runs")
	case m.passive:
		m.keep("has data segments that it applies itself")
	case m.dataAt != "":
		m.keep(m.dataAt)
	}
}

func (m *module) write(code []byte) []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	add := func(id byte, content []byte) {
		if len(content) > 0 && content[0] != 0 { // an empty vector
			b = append(uleb(append(b, id), uint32(len(content))), content...)
		}
	}
	types, funcs := m.helperTypes()
	add(sectionType, m.sections[sectionType].more(uint32(len(helperTypes)), types))
	add(sectionImport, m.sections[sectionImport].more(0, nil))
	add(sectionFunction, m.sections[sectionFunction].more(m.helperCount(), funcs))
	add(sectionTable, m.tableSection())
	add(sectionMemory, m.memorySection())
	add(sectionGlobal, m.globalSection())
	add(sectionExport, m.exportSection())
	add(sectionElement, m.sections[sectionElement].more(0, nil))
	if m.unrestorable != "" && m.dataCount >= 0 {
		add(sectionDataCount, uleb(nil, uint32(m.dataCount)))
	}
	add(sectionCode, code)
	if m.unrestorable != "" {
		add(sectionData, m.sections[sectionData].more(0, nil))
	}
	if m.names != nil {
		b = append(uleb(append(b, sectionCustom), uint32(len(m.names))), m.names...)
	}
	return b
}

func (m *module) tableSection() []byte {
	own := m.sections[sectionTable].count
	b := uleb(nil, own)
	for _, t := range m.tables {
		if !t.imported {
			b = uleb(uleb(append(b, t.valueType, 1), t.min), t.max)
		}
	}
	return b
}

// memorySection drops the upper limit, but of a shared memory, which must have
// one. A module without memory gets one to leave for Go by.
func (m *module) memorySection() []byte {
	switch {
	case m.memory == nil:
		return []byte{1, 0, 0}
	case m.memory.imported:
		return nil
	case m.memory.shared:
		return uleb(uleb([]byte{1, 3}, m.memory.min), m.memory.max)
	}
	return uleb([]byte{1, 0}, m.memory.min)
}

// globalSection adds fuel, left and kill.
func (m *module) globalSection() []byte {
	return m.sections[sectionGlobal].more(3, []byte{
		i64, 1, 0x42, 0, opEnd,
		i64, 1, 0x42, 0, opEnd,
		i32, 1, 0x41, 0, opEnd,
	})
}

// added is the index of the first global that is added.
func (m *module) added() uint32 { return uint32(len(m.globals)) }

// mutable returns the globals of the module that are state.
func (m *module) mutable() []string {
	var all []string
	for i, g := range m.globals {
		if i >= m.defGlobals && g.mutable && g.valueType >= f64 {
			all = append(all, globalName(i))
		}
	}
	return all
}

func globalName(index int) string { return Reserved + "global:" + strconv.Itoa(index) }

func (m *module) exportSection() []byte {
	var b []byte
	n := uint32(0)
	add := func(name string, kind Kind, index uint32) {
		b = uleb(append(text(b, name), byte(kind)), index)
		n++
	}
	for i, g := range m.globals {
		if i >= m.defGlobals && g.mutable && g.valueType >= f64 {
			add(globalName(i), KindGlobal, uint32(i))
		}
	}
	for i, name := range []string{Fuel, Left, Kill} {
		add(name, KindGlobal, m.added()+uint32(i))
	}
	if m.start >= 0 {
		add(Start, KindFunction, uint32(m.start))
	}
	return m.sections[sectionExport].more(n, b)
}

// codeSection writes the functions with what is put into them.
func (m *module) codeSection(leaves *leaves) ([]byte, error) {
	w := walk{m: m, leaves: leaves}
	var b, one []byte
	for i, body := range m.bodies {
		if w.function(i); w.r.err != nil {
			return nil, w.r.err
		}
		w.enter()
		one = w.addLocals(one[:0], body.locals)
		if one = w.splice(one, body.code); len(one) > maxMetered {
			return nil, refuse("has a function of too many loops or selects: with what takes their place it has %d bytes", len(one))
		}
		b = append(uleb(b, uint32(len(one))), one...)
	}
	helpers := m.helperBodies()
	return slices.Concat(uleb(nil, uint32(len(m.bodies))+m.helperCount()), b, helpers), nil
}

// addLocals adds those of fuel and of choices to those of a function.
func (w *walk) addLocals(b, groups []byte) []byte {
	var more []byte
	switch {
	case w.chooses:
		more = scratch
	case len(w.spans) > 0:
		more = scratch[:2]
	}
	r := &reader{b: groups}
	b = uleb(b, r.u32()+uint32(len(more)/2))
	return append(append(b, groups[r.at:]...), more...)
}

// enter decides how the call of the function itself is charged. A function
// that goes straight to a loop, as all those that Go compiles do, leaves it to
// the loop's header, unless that would multiply what the loop costs.
func (w *walk) enter() {
	entry := &w.points[0]
	switch {
	case w.leaves.cost[w.index] != noLeaf:
		entry.kind = nothing
	case w.first > 0 && 4*entry.cost <= w.points[w.first].cost:
		w.points[w.first].cost += entry.cost
		entry.kind = nothing
	case !w.calls: // its loops look
		entry.kind = settle
	}
}

// splice puts the points into the code.
func (w *walk) splice(b, code []byte) []byte {
	for _, s := range w.spans {
		w.put(point{at: s.from, to: s.from, kind: load})
	}
	slices.SortStableFunc(w.points, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	at, spans := 0, w.spans
	for _, p := range w.points {
		b = append(b, code[at:p.at]...)
		at = max(p.at, p.to)
		for len(spans) > 0 && spans[0].to < p.at {
			spans = spans[1:]
		}
		f := fuel{w.m, w.locals, len(spans) > 0 && spans[0].from < p.at}
		b = f.encode(b, p)
	}
	return append(b, code[at:]...)
}

func (f fuel) encode(b []byte, p point) []byte {
	switch p.kind {
	case settle:
		if p.cost > 0 {
			b = f.subtract(b, p.cost)
		}
	case check:
		b = f.look(f.subtract(b, max(p.cost, 1)))
	case measure, fill, duplicate:
		b = uleb(append(b, opCall), f.m.helper(p.kind))
	case load:
		b = f.load(b)
	case chooseF32, chooseF64, chooseV128:
		b = f.choose(b, p.kind)
	}
	return b
}
