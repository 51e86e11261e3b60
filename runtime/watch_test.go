package runtime

import (
	"context"
	goruntime "runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
)

// hook is a context that does something when it is first asked for its end.
type hook struct {
	context.Context
	once *sync.Once
	do   func()
}

func (h hook) Done() <-chan struct{} {
	h.once.Do(h.do)
	return nil
}

// TestNoAttemptGoesUnwatched: one that a late look took for its predecessor, of the
// same place in memory, begins just as a look is about to be the last one.
func TestNoAttemptGoesUnwatched(t *testing.T) {
	s := skillOf(t, command(spin).bytes(), hive.Manifest{})
	w := &s.engine.watch
	instanceFor := func(a *attempt) *instance {
		i, err := s.get(a)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	late := s.attempt(t.Context(), Call{}, 20*time.Millisecond)
	late.seen.Store(true) // by that look
	i := instanceFor(late)
	var running sync.WaitGroup
	begin := func() {
		running.Go(func() { wantStopped(t, late.in(i)) })
		for i.runs.Load() == nil {
			goruntime.Gosched()
		}
	}
	early := s.attempt(hook{t.Context(), new(sync.Once), begin}, Call{}, 0)
	j := instanceFor(early)
	w.on.Store(true) // the look below: no other comes
	early.enter(j)
	early.seen.Store(true)
	w.look() // watches early, which lets late begin
	running.Wait()
	early.leave()
	for _, a := range []*attempt{early, late} {
		a.over()
	}
	s.put(i, true)
	s.put(j, true)
}

func wantStopped(t *testing.T, f *hive.Failure) {
	t.Helper()
	if f == nil || f.Kind != hive.FailTimeout {
		t.Errorf("failure = %v, want a timeout", f)
	}
}

// TestHostClosesModule: as functions of other hosts do to end a guest. Nothing is
// left of such an instance.
func TestHostClosesModule(t *testing.T) {
	leave := func(ctx context.Context, m api.Module, _ []uint64) {
		_ = m.CloseWithExitCode(ctx, 7)
		panic(sys.NewExitError(7))
	}
	e := newEngine(t, Options{Host: map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder{
		told.module: func(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
			return b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(leave), nil, nil).Export(told.name)
		},
	}})
	g := command(call(0))
	g.imports = []imported{told}
	s := skillIn(t, e, g.bytes(), hive.Manifest{})
	for range 3 {
		wantFailure(t, s.Call(t.Context(), Call{}), hive.FailExit, "exit code 7")
	}
	e.watch.mu.Lock()
	defer e.watch.mu.Unlock()
	if len(e.watch.all) > 0 || e.Held() != 0 {
		t.Errorf("%d instances are watched, %d bytes held", len(e.watch.all), e.Held())
	}
}

// TestPluginThatSpeaksWhileItStarts: what it was given then is of the state of one
// attempt. So it starts with each of them.
func TestPluginThatSpeaksWhileItStarts(t *testing.T) {
	wasm := startingPlugin()
	e := newEngine(t, Options{Host: hostfuncs.Modules(), Careful: true})
	start := hostfuncs.With(t.Context(), &hostfuncs.Attempt{Extism: hostfuncs.NewExtism(hostfuncs.ExtismOptions{})})
	s, err := e.Prepare(start, wasm, &hive.Manifest{Name: "x", Version: "1.0.0", Entry: "run"})
	if err != nil {
		t.Fatal(err)
	}
	if i := s.Info(); i.Mode != ModeNewInstance || i.Reason != "starting it before an attempt fails: it calls extism:host/env" {
		t.Errorf("mode %s: %s", i.Mode, i.Reason)
	}
	for range 3 {
		x := hostfuncs.NewExtism(hostfuncs.ExtismOptions{})
		wantResult(t, s.Call(hostfuncs.With(t.Context(), &hostfuncs.Attempt{Extism: x}), Call{Plugin: x}), "A")
	}
}

// startingPlugin allocates a block while it starts, and answers with it.
func startingPlugin() []byte {
	imports := func(name string, typ int) []byte {
		return slices.Concat(text(extismModule), text(name), []byte{0}, uleb(typ))
	}
	bodyOf := func(c ...[]byte) []byte {
		b := slices.Concat(append([][]byte{{0}}, append(c, end)...)...)
		return append(uleb(len(b)), b...)
	}
	return slices.Concat(header,
		section(1, vec([]byte{0x60, 1, 0x7e, 1, 0x7e}, []byte{0x60, 2, 0x7e, 0x7e, 0}, []byte{0x60, 2, 0x7e, 0x7f, 0}, []byte{0x60, 0, 1, 0x7f}, []byte{0x60, 0, 0})),
		section(2, vec(imports("alloc", 0), imports("output_set", 1), imports("store_u8", 2))),
		section(3, vec(uleb(3), uleb(4))),
		section(5, vec([]byte{0, 1})),
		section(6, vec([]byte{0x7e, 1, 0x42, 0, 0x0b})),
		section(7, vec(slices.Concat(text("run"), []byte{0, 3}), slices.Concat(text("_initialize"), []byte{0, 4}))),
		section(10, vec(
			bodyOf([]byte{0x23, 0, 0x42, 1, 0x10, 1}, num(0)),
			bodyOf([]byte{0x42, 1, 0x10, 0, 0x24, 0}, []byte{0x23, 0}, num('A'), []byte{0x10, 2}),
		)))
}
