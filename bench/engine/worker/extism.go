package main

import (
	"context"
	"fmt"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"

	"github.com/hive-spore/hive/bench/engine/work"
)

// pluginEntry is the function of the plugin that does a task.
const pluginEntry = "run"

// plugin makes an Extism plugin for every task, of what was compiled once.
type plugin struct{ *extism.CompiledPlugin }

func openExtism(ctx context.Context, o work.Order) (subject, error) {
	if o.Contract != work.Plugin {
		return nil, unsupported("it is no Extism plugin")
	}
	cache, err := wazero.NewCompilationCacheWithDir(o.Cache + "/extism")
	if err != nil {
		return nil, err
	}
	p, err := extism.NewCompiledPlugin(ctx, extism.Manifest{Wasm: []extism.Wasm{extism.WasmFile{Path: o.Wasm}}},
		extism.PluginConfig{EnableWasi: true, RuntimeConfig: wazero.NewRuntimeConfig().WithCompilationCache(cache)}, nil)
	return plugin{p}, err
}

func (p plugin) caller(ctx context.Context) (caller, error) {
	return func(payload []byte) ([]byte, error) {
		instance, err := p.Instance(ctx, extism.PluginInstanceConfig{})
		if err != nil {
			return nil, err
		}
		defer instance.Close(ctx)
		code, result, err := instance.CallWithContext(ctx, pluginEntry, payload)
		if err == nil && code != 0 {
			err = fmt.Errorf("%s returned %d", pluginEntry, code)
		}
		return result, err
	}, nil
}

func (p plugin) close() { _ = p.CompiledPlugin.Close(context.Background()) }
