package runtime

import (
	"context"
	"encoding/binary"
	goruntime "runtime"
	"runtime/pprof"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// TestSleepersHoldNoThreads: Go ends a process of 10,000 threads.
func TestSleepersHoldNoThreads(t *testing.T) {
	const sleepers = 300
	s := skillIn(t, newEngine(t, tell(func(context.Context) {})), sleeper().bytes(), hive.Manifest{})
	ctx, cancel := context.WithCancel(t.Context())
	var asleep sync.WaitGroup
	before := pprof.Lookup("threadcreate").Count()
	for range sleepers {
		asleep.Go(func() { s.Call(ctx, Call{}) })
	}
	for len(s.engine.watch.running()) < sleepers {
		goruntime.Gosched()
	}
	if made := pprof.Lookup("threadcreate").Count() - before; made > sleepers/3 {
		t.Errorf("%d sleepers took %d threads", sleepers, made)
	}
	cancel()
	asleep.Wait()
	if n := threadsHeld(); n != 0 {
		t.Errorf("%d threads are still held", n)
	}
}

func threadsHeld() (n int64) {
	for lane := range guestThreads {
		n += guestThreads[lane].Load()
	}
	return n
}

// TestWithoutThreads: guests that get no thread of their own are restored and
// stopped all the same.
func TestWithoutThreads(t *testing.T) {
	for lane := range guestThreads {
		guestThreads[lane].Add(maxThreads)
		defer guestThreads[lane].Add(-maxThreads)
	}
	s := skillOf(t, counter().bytes(), hive.Manifest{})
	for range 100 {
		wantResult(t, s.Call(t.Context(), Call{}), once)
	}
	if n := threadsHeld(); n != maxThreads*lanes {
		t.Errorf("%d threads are held, want %d", n, maxThreads*lanes)
	}
}

// TestWritesOfOtherThreads: a host function may let another goroutine write to the
// guest's memory, each time to a page that nobody wrote to before.
func TestWritesOfOtherThreads(t *testing.T) {
	at := uint32(0)
	write := func(_ context.Context, m api.Module, _ []uint64) {
		var other sync.WaitGroup
		other.Go(func() { m.Memory().WriteUint32Le(at, 0xdead) })
		other.Wait()
	}
	e := newEngine(t, Options{Host: map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder{
		told.module: func(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
			return b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(write), nil, nil).Export(told.name)
		},
	}})
	g := command(call(0))
	g.imports, g.memory = []imported{told}, []byte{0, 0x80, 0x08}
	s := skillIn(t, e, g.bytes(), hive.Manifest{})
	for range 500 {
		at += kernelPage
		wantResult(t, s.Call(t.Context(), Call{}), "")
		if left := binary.LittleEndian.Uint32(idle(t, s).memory.bytes[at:]); left != 0 {
			t.Fatalf("what was written at %d is still there", at)
		}
	}
}
