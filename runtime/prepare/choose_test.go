package prepare_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive/runtime/prepare"
)

// Parts of functions that choose.
const (
	f32One = "\x43\x00\x00\x80\x3f"
	f32Two = "\x43\x00\x00\x00\x40"
	f64One = "\x44\x00\x00\x00\x00\x00\x00\xf0\x3f"
	f64NaN = "\x44\x01\x00\x00\x00\x00\x00\xf4\xff" // signalling, with a sign and a payload
	arg    = "\x20\x00"
	choose = "\x1b"
	bits32 = "\xbc"     // i32.reinterpret_f32
	low64  = "\xbd\xa7" // i32.wrap_i64(i64.reinterpret_f64)
)

func vector(b byte) string { return "\xfd\x0c" + strings.Repeat(string(rune(b)), 16) }

// chosen are functions (i32) -> i32 and how many of their selects are replaced.
var chosen = map[string]struct {
	n    int
	code []byte
}{
	"f32":                  {1, code(f32One, f32Two, arg, choose, bits32)},
	"f64":                  {1, code(f64One, f64NaN, arg, choose, low64)},
	"f64 of loads":         {1, code(num(0), "\x2b\x03\x00", num(0), "\x2b\x03\x08", arg, choose, low64)},
	"v128":                 {1, code(vector(1), vector(2), arg, choose, "\xfd\x1b\x02")},
	"with a type":          {3, code(f32One, f32Two, arg, "\x1c\x01\x7d", bits32, f64One, f64NaN, arg, "\x1c\x01\x7c", low64, vector(1), vector(2), arg, "\x1c\x01\x7b", "\xfd\x1b\x00", "\x6a\x6a")},
	"integers":             {0, code(num(1), num(2), arg, choose, "\x42\x01\x42\x02", arg, choose, "\xa7", "\x6a")},
	"references":           {0, code("\xd0\x6f\xd2\x00\x1a\xd0\x6f", arg, "\x1c\x01\x6f\xd1\xd0\x70\xd2\x00", arg, "\x1c\x01\x70\xd1\x6a")},
	"one of the other":     {2, code(f32One, f32Two, f32One, arg, choose, num(0), choose, bits32)},
	"integers of floats":   {1, code(num(7), f32One, f32Two, arg, choose, bits32, arg, choose)},
	"after br":             {1, code("\x02\x7d", f32One, br0, choose, "\x1a", end, f32Two, arg, choose, bits32)},
	"after return":         {0, code(num(3), "\x0f", choose, f32One, num(0), choose, bits32)},
	"after unreachable":    {0, code(arg, "\x04\x40\x00\x1b\x1a\x03\x40\x00\x04\x40\x05\x0b\x0b\x1b\x1a\x0b", num(4))},
	"after br_table":       {1, code("\x02\x7d", f32One, arg, "\x0e\x01\x00\x00", choose, end, f32Two, arg, choose, bits32)},
	"one half dead":        {2, code(arg, "\x04\x7d\x00", choose, "\x05", f32One, f32Two, arg, choose, end, f32Two, num(0), choose, bits32)},
	"br_if":                {1, code("\x02\x7d", f32One, arg, again0, f32Two, arg, choose, end, bits32)},
	"block with results":   {1, code("\x02\x02", f64One, f64NaN, arg, end, choose, low64)},
	"block with values":    {1, code(f64One, f64NaN, arg, "\x02\x03", choose, end, low64)},
	"loop with values":     {1, code(f64One, f64NaN, arg, "\x03\x03", choose, end, low64)},
	"if with values":       {2, code(f64One, f64NaN, arg, arg, "\x04\x03", choose, "\x05\x45", choose, end, low64)},
	"if without else":      {1, code(f64One, arg, "\x04\x04\x1a", f64NaN, end, f64One, arg, choose, low64)},
	"of a call":            {1, code("\x10\x01", choose, low64)},
	"of a call of a table": {1, code(num(1), "\x11\x02\x00", choose, low64)},
	"of a tail call":       {0, code(arg, "\x12\x02", choose)},
	"locals":               {2, code(f32One, "\x22\x01\x20\x01", arg, choose, bits32, f64NaN, "\x21\x02\x20\x02\x20\x02", arg, choose, low64, "\x6a")},
	"globals":              {1, code(f64One, "\x24\x00\x23\x00", f64NaN, arg, choose, low64)},
	"more of each":         {3, code(f32One, "\x21\x01", loop, f32Two, "\x20\x01", arg, choose, "\x21\x01", f64One, f64NaN, arg, choose, "\x21\x02", arg, num(1), "\x76\x22\x00", again0, end, "\x20\x01", f32One, arg, choose, bits32, "\x20\x02", low64, "\x6a")},
	"drops":                {1, code(f32One, f64One, "\x1a", f32Two, arg, choose, bits32)},
	"conversions":          {2, code(f32One, "\xbb", f64NaN, arg, choose, low64, f64One, "\xb6", f32Two, arg, choose, "\xfc\x00\x6a")},
	"memory and tables":    {1, code(num(0), num(0), num(0), "\xfc\x0b\x00", num(0), "\x25\x00\x1a", "\xfc\x10\x00", "\x3f\x00", "\x6a\x1a", f32One, f32Two, arg, choose, bits32)},
}

