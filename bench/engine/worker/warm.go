package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/runtime/prepare"
)

// warm calls one instance again and again, the fastest way wazero has. Every
// task sees what the one before left behind.
type warm struct {
	*machine
	metered *prepare.Module // nil: as it is
}

func openWarm(ctx context.Context, o work.Order) (subject, error) {
	if o.Contract != work.Reactor {
		return nil, unsupported("it can be called once only")
	}
	wasm, err := os.ReadFile(o.Wasm)
	if err != nil {
		return nil, err
	}
	if o.Subject == work.Warm {
		m, err := newMachine(ctx, o.Cache, wasm, wazero.NewRuntimeConfig())
		return warm{m, nil}, err
	}
	m, prepared, err := newMetered(ctx, o.Cache, wasm)
	return warm{m, prepared}, err
}

// newMetered compiles a guest after it was prepared.
func newMetered(ctx context.Context, cache string, wasm []byte) (*machine, *prepare.Module, error) {
	prepared, err := prepare.Prepare(wasm, prepare.Options{})
	if err != nil {
		return nil, nil, err
	}
	m, err := newMachine(ctx, cache, prepared.Wasm, wazero.NewRuntimeConfig())
	return m, prepared, err
}

// instantiate makes an instance that is ready to be called. prepared: nil if it
// is not metered.
func (m *machine) instantiate(ctx context.Context, prepared *prepare.Module) (api.Module, error) {
	instance, err := m.InstantiateModule(ctx, m.code, world().WithStartFunctions())
	if err != nil {
		return nil, err
	}
	start := []string{"_initialize"}
	if prepared != nil {
		refuel(instance)
		for _, s := range prepared.Data {
			if !instance.Memory().Write(s.Offset, s.Bytes) {
				return nil, errors.New("data lies outside of the memory")
			}
		}
		if prepared.Start {
			start = []string{prepare.Start, "_initialize"}
		}
	}
	for _, name := range start {
		if f := instance.ExportedFunction(name); f != nil {
			if _, err := f.Call(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return instance, nil
}

// refuel gives a metered instance more than it can use.
func refuel(instance api.Module) {
	instance.ExportedGlobal(prepare.Left).(api.MutableGlobal).Set(math.MaxInt64)
}

func (w warm) caller(ctx context.Context) (caller, error) {
	o := &exchange{}
	ctx = context.WithValue(ctx, exchangeKey{}, o)
	instance, err := w.instantiate(ctx, w.metered)
	if err != nil {
		return nil, err
	}
	run := instance.ExportedFunction("hive_run")
	var stack [1]uint64
	return func(payload []byte) ([]byte, error) {
		o.payload, o.result = payload, o.result[:0]
		stack[0] = uint64(len(payload))
		err := run.CallWithStack(ctx, stack[:])
		return o.answer(stack[:], err)
	}, nil
}
