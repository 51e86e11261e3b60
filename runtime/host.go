package runtime

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/hive-spore/hive/runtime/preview1"
)

// The host modules of this package. Options.Host may add functions to them.
const (
	hiveModule   = "hive"
	wasiModule   = wasi.ModuleName
	extismModule = "extism:host/env"
)

// hostModule is one module guests may import from.
type hostModule struct {
	build     func(wazero.Runtime) wazero.HostModuleBuilder
	functions map[string]api.FunctionDefinition
}

// learnVersion has wazero find out its own version, which it caches in a
// variable without a lock, before programs are compiled concurrently.
var learnVersion = sync.OnceFunc(func() {
	ctx := context.Background()
	_ = wazero.NewRuntime(ctx).Close(ctx)
})

type addFunctions = func(wazero.HostModuleBuilder) wazero.HostModuleBuilder

// hostModules joins added with the modules of this package and learns which
// functions they have.
func hostModules(ctx context.Context, added map[string]addFunctions) (map[string]hostModule, error) {
	all := map[string][]addFunctions{}
	for name, add := range added {
		all[name] = append(all[name], add)
	}
	// Ours come last: a later function of the same name wins.
	all[hiveModule] = append(all[hiveModule], addHive)
	all[wasiModule] = append(all[wasiModule], preview1.Add(wasiOf))

	learnVersion()
	// Only its list of functions is wanted, so nothing need be compiled.
	scratch := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer scratch.Close(ctx)
	hosts := map[string]hostModule{}
	for name, adds := range all {
		build := func(r wazero.Runtime) wazero.HostModuleBuilder {
			b := wazero.HostModuleBuilder(counted{r.NewHostModuleBuilder(name)})
			for _, add := range adds {
				b = add(b)
			}
			return b
		}
		code, err := build(scratch).Compile(ctx)
		if err != nil {
			return nil, fmt.Errorf("host module %s: %w", name, err)
		}
		hosts[name] = hostModule{build, code.ExportedFunctions()}
	}
	return hosts, nil
}

// wasiOf is how preview 1 finds what the calling attempt sees.
func wasiOf(ctx context.Context) *preview1.State {
	a := attemptOf(ctx)
	if a.wasi == nil {
		a.wasi = a.world()
	}
	return a.wasi
}

// addMounted adds WASI preview 1 of wazero, whose instances can have files. What
// an attempt opens or closes stays with the instance, which therefore serves
// one attempt only.
func addMounted(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	wasi.NewFunctionExporter().ExportFunctions(b)
	return b.NewFunctionBuilder().
		WithGoFunction(api.GoFunc(renumber), i32s(2), i32s(1)).Export("fd_renumber")
}

// renumber stands in for wazero's fd_renumber, whose table of descriptors
// grows to the number a guest asks for: 16 GiB for fd 2³¹−1.
func renumber(_ context.Context, stack []uint64) {
	const notSupported = 58 // errno notsup
	stack[0] = notSupported
}

// i32s returns n parameters or results of type i32.
func i32s(n int) []api.ValueType {
	return slices.Repeat([]api.ValueType{api.ValueTypeI32}, n)
}
