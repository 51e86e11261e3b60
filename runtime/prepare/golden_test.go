package prepare_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/hive-spore/hive/runtime/prepare"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldens are small enough to check what becomes of them by eye.
var goldens = map[string]guest{
	"leaf":        {funcs: []fn{{name: "run", typ: 1, code: code("\x20\x00\x20\x00\x6a")}}},
	"caller":      {funcs: []fn{{name: "run", code: code(num(1), "\x10\x01\x1a")}, {typ: 1, code: code("\x20\x00")}}},
	"loop":        {funcs: []fn{{name: "run", typ: 1, code: code(loop, "\x20\x00", num(1), "\x6b\x22\x00", again0, end, "\x20\x00")}}},
	"call-loop":   {imports: []string{"f"}, funcs: []fn{{name: "run", code: code(loop, "\x10\x00", num(1), again0, end)}}},
	"two-ways":    {funcs: []fn{{name: "run", typ: 1, code: code(loop, "\x20\x00\x04\x40", manyTimes(10, num(1), num(2), "\x6e\x1a"), "\x05\x01\x0b", "\x20\x00", num(1), "\x6b\x22\x00", again0, end, "\x20\x00")}}},
	"early":       {funcs: []fn{{name: "run", typ: 1, code: code(block, "\x20\x00", again0, manyTimes(10, num(1), num(2), "\x6e\x1a"), "\x10\x00", end, "\x20\x00")}}},
	"bulk":        {memory: "\x01\x01\x02", funcs: []fn{{name: "run", code: code(num(1), num(2), num(3), "\xfc\x0b\x00", num(1), num(2), num(3), "\xfc\x0a\x00\x00")}}},
	"data":        {memory: "\x00\x01", datas: []string{"\x00\x41\x05\x0b" + text("bees"), "\x00\x41\x7f\x0b" + text("")}, start: 1, funcs: []fn{{name: "run"}, {code: code(num(0), num(1), "\x3a\x00\x00")}}, globals: []string{"\x7f\x01\x41\x07\x0b", "\x7e\x00\x42\x07\x0b", "\x7c\x01\x44\x00\x00\x00\x00\x00\x00\x00\x00\x0b"}},
	"passive":     {memory: "\x00\x01", datas: []string{"\x01" + text("bees"), "\x00\x41\x05\x0b" + text("wasps")}, count: true, funcs: []fn{{name: "run", code: code(num(0), num(0), num(4), "\xfc\x08\x00\x00")}}},
	"unreachable": {funcs: []fn{{name: "run", typ: 1, code: code(loop, "\x20\x00\x04\x40", manyTimes(10, num(1), "\x1a"), "\x00", end, br0, end, "\x00")}}},
}

func TestGolden(t *testing.T) {
	for name, g := range goldens {
		m, err := prepare.Prepare(g.bytes(), prepare.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := prepare.Dump(m)
		file := filepath.Join("testdata/golden", name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}
