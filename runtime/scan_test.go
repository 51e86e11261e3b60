package runtime

import (
	"bytes"
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
	if refusal := (*Refusal)(nil); !errors.As(err, &refusal) {
		t.Errorf("Prepare() = %v, which is no Refusal", err)
	}
	if strings.ContainsAny(err.Error(), "\n\r\x1b") {
		t.Errorf("Prepare() = %q, want one plain line", err)
	}
	return err.Error()
}

// TestTruncated cuts a module at every byte. Where a section ends the rest can
// be a whole module of its own, which must still be refused or be one.
func TestTruncated(t *testing.T) {
	g := dialer()
	g.name, g.tables, g.globals = "main.run", [][]byte{{0x70, 0, 5}}, 2
	wasm := g.bytes()
	borders := map[int]bool{len(header): true}
	for at := len(header); at < len(wasm); {
		r := &reader{b: wasm[at+1:]}
		r.sized()
		at = len(wasm) - len(r.b)
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

// TestBoundedIsTheSameModule: what scan reads of the program it hands on is
// what it read of the original.
func TestBoundedIsTheSameModule(t *testing.T) {
	g := counter()
	g.tables = [][]byte{{0x70, 0, 5}, {0x6f, 1, 1, 7}, {0x70, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}}
	m, err := scan(g.bytes())
	if err != nil {
		t.Fatal(err)
	}
	again, err := scan(m.bounded())
	if err != nil {
		t.Fatal(err)
	}
	want := []table{{0x70, 5, maxTableSize}, {0x6f, 1, 7}, {0x70, 0, maxTableSize}}
	if !slices.Equal(again.tables, want) || !slices.Equal(again.exports, m.exports) ||
		!slices.Equal(again.imports, m.imports) || again.memory != m.memory {
		t.Errorf("bounded module has tables %v, want %v; %+v", again.tables, want, again)
	}
	if !bytes.Equal(again.bounded(), again.wasm) {
		t.Error("bounding a bounded module changes it")
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
