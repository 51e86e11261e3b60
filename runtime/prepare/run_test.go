package prepare_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/hive-spore/hive/runtime/prepare"
)

// features are all that Prepare decodes.
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall |
	experimental.CoreFeaturesExtendedConst | experimental.CoreFeaturesThreads

// engines are the ways wazero can run a module.
func engines() map[string]wazero.RuntimeConfig {
	return map[string]wazero.RuntimeConfig{
		"compiler":    wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features),
		"interpreter": wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features),
	}
}

var noStart = wazero.NewModuleConfig().WithStartFunctions().WithName("")

// world runs modules as they are, or prepared.
type world struct {
	wazero.Runtime
	prepared bool
}

func newWorld(tb testing.TB, c wazero.RuntimeConfig, prepared bool) *world {
	w := &world{wazero.NewRuntimeWithConfig(tb.Context(), c), prepared}
	tb.Cleanup(func() { w.Close(context.Background()) })
	return w
}

// instance is one module in a world.
type instance struct {
	api.Module
	prepared *prepare.Module
}

const plenty = math.MaxInt64

// limited is how memory grows: an engine refuses to go beyond what the
// original declares.
type limited struct{ max uint64 }

func (l limited) Allocate(capacity, most uint64) experimental.LinearMemory {
	return &linear{max: min(l.max, most)}
}

type linear struct {
	max uint64
	b   []byte
}

func (l *linear) Reallocate(size uint64) []byte {
	if size > l.max {
		return nil
	}
	l.b = append(l.b, make([]byte, int(size)-len(l.b))...)
	return l.b
}

func (*linear) Free() {}

// instantiate makes an instance as an engine does, with so much fuel.
func (w *world) instantiate(ctx context.Context, wasm []byte, name string, fuel uint64) (*instance, error) {
	config := noStart.WithName(name)
	if !w.prepared {
		m, err := w.InstantiateWithConfig(ctx, wasm, config)
		return &instance{Module: m}, err
	}
	p, err := prepare.Prepare(wasm, prepare.Options{MaxTable: 1 << 24})
	if err != nil {
		return nil, err
	}
	if !p.Memory.Imported && p.Memory.Max > 0 && !shared(p) {
		ctx = experimental.WithMemoryAllocator(ctx, limited{uint64(p.Memory.Max) << 16})
	}
	m, err := w.InstantiateWithConfig(ctx, p.Wasm, config)
	if err != nil {
		return nil, err
	}
	i := &instance{m, p}
	i.global(prepare.Left).Set(fuel)
	return i, i.begin(ctx)
}

func shared(p *prepare.Module) bool { return strings.Contains(p.Unrestorable, "shares") }

// begin does what instantiation leaves to the host.
func (i *instance) begin(ctx context.Context) error {
	for _, s := range i.prepared.Data {
		if !i.apply(s) {
			return errors.New("data outside of memory")
		}
	}
	if !i.prepared.Start {
		return nil
	}
	_, err := i.ExportedFunction(prepare.Start).Call(ctx)
	return err
}

// apply writes to the memory, exported or not.
func (i *instance) apply(s prepare.Segment) bool {
	return i.Memory() != nil && i.Memory().Write(s.Offset, s.Bytes)
}

func (i *instance) global(name string) api.MutableGlobal {
	return i.ExportedGlobal(name).(api.MutableGlobal)
}

// used returns the fuel taken from what instantiate was given.
func (i *instance) used(fuel uint64) int64 {
	return int64(fuel - i.global(prepare.Left).Get() - i.global(prepare.Fuel).Get())
}

// outcome is what a call gave: results or how it trapped.
func outcome(results []uint64, err error) string {
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return "trap: " + first
	}
	return fmt.Sprintf("%x", results)
}
