package prepare_test

import (
	"strings"
	"testing"

	"github.com/hive-spore/hive/runtime/prepare"
)

const header = "\x00asm\x01\x00\x00\x00"

// leb writes a number in five bytes.
func leb(n uint32) string {
	return string([]byte{byte(n) | 0x80, byte(n>>7) | 0x80, byte(n>>14) | 0x80, byte(n>>21) | 0x80, byte(n >> 28)})
}

// pushes calls a function of so many f32 and an i32, and does something with them, again and
// again.
func pushes(results int, then string, times int) []byte {
	many := "\x60\x00" + string(uleb(results)) + strings.Repeat("\x7d", results-1) + "\x7f"
	return guest{types: []string{"\x60\x00\x00", many}, funcs: []fn{
		{code: code(num(1), num(1), num(1), choose, "\x1a", strings.Repeat("\x10\x01"+then, times), "\x00")}, {typ: 1, code: code("\x00")},
	}}.bytes()
}

// TestRefused has modules that would harm, or that nobody could stop.
func TestRefused(t *testing.T) {
	body := func(parts ...any) string { return string(guest{funcs: []fn{{code: code(parts...)}}}.bytes()) }
	locals := func(groups string) string {
		return string(guest{funcs: []fn{{locals: groups}}}.bytes())
	}
	shared := guest{memory: "\x03\x01\x01", funcs: []fn{{code: code(num(0), num(0), "\x42\x7f\xfe\x01\x02\x00\x1a")}}}
	for name, c := range map[string]struct{ wasm, why string }{
		"empty":               {"", "not a WebAssembly module"},
		"component":           {"\x00asm\x0d\x00\x01\x00", "component"},
		"version":             {"\x00asm\x02\x00\x00\x00", "version 1"},
		"functions":           {header + section(3, leb(1<<32-1)), "at most 100000 are allowed"},
		"more than bytes":     {header + section(2, leb(9_000)), "truncated or damaged"},
		"locals":              {locals("\x01" + leb(1<<32-1) + "\x7f"), "at most 50000 are allowed"},
		"locals, in groups":   {locals("\x02" + leb(1<<32-1) + "\x7f" + leb(1<<32-1) + "\x7f"), "at most 50000 are allowed"},
		"nesting":             {body(strings.Repeat(block, 1001), strings.Repeat(end, 1001)), "nests more than 1000"},
		"br_table":            {body(num(0), "\x0e"+leb(65_521), strings.Repeat("\x00", 65_522)), "at most 65520"},
		"code":                {body(strings.Repeat("\x01", 1<<20)), "bytes, at most"},
		"loops":               {body(strings.Repeat(loop+end, 200_000)), "too many loops"},
		"selects":             {string(pushes(900, strings.Repeat("\x1b\xbc", 400), 1100)), "too many loops or selects"},
		"values":              {string(pushes(1000, "", 1001)), "more than 1000000 values"},
		"table":               {string(guest{tables: []string{"\x70\x00" + leb(1<<18+1)}}.bytes()), "has tables of 262145 entries"},
		"tables":              {string(guest{tables: []string{"\x70\x00" + leb(1<<17), "\x70\x00" + leb(1<<17+1)}}.bytes()), "has tables of 262145 entries"},
		"globals":             {header + section(6, leb(10_001)+strings.Repeat("\x7f\x01\x41\x00\x0b", 10_001)), "at most 10000 are allowed"},
		"memories":            {header + section(5, "\x02\x00\x00\x00\x00"), "at most 1 are allowed"},
		"64-bit memory":       {header + section(5, "\x01\x04\x00"), "64-bit memory"},
		"shared without max":  {header + section(5, "\x01\x02\x00"), "damaged"},
		"wait":                {string(shared.bytes()), "nothing could stop"},
		"reserved export":     {string(guest{funcs: []fn{{name: "hive:x"}}}.bytes()), "are reserved"},
		"order":               {header + "\x03\x01\x00\x01\x01\x00", "damaged"},
		"twice":               {header + "\x01\x01\x00\x01\x01\x00", "damaged"},
		"exceptions":          {header + section(13, "\x01\x00\x00"), "exception handling"},
		"try_table":           {body("\x1f\x40\x00\x0b"), "exception handling"},
		"call_ref":            {body("\x14\x00"), "typed function references"},
		"gc":                  {body("\xfb\x00\x00"), "WebAssembly GC"},
		"relaxed simd":        {body("\xfd\x80\x02"), "unknown instruction 0xfd"},
		"simd, padded":        {body("\xfd\x80\x00"), "unknown instruction 0xfd"},
		"simd, long":          {body("\xfd\x8c\x00", strings.Repeat("\x00", 16)), "unknown instruction 0xfd"},
		"no such instruction": {body("\xff"), "unknown instruction 0xff"},
		"added global":        {body("\x23\x00\x1a"), "there is no global 0"},
		"added function":      {body("\x10\x01"), "there is no function 1"},
		"added local":         {body(loop, "\x42\x00\x21\x00", end), "there is no local 0"},
		"added type":          {body("\x02\x02\x0b"), "there is no type 2"},
		"added memory":        {body("\x3f\x00\x1a"), "there is no memory 0"},
		"exported memory":     {string(guest{exports: []string{text("m") + "\x02\x00"}}.bytes()), "there is no memory 0"},
		"data, no memory":     {string(guest{datas: []string{"\x00\x41\x00\x0b\x00"}}.bytes()), "there is no memory 0"},
		"element, no table":   {string(guest{elems: []string{"\x00\x41\x00\x0b\x00"}}.bytes()), "there is no table 0"},
		"start type":          {string(guest{funcs: []fn{{}, {typ: 1}}, start: 1}.bytes()), "start function has"},
		"label":               {body(br1), "there is no label 1"},
		"else":                {body(block, "\x05", end), "damaged"},
		"no end":              {header + section(1, "\x01\x60\x00\x00") + section(3, "\x01\x00") + section(10, "\x01\x02\x00\x01"), "damaged"},
		"after the end":       {body(end), "damaged"},
		"counts":              {header + section(12, "\x01"), "damaged"},
		"functions and code":  {header + section(1, "\x01\x60\x00\x00") + section(3, "\x01\x00"), "damaged"},
	} {
		if _, err := prepare.Prepare([]byte(c.wasm), prepare.Options{}); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: Prepare() = %v, want %q", name, err, c.why)
		}
	}
}