// choosers is a module of them.
func choosers(body []byte) guest {
	return guest{
		types:   []string{"\x60\x00\x00", "\x60\x01\x7f\x01\x7f", "\x60\x00\x03\x7c\x7c\x7f", "\x60\x03\x7c\x7c\x7f\x01\x7c", "\x60\x01\x7c\x01\x7c"},
		memory:  "\x00\x01",
		datas:   []string{"\x00\x41\x00\x0b" + text("\x01\x02\x03\x04\x05\x06\xf7\x7f\x11\x12\x13\x14\x15\x16\xf7\xff")},
		tables:  []string{"\x70\x00\x02"},
		globals: []string{"\x7c\x01" + f64One + end},
		exports: []string{text("memory") + "\x02\x00"},
		elems:   []string{"\x00\x41\x00\x0b\x02\x00\x01"},
		funcs: []fn{
			{name: "run", typ: 1, locals: "\x02\x01\x7d\x01\x7c", code: body},
			{name: "pair", typ: 2, code: code(f64One, f64NaN, num(0))},
			{name: "same", typ: 1, code: code("\x20\x00")},
		},
	}
}

// TestChoose: each gives what it gives wazero's interpreter, by itself and prepared.
func TestChoose(t *testing.T) {
	for name, c := range chosen {
		wasm := choosers(c.code).bytes()
		if n, followed := prepare.Choices(wasm); n != c.n || !followed {
			t.Errorf("%s: %d selects are replaced, want %d; followed: %t", name, n, c.n, followed)
		}
		want := answers(t, wasm, "interpreter", false)
		for engine := range engines() {
			if got := answers(t, wasm, engine, true); !slices.Equal(got, want) {
				t.Errorf("%s: %s gives %v, want %v", name, engine, got, want)
			}
		}
	}
}

func answers(t *testing.T, wasm []byte, engine string, prepared bool) (all []string) {
	w := newWorld(t, engines()[engine], prepared)
	defer w.Close(t.Context())
	in, err := w.instantiate(t.Context(), wasm, "", plenty)
	if err != nil {
		return []string{err.Error()}
	}
	for arg := range uint64(4) {
		all = append(all, outcome(in.ExportedFunction("run").Call(t.Context(), arg)))
	}
	return append(all, outcome(in.ExportedFunction("run").Call(t.Context(), 1<<31)))
}

// pressed is what wazero 1.12 gives another value for on amd64: 1 is right. The
// first select chooses the second value, the other one the first.
var pressed = guest{
	types: []string{"\x60\x01\x7f\x01\x7f", "\x60\x02\x7c\x7c\x01\x7f"}, memory: "\x00\x01",
	datas: []string{"\x00\x41\x00\x0b" + text("\x01\x00\x00\x00\x00\x00\xf0\x3f\x02\x00\x00\x00\x00\x00\x00\x40")},
	funcs: []fn{
		{name: "run", locals: "\x02\x02\x7c\x01\x7f", code: code(
			num(0), "\x2b\x03\x00\x21\x01", num(0), "\x2b\x03\x08\x21\x02",
			num(16), "\x20\x02\x20\x01", "\x20\x01\x20\x02\x10\x01\x22\x03", choose, "\x39\x03\x00",
			num(24), "\x20\x01\x20\x02\x20\x03", choose, "\x39\x03\x00",
			num(16), "\x28\x02\x00")},
		{typ: 1, code: code("\x20\x00\x20\x01\x64")},
	},
}

func TestChooseUnderPressure(t *testing.T) {
	for engine := range engines() {
		for _, got := range answers(t, pressed.bytes(), engine, true) {
			if got != "[1]" {
				t.Errorf("%s: run() = %s, want [1]", engine, got)
			}
		}
	}
}

