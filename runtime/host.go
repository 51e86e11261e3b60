package runtime

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive/runtime/prepare"
	"github.com/hive-spore/hive/runtime/preview1"
)

// The host modules of this package. Options.Host may add functions to them.
const (
	hiveModule   = "hive"
	wasiModule   = preview1.ModuleName
	extismModule = "extism:host/env"
)

// hostModule is one module guests may import from.
type hostModule struct {
	build     func(wazero.Runtime) wazero.HostModuleBuilder
	functions map[string]api.FunctionDefinition
	ours      map[string]api.FunctionDefinition // those that this package adds
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
	ours := map[string]addFunctions{hiveModule: addHive, wasiModule: preview1.Add(wasiOf)}
	all := map[string][]addFunctions{}
	for name, add := range added {
		all[name] = append(all[name], add)
	}
	for name, add := range ours { // last: a later function of the same name wins
		all[name] = append(all[name], add)
	}

	learnVersion()
	// Only lists of functions are wanted, so nothing need be compiled.
	scratch := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer scratch.Close(ctx)
	hosts := map[string]hostModule{}
	for name, adds := range all {
		host := hostModule{build: func(r wazero.Runtime) wazero.HostModuleBuilder {
			return build(r, name, adds...)
		}}
		code, err := host.build(scratch).Compile(ctx)
		if err != nil {
			return nil, fmt.Errorf("host module %s: %w", name, err)
		}
		host.functions = code.ExportedFunctions()
		if add, ok := ours[name]; ok {
			if code, err = build(scratch, name, add).Compile(ctx); err != nil {
				return nil, fmt.Errorf("host module %s: %w", name, err)
			}
			host.ours = code.ExportedFunctions()
		}
		hosts[name] = host
	}
	return hosts, nil
}

func build(r wazero.Runtime, name string, adds ...addFunctions) wazero.HostModuleBuilder {
	b := wazero.HostModuleBuilder(counted{r.NewHostModuleBuilder(name), name == extismModule})
	for _, add := range adds {
		b = add(b)
	}
	return b
}

// foreign reports whether a program imports functions of others. They may let
// another goroutine write to its memory while they wait for it, which is not seen
// in the account of the guest's thread.
func foreign(p *prepare.Module, hosts map[string]hostModule) bool {
	return slices.ContainsFunc(p.Imports, func(i prepare.Import) bool {
		_, ours := hosts[i.Module].ours[i.Name]
		return !ours
	})
}

// wasiOf is how preview 1 finds what the calling attempt sees.
func wasiOf(ctx context.Context) *preview1.State {
	a := attemptOf(ctx)
	if a.wasi == nil {
		a.wasi = a.preview1()
	}
	return a.wasi
}

// i32s returns n parameters or results of type i32.
func i32s(n int) []api.ValueType {
	return slices.Repeat([]api.ValueType{api.ValueTypeI32}, n)
}
