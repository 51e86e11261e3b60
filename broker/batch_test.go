package broker

import (
	"context"
	"errors"
	goruntime "runtime"
	"sync"
	"testing"
	"testing/synctest"
)

// gate is a flush that waits until it is let through.
type gate struct {
	mu      sync.Mutex
	batches [][]int
	open    chan struct{}
	err     error
}

func (g *gate) flush(_ context.Context, items []int) ([]int, error) {
	g.mu.Lock()
	g.batches = append(g.batches, items)
	g.mu.Unlock()
	<-g.open
	if g.err != nil {
		return nil, g.err
	}
	doubled := make([]int, len(items))
	for i, n := range items {
		doubled[i] = 2 * n
	}
	return doubled, nil
}

func newGate() (*gate, *batcher[int, int]) {
	g := &gate{open: make(chan struct{})}
	b := newBatcher(g.flush, func(int) int { return 1 })
	return g, &b
}

func TestBatcherJoinsWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, b := newGate()
		const callers = 1000
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				if got, err := b.do(t.Context(), i); got != 2*i || err != nil {
					t.Errorf("do(%d) = %d, %v", i, got, err)
				}
			})
		}
		synctest.Wait() // two flights are out, the rest waits
		if len(g.batches) != batchFlights {
			t.Errorf("%d flights at once, want %d", len(g.batches), batchFlights)
		}
		close(g.open)
		wg.Wait()
		// What waits goes in full batches until one takes the last of it. A caller that
		// was given another flight by then may find the queue empty and fly with nobody
		// but itself: each of the other flights can add one more batch.
		const waited = callers - batchFlights
		want := batchFlights + (waited+batchCalls-1)/batchCalls + batchFlights - 1
		if len(g.batches) > want {
			t.Errorf("%d callers took %d batches, want at most %d", callers, len(g.batches), want)
		}
		if b.flights != 0 || len(b.queue) != 0 {
			t.Errorf("%d flights and %d calls left", b.flights, len(b.queue))
		}
	})
}

// TestBatcherTakesAlong: who flies beside another takes along who is about to call. It is
// not parallel: on one processor what is about to run does so when another gives way.
func TestBatcherTakesAlong(t *testing.T) {
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	out, hold, together := make(chan struct{}), make(chan struct{}), 0
	b := newBatcher(func(_ context.Context, items []int) ([]int, error) {
		if items[0] == 0 {
			close(out)
			<-hold
		}
		if len(items) == 2 {
			together++
		}
		return items, nil
	}, func(int) int { return 1 })
	var first, others sync.WaitGroup
	first.Go(func() { b.do(t.Context(), 0) })
	<-out
	const pairs = 100
	for i := range pairs {
		others.Go(func() { b.do(t.Context(), 1000+i) })
		b.do(t.Context(), 1+i)
		others.Wait()
	}
	close(hold)
	first.Wait()
	if together < pairs*3/4 { // now and then the scheduler goes on with who gave way
		t.Errorf("%d of %d pairs of callers flew together, want most", together, pairs)
	}
}

func TestBatcherCallerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, b := newGate()
		var wg sync.WaitGroup
		for i := range batchFlights {
			wg.Go(func() { b.do(t.Context(), i) })
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { _, err := b.do(ctx, 7); left <- err }()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("do = %v, want canceled", err)
		}
		close(g.open)
		wg.Wait()
		if got, err := b.do(t.Context(), 4); got != 8 || err != nil {
			t.Errorf("do after all = %d, %v", got, err)
		}
	})
}

func TestBatcherSharesErrors(t *testing.T) {
	t.Parallel()
	g, b := newGate()
	g.err = errors.New("redis is gone")
	close(g.open)
	if _, err := b.do(t.Context(), 1); !errors.Is(err, g.err) {
		t.Errorf("do = %v, want %v", err, g.err)
	}
}
