package prepare_test

import (
	"bytes"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/hive-spore/hive/runtime/prepare"
)

// TestGenerated compares random modules with what becomes of them, and what
// they are charged with an exact count.
func TestGenerated(t *testing.T) {
	n := uint64(300)
	if testing.Short() {
		n = 50
	}
	for engine, config := range engines() {
		t.Run(engine, func(t *testing.T) {
			for seed := range n {
				generated(t, config, seed)
			}
		})
	}
}

func generated(t *testing.T, config wazero.RuntimeConfig, seed uint64) {
	original, prepared := newWorld(t, config, false), newWorld(t, config, true)
	defer original.Close(t.Context())
	defer prepared.Close(t.Context())
	make := func(w *world, counting bool) *instance {
		i, err := w.instantiate(t.Context(), generate(seed, counting), "", plenty)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		return i
	}
	a, b, counted := make(original, false), make(prepared, false), make(original, true)
	for arg := range uint64(3) {
		before, exactly := b.used(plenty), counted.ExportedGlobal("count").Get()
		x := outcome(a.ExportedFunction("run").Call(t.Context(), arg))
		y := outcome(b.ExportedFunction("run").Call(t.Context(), arg))
		outcome(counted.ExportedFunction("run").Call(t.Context(), arg))
		if x != y || !sameState(a, b) {
			t.Fatalf("seed %d: run(%d) = %s, prepared %s", seed, arg, x, y)
		}
		used, exact := b.used(plenty)-before, int64(counted.ExportedGlobal("count").Get()-exactly)
		charged(t, seed, x, used, exact)
	}
}

// charged checks that nothing is undercharged, but for what a trap ends.
func charged(t *testing.T, seed uint64, result string, used, exact int64) {
	most := int64(prepare.Slack) // what a leaf is free for if the host calls it
	if bytes.HasPrefix([]byte(result), []byte("trap")) {
		most = 4000 // one pass through one function, which are small here
	}
	if used < exact-most {
		t.Errorf("seed %d: %s used %d, executed %d", seed, result, used, exact)
	}
	if used > 20*exact+1000 {
		t.Errorf("seed %d: %s used %d, executed only %d", seed, result, used, exact)
	}
}

func sameState(a, b *instance) bool {
	for i := range genGlobals {
		name := "g" + string(rune('0'+i))
		if a.ExportedGlobal(name).Get() != b.ExportedGlobal(name).Get() {
			return false
		}
	}
	x, _ := a.Memory().Read(0, a.Memory().Size())
	y, _ := b.Memory().Read(0, b.Memory().Size())
	return bytes.Equal(x, y)
}
