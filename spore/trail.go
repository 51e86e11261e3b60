package spore

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
)

const (
	trailQueue = 900         // entries that wait in memory at most; with a batch fewer than broker.MaxTold
	trailBatch = 64          // that are sent at once
	trailStop  = time.Second // for what is left at the end
	trailOnce  = 1000        // things that are told once and are remembered
)

// Trail sends what the audit log is to know of a spore over the road. Nobody waits for
// it: while Redis is away entries stay in memory, and of too many the oldest give way,
// which the log is told. Make it with NewTrail, then Start and Stop it once.
type Trail struct {
	road  *broker.Broker
	name  string
	actor string
	log   *slog.Logger

	wake chan struct{}
	end  context.CancelFunc
	loop sync.WaitGroup
	stop sync.Once

	sending [][]byte // taken out of the queue; the loop's own, then Stop's

	mu    sync.Mutex
	queue [][]byte // notes, the oldest first
	lost  int      // that gave way
	once  map[string]bool
}

// NewTrail returns the trail of a spore, which keeps what it is told until Start.
func NewTrail(road *broker.Broker, name string, log *slog.Logger) *Trail {
	return &Trail{road: road, name: name, actor: "spore/" + name, log: log, wake: make(chan struct{}, 1), once: map[string]bool{}}
}

// Start begins to send.
func (t *Trail) Start() {
	ctx, end := context.WithCancel(context.Background())
	t.end = end
	t.loop.Go(func() { t.run(ctx) })
}

// Stop ends the sending and tries, for a short time, to get rid of what is left.
func (t *Trail) Stop(ctx context.Context) {
	t.stop.Do(func() {
		if t.end == nil {
			return // never started
		}
		t.end()
		t.loop.Wait()
		last, cancel := context.WithTimeout(ctx, trailStop)
		defer cancel()
		if err := t.flush(last); err != nil {
			t.log.Warn("the audit log does not hear all of this spore", "spore", t.name, "entries", len(t.sending)+t.waiting(), "error", err)
		}
	})
}

// Tell hands an entry over and returns at once. The actor is the spore.
func (t *Trail) Tell(e audit.Entry) {
	e.Actor = t.actor
	n, err := audit.NewNote(e, time.Now())
	var data []byte
	if err == nil {
		data, err = n.Encode()
	}
	if err != nil {
		t.log.Warn("no entry for the audit log", "spore", t.name, "action", e.Action, "error", err)
		return
	}
	t.mu.Lock()
	if len(t.queue) == trailQueue {
		t.queue = t.queue[1:]
		t.lost++
	}
	t.queue = append(t.queue, data)
	t.mu.Unlock()
	notify(t.wake)
}

// tellOnce is Tell for what would be the same time and again.
func (t *Trail) tellOnce(key string, e audit.Entry) {
	t.mu.Lock()
	again := t.once[key]
	if len(t.once) == trailOnce {
		clear(t.once) // told once more is better than growing
	}
	t.once[key] = true
	t.mu.Unlock()
	if !again {
		t.Tell(e)
	}
}

// run sends until ctx ends.
func (t *Trail) run(ctx context.Context) {
	for complaint := (broker.Complaint{}); ctx.Err() == nil; {
		err := t.flush(ctx)
		if ctx.Err() == nil {
			complaint.Tell(t.road, t.log, "the audit log cannot be told yet", err, "spore", t.name)
		}
		if err != nil {
			select {
			case <-time.After(retryAfter):
			case <-ctx.Done():
			}
			continue
		}
		select {
		case <-t.wake:
		case <-ctx.Done():
		}
	}
}

// flush sends until nothing waits.
func (t *Trail) flush(ctx context.Context) error {
	for {
		if len(t.sending) == 0 {
			t.take()
		}
		if len(t.sending) == 0 {
			return nil
		}
		if err := t.road.Tell(ctx, t.name, t.sending); err != nil {
			return err
		}
		t.sending = nil
	}
}

// take takes the oldest entries out of the queue, after one that says how many gave
// way before them.
func (t *Trail) take() {
	t.mu.Lock()
	lost := t.lost
	t.lost = 0
	n := min(len(t.queue), trailBatch)
	t.sending, t.queue = t.queue[:n:n], t.queue[n:]
	t.mu.Unlock()
	if lost == 0 {
		return
	}
	note, err := audit.NewNote(audit.Entry{Actor: t.actor, Action: audit.ActionDrop, Subject: t.actor, Outcome: audit.Failed,
		Reason: "the road was away for too long", Fields: map[string]string{"entries": strconv.Itoa(lost)}}, time.Now())
	if err != nil {
		return // all of it is ours
	}
	if data, err := note.Encode(); err == nil {
		t.sending = append([][]byte{data}, t.sending...)
	}
}

func (t *Trail) waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queue)
}
