package broker

import (
	"context"
	goruntime "runtime"
	"slices"
	"sync"
)

// A batch ends at this many calls or bytes: 256 tasks keep Redis busy for about
// 2.4 ms.
const (
	batchCalls = 256
	batchBytes = 4 << 20
	// batchFlights is how many batches may be under way at once.
	batchFlights = 2
)

// batcher joins calls that arrive while others are under way into one script
// call. It never waits for company: a caller flushes on its own goroutine if a
// flight is free, otherwise it joins the next batch.
type batcher[T, R any] struct {
	flush func(context.Context, []T) ([]R, error)
	size  func(T) int

	mu      sync.Mutex
	flights int
	queue   []*batchCall[T, R]
}

type batchCall[T, R any] struct {
	item   T
	result R
	err    error
	// turn is closed when the call is answered (done), or must itself fly.
	turn chan struct{}
	done bool
}

func newBatcher[T, R any](flush func(context.Context, []T) ([]R, error), size func(T) int) batcher[T, R] {
	return batcher[T, R]{flush: flush, size: size}
}

// do runs one item in some batch. When ctx ends first, the item may still run.
func (b *batcher[T, R]) do(ctx context.Context, item T) (R, error) {
	call := &batchCall[T, R]{item: item, turn: make(chan struct{})}
	if err := context.Cause(ctx); err != nil {
		return call.result, err
	}
	flying, alone := b.board(call)
	if !flying {
		select {
		case <-call.turn:
		case <-ctx.Done():
			if b.leave(call) {
				return call.result, context.Cause(ctx)
			}
			<-call.turn
		}
		if call.done {
			return call.result, call.err
		}
	}
	if !alone {
		goruntime.Gosched() // who is about to call boards first
	}
	b.fly(ctx, call)
	return call.result, call.err
}

// board takes a free flight, or else a place in the queue. alone: no other is under way.
func (b *batcher[T, R]) board(call *batchCall[T, R]) (flying, alone bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.flights < batchFlights {
		b.flights++
		return true, b.flights == 1
	}
	b.queue = append(b.queue, call)
	return false, false
}

// leave takes a call out of the queue, if it still stands there.
func (b *batcher[T, R]) leave(call *batchCall[T, R]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.queue, call)
	if i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
	}
	return i >= 0
}

// fly flushes own with as many waiting calls as fit, then hands the flight to
// whoever waits longest.
func (b *batcher[T, R]) fly(ctx context.Context, own *batchCall[T, R]) {
	calls := b.take(own)
	items := make([]T, len(calls))
	for i, c := range calls {
		items[i] = c.item
	}
	// Others ride in this batch: one caller's end must not cut it short.
	results, err := b.flush(context.WithoutCancel(ctx), items)
	for i, c := range calls {
		if c.err = err; err == nil {
			c.result = results[i]
		}
		c.done = true
		if c != own {
			close(c.turn)
		}
	}
	b.land()
}

// take returns own and the waiting calls that fit into its batch.
func (b *batcher[T, R]) take(own *batchCall[T, R]) []*batchCall[T, R] {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls, bytes := []*batchCall[T, R]{own}, b.size(own.item)
	n := 0
	for n < len(b.queue) && len(calls) < batchCalls {
		if bytes += b.size(b.queue[n].item); bytes > batchBytes {
			break
		}
		calls = append(calls, b.queue[n])
		n++
	}
	b.queue = slices.Delete(b.queue, 0, n)
	return calls
}

// land gives the flight to the first waiting call, or frees it.
func (b *batcher[T, R]) land() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		b.flights--
		return
	}
	next := b.queue[0]
	b.queue = slices.Delete(b.queue, 0, 1)
	close(next.turn)
}
