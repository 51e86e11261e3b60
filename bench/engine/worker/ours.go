package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

// admitCommand is the argument that has this program admit modules.
const admitCommand = "admit"

// options configure the engine that is measured. fresh: an instance for every
// attempt.
func options(cache string, fresh bool) (runtime.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return runtime.Options{}, err
	}
	hosts := hostfuncs.Modules()
	hosts[benchModule] = addMeet
	return runtime.Options{
		CacheDir: cache,
		Fresh:    fresh,
		Admit:    []string{self, admitCommand},
		Host:     hosts,
		Careful:  true,
	}, nil
}

// admit compiles a module first, as a child of the engine.
func admit(ctx context.Context, in io.Reader, out io.Writer) error {
	o, err := options("", false)
	if err != nil {
		return err
	}
	return spore.AdmitFor(ctx, o, in, out)
}

// keepsInstances reports whether there are idle ones in a mode of the engine.
func keepsInstances(mode string) bool { return mode != runtime.ModeNewInstance }

// ours is the engine, by the way every task takes through it.
type ours struct {
	engine *runtime.Engine
	skill  *spore.Program
}

func openOurs(ctx context.Context, o work.Order) (*ours, error) {
	options, err := options(o.Scratch, o.Subject == work.OursFresh)
	if err != nil {
		return nil, err
	}
	engine, err := runtime.New(ctx, options)
	if err != nil {
		return nil, err
	}
	u := &ours{engine: engine}
	if u.skill, err = prepareOurs(ctx, engine, o.Wasm, o.Contract, work.Examples[0].Payload); err != nil {
		u.close()
		return nil, err
	}
	return u, nil
}

// prepareOurs makes the guest at path a skill.
func prepareOurs(ctx context.Context, e *runtime.Engine, path string, c work.Contract, example []byte) (*spore.Program, error) {
	wasm, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &hive.Manifest{Name: "job", Version: "1.0.0", Example: example}
	if c == work.Plugin {
		m.Entry = pluginEntry
	}
	return spore.Prepare(ctx, e, wasm, m)
}

func (u *ours) caller(ctx context.Context) (caller, error) { return callerOf(ctx, u.skill), nil }

// call is the engine's part of the call a spore makes: plugins speak to a host module
// as well.
func call(ctx context.Context, s *spore.Program, payload []byte) hive.Outcome {
	c := runtime.Call{Payload: payload}
	if s.Info().Contract == hive.ContractExtism {
		return s.Run(ctx, &hostfuncs.Attempt{}, c)
	}
	return s.Call(ctx, c)
}

func callerOf(ctx context.Context, s *spore.Program) caller {
	return func(payload []byte) ([]byte, error) {
		out := call(ctx, s, payload)
		if out.Failure != nil {
			return nil, fmt.Errorf("%s: %s", out.Failure.Kind, out.Failure.Message)
		}
		return out.Result, nil
	}
}

func (u *ours) close() { _ = u.engine.Close(context.Background()) }

// benchModule has a function that guests of the memory measurement call.
const benchModule = "bench"

// meetingKey is where that function finds how many are to meet.
type meetingKey struct{}

// addMeet adds meet(), which returns when all that are to meet have called it.
func addMeet(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	meet := func(ctx context.Context, _ []uint64) {
		if m, ok := ctx.Value(meetingKey{}).(*meeting); ok {
			m.join(ctx)
		}
	}
	return b.NewFunctionBuilder().WithGoFunction(api.GoFunc(meet), nil, nil).Export("meet")
}
