package hostfuncs

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/hive-spore/hive"
)

// pluginCalls are calls of plugins that come with Extism's SDK, written in
// Rust, TinyGo, Go, Haskell and by hand.
var pluginCalls = []struct {
	file, entry, input string
	config             map[string]string
	result, failure    string // what Finish returns; "trap: " begins what ends the guest
}{
	{"count_vowels", "count_vowels", "hello world", nil, `{"count":3,"total":3,"vowels":"aeiouAEIOU"}`, ""},
	{"count_vowels", "count_vowels", "hello world", map[string]string{"vowels": "o"}, `{"count":2,"total":2,"vowels":"o"}`, ""},
	{"count_vowels", "count_vowels", "", nil, `{"count":0,"total":0,"vowels":"aeiouAEIOU"}`, ""},
	{"count_vowels", "count_vowels", strings.Repeat("bees ", 50_000), nil, `{"count":100000,"total":100000,"vowels":"aeiouAEIOU"}`, ""},
	{"count_vowels_std", "_start", "hello world", nil, `{"count": 3, "config": "<unset by host>", "a": "this is var a"}`, ""},
	{"hello", "run_test", "", nil, "Hello, world!", ""},
	{"hello_haskell", "testing", "John", map[string]string{"greeting": "Howdy"}, "Howdy, John", ""},
	{"input_offset", "input_offset_length", "hello world", nil, "\x0b\x00\x00\x00\x00\x00\x00\x00", ""},
	{"replace", "run_test", "Frodo and Sam", nil, "Frodo and Sam", ""},
	{"config", "run_test", "", map[string]string{"thing": "hello"}, `{"config": "hello"}`, ""},
	{"config", "run_test", "", nil, `{"config": "<unset by host>"}`, ""},
	{"var", "run_test", "", nil, "a: 0", ""},
	{"log", "run_test", "", nil, "", ""},
	{"fail", "run_test", "", nil, "", "Some error message"},
	{"exit", "_start", "", map[string]string{"code": "500"}, "", "returned 500"},
	{"exit", "_start", "", map[string]string{"code": "0"}, "", ""},
	{"read_write", "try_read", "", map[string]string{"path": "/nowhere"}, "", "Failed to read file: "},
	{"http", "run_test", "", nil, "", "trap: HTTP request to \"https://jsonplaceholder.typicode.com/todos/1\" is not allowed"},
	{"http_headers", "http_get", `{"url":"https://extism.org"}`, nil, "", "trap: HTTP request to \"https://extism.org\" is not allowed"},
}

// TestPlugins runs plugins nobody here wrote, with the functions here and with
// Extism's SDK, and wants the same of both.
func TestPlugins(t *testing.T) {
	cache := wazero.NewCompilationCache()
	t.Cleanup(func() { cache.Close(context.Background()) })
	for _, c := range pluginCalls {
		t.Run(c.file+"/"+c.entry, func(t *testing.T) {
			code := sdkFile(t, "wasm", c.file+".wasm")
			p := newPlugin(t, ExtismOptions{Payload: []byte(c.input), Config: c.config}, hive.GrantLog)
			result, failure := newHost(t, cache, code).run(p, c.entry)
			if string(result) != c.result || !strings.HasPrefix(failure, c.failure) || (failure != "") != (c.failure != "") {
				t.Errorf("%q, failure %q, want %q, %q", result, failure, c.result, c.failure)
			}
			theirs, err := runSDK(t, cache, code, c.entry, c.input, c.config)
			if !bytes.Equal(theirs, result) || (err != nil) != (failure != "") {
				t.Errorf("Extism's SDK: %q, %v", theirs, err)
			}
		})
	}
}

