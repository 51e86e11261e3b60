package runtime

import (
	"encoding/binary"
	"errors"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

// refused returns why a program is refused, "" if it is not.
func refused(t testing.TB, e *Engine, wasm []byte, m hive.Manifest) string {
	t.Helper()
	s, err := e.Prepare(t.Context(), wasm, &m)
	if err == nil {
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close() = %v", err)
		}
		return ""
	}
	if _, ok := errors.AsType[*Refusal](err); !ok {
		t.Errorf("Prepare() = %v, which is no Refusal", err)
	}
	if strings.ContainsAny(err.Error(), "\n\r\x1b") {
		t.Errorf("Prepare() = %q, want one plain line", err)
	}
	return err.Error()
}

// TestEveryForm reads a module with every form of constant and segment there
// is, which wazero takes for valid.
func TestEveryForm(t *testing.T) {
	zero := []byte{0x41, 0, 0x0b} // i32.const 0, end
	funcs, exprs := []byte{1, 0}, []byte{1, 0xd2, 0, 0x0b}
	v128 := slices.Concat([]byte{0x7b, 0, 0xfd, 12}, make([]byte, 16), []byte{0x0b})
	entry := body{exportStart, 0, 0, nil}
	whole := guest{funcs: []body{entry}}.bytes()
	m := sections(
		section(0, text("producers"), []byte("anything")),
		section(1, vec(funcType(0, 0))), section(3, vec(uleb(0))),
		section(4, vec([]byte{0x70, 0, 9}, []byte{0x6f, 1, 0, 9})), section(5, vec([]byte{1, 1, 2})),
		section(6, vec([]byte{0x7f, 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x0b}, []byte{0x7e, 1, 0x42, 0x7f, 0x0b},
			[]byte{0x7d, 0, 0x43, 0, 0, 0, 0, 0x0b}, []byte{0x7c, 0, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b}, v128,
			[]byte{0x70, 0, 0xd0, 0x70, 0x0b}, []byte{0x6f, 0, 0xd0, 0x6f, 0x0b}, []byte{0x70, 0, 0xd2, 0, 0x0b})),
		section(7, vec(slices.Concat(text(exportStart), []byte{0, 0}), slices.Concat(text("memory"), []byte{2, 0}))),
		section(9, vec(
			slices.Concat([]byte{0}, zero, funcs), slices.Concat([]byte{1, 0}, funcs),
			slices.Concat([]byte{2, 0}, zero, []byte{0}, funcs), slices.Concat([]byte{3, 0}, funcs),
			slices.Concat([]byte{4}, zero, exprs), slices.Concat([]byte{5, 0x70}, exprs),
			slices.Concat([]byte{6, 0}, zero, []byte{0x70}, exprs), slices.Concat([]byte{7, 0x70}, exprs))),
		section(12, uleb(3)),
		section(10, vec([]byte{8, 3, 1, 0x7f, 2, 0x7b, 0, 0x70, 0x0b})),
		section(11, vec(slices.Concat([]byte{0}, zero, text("a")), slices.Concat([]byte{1}, text("b")),
			slices.Concat([]byte{2, 0}, zero, text("c")))),
		section(0, text("name"), section(0, text("bees")), section(1, vec([]byte("\x00\x03run"))),
			section(2, vec([]byte("\x00\x01\x00\x01x"))), section(9, []byte("of the future"))),
	)
	e := newEngine(t, Options{})
	for _, wasm := range [][]byte{whole, m} {
		if got := refused(t, e, wasm, hive.Manifest{}); got != "" {
			t.Errorf("Prepare() = %q", got)
		}
	}
}

// TestTruncated cuts a module at every byte. Where a section ends the rest can
// be a whole module of its own, which must still be refused or be one.
func TestTruncated(t *testing.T) {
	g := dialer()
	g.name, g.tables, g.globals = "main.run", [][]byte{{0x70, 0, 5}}, 2
	wasm := g.bytes()
	borders := map[int]bool{len(header): true}
	for at := len(header); at < len(wasm); {
		n, width := binary.Uvarint(wasm[at+1:])
		at += 1 + width + int(n)
		borders[at] = true
	}
	e := newEngine(t, Options{})
	for n := range wasm {
		got := refused(t, e, wasm[:n], hive.Manifest{})
		if !borders[n] && !strings.HasPrefix(got, "not a WebAssembly module") {
			t.Errorf("Prepare(the first %d of %d bytes) = %q", n, len(wasm), got)
		}
	}
	if got := refused(t, e, wasm, hive.Manifest{}); got != "" {
		t.Errorf("Prepare(all) = %q", got)
	}
}

// FuzzScan looks for bytes that crash, and for those that scan lets through but
// that take memory out of proportion.
func FuzzScan(f *testing.F) {
	full := dialer()
	full.name, full.tables, full.globals = "main.run", [][]byte{{0x70, 0, 5}}, 2
	for _, g := range []guest{full, command(unreachable), sleeper(), counter()} {
		f.Add(g.bytes())
	}
	f.Add(slices.Concat(header, section(4, []byte{1, 0x70, 0, 0}),
		section(9, []byte{3, 0, 0x41, 0, 0x0b, 0, 5, 0x70, 1, 0xd0, 0x70, 0x0b, 3, 0, 0})))
	e := newEngine(f, Options{})
	f.Fuzz(func(t *testing.T, wasm []byte) {
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		refused(t, e, wasm, hive.Manifest{})
		goruntime.ReadMemStats(&after)
		const most = 64<<20 + 8*maxAllLocals
		if took := after.TotalAlloc - before.TotalAlloc; took > most+1000*uint64(len(wasm)) {
			t.Errorf("%d bytes took %d bytes of memory", len(wasm), took)
		}
	})
}