// TestUnrestorable has everything that restoring memory and numbers would miss.
func TestUnrestorable(t *testing.T) {
	does := func(parts ...any) guest {
		return guest{memory: "\x00\x01", tables: []string{"\x70\x00\x01"}, elems: []string{"\x01\x00\x01\x00"},
			datas: []string{"\x01\x01x"}, count: true, funcs: []fn{{code: code(parts...)}}}
	}
	null := "\xd0\x70"
	with := func(imports string) []byte { return []byte(header + section(2, "\x01"+text("e")+text("x")+imports)) }
	for name, c := range map[string]struct {
		wasm []byte
		why  string
	}{
		"nothing":         {does().bytes(), "has data segments that it applies itself"},
		"imported table":  {with("\x01\x70\x00\x01"), "imports a table"},
		"imported memory": {with("\x02\x00\x01"), "imports its memory"},
		"imported global": {with("\x03\x7f\x01"), "imports a global that can change"},
		"constant global": {with("\x03\x7f\x00"), ""},
		"vector":          {guest{globals: []string{"\x7b\x01\xfd\x0c" + strings.Repeat("\x00", 16) + end}}.bytes(), "has a vector global that can change"},
		"reference":       {guest{globals: []string{"\x70\x01" + null + end}}.bytes(), "has a global reference that can change"},
		"constants":       {guest{globals: []string{"\x70\x00" + null + end}}.bytes(), ""},
		"shared":          {guest{memory: "\x03\x01\x01"}.bytes(), "shares its memory between threads"},
		"table.set":       {does(num(0), null, "\x26\x00").bytes(), "changes a table"},
		"table.grow":      {does(null, num(0), "\xfc\x0f\x00\x1a").bytes(), "changes a table"},
		"table.fill":      {does(num(0), null, num(0), "\xfc\x11\x00").bytes(), "changes a table"},
		"table.copy":      {does(num(0), num(0), num(0), "\xfc\x0e\x00\x00").bytes(), "changes a table"},
		"table.init":      {does(num(0), num(0), num(0), "\xfc\x0c\x00\x00").bytes(), "changes a table"},
		"elem.drop":       {does("\xfc\x0d\x00").bytes(), "changes a table"},
		"memory.init":     {does(num(0), num(0), num(0), "\xfc\x08\x00\x00").bytes(), "copies or drops data segments while it runs"},
		"data.drop":       {does("\xfc\x09\x00").bytes(), "copies or drops data segments while it runs"},
		"reads a table":   {guest{tables: []string{"\x70\x00\x01"}, funcs: []fn{{code: code(num(0), "\x25\x00\x1a\xfc\x10\x00\x1a")}}}.bytes(), ""},
	} {
		m, err := prepare.Prepare(c.wasm, prepare.Options{})
		if err != nil || m.Unrestorable != c.why {
			t.Errorf("%s: Prepare() = %+v, %v, want %q", name, m, err, c.why)
			continue
		}
		if strings.HasPrefix(name, "imported") || name == "constant global" || name == "shared" {
			continue
		}
		if _, err := newWorld(t, engines()["interpreter"], true).CompileModule(t.Context(), m.Wasm); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
