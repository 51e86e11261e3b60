package prepare_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/hive-spore/hive/runtime/prepare"
)

// TestLimit: what is used does not depend on the limit, if it suffices, nor on
// the engine. If not, the guest stops, or has used too much when it ends.
func TestLimit(t *testing.T) {
	for seed := range uint64(40) {
		wasm := generate(seed, false)
		all := map[uint64]bool{}
		for _, config := range engines() {
			w := newWorld(t, config, true)
			want, used := limitedTo(t, w, wasm, plenty)
			all[used] = true
			for _, limit := range []uint64{used, used + 1, used - min(used, 1), used / 2} {
				got, now := limitedTo(t, w, wasm, limit)
				switch {
				case limit >= used && (got != want || now != used):
					t.Errorf("seed %d: limit %d: %s, used %d, want %s, %d", seed, limit, got, now, want, used)
				case limit < used && now <= limit:
					t.Errorf("seed %d: limit %d: used %d, without a limit %d", seed, limit, now, used)
				}
			}
			w.Close(t.Context())
		}
		if len(all) != 1 {
			t.Errorf("seed %d: engines use %v", seed, all)
		}
	}
}

func limitedTo(t *testing.T, w *world, wasm []byte, limit uint64) (result string, used uint64) {
	i, err := w.instantiate(t.Context(), wasm, "", limit)
	if err != nil {
		t.Fatal(err)
	}
	result = outcome(i.ExportedFunction("run").Call(t.Context(), 1))
	return result, uint64(i.used(limit))
}

// TestBulk fills and copies more than a chunk, overlapping each way, up to the
// end of the memory and beyond.
func TestBulk(t *testing.T) {
	const pages = 80
	two := "\x60\x03\x7f\x7f\x7f\x00"
	args := "\x20\x00\x20\x01\x20\x02"
	g := guest{types: []string{two}, memory: "\x00\x50", exports: []string{text("memory") + "\x02\x00"}, funcs: []fn{
		{name: "fill", code: code(args, "\xfc\x0b\x00")}, {name: "copy", code: code(args, "\xfc\x0a\x00\x00")},
	}}
	var worlds [2]*instance
	for i := range worlds {
		in, err := newWorld(t, engines()["compiler"], i == 1).instantiate(t.Context(), g.bytes(), "", plenty)
		if err != nil {
			t.Fatal(err)
		}
		worlds[i] = in
		b, _ := in.Memory().Read(0, in.Memory().Size())
		r := rand.NewChaCha8([32]byte{})
		r.Read(b)
	}
	const mib = prepare.Chunk
	for _, c := range [][3]uint64{
		{0, 1, 0}, {0, 1, mib}, {1, 0, mib}, {0, 5, mib + 1}, {5, 0, mib + 1}, {0, 100, 3*mib + 7}, {100, 0, 3*mib + 7},
		{mib, 0, 4 * mib}, {0, mib, 4 * mib}, {mib + 3, 0, 3 * mib}, {0, mib + 3, 3 * mib}, {7, 7, 2 * mib},
		{pages<<16 - 2*mib, 0, 2 * mib}, {0, pages<<16 - 2*mib, 2 * mib}, {pages<<16 - 2*mib, 0, 2*mib + 1},
		{0, pages<<16 - 2*mib, 2*mib + 1}, {0, 0, 1<<32 - 1}, {1<<32 - 1, 0, 2 * mib}, {pages << 16, 0, 0}, {pages<<16 + 1, 0, 0},
	} {
		for _, name := range []string{"copy", "fill"} {
			before := worlds[1].used(plenty)
			var got [2]string
			for i, in := range worlds {
				got[i] = outcome(in.ExportedFunction(name).Call(t.Context(), c[:]...))
			}
			x, _ := worlds[0].Memory().Read(0, pages<<16)
			y, _ := worlds[1].Memory().Read(0, pages<<16)
			if got[0] != got[1] || !bytes.Equal(x, y) {
				t.Errorf("%s%v = %s, prepared %s, memory equal: %t", name, c, got[0], got[1], bytes.Equal(x, y))
			}
			if used := worlds[1].used(plenty) - before; used < int64(c[2]/prepare.BytesPerUnit) {
				t.Errorf("%s%v used %d", name, c, used)
			}
		}
	}
}
