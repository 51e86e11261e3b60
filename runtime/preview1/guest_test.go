package preview1

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const page = 1 << 16

// stateKey is where the tests keep an attempt's State in a context.
type stateKey struct{}

func stateOf(ctx context.Context) *State {
	s, _ := ctx.Value(stateKey{}).(*State)
	return s
}

func with(s *State) context.Context { return context.WithValue(context.Background(), stateKey{}, s) }

// ours and wazeros are two implementations of the same functions.
func ours(b wazero.HostModuleBuilder) wazero.HostModuleBuilder { return Add(stateOf)(b) }

func wazeros(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	wasi.NewFunctionExporter().ExportFunctions(b)
	return b
}

type implementation = func(wazero.HostModuleBuilder) wazero.HostModuleBuilder

// newRuntime returns a runtime that offers the functions.
func newRuntime(t testing.TB, add implementation) wazero.Runtime {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { r.Close(ctx) })
	if _, err := add(r.NewHostModuleBuilder(ModuleName)).Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	return r
}

// caller is a guest that exports each function of preview 1, by handing its
// parameters to the host's.
type caller struct {
	t testing.TB
	api.Module
}

func newCaller(t testing.TB, add implementation, config wazero.ModuleConfig) caller {
	t.Helper()
	m, err := newRuntime(t, add).InstantiateWithConfig(context.Background(), callerModule(1), config)
	if err != nil {
		t.Fatal(err)
	}
	return caller{t, m}
}

// call returns the function's answer. An exit is the negative of its code.
func (c caller) call(ctx context.Context, name string, params ...uint64) int64 {
	c.t.Helper()
	answer, err := c.ExportedFunction(name).Call(ctx, params...)
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return -int64(exit.ExitCode())
	}
	if err != nil {
		c.t.Fatalf("%s%v: the host panicked: %v", name, params, err)
	}
	return int64(answer[0])
}

// want reports another answer than this.
func (c caller) want(ctx context.Context, e errno, name string, params ...uint64) {
	c.t.Helper()
	if got := c.call(ctx, name, params...); got != int64(e) {
		c.t.Errorf("%s%v = %d, want %d", name, params, got, e)
	}
}

// do is call for parameters of which some are paths: an address and a length.
func (c caller) do(ctx context.Context, name string, params ...any) int64 {
	c.t.Helper()
	return c.call(ctx, name, c.spell(params)...)
}

// wants is want for such parameters.
func (c caller) wants(ctx context.Context, e errno, name string, params ...any) {
	c.t.Helper()
	if got := c.do(ctx, name, params...); got != int64(e) {
		c.t.Errorf("%s%q = %d, want %d", name, params, got, e)
	}
}

// spell writes the paths to the guest's memory, one after the other.
func (c caller) spell(params []any) (p []uint64) {
	at := uint32(pathsAt)
	for _, param := range params {
		switch param := param.(type) {
		case int:
			p = append(p, uint64(param))
		case string:
			c.Memory().WriteString(at, param)
			p = append(p, uint64(at), uint64(len(param)))
			at += uint32(len(param))
		}
	}
	return p
}

// pathsAt is where paths are in the guest's memory.
const pathsAt = 40_000

// put writes numbers of four bytes to the guest's memory.
func (c caller) put(ptr uint32, words ...uint32) {
	for i, w := range words {
		c.Memory().WriteUint32Le(ptr+uint32(i)*4, w)
	}
}

// text returns n bytes of the guest's memory.
func (c caller) text(ptr, n uint32) string {
	b, _ := c.Memory().Read(ptr, n)
	return string(b)
}

func (c caller) u32(ptr uint32) uint32 { v, _ := c.Memory().ReadUint32Le(ptr); return v }

func (c caller) u64(ptr uint32) uint64 { v, _ := c.Memory().ReadUint64Le(ptr); return v }

// all lists the functions with proc_exit.
func all() (names, params []string) {
	for _, f := range functions {
		names, params = append(names, f.name), append(params, f.params)
	}
	return append(names, "proc_exit"), append(params, "i")
}

