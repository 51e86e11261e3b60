package runtime

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// counted builds host functions that count their calls in the attempt.
type counted struct {
	wazero.HostModuleBuilder
	plugin bool // they are those of Extism
}

// NewFunctionBuilder implements wazero.HostModuleBuilder.
func (c counted) NewFunctionBuilder() wazero.HostFunctionBuilder {
	return countedFunction{c.HostModuleBuilder.NewFunctionBuilder(), c.plugin}
}

// countedFunction wraps what every method returns, or the next would not count.
type countedFunction struct {
	wazero.HostFunctionBuilder
	plugin bool
}

func (c countedFunction) count(ctx context.Context) {
	a := attemptOf(ctx)
	a.receipt.HostCalls++
	a.spoke = a.spoke || c.plugin
}

// WithGoModuleFunction implements wazero.HostFunctionBuilder.
func (c countedFunction) WithGoModuleFunction(f api.GoModuleFunction, params, results []api.ValueType) wazero.HostFunctionBuilder {
	counting := func(ctx context.Context, m api.Module, stack []uint64) {
		c.count(ctx)
		f.Call(ctx, m, stack)
	}
	return countedFunction{c.HostFunctionBuilder.WithGoModuleFunction(api.GoModuleFunc(counting), params, results), c.plugin}
}

// WithGoFunction implements wazero.HostFunctionBuilder.
func (c countedFunction) WithGoFunction(f api.GoFunction, params, results []api.ValueType) wazero.HostFunctionBuilder {
	counting := func(ctx context.Context, stack []uint64) {
		c.count(ctx)
		f.Call(ctx, stack)
	}
	return countedFunction{c.HostFunctionBuilder.WithGoFunction(api.GoFunc(counting), params, results), c.plugin}
}

// WithFunc implements wazero.HostFunctionBuilder. Such functions are not counted:
// they are called by reflection, which no function of the hive is.
func (c countedFunction) WithFunc(f any) wazero.HostFunctionBuilder {
	return countedFunction{c.HostFunctionBuilder.WithFunc(f), c.plugin}
}

// WithName implements wazero.HostFunctionBuilder.
func (c countedFunction) WithName(name string) wazero.HostFunctionBuilder {
	return countedFunction{c.HostFunctionBuilder.WithName(name), c.plugin}
}

// WithParameterNames implements wazero.HostFunctionBuilder.
func (c countedFunction) WithParameterNames(names ...string) wazero.HostFunctionBuilder {
	return countedFunction{c.HostFunctionBuilder.WithParameterNames(names...), c.plugin}
}

// WithResultNames implements wazero.HostFunctionBuilder.
func (c countedFunction) WithResultNames(names ...string) wazero.HostFunctionBuilder {
	return countedFunction{c.HostFunctionBuilder.WithResultNames(names...), c.plugin}
}

// Export implements wazero.HostFunctionBuilder.
func (c countedFunction) Export(name string) wazero.HostModuleBuilder {
	return counted{c.HostFunctionBuilder.Export(name), c.plugin}
}
