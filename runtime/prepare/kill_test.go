package prepare_test

import (
	"context"
	"testing"
	"time"

	"github.com/hive-spore/hive/runtime/prepare"
)

// runaways never end: all the shapes that code can run for ever in.
func runaways() map[string]guest {
	one := func(parts ...any) guest {
		return guest{funcs: []fn{{name: "run", code: code(parts...)}}, memory: "\x00\x01"}
	}
	table := func(g guest) guest {
		g.tables, g.elems = []string{"\x70\x00\x02"}, []string{"\x00\x41\x00\x0b\x02\x00\x01"}
		return g
	}
	two := func(a, b []byte) guest {
		return guest{funcs: []fn{{name: "run", code: a}, {code: b}}}
	}
	return map[string]guest{
		"loop":            one(loop, br0, end),
		"loop, br_if":     one(loop, num(1), again0, end),
		"empty loop":      one(loop, loop, end, br0, end),
		"nested":          one(loop, loop, loop, br1, end, end, "\x0c\x00", end),
		"outer":           one(loop, block, loop, "\x0c\x02", end, end, end),
		"br_table":        one(loop, block, block, num(7), "\x0e\x02\x00\x01\x02", end, end, br0, end),
		"br_table only":   one(loop, num(0), "\x0e\x00\x00", end),
		"blocks":          one(loop, block, br0, end, block, block, br1, end, end, br0, end),
		"if":              one(loop, num(1), "\x04\x40", br1, "\x05", br1, end, end),
		"tail call":       one("\x12\x00"),
		"tail, mutual":    two(code("\x12\x01"), code("\x12\x00")),
		"tail, in a loop": two(code(loop, "\x12\x01", end), code("\x12\x00")),
		"tail, indirect":  table(two(code(num(1), "\x13\x00\x00"), code(num(0), "\x13\x00\x00"))),
		"calls":           two(code(loop, "\x10\x01", br0, end), code("\x01")),
		"indirect calls":  table(two(code(loop, num(1), "\x11\x00\x00", br0, end), code("\x01"))),
		"memory.fill":     one(loop, num(0), num(1), num(65536), "\xfc\x0b\x00", br0, end),
		"memory.copy":     one(loop, num(0), num(1), num(65535), "\xfc\x0a\x00\x00", br0, end),
		"memory.grow":     one(loop, num(1<<20), "\x40\x00\x1a", br0, end),
		"after a return":  two(code(loop, "\x10\x01", br0, end), code(num(1), "\x04\x40\x0f\x0b\x00")),
		"caller never pays": two(code("\x10\x01"), code(loop, block, num(0), "\x0d\x00", "\x10\x02", end, br0, end)).with(
			fn{code: code(num(1), num(2), "\x6a\x1a")}),
	}
}

func (g guest) with(f fn) guest {
	g.funcs = append(g.funcs, f)
	return g
}

// recursions end by overflow if not by kill: fuel must be counted on the way.
func recursions() map[string]guest {
	return map[string]guest{
		"self":        {funcs: []fn{{name: "run", code: code("\x10\x00")}}},
		"mutual":      {funcs: []fn{{name: "run", code: code("\x10\x01")}, {code: code("\x10\x00")}}},
		"unreachable": {funcs: []fn{{name: "run", code: code("\x10\x00\x00")}}},
		"in a loop":   {funcs: []fn{{name: "run", code: code(loop, "\x10\x00", br0, end)}}},
		"late": {funcs: []fn{{name: "run", code: code(num(1), "\x04\x40\x05\x0f\x0b",
			manyTimes(200, num(1), "\x1a"), "\x10\x00")}}},
		"indirect": {funcs: []fn{{name: "run", code: code(num(0), "\x11\x00\x00")}},
			tables: []string{"\x70\x00\x01"}, elems: []string{"\x00\x41\x00\x0b\x01\x00"}},
	}
}

func manyTimes(n int, parts ...any) (b []byte) {
	for range n {
		b = append(b, code(parts...)...)
	}
	return b
}

// TestKill stops guests that never end, from outside and by their fuel.
func TestKill(t *testing.T) {
	for engine, config := range engines() {
		for name, g := range runaways() {
			t.Run(engine+"/"+name, func(t *testing.T) {
				w := newWorld(t, config, true)
				i, err := w.instantiate(t.Context(), g.bytes(), "", plenty)
				if err != nil {
					t.Fatal(err)
				}
				kill, killed := i.global(prepare.Kill), make(chan struct{})
				if engine == "compiler" {
					time.AfterFunc(5*time.Millisecond, func() { kill.Set(1); close(killed) })
				} else { // which is Go, and would have a race
					kill.Set(1)
					close(killed)
				}
				stops(t, i)
				<-killed
				kill.Set(0)
				i.global(prepare.Fuel).Set(0)
				i.global(prepare.Left).Set(10 * prepare.Slice)
				stops(t, i)
				if left, fuel := i.global(prepare.Left).Get(), int64(i.global(prepare.Fuel).Get()); left != 0 || fuel >= 0 {
					t.Errorf("out of fuel with left %d, fuel %d", left, fuel)
				}
			})
		}
	}
}

func stops(t *testing.T, i *instance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := i.ExportedFunction("run").Call(ctx); err == nil {
		t.Error("ended by itself")
	}
}

// TestRecursion runs out of fuel long before it overflows the stack.
func TestRecursion(t *testing.T) {
	for engine, config := range engines() {
		for name, g := range recursions() {
			i, err := newWorld(t, config, true).instantiate(t.Context(), g.bytes(), "", 2000)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := outcome(i.ExportedFunction("run").Call(t.Context())); got != "trap: wasm error: unreachable" {
				t.Errorf("%s, %s: %s", engine, name, got)
			}
			if used := i.used(2000); used < 2000 {
				t.Errorf("%s, %s: used %d", engine, name, used)
			}
		}
	}
}
