package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
)

// Event is something that happened to a task that is watched: one of its fields
// is set.
type Event struct {
	Part     *hive.Part     `json:"part,omitempty"`
	Progress *hive.Progress `json:"progress,omitempty"`
	Void     int            `json:"void,omitempty"` // what this attempt gave does not count: another one began, or it failed
}

// watching is what one Watch has seen.
type watching struct {
	known   bool // the road has had the task
	attempt int  // whose parts were told last
	parts   int  // how many of them
	said    hive.Progress
	tell    func(Event)
}

// Watch tells what a task emits, from its first part on, until it is over, and
// returns its record. Parts are provisional until then: those of an attempt that
// is told Void do not count. While the road is lost it waits, as Wait does.
func (c *Client) Watch(ctx context.Context, id string, tell func(Event)) (*hive.Record, error) {
	if err := hive.CheckID(id); err != nil {
		return nil, err
	}
	w, inbox := watching{tell: tell}, hive.NewID()
	defer c.road.CloseInbox(context.WithoutCancel(ctx), inbox) // best effort: it expires by itself
	for {
		r, err := c.look(ctx, inbox, id, &w)
		if err == nil && r == nil {
			_, err = c.road.ReadInbox(ctx, inbox, readFor)
		}
		switch {
		case r != nil:
			return r, nil
		case w.known && errors.Is(err, hive.ErrUnreachable):
			select {
			case <-time.After(retryAfter):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		case err != nil:
			return nil, err
		}
	}
}

// look tells what is new of a task, and returns its record if it is over.
func (c *Client) look(ctx context.Context, inbox, id string, w *watching) (*hive.Record, error) {
	over, unknown, err := c.road.Wait(ctx, inbox, []string{id})
	switch {
	case err != nil:
		return nil, err
	case len(unknown) > 0 && w.known:
		return nil, forgotten(id)
	case len(unknown) > 0:
		return nil, fmt.Errorf("task %s: %w (finished tasks are kept for %v)", id, hive.ErrNotFound, c.road.Retention())
	}
	w.known = true
	parts, progress, err := c.road.Emitted(ctx, id, w.attempt, w.parts) // after Wait: nothing is missed
	if err != nil {
		return nil, err
	}
	w.see(parts, progress)
	if len(over) == 0 {
		return nil, nil
	}
	w.end(over[0])
	return over[0], nil
}

// see tells what is new.
func (w *watching) see(parts []hive.Part, progress *hive.Progress) {
	for _, p := range parts {
		if p.Attempt > w.attempt {
			w.void()
			w.attempt = p.Attempt
		}
		if p.Attempt == w.attempt && p.Number > w.parts {
			w.parts = p.Number
			w.tell(Event{Part: &p})
		}
	}
	if progress != nil && *progress != w.said {
		w.said = *progress
		w.tell(Event{Progress: progress})
	}
}

func (w *watching) void() {
	if w.parts > 0 {
		w.tell(Event{Void: w.attempt})
	}
	w.parts = 0
}

// end tells whether the parts count.
func (w *watching) end(r *hive.Record) {
	if r.State != hive.Completed || r.Attempts != w.attempt {
		w.void()
	}
}
