package runtime

import (
	"encoding/binary"
	"slices"
)

// guest is a small module, put together byte by byte: what a compiler would
// not write, or not so small.
type guest struct {
	imports []imported
	funcs   []body
	tables  [][]byte // as encoded
	memory  []byte   // as encoded; nil: one page, no upper limit
	exports []export // beside those of functions with a name
	data    string   // at address 0
	name    string   // in the name section
	globals int      // mutable i32 globals
	start   bool     // the last function runs when the instance is made
}

// imported is a host function of i32 parameters and results.
type imported struct {
	module, name    string
	params, results int
}

// export is of the first thing of its kind.
type export struct {
	name string
	kind byte
}

const (
	kindMemory   = 2
	exportMemory = "memory"
)

// body is a function of the guest; its name exports it.
type body struct {
	name            string
	params, results int
	code            []byte
}

// Instructions.
var (
	unreachable = []byte{0x00}
	end         = []byte{0x0b}
	drop        = []byte{0x1a}
	isZero      = []byte{0x45} // i32.eqz
	equal       = []byte{0x46} // i32.eq
	add         = []byte{0x6a} // i32.add
	grow        = []byte{0x40, 0x00}
	spin        = []byte{0x03, 0x40, 0x0c, 0x00, 0x0b} // loop br 0 end
	do          = []byte{0x04, 0x40}                   // if
	give        = []byte{0x0f}                         // return
)

func num(n int32) []byte        { return append([]byte{0x41}, sleb(int64(n))...) }
func call(f int) []byte         { return append([]byte{0x10}, uleb(f)...) }
func load(at int32) []byte      { return code(num(at), []byte{0x28, 2, 0}) }
func store() []byte             { return []byte{0x36, 2, 0} }
func getGlobal() []byte         { return []byte{0x23, 0} }
func setGlobal() []byte         { return []byte{0x24, 0} }
func code(ins ...[]byte) []byte { return slices.Concat(ins...) }

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

func text(s string) []byte { return append(uleb(len(s)), s...) }

func vec(items ...[]byte) []byte { return append(uleb(len(items)), slices.Concat(items...)...) }

func section(id byte, content ...[]byte) []byte {
	body := slices.Concat(content...)
	return slices.Concat([]byte{id}, uleb(len(body)), body)
}

var header = []byte("\x00asm\x01\x00\x00\x00")

func funcType(params, results int) []byte {
	return slices.Concat([]byte{0x60}, uleb(params), i32s(params), uleb(results), i32s(results))
}

// bytes returns the module. Each function, imported or not, has its own type.
func (g guest) bytes() []byte {
	var types, imports, funcs, exports, bodies [][]byte
	for i, f := range g.imports {
		types = append(types, funcType(f.params, f.results))
		imports = append(imports, slices.Concat(text(f.module), text(f.name), []byte{0}, uleb(i)))
	}
	for i, f := range g.funcs {
		index := len(g.imports) + i
		types = append(types, funcType(f.params, f.results))
		funcs = append(funcs, uleb(index))
		body := slices.Concat([]byte{0}, f.code, end)
		bodies = append(bodies, append(uleb(len(body)), body...))
		if f.name != "" {
			exports = append(exports, slices.Concat(text(f.name), []byte{0}, uleb(index)))
		}
	}
	for _, s := range g.exports {
		exports = append(exports, slices.Concat(text(s.name), []byte{s.kind, 0}))
	}
	return g.assemble(types, imports, funcs, exports, bodies)
}

// assemble puts the parts in order and adds those that hang on none of them.
func (g guest) assemble(types, imports, funcs, exports, bodies [][]byte) []byte {
	memory := g.memory
	if memory == nil {
		memory = []byte{0, 1}
	}
	out := slices.Concat(header, section(1, vec(types...)), section(2, vec(imports...)),
		section(3, vec(funcs...)), section(4, vec(g.tables...)))
	if len(memory) > 0 {
		out = append(out, section(5, vec(memory))...)
		exports = append(exports, slices.Concat(text(exportMemory), []byte{kindMemory, 0}))
	}
	global := []byte{0x7f, 1, 0x41, 0, 0x0b}
	out = slices.Concat(out, section(6, vec(slices.Repeat([][]byte{global}, g.globals)...)),
		section(7, vec(exports...)))
	if g.start {
		out = append(out, section(8, uleb(len(types)-1))...)
	}
	out = append(out, section(10, vec(bodies...))...)
	if g.data != "" {
		out = append(out, section(11, vec(slices.Concat([]byte{0, 0x41, 0, 0x0b}, text(g.data))))...)
	}
	if g.name != "" {
		name := vec(slices.Concat(uleb(len(g.imports)), text(g.name)))
		out = append(out, section(0, text("name"), section(1, name))...)
	}
	return out
}

// command returns a command of one function.
func command(instructions ...[]byte) guest {
	return guest{funcs: []body{{exportStart, 0, 0, code(instructions...)}}}
}

// reactor returns a reactor that imports all of hive's functions: input_read,
// output_write and fail are its functions 0, 1 and 2.
func reactor(instructions ...[]byte) guest {
	return guest{
		imports: []imported{
			{hiveModule, "input_read", 3, 1}, {hiveModule, "output_write", 2, 1}, {hiveModule, "fail", 3, 0},
		},
		funcs: []body{{exportRun, 1, 1, code(instructions...)}},
	}
}
