package hostfuncs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// sdkFile returns a file of Extism's SDK for Go. Nothing of it is ours.
func sdkFile(t testing.TB, name ...string) []byte {
	t.Helper()
	dir, err := sdkDir()
	if err != nil {
		t.Fatalf("where is Extism's SDK: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(append([]string{dir}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var sdkDir = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/extism/go-sdk").Output()
	return strings.TrimSpace(string(out)), err
})

// kernelPages is the memory limit of Extism's kernel in these tests.
const kernelPages = 64

// compileKernel compiles Extism's own implementation of the memory, which is a
// WebAssembly module.
func compileKernel(t testing.TB) (wazero.Runtime, wazero.CompiledModule) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(kernelPages))
	t.Cleanup(func() { r.Close(ctx) })
	code, err := r.CompileModule(ctx, sdkFile(t, "extism-runtime.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return r, code
}

// TestExtismTypes holds the types of functions against those of the kernel.
func TestExtismTypes(t *testing.T) {
	_, code := compileKernel(t)
	theirs := code.ExportedFunctions()
	for _, f := range extismFunctions {
		k, ok := theirs[f.name]
		delete(theirs, f.name)
		if ok && (!slices.Equal(k.ParamTypes(), valueTypes(f.params)) || !slices.Equal(k.ResultTypes(), valueTypes(f.result))) {
			t.Errorf("%s is %s -> %s here", f.name, f.params, f.result)
		}
	}
	for name := range theirs {
		t.Errorf("%s is missing", name)
	}
}

// twins are an attempt here and one in Extism's kernel.
type twins struct {
	*plugin
	kernel api.Module
	blocks []uint64 // offsets that alloc returned
}

func newTwins(t testing.TB, r wazero.Runtime, code wazero.CompiledModule, payload []byte) *twins {
	t.Helper()
	kernel, err := r.InstantiateModule(context.Background(), code, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatal(err)
	}
	// The kernel grows from what it has to its limit, this one from a page.
	have := uint64(kernel.ExportedMemory("memory").Size() / wasmPage)
	room := kernelPages - have + 1 - pages(uint64(len(payload))+headerSize)
	w := &twins{newPlugin(t, ExtismOptions{Payload: payload, MaxMemory: int64(room * wasmPage)}), kernel, nil}
	w.theirs("reset")
	input := w.theirs("alloc", uint64(len(payload)))
	kernel.ExportedMemory("memory").Write(uint32(input), payload)
	w.theirs("input_set", input, uint64(len(payload)))
	return w
}

func (w *twins) theirs(name string, params ...uint64) uint64 {
	w.Helper()
	f := w.kernel.ExportedFunction(name)
	results, err := f.Call(context.Background(), params...)
	if err != nil {
		w.Fatalf("the kernel's %s(%v): %v", name, params, err)
	}
	switch types := f.Definition().ResultTypes(); {
	case len(types) == 0:
		return 0
	case types[0] == api.ValueTypeI32:
		return uint64(uint32(results[0])) // the other half is anything
	}
	return results[0]
}

// both calls a function of both and compares.
func (w *twins) both(name string, params ...uint64) uint64 {
	w.Helper()
	ours, theirs := w.call(name, params...), w.theirs(name, params...)
	if ours != theirs {
		w.Fatalf("%s(%v) = %d, the kernel's is %d", name, params, ours, theirs)
	}
	return ours
}

// within returns an offset in a block in use with room for n bytes, or one
// beyond all memory. Between blocks the kernel has headers.
func (w *twins) within(x, n uint64) uint64 {
	if offset := w.some(x); w.attempt.Extism.memory.lengthOf(offset) >= n {
		return offset + (x>>8)%(w.attempt.Extism.memory.lengthOf(offset)-n+1)
	}
	return far + x
}

// some returns an offset that was once a block's.
func (w *twins) some(x uint64) uint64 {
	if len(w.blocks) == 0 {
		return 0
	}
	return w.blocks[x%uint64(len(w.blocks))]
}

// step does what one number says.
func (w *twins) step(x uint64) {
	w.Helper()
	op, x := x%32, x/32
	switch op {
	case 0, 1, 2, 3:
		w.both("free", w.some(x)+min(op, x%3))
	case 4:
		w.both("length", w.some(x)+x%7)
	case 5:
		w.both("length_unsafe", w.some(x))
	case 6, 7:
		w.both("load_u64", w.within(x, 8))
	case 8, 9:
		w.both("store_u64", w.within(x, 8), x*0x9E3779B97F4A7C15)
	case 10:
		w.both("load_u8", w.within(x, 1))
	case 11:
		w.both("store_u8", w.within(x, 1), x%256)
	case 12:
		w.both("input_load_u8", x%(2*w.both("input_length")+1))
		w.both("input_load_u64", x%(2*w.both("input_length")+1))
	case 13:
		w.both("output_set", w.some(x)+x%5, (x>>4)%100000)
	case 14:
		w.both("error_set", w.some(x)*(x%4))
	case 15:
		w.both("input_set", w.some(x), w.attempt.Extism.memory.lengthOf(w.some(x)))
	case 16:
		if x%8 == 0 {
			w.both("reset")
		}
	default:
		size := []uint64{x % 40, x % 500, x % 5000, x % (200 << 10), x % (1 << 32)}[min(x>>7%16, 4)]
		w.blocks = append(w.blocks, w.both("alloc", size))
	}
	for _, name := range []string{"input_length", "input_offset", "output_length", "output_offset", "error_get", "memory_bytes"} {
		w.both(name)
	}
}

// TestExtismKernelEdges asks both for sizes at which they begin to do
// something else.
func TestExtismKernelEdges(t *testing.T) {
	const whole = wasmPage - 2*rootSize - headerSize // the largest block before memory grows
	r, code := compileKernel(t)
	w := newTwins(t, r, code, nil)
	room := w.attempt.Extism.memory.limit - wasmPage // by which memory can grow
	sizes := func(first, second uint64, freed bool) {
		t.Helper()
		w := newTwins(t, r, code, nil)
		defer w.kernel.Close(context.Background())
		one := w.both("alloc", first)
		if freed {
			w.both("free", one)
		}
		two := w.both("alloc", second)
		w.both("length", one)
		w.both("length", two)
		w.both("output_set", two, second)
		w.both("output_set", one, base+w.both("memory_bytes")-one)
		w.both("output_length")
		w.both("alloc", 1)
	}
	for d := range uint64(20) {
		sizes(whole-10+d, 1, false)
		sizes(60000, 60000-10+d, true)
		sizes(60000, 60000-splitAt-10+d, true)
		sizes(1000, whole-1000-headerSize-10+d, false)
		sizes(40000, whole-40000-headerSize-10+d, true)
		sizes(room+whole-10+d, 1, false)
	}
}

// FuzzExtismKernel does the same to Extism's kernel and to the memory here,
// and wants the same answers.
func FuzzExtismKernel(f *testing.F) {
	for i := range 8 {
		f.Add(numbers(uint64(i), 600), i*500)
	}
	r, code := compileKernel(f)
	f.Fuzz(func(t *testing.T, steps []byte, payload int) {
		w := newTwins(t, r, code, slices.Repeat([]byte("bee"), payload&0xffff))
		defer w.kernel.Close(context.Background())
		for x := range words(steps) {
			w.step(x)
		}
	})
}
