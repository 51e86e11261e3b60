package prepare_test

import (
	"encoding/binary"
	"slices"
)

// guest is a small module, put together byte by byte.
type guest struct {
	types   []string // as encoded; type 0 is () -> () and type 1 (i32) -> (i32) without
	imports []string // functions of module env, of type 0
	funcs   []fn
	tables  []string // as encoded
	memory  string   // as encoded
	globals []string // as encoded
	exports []string // as encoded, beside those of functions with a name
	start   int      // number of a function, -1 and 0: none
	elems   []string // as encoded
	datas   []string // as encoded
	count   bool     // with a data count section
	names   string   // the content of a name section
}

// fn is a function; its name exports it.
type fn struct {
	name   string
	typ    int
	locals string // groups, as encoded
	code   []byte
}

var standard = []string{"\x60\x00\x00", "\x60\x01\x7f\x01\x7f"}

func uleb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func sleb(n int64) (b []byte) {
	for {
		c := byte(n & 0x7f)
		n >>= 7
		if n == 0 && c&0x40 == 0 || n == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func text(s string) string { return string(uleb(len(s))) + s }

func vec(items []string) (s string) {
	s = string(uleb(len(items)))
	for _, item := range items {
		s += item
	}
	return s
}

func section(id byte, content string) string {
	if content == "\x00" && id != 0 {
		return ""
	}
	return string(id) + text(content)
}

// bytes returns the module.
func (g guest) bytes() []byte {
	var imports, funcs, exports, bodies []string
	types := g.types
	if types == nil {
		types = standard
	}
	for _, name := range g.imports {
		imports = append(imports, text("env")+text(name)+"\x00\x00")
	}
	for i, f := range g.funcs {
		funcs = append(funcs, string(uleb(f.typ)))
		if f.name != "" {
			exports = append(exports, text(f.name)+"\x00"+string(uleb(i+len(g.imports))))
		}
		locals := f.locals
		if locals == "" {
			locals = "\x00"
		}
		bodies = append(bodies, text(locals+string(f.code)+"\x0b"))
	}
	memory := []string{g.memory}
	if g.memory == "" {
		memory = nil
	}
	s := "\x00asm\x01\x00\x00\x00" + section(1, vec(types)) + section(2, vec(imports)) + section(3, vec(funcs)) +
		section(4, vec(g.tables)) + section(5, vec(memory)) + section(6, vec(g.globals)) +
		section(7, vec(slices.Concat(exports, g.exports)))
	if g.start > 0 {
		s += section(8, string(uleb(g.start)))
	}
	s += section(9, vec(g.elems))
	if g.count {
		s += section(12, string(uleb(len(g.datas))))
	}
	s += section(10, vec(bodies)) + section(11, vec(g.datas))
	if g.names != "" {
		s += section(0, text("name")+g.names)
	}
	return []byte(s)
}

func code(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case []byte:
			b = append(b, p...)
		case string:
			b = append(b, p...)
		}
	}
	return b
}

func num(n int) []byte { return append([]byte{0x41}, sleb(int64(n))...) }

// Instructions, by their text.
const (
	loop   = "\x03\x40"
	block  = "\x02\x40"
	end    = "\x0b"
	br0    = "\x0c\x00"
	br1    = "\x0c\x01"
	again0 = "\x0d\x00" // br_if 0
)
