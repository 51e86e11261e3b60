package sdk_test

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/manifest"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/skills/sdk"
	"github.com/hive-spore/hive/spore"
)

// BenchmarkScaffold measures what docs/skills.md says of each language: an attempt
// at the example (ns/op), the program's size, and how long it takes to make it ready
// with an empty cache of compiled programs (cold) and with one that has it (warm).
func BenchmarkScaffold(b *testing.B) {
	for _, language := range sdk.Languages() {
		b.Run(language, func(b *testing.B) {
			dir := scaffold(b, language)
			wasm := compile(b, dir)
			folder, err := manifest.Load(dir)
			if err != nil {
				b.Fatal(err)
			}
			m := &folder.Manifest
			m.Output = nil // to hold a result against a schema is the host's work, the same for all
			o := runtime.Options{Admit: testkit.Admit(), CacheDir: b.TempDir(), Host: hostfuncs.Modules(), Careful: true}
			ready := func() (*spore.Program, time.Duration) {
				engine, err := runtime.New(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { engine.Close(b.Context()) })
				begun := time.Now()
				p, err := spore.Prepare(b.Context(), engine, wasm, m)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { p.Close(b.Context()) })
				return p, time.Since(begun)
			}
			_, cold := ready()
			p, warm := ready()
			call := runtime.Call{Payload: m.Example, Timeout: hive.DefaultTimeout}
			for b.Loop() {
				if out := p.Run(b.Context(), &hostfuncs.Attempt{Record: hive.MaxRecording}, call); out.Failure != nil {
					b.Fatal(out.Failure)
				}
			}
			b.ReportMetric(float64(len(wasm)), "bytes")
			b.ReportMetric(float64(cold.Microseconds())/1000, "cold-ms")
			b.ReportMetric(float64(warm.Microseconds())/1000, "warm-ms")
		})
	}
}
