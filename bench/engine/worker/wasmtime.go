//go:build cgo

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/bytecodealliance/wasmtime-go/v39"

	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/runtime"
)

// wasm is wasmtime: a store and an instance for every task. It sets no limit
// of time, which would cost it something.
type wasm struct {
	engine *wasmtime.Engine
	module *wasmtime.Module
}

func openWasmtime(o work.Order) (subject, error) {
	if o.Contract != work.Reactor {
		return nil, unsupported("wasmtime-go gives a program files only as its standard input and output")
	}
	code, err := os.ReadFile(o.Wasm)
	if err != nil {
		return nil, err
	}
	w := &wasm{engine: wasmtime.NewEngine()}
	w.module, err = w.compile(code, fmt.Sprintf("%s/%s.wasmtime-v39", o.Cache, runtime.Digest(code)[len("sha256:"):]))
	return w, err
}

// compile takes the module from the file, or compiles it and leaves it there.
func (w *wasm) compile(code []byte, file string) (*wasmtime.Module, error) {
	if m, err := wasmtime.NewModuleDeserializeFile(w.engine, file); err == nil {
		return m, nil
	}
	m, err := wasmtime.NewModule(w.engine, code)
	if err != nil {
		return nil, err
	}
	compiled, err := m.Serialize()
	if err != nil {
		return nil, err
	}
	return m, keep(file, compiled)
}

func (w *wasm) close() { w.module.Close() }

func (w *wasm) caller(context.Context) (caller, error) {
	linker, err := w.linker()
	if err != nil {
		return nil, err
	}
	return func(payload []byte) ([]byte, error) {
		o := &exchange{payload: payload}
		store := wasmtime.NewStoreWithData(w.engine, o)
		defer store.Close()
		store.SetWasi(wasmtime.NewWasiConfig())
		instance, err := linker.Instantiate(store, w.module)
		if err != nil {
			return nil, err
		}
		if start := instance.GetFunc(store, "_initialize"); start != nil {
			if _, err := start.Call(store); err != nil {
				return nil, err
			}
		}
		code, err := instance.GetFunc(store, "hive_run").Call(store, int32(len(payload)))
		if err != nil {
			return nil, err
		}
		return o.answer([]uint64{uint64(code.(int32))}, nil)
	}, nil
}

// linker has the same functions as a reactor gets of the others.
func (w *wasm) linker() (*wasmtime.Linker, error) {
	l := wasmtime.NewLinker(w.engine)
	if err := l.DefineWasi(); err != nil {
		return nil, err
	}
	for name, f := range map[string]any{
		"input_read": func(c *wasmtime.Caller, ptr, length, offset int32) int32 {
			payload := c.Data().(*exchange).payload
			to := memory(c)[uint32(ptr):][:uint32(length)]
			return int32(copy(to, payload[min(int(uint32(offset)), len(payload)):]))
		},
		"output_write": func(c *wasmtime.Caller, ptr, length int32) int32 {
			o := c.Data().(*exchange)
			o.result = append(o.result, memory(c)[uint32(ptr):][:uint32(length)]...)
			return 0
		},
		"fail": func(c *wasmtime.Caller, ptr, length, _ int32) {
			c.Data().(*exchange).message = append([]byte(nil), memory(c)[uint32(ptr):][:uint32(length)]...)
		},
	} {
		if err := l.FuncWrap("hive", name, f); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func memory(c *wasmtime.Caller) []byte { return c.GetExport("memory").Memory().UnsafeData(c) }
