package prepare_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/hive-spore/hive/runtime/prepare"
)

// FuzzPrepare changes modules. Prepare must not panic; what it accepts, wazero
// accepts if it accepted the original, and only then.
func FuzzPrepare(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(generate(seed, false))
	}
	for _, g := range goldens {
		f.Add(g.bytes())
	}
	for _, c := range chosen {
		f.Add(choosers(c.code).bytes())
	}
	for _, g := range runaways() {
		f.Add(g.bytes())
	}
	files, _ := filepath.Glob(filepath.Join(wazeroDir(f), "internal/integration_test/spectest/v2/testdata/*.0.wasm"))
	for _, file := range files {
		if wasm, err := os.ReadFile(file); err == nil && len(wasm) < 3000 {
			f.Add(wasm)
		}
	}
	r := wazero.NewRuntimeWithConfig(f.Context(), engines()["interpreter"])
	f.Cleanup(func() { r.Close(f.Context()) })
	f.Fuzz(func(t *testing.T, wasm []byte) {
		p, err := prepare.Prepare(wasm, prepare.Options{})
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("error of many lines: %v", err)
			}
			return
		}
		again, err := prepare.Prepare(wasm, prepare.Options{})
		if err != nil || !bytes.Equal(again.Wasm, p.Wasm) {
			t.Errorf("a second time it is another module, %v", err)
		}
		accepted(t, r, wasm, p.Wasm)
		followed(t, r, wasm)
	})
}

func accepted(t *testing.T, r wazero.Runtime, original, prepared []byte) {
	if bytes.Contains(original, []byte("name")) && !bytes.Contains(prepared, []byte("name")) {
		return // wazero trusts the counts of names that Prepare could not read
	}
	a, errA := r.CompileModule(t.Context(), original)
	b, errB := r.CompileModule(t.Context(), prepared)
	if a != nil {
		a.Close(t.Context())
	}
	if b != nil {
		b.Close(t.Context())
	}
	if (errA == nil) == (errB == nil) || errA != nil && strings.Contains(errA.Error(), "undeclared function") {
		return
	}
	t.Errorf("original %v, prepared %v", errA, errB)
}

// followed checks that the types of all values in a valid module are known, for then
// no select is missed.
func followed(t *testing.T, r wazero.Runtime, wasm []byte) {
	if _, followed := prepare.Choices(wasm); followed {
		return
	}
	if c, err := r.CompileModule(t.Context(), wasm); err == nil {
		c.Close(t.Context())
		t.Error("the types of its values are not followed")
	}
}

// TestTruncated cuts real modules at every byte.
func TestTruncated(t *testing.T) {
	r := newWorld(t, engines()["interpreter"], false)
	for _, file := range []string{"imports/wasi_snapshot_preview1/example/testdata/zig/cat.wasm", "imports/emscripten/testdata/invoke.wasm"} {
		wasm, err := os.ReadFile(filepath.Join(wazeroDir(t), file))
		if err != nil {
			t.Fatal(err)
		}
		for n := range wasm {
			// What is cut where a section ends may be a module of its own.
			if p, err := prepare.Prepare(wasm[:n], prepare.Options{}); err == nil {
				accepted(t, r, wasm[:n], p.Wasm)
			}
		}
		if _, err := prepare.Prepare(wasm, prepare.Options{}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
