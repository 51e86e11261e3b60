package runtime

import (
	"slices"
	"testing"

	"github.com/hive-spore/hive"
)

// TestFloatsAreChosen: the first of two selects, with numbers that a call put aside,
// is what wazero 1.12 gets wrong on amd64, if it sees it (its issue 2534).
func TestFloatsAreChosen(t *testing.T) {
	loadF64 := func(at int32) []byte { return code(num(at), []byte{0x2b, 3, 0}) }
	storeF64 := []byte{0x39, 3, 0}
	const a, b, greater = 1, 2, 3
	get := func(locals ...byte) (ins []byte) {
		for _, l := range locals {
			ins = append(ins, 0x20, l)
		}
		return ins
	}
	choose := []byte{0x1b}
	run := code([]byte{2, 2, 0x7c, 1, 0x7f}, // two f64, one i32
		loadF64(0), []byte{0x21, a}, loadF64(8), []byte{0x21, b},
		num(16), get(b, a, a, b), call(1), []byte{0x22, greater}, choose, storeF64,
		num(24), get(a, b, greater), choose, storeF64,
		load(16), num(1), equal, isZero, end)
	isGreater := code([]byte{0}, get(0, 1), []byte{0x64}, end)
	g := guest{data: "\x01\x00\x00\x00\x00\x00\xf0\x3f\x02\x00\x00\x00\x00\x00\x00\x40"} // a and b: a bit more than 1, and than 2
	wasm := g.assemble([][]byte{{0x60, 1, 0x7f, 1, 0x7f}, {0x60, 2, 0x7c, 0x7c, 1, 0x7f}}, nil, [][]byte{{0}, {1}},
		[][]byte{slices.Concat(text(exportRun), []byte{0, 0})},
		[][]byte{append(uleb(len(run)), run...), append(uleb(len(isGreater)), isGreater...)})
	wantResult(t, skillOf(t, wasm, hive.Manifest{}).Call(t.Context(), Call{}), "")
}
