package client

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

const (
	// readFor is how long one read of the inbox waits on the road.
	readFor = 2 * time.Second
	// sweepEvery is how often records are looked at although no notice came: a
	// notice can be lost with a connection, a record cannot.
	sweepEvery = 10 * time.Second
	// retryAfter paces reads of a road that does not answer.
	retryAfter = 500 * time.Millisecond
)

// inbox is the list on the road where this client is told of tasks that are
// over, and the one goroutine that reads it while anybody waits.
type inbox struct {
	road *broker.Broker
	name string
	ctx  context.Context // of the reader; ends with the client
	stop context.CancelCauseFunc
	done sync.WaitGroup

	mu      sync.Mutex
	reading bool
	waiting map[string][]*waiter
}

// waiter is one call that waits for tasks.
type waiter struct {
	told chan *hive.Record // has room for all of them: deliver never blocks
	lost chan string       // id of a task that the road has forgotten
	// submitted: the tasks have been on the road. Guarded by inbox.mu.
	submitted bool
}

func newInbox(road *broker.Broker) inbox {
	ctx, stop := context.WithCancelCause(context.Background())
	return inbox{road: road, name: hive.NewID(), ctx: ctx, stop: stop, waiting: map[string][]*waiter{}}
}

func (in *inbox) close() {
	in.stop(ErrClosed)
	in.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	in.road.CloseInbox(ctx, in.name) // best effort: it expires by itself
}

// submitAndWait registers for ids, submits them with this inbox and calls f for
// each once it is over.
func (in *inbox) submitAndWait(ctx context.Context, ids []string, submit func(inbox string) error, f func(*hive.Record)) error {
	w := in.listen(ids)
	defer in.forget(ids, w)
	if err := submit(in.name); err != nil {
		return err
	}
	return in.collect(ctx, len(ids), w, f)
}

// wait calls f for each of ids once it is over.
func (in *inbox) wait(ctx context.Context, ids []string, strict bool, f func(*hive.Record)) error {
	w := in.listen(ids)
	defer in.forget(ids, w)
	over, unknown, err := in.road.Wait(ctx, in.name, ids)
	if err != nil {
		return err
	}
	if strict && len(unknown) > 0 {
		return fmt.Errorf("task %s: %w (finished tasks are kept for %v)", unknown[0], hive.ErrNotFound, in.road.Retention())
	}
	for _, r := range over {
		in.deliver(r)
	}
	return in.collect(ctx, len(ids), w, f)
}

func (in *inbox) collect(ctx context.Context, n int, w *waiter, f func(*hive.Record)) error {
	in.mu.Lock()
	w.submitted = true
	in.mu.Unlock()
	for ; n > 0; n-- {
		select {
		case r := <-w.told:
			f(r)
		case id := <-w.lost:
			return forgotten(id)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-in.ctx.Done():
			return context.Cause(in.ctx)
		}
	}
	return nil
}

func forgotten(id string) error {
	return fmt.Errorf("task %s: %w: the road has forgotten it (was Redis restarted without its data?)", id, hive.ErrNotFound)
}

// listen enters ids before anything can be told of them, and starts the reader
// if nobody waited before.
func (in *inbox) listen(ids []string) *waiter {
	w := &waiter{told: make(chan *hive.Record, len(ids)), lost: make(chan string, 1)}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, id := range ids {
		in.waiting[id] = append(in.waiting[id], w)
	}
	if !in.reading && in.ctx.Err() == nil {
		in.reading = true
		in.done.Go(in.read)
	}
	return w
}

func (in *inbox) forget(ids []string, w *waiter) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, id := range ids {
		kept := in.waiting[id][:0]
		for _, c := range in.waiting[id] {
			if c != w {
				kept = append(kept, c)
			}
		}
		if in.waiting[id] = kept; len(kept) == 0 {
			delete(in.waiting, id)
		}
	}
}

// deliver hands a record to everybody who waits for it, once.
func (in *inbox) deliver(r *hive.Record) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, w := range in.waiting[r.ID] {
		w.told <- r
	}
	delete(in.waiting, r.ID)
}

// idle ends the reader's work when nobody waits any more.
func (in *inbox) idle() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reading = len(in.waiting) > 0 && in.ctx.Err() == nil
	return !in.reading
}

// read is the reader: it ends when nobody waits or the client is closed.
func (in *inbox) read() {
	swept := time.Now()
	for !in.idle() {
		told, err := in.road.ReadInbox(in.ctx, in.name, readFor)
		if err == nil {
			err = in.tell(told)
		}
		if err != nil || time.Since(swept) > sweepEvery {
			swept = time.Now()
			in.sweep()
		}
		if err != nil {
			select {
			case <-time.After(retryAfter):
			case <-in.ctx.Done():
			}
		}
	}
}

// tell delivers notices; a record that did not travel with one is read.
func (in *inbox) tell(told []broker.Told) error {
	for _, t := range told {
		if t.Emitted {
			continue // somebody watches by another inbox
		}
		if t.Record == nil {
			r, err := in.road.Status(in.ctx, t.ID)
			if err != nil {
				return err
			}
			t.Record = r
		}
		if t.Record.State.Final() {
			in.deliver(t.Record)
		}
	}
	return nil
}

// sweep asks the road about everything that is waited for, and registers anew.
func (in *inbox) sweep() {
	in.mu.Lock()
	ids := make([]string, 0, len(in.waiting))
	submitted := map[string][]*waiter{}
	for id, waiters := range in.waiting {
		ids = append(ids, id)
		for _, w := range waiters {
			if w.submitted {
				submitted[id] = append(submitted[id], w)
			}
		}
	}
	in.mu.Unlock()
	over, unknown, err := in.road.Wait(in.ctx, in.name, ids)
	if err != nil {
		return // the next sweep asks again
	}
	for _, r := range over {
		in.deliver(r)
	}
	for _, id := range unknown {
		for _, w := range submitted[id] {
			w.lose(id)
		}
	}
}

// lose tells the waiter, once, of a task that will never be over.
func (w *waiter) lose(id string) {
	select {
	case w.lost <- id:
	default:
	}
}