// callerModule assembles the caller, with pages of memory (-1: none). Type i
// is that of import i and of function i, which exports it.
func callerModule(pages int) []byte {
	names, params := all()
	var typeItems, imports, funcs, exports, bodies [][]byte
	for i, name := range names {
		results := vec([]byte{0x7f})
		if name == "proc_exit" {
			results = vec()
		}
		letters := strings.NewReplacer("i", "\x7f", "I", "\x7e").Replace(params[i])
		typeItems = append(typeItems, slices.Concat([]byte{0x60}, text(letters), results))
		imports = append(imports, slices.Concat(text(ModuleName), text(name), []byte{0}, uleb(i)))
		funcs = append(funcs, uleb(i))
		exports = append(exports, slices.Concat(text(name), []byte{0}, uleb(len(names)+i)))
		var code []byte
		for p := range len(letters) {
			code = append(code, 0x20, byte(p)) // local.get p
		}
		body := slices.Concat([]byte{0}, code, []byte{0x10}, uleb(i), []byte{0x0b}) // call i, end
		bodies = append(bodies, append(uleb(len(body)), body...))
	}
	out := slices.Concat([]byte("\x00asm\x01\x00\x00\x00"), section(1, typeItems), section(2, imports), section(3, funcs))
	if pages >= 0 {
		out = append(out, section(5, [][]byte{append([]byte{0}, uleb(pages)...)})...)
		exports = append(exports, append(text("memory"), 2, 0))
	}
	return slices.Concat(out, section(7, exports), section(10, bodies))
}

func uleb(n int) []byte          { return binary.AppendUvarint(nil, uint64(n)) }
func text(s string) []byte       { return append(uleb(len(s)), s...) }
func vec(items ...[]byte) []byte { return append(uleb(len(items)), slices.Concat(items...)...) }
func section(id byte, items [][]byte) []byte {
	body := vec(items...)
	return slices.Concat([]byte{id}, uleb(len(body)), body)
}

// world is what two implementations are shown alike, clocks that stand still
// included, and what they made of it.
type world struct {
	stdout, stderr bytes.Buffer
	slept          []time.Duration
}

const (
	wallSec, wallNsec = 1_700_000_000, 123_456_789
	monoNsec          = 5_000_000_001
)

var (
	worldArgs  = []string{"prog", "", "-v", "ünï"}
	worldEnv   = []string{"HOME=/", "EMPTY="}
	worldStdin = "the queen is in the hive"
)

func worldWall() (int64, int32) { return wallSec, wallNsec }
func worldNano() int64          { return monoNsec }

// countUp is a source of random numbers, of which 3 follows 2.
type countUp struct{ n byte }

func (c *countUp) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = c.n
		c.n++
	}
	return len(p), nil
}

func (w *world) state() *State {
	return &State{
		Args: worldArgs, Env: worldEnv, Stdin: []byte(worldStdin),
		Stdout: &w.stdout, Stderr: &w.stderr,
		World: fixed{new(countUp), func(d time.Duration) { w.slept = append(w.slept, d) }},
	}
}

// fixed is a world whose clocks stand still.
type fixed struct {
	io.Reader
	slept func(time.Duration)
}

func (fixed) Realtime() int64                            { return wallSec*1e9 + wallNsec }
func (fixed) Monotonic() int64                           { return monoNsec }
func (f fixed) Sleep(_ context.Context, d time.Duration) { f.slept(d) }

func (w *world) config() wazero.ModuleConfig {
	c := wazero.NewModuleConfig().WithArgs(worldArgs...).WithStartFunctions().
		WithStdin(struct{ io.Reader }{strings.NewReader(worldStdin)}).WithStdout(&w.stdout).WithStderr(&w.stderr).
		WithWalltime(worldWall, 1000).WithNanotime(worldNano, 1).WithRandSource(new(countUp)).
		WithNanosleep(func(ns int64) { w.slept = append(w.slept, time.Duration(ns)) })
	for _, entry := range worldEnv {
		k, v, _ := strings.Cut(entry, "=")
		c = c.WithEnv(k, v)
	}
	return c
}
