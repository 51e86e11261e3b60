package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/bench/report"
)

// leastTurns is how often a function is called at least, its budget or not.
const leastTurns = 3

// way is one of the ways a kernel runs.
type way struct {
	instance api.Module
	metered  bool
}

// measureKernels takes turns: as it is, metered, and as it is with a context
// that may end.
func measureKernels(ctx context.Context, o work.Order) (r work.Result, err error) {
	wasm, err := os.ReadFile(o.Wasm)
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asIs, err := newMachine(ctx, o.Cache, wasm, wazero.NewRuntimeConfig())
	if err != nil {
		return r, err
	}
	defer asIs.close()
	metered, prepared, err := newMetered(ctx, o.Cache, wasm)
	if err != nil {
		return r, err
	}
	defer metered.close()
	closing, err := newMachine(ctx, o.Cache, wasm, wazero.NewRuntimeConfig().WithCloseOnContextDone(true))
	if err != nil {
		return r, err
	}
	defer closing.close()

	ways := make([]way, 3)
	for i, m := range []*machine{asIs, metered, closing} {
		ways[i].metered = m == metered
		p := prepared
		if !ways[i].metered {
			p = nil
		}
		if ways[i].instance, err = m.instantiate(ctx, p); err != nil {
			return r, err
		}
	}
	for _, name := range o.Functions {
		k, err := turns(ctx, name, ways, o.Budget)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		r.Kernels = append(r.Kernels, k)
	}
	return r, nil
}

// turns calls a function in all ways alternately. Each has to give the same.
func turns(ctx context.Context, name string, ways []way, budget time.Duration) (k work.Kernel, err error) {
	times := make([][]float64, len(ways))
	begun := time.Now()
	for turn := 0; turn < leastTurns+1 || time.Since(begun) < budget; turn++ {
		var want uint64
		for i, w := range ways {
			if w.metered {
				refuel(w.instance)
			}
			f := w.instance.ExportedFunction(name)
			if f == nil {
				return k, fmt.Errorf("the guest has no such function")
			}
			started := time.Now()
			got, err := f.Call(ctx)
			if err != nil {
				return k, err
			}
			if turn > 0 { // the first one warms up
				times[i] = append(times[i], micros(time.Since(started)))
			}
			if i == 0 {
				want = got[0]
			} else if got[0] != want {
				return k, fmt.Errorf("gave %d and %d", want, got[0])
			}
		}
	}
	plain := report.Median(times[0])
	return work.Kernel{Name: name, Micros: plain, Metered: report.Median(times[1]) / plain, Closing: report.Median(times[2]) / plain}, nil
}
