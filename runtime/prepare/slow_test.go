package prepare_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/runtime/prepare"
)

// TestHostileTime: preparing takes time in proportion to the bytes, whatever
// they are.
func TestHostileTime(t *testing.T) {
	const num0 = "\x41\x00"
	deep := strings.Repeat(loop, 998)
	out := strings.Repeat(end, 998)
	fill := func(s string) string { return strings.Repeat(s, (1<<20-6000)/len(s)) }
	for name, c := range map[string]string{
		"br_if out of loops":    deep + fill("\x41\x00\x0d\x87\x07") + out,
		"br_table out of loops": deep + fill("\x41\x00\x0e\x64"+strings.Repeat("\x87\x07", 101)+block+end) + out,
		"br":                    deep + fill("\x02\x40\x0c\x86\x07\x0b") + out,
		"calls":                 deep + fill("\x10\x00") + out,
		"blocks":                fill("\x02\x40\x0c\x00\x0b"),
		"if":                    fill("\x41\x01\x04\x40\x05\x0b"),
		"loops":                 fill("\x41\x01\x1a\x41\x01\x1a\x41\x01\x1a\x41\x01\x1a\x41\x01\x1a\x41\x01\x1a\x03\x40\x0b"),
		"selects":               fill(f32One + f32Two + num0 + "\x1b\x1a"),
		"selects in blocks":     deep + fill("\x02\x7d"+f32One+f32Two+num0+"\x1b\x0b\x1a") + out,
		"many values":           fill(num0)[:1<<19] + "\x1b" + fill(num0 + "\x04\x40\x0b")[:5*80_000],
		"fills":                 fill("\x41\x00\x41\x00\x41\x00\xfc\x0b\x00"),
	} {
		wasm := guest{memory: "\x00\x01", funcs: []fn{{code: []byte(c)}, {code: []byte(c)}, {code: []byte(c)}, {code: []byte(c)}}}.bytes()
		start := time.Now()
		m, err := prepare.Prepare(wasm, prepare.Options{})
		took := time.Since(start)
		if m != nil {
			t.Logf("%s: %v, growth %.1f", name, took, float64(len(m.Wasm))/float64(len(wasm)))
		}
		if took > 10*time.Second {
			t.Errorf("%s: took %v, %v", name, took, err)
		}
		if err != nil && !strings.Contains(err.Error(), "too many") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