// runSDK calls a plugin as programs that embed Extism do.
func runSDK(t *testing.T, cache wazero.CompilationCache, code []byte, entry, input string, config map[string]string) ([]byte, error) {
	t.Helper()
	ctx := context.Background()
	p, err := extism.NewPlugin(ctx,
		extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: code}}, Config: config},
		extism.PluginConfig{EnableWasi: true, RuntimeConfig: wazero.NewRuntimeConfig().WithCompilationCache(cache)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	p.SetLogger(func(extism.LogLevel, string) {})
	status, output, err := p.Call(entry, []byte(input))
	if err == nil && status != 0 {
		err = errors.New("a status that is not 0")
	}
	if err != nil {
		return nil, err
	}
	return output, nil
}

// host is a compiled plugin and what it imports from.
type host struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

func newHost(t testing.TB, cache wazero.CompilationCache, code []byte) *host {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	t.Cleanup(func() { r.Close(ctx) })
	wasi.MustInstantiate(ctx, r)
	for name, add := range Modules() {
		if _, err := add(r.NewHostModuleBuilder(name)).Instantiate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	compiled, err := r.CompileModule(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	return &host{r, compiled}
}

// run calls a function of a new instance as the engine does.
func (h *host) run(p *plugin, entry string) (result []byte, failure string) {
	p.Helper()
	ctx := With(context.Background(), p.attempt)
	m, err := h.runtime.InstantiateModule(ctx, h.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		p.Fatal(err)
	}
	defer m.Close(ctx)
	if entry != "_start" {
		initialize(ctx, p, m)
	}
	results, err := m.ExportedFunction(entry).Call(ctx)
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		return p.attempt.Extism.Finish(int32(exit.ExitCode()))
	} else if err != nil {
		return nil, "trap: " + err.Error()
	}
	return p.attempt.Extism.Finish(int32(append(results, 0)[0]))
}

// initialize starts the runtime of the plugin's language.
func initialize(ctx context.Context, t testing.TB, m api.Module) {
	t.Helper()
	for _, name := range []string{"_initialize", "hs_init"} {
		if f := m.ExportedFunction(name); f != nil {
			if _, err := f.Call(ctx, make([]uint64, len(f.Definition().ParamTypes()))...); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}

// TestPluginLog: the levels of a plugin's log, with and without the grant.
func TestPluginLog(t *testing.T) {
	h := newHost(t, wazero.NewCompilationCache(), sdkFile(t, "wasm", "log.wasm"))
	p := newPlugin(t, ExtismOptions{}, hive.GrantLog)
	h.run(p, "run_test")
	want := "trace: this is a trace log\ndebug: this is a debug log\ninfo: this is an info log\n" +
		"warn: this is a warning log\nerror: this is an error log\n"
	if p.log.String() != want {
		t.Errorf("logged %q, want %q", &p.log, want)
	}
	p = newPlugin(t, ExtismOptions{})
	if _, failure := h.run(p, "run_test"); failure != "" || p.log.Len() > 0 {
		t.Errorf("without the grant: %q, logged %q", failure, &p.log)
	}
}

// BenchmarkPlugin is what an attempt costs beside the instance, in which a
// plugin may leave what it likes: count_vowels keeps nothing there.
func BenchmarkPlugin(b *testing.B) {
	h := newHost(b, wazero.NewCompilationCache(), sdkFile(b, "wasm", "count_vowels.wasm"))
	ctx := context.Background()
	m, err := h.runtime.InstantiateModule(ctx, h.code, wazero.NewModuleConfig())
	if err != nil {
		b.Fatal(err)
	}
	entry := m.ExportedFunction("count_vowels")
	input := []byte("hello world")
	b.ReportAllocs()
	for b.Loop() {
		e := NewExtism(ExtismOptions{Payload: input})
		results, err := entry.Call(With(ctx, &Attempt{Extism: e}))
		if err != nil {
			b.Fatal(err)
		}
		if result, failure := e.Finish(int32(results[0])); failure != "" || len(result) == 0 {
			b.Fatalf("%q, %s", result, failure)
		}
	}
}

func BenchmarkNewExtism(b *testing.B) {
	input := []byte("hello world")
	b.ReportAllocs()
	for b.Loop() {
		NewExtism(ExtismOptions{Payload: input})
	}
}
