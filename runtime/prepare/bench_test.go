package prepare_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/hive-spore/hive/runtime/prepare"
)

// kernel is a function and its argument, if it has one.
type kernel struct {
	name string
	args []uint64
}

var cKernels = []kernel{
	{"spin", []uint64{1_000_000}}, {"fib", []uint64{23}}, {"leaf", []uint64{100_000}}, {"calls", []uint64{100_000}}, {"sum", []uint64{10}}, {"sha256", []uint64{4}},
	{"sort", []uint64{1}}, {"tokens", []uint64{10}}, {"matrix", []uint64{4}},
}

var goKernels = []kernel{{"sha256", nil}, {"sort", nil}, {"json", nil}, {"regex", nil}}

// built compiles a program of testdata/kernels.
func built(tb testing.TB, env []string, command ...string) []byte {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "out.wasm")
	cmd := exec.Command(command[0])
	cmd.Args = slices.Concat(command[:len(command)-1], []string{"-o", out}, command[len(command)-1:])
	cmd.Env = append(os.Environ(), env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%v: %v\n%s", command, err, b)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	return wasm
}

func cKernel(tb testing.TB) []byte {
	return built(tb, nil, "clang", "--target=wasm32", "-O2", "-nostdlib", "-fno-builtin", "-fno-vectorize",
		"-fno-slp-vectorize", "-Wl,--no-entry", "testdata/kernels/kernels.c")
}

func goKernel(tb testing.TB) []byte {
	return built(tb, []string{"GOOS=wasip1", "GOARCH=wasm"}, "go", "build", "-buildmode=c-shared", "./testdata/kernels")
}

// BenchmarkMetering measures what metering costs: "x" is the time of the
// prepared module over that of the original, medians of turns taken in one run.
func BenchmarkMetering(b *testing.B) {
	for name, program := range map[string]struct {
		wasm    []byte
		kernels []kernel
	}{"c": {cKernel(b), cKernels}, "go": {goKernel(b), goKernels}} {
		var worlds [2]*instance
		for i := range worlds {
			w := newWorld(b, engines()["compiler"], i == 1)
			wasi_snapshot_preview1.MustInstantiate(b.Context(), w)
			in, err := w.instantiate(b.Context(), program.wasm, "", plenty)
			if err != nil {
				b.Fatal(err)
			}
			if init := in.ExportedFunction("_initialize"); init != nil {
				if _, err := init.Call(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			worlds[i] = in
		}
		for _, k := range program.kernels {
			b.Run(name+"/"+k.name, func(b *testing.B) { compare(b, worlds, k) })
		}
	}
}

func compare(b *testing.B, worlds [2]*instance, k kernel) {
	var times [2][]float64
	fs := [2]api.Function{worlds[0].ExportedFunction(k.name), worlds[1].ExportedFunction(k.name)}
	before := worlds[1].used(plenty)
	for range b.N {
		for i, f := range fs {
			start := time.Now()
			if _, err := f.Call(b.Context(), k.args...); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], float64(time.Since(start)))
		}
	}
	fuel := float64(worlds[1].used(plenty)-before) / float64(b.N)
	b.ReportMetric(median(times[1])/median(times[0]), "x")
	b.ReportMetric(median(times[0])/1e3, "µs-original")
	b.ReportMetric(fuel, "fuel")
	b.ReportMetric(median(times[0])/fuel*1000, "ps/fuel")
	b.ReportMetric(0, "ns/op")
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// BenchmarkPrepare measures preparing a Go program, and how much it grows.
func BenchmarkPrepare(b *testing.B) {
	wasm := goKernel(b)
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		m, err := prepare.Prepare(wasm, prepare.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(m.Wasm))/float64(len(wasm)), "growth")
	}
}
