package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/hive-spore/hive/bench/engine/work"
)

// aTime is a limit that no task comes near: what is measured is having one.
const aTime = time.Minute

// machine is wazero as its users set it up, with the functions of a reactor.
type machine struct {
	wazero.Runtime
	code wazero.CompiledModule
}

// newMachine compiles a guest. wasm is its program.
func newMachine(ctx context.Context, cache string, wasm []byte, config wazero.RuntimeConfig) (*machine, error) {
	compiled, err := wazero.NewCompilationCacheWithDir(cache + "/wazero")
	if err != nil {
		return nil, err
	}
	m := &machine{Runtime: wazero.NewRuntimeWithConfig(ctx, config.WithCompilationCache(compiled))}
	wasi.MustInstantiate(ctx, m)
	if _, err := addReactor(m.NewHostModuleBuilder("hive")).Instantiate(ctx); err != nil {
		return nil, err
	}
	if _, err := addMeet(m.NewHostModuleBuilder(benchModule)).Instantiate(ctx); err != nil {
		return nil, err
	}
	m.code, err = m.CompileModule(ctx, wasm)
	return m, err
}

func (m *machine) close() { _ = m.Close(context.Background()) }

// world is what WASI shows a guest. A new one for every task of a command.
func world() wazero.ModuleConfig {
	return wazero.NewModuleConfig().WithName("").WithArgs("job").
		WithRandSource(rand.Reader).WithSysWalltime().WithSysNanotime()
}

// exchange is what the functions of a reactor work on. It is found in the context.
type exchange struct{ payload, result, message []byte }

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// addReactor adds the functions of docs/abi.md that the guests use.
func addReactor(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	i32 := func(n int) []api.ValueType {
		return bytes.Repeat([]api.ValueType{api.ValueTypeI32}, n)
	}
	read := func(ctx context.Context, m api.Module, stack []uint64) {
		payload := exchangeOf(ctx).payload
		to, ok := m.Memory().Read(uint32(stack[0]), uint32(stack[1]))
		if !ok {
			panic("input_read out of bounds")
		}
		stack[0] = uint64(copy(to, payload[min(uint64(uint32(stack[2])), uint64(len(payload))):]))
	}
	write := func(ctx context.Context, m api.Module, stack []uint64) {
		from, ok := m.Memory().Read(uint32(stack[0]), uint32(stack[1]))
		if !ok {
			panic("output_write out of bounds")
		}
		o := exchangeOf(ctx)
		o.result = append(o.result, from...)
		stack[0] = 0
	}
	fail := func(ctx context.Context, m api.Module, stack []uint64) {
		text, _ := m.Memory().Read(uint32(stack[0]), uint32(stack[1]))
		exchangeOf(ctx).message = bytes.Clone(text)
	}
	return b.
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(read), i32(3), i32(1)).Export("input_read").
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(write), i32(2), i32(1)).Export("output_write").
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(fail), i32(3), nil).Export("fail")
}

// plain instantiates, calls and closes for every task.
type plain struct {
	*machine
	command, limited bool
}

func openPlain(ctx context.Context, o work.Order) (subject, error) {
	if o.Contract == work.Plugin {
		return nil, unsupported("Extism's functions are a module of its own")
	}
	wasm, err := os.ReadFile(o.Wasm)
	if err != nil {
		return nil, err
	}
	limited := o.Subject == work.PlainClose
	m, err := newMachine(ctx, o.Cache, wasm, wazero.NewRuntimeConfig().WithCloseOnContextDone(limited))
	if err != nil {
		return nil, err
	}
	return plain{m, o.Contract == work.Command, limited}, nil
}

func (p plain) caller(ctx context.Context) (caller, error) {
	call := p.react
	if p.command {
		call = p.run
	}
	return func(payload []byte) ([]byte, error) {
		if !p.limited {
			return call(ctx, payload)
		}
		ctx, cancel := context.WithTimeout(ctx, aTime)
		defer cancel()
		return call(ctx, payload)
	}, nil
}

// reactorWorld is not of a task: a reactor gets its payload by input_read.
var reactorWorld = world().WithStartFunctions("_initialize")

func (p plain) react(ctx context.Context, payload []byte) ([]byte, error) {
	o := &exchange{payload: payload}
	ctx = context.WithValue(ctx, exchangeKey{}, o)
	instance, err := p.InstantiateModule(ctx, p.code, reactorWorld)
	if err != nil {
		return nil, err
	}
	defer instance.Close(ctx)
	return o.answer(instance.ExportedFunction("hive_run").Call(ctx, uint64(len(payload))))
}

// answer is the result of a task, of which hive_run returned code.
func (o *exchange) answer(code []uint64, err error) ([]byte, error) {
	switch {
	case err != nil:
		return nil, err
	case code[0] != 0:
		return nil, fmt.Errorf("hive_run returned %d: %s", code[0], o.message)
	}
	return o.result, nil
}

func (p plain) run(ctx context.Context, payload []byte) ([]byte, error) {
	var out bytes.Buffer
	config := world().WithStdin(bytes.NewReader(payload)).WithStdout(&out)
	instance, err := p.InstantiateModule(ctx, p.code, config) // and calls _start
	if exit, ok := errors.AsType[*sys.ExitError](err); err != nil && !(ok && exit.ExitCode() == 0) {
		return nil, err
	}
	if instance != nil {
		_ = instance.Close(ctx)
	}
	return out.Bytes(), nil
}