// TestChooseCosts: a select costs the same whatever it chooses from, and a leaf that
// chooses is a leaf.
func TestChooseCosts(t *testing.T) {
	used := map[int64][]string{}
	for name, c := range map[string]string{
		"i32": "\x41\x01\x41\x02" + arg + choose + "\x1a", "i64": "\x42\x01\x42\x02" + arg + choose + "\x1a",
		"f32": f32One + f32Two + arg + choose + "\x1a", "f64": f64One + f64NaN + arg + choose + "\x1a",
		"v128": vector(1) + vector(2) + arg + choose + "\x1a",
	} {
		g := guest{funcs: []fn{
			{name: "run", typ: 1, code: code(loop, arg, "\x10\x01\x1a", strings.Repeat(c, 30), arg, num(1), "\x6b\x22\x00", again0, end, arg)},
			{typ: 1, code: code(c, arg)},
		}}
		in, err := newWorld(t, engines()["compiler"], true).instantiate(t.Context(), g.bytes(), "", plenty)
		if err != nil {
			t.Fatal(err)
		}
		if got := outcome(in.ExportedFunction("run").Call(t.Context(), 50)); got != "[0]" {
			t.Errorf("%s: run(50) = %s", name, got)
		}
		n := in.used(plenty)
		used[n] = append(used[n], name)
	}
	if len(used) != 1 {
		t.Errorf("fuel differs: %v", used)
	}
}

// TestChooseAmongManyLocals: a function of as many as are allowed.
func TestChooseAmongManyLocals(t *testing.T) {
	body := code(f64One, f64NaN, arg, choose, low64)
	g := guest{funcs: []fn{{name: "run", typ: 1, locals: "\x01" + string(uleb(50_000)) + "\x7c", code: body}}}
	want := answers(t, g.bytes(), "interpreter", false)
	if got := answers(t, g.bytes(), "compiler", true); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestChooseLeavesInvalid: what is not valid stays so.
func TestChooseLeavesInvalid(t *testing.T) {
	r := newWorld(t, engines()["interpreter"], false)
	for name, body := range map[string][]byte{
		"two types":              code(f32One, f64One, arg, choose, "\x1a", arg),
		"no condition":           code(f32One, f32Two, choose, "\x1a", arg),
		"a float for one":        code(f32One, f32Two, f32One, choose, "\x1a", arg),
		"too few":                code(f32One, arg, choose, "\x1a", arg),
		"none":                   code(choose, "\x1a", arg),
		"beyond its block":       code(f32One, f32Two, block, arg, choose, "\x1a", end, "\x1a\x1a", arg),
		"references":             code("\xd0\x70\xd0\x70", arg, choose, "\x1a", arg),
		"a block gives too much": code(block, f32One, end, f32One, f32Two, arg, choose, "\x1a", arg),
		"a block gives another":  code("\x02\x7d", f64One, end, f32Two, arg, choose, "\x1a", arg),
		"calls with another":     code(f32One, "\x10\x02", f32One, f32Two, arg, choose, "\x1a"),
		"sets another":           code(f32One, "\x21\x02", f32One, f32Two, arg, choose, "\x1a", arg),
		"drops too much":         code("\x1a", f32One, f32Two, arg, choose, "\x1a", arg),
		"ends too early":         code(f32One, f32Two, arg, choose, "\x1a"),
		"else of what is dead":   code(block, br0, "\x05", f32One, f32Two, arg, choose, "\x1a", end, arg),
	} {
		wasm := choosers(body).bytes()
		if _, err := r.CompileModule(t.Context(), wasm); err == nil {
			t.Errorf("%s is valid", name)
		}
		if p, err := prepare.Prepare(wasm, prepare.Options{}); err == nil {
			if _, err := r.CompileModule(t.Context(), p.Wasm); err == nil {
				t.Errorf("%s became valid", name)
			}
		}
	}
}

// FuzzChoose writes functions of many floats and vectors that choose among them.
func FuzzChoose(f *testing.F) {
	for seed := range uint64(100) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		wasm := chooser(seed)
		if n, followed := prepare.Choices(wasm); n == 0 || !followed {
			t.Fatalf("%d selects are replaced, followed: %t", n, followed)
		}
		want := memoryAfter(t, wasm, "interpreter", false)
		if got := memoryAfter(t, wasm, "compiler", true); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// memoryAfter runs a module and returns what it stored.
func memoryAfter(t *testing.T, wasm []byte, engine string, prepared bool) (all string) {
	w := newWorld(t, engines()[engine], prepared)
	defer w.Close(t.Context())
	in, err := w.instantiate(t.Context(), wasm, "", plenty)
	if err != nil {
		t.Fatal(err)
	}
	for arg := range uint64(3) {
		result := outcome(in.ExportedFunction("run").Call(t.Context(), arg))
		b, _ := in.Memory().Read(0, 4096)
		all += fmt.Sprintf("%s %x\n", result, b)
	}
	return all
}
