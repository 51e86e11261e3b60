package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
)

// MapAtOnce is how many tasks of a Map are on the road at once: enough to keep a
// cluster busy, few enough that a million items do not stand in memory twice.
const MapAtOnce = 20_000

// cancelFor bounds how long a Map that ends early cancels what it left behind.
const cancelFor = 5 * time.Second

// MapOptions shape a Map.
type MapOptions struct {
	// Task is the template of every task; its Payload and ID are replaced. It can have no
	// unique key, which only one of them would have.
	Task hive.Task
	// IDs, if set, are those of the tasks: as many as there are payloads, no two alike. A Map
	// of such tasks that ends early leaves them on the road, and the same call goes on with
	// what is there.
	IDs []string
	// Key, if set, says the Key of the task of a payload.
	Key func(payload []byte) string
	// Submitted, if set, is called when n more tasks are on the road.
	Submitted func(n int)
	// Progress, if set, is called after each task that is over, with how many are.
	Progress func(done, total int, r *hive.Record)
	// Over, if set, is called for each task that is over, with the place of its payload. Only
	// it gets the results then: what Map returns has none, so that they need not be held.
	Over func(i int, r *hive.Record)
}

func (o *MapOptions) check(payloads [][]byte) error {
	if o.Task.Unique != "" {
		return errors.New("map: unique key: only one of the tasks could have it")
	}
	if o.IDs == nil {
		return nil
	}
	if len(o.IDs) != len(payloads) {
		return fmt.Errorf("map: %d ids for %d payloads", len(o.IDs), len(payloads))
	}
	seen := make(map[string]bool, len(o.IDs))
	for _, id := range o.IDs {
		if seen[id] {
			return fmt.Errorf("map: two tasks have the id %s", id)
		}
		seen[id] = true
	}
	return nil
}

// Map runs a skill over payloads and returns the records in the order of the
// payloads. A failed task is a record like any other, not an error. If ctx ends, or
// the road refuses or fails, Map cancels the tasks that are not over and returns what
// it has, with nil in the place of the others; tasks that have ids of the caller's it leaves.
func (c *Client) Map(ctx context.Context, o MapOptions, payloads [][]byte) ([]*hive.Record, error) {
	if err := o.check(payloads); err != nil {
		return nil, err
	}
	records := make([]*hive.Record, 0, len(payloads))
	progress := func(done int, r *hive.Record) {
		if o.Progress != nil {
			o.Progress(len(records)+done, len(payloads), r)
		}
	}
	for len(records) < len(payloads) {
		part := payloads[len(records):min(len(records)+MapAtOnce, len(payloads))]
		window, err := c.mapWindow(ctx, &o, len(records), part, progress)
		records = append(records, window...)
		if err != nil {
			return append(records, make([]*hive.Record, len(payloads)-len(records))...), err
		}
	}
	return records, nil
}

// mapWindow runs the tasks that are on the road at once, from a place on.
func (c *Client) mapWindow(ctx context.Context, o *MapOptions, from int, payloads [][]byte, progress func(int, *hive.Record)) ([]*hive.Record, error) {
	records := make([]*hive.Record, len(payloads))
	tasks, index := make([]hive.Task, len(payloads)), make(map[string]int, len(payloads))
	t := o.Task
	for i, payload := range payloads {
		t.ID, t.Payload = hive.NewID(), payload
		if o.IDs != nil {
			t.ID = o.IDs[from+i]
		}
		if o.Key != nil {
			t.Key = o.Key(payload)
		}
		tasks[i], index[t.ID] = t, i
	}
	tasks, ids, err := c.readyMany(ctx, tasks)
	if err != nil {
		return records, err
	}
	submit := func(inbox string) error {
		_, err := c.road.EnqueueMany(ctx, tasks, inbox)
		if err == nil && o.Submitted != nil {
			o.Submitted(len(tasks))
		}
		return err
	}
	done := 0
	var errRead error
	over := func(r *hive.Record) {
		i := index[r.ID]
		r, err := c.whole(ctx, r)
		errRead = errors.Join(errRead, err)
		done++
		progress(done, r)
		if o.Over != nil {
			o.Over(from+i, r)
			light := *r
			light.Payload, light.Result, light.Log = nil, nil, nil
			r = &light
		}
		records[i] = r
	}
	if o.IDs != nil { // some may be there already, and over
		if err := submit(""); err != nil {
			return records, err
		}
		err := c.inbox.wait(ctx, ids, true, over)
		return records, errors.Join(err, errRead)
	}
	err = c.inbox.submitAndWait(ctx, ids, submit, over)
	if err != nil && !errors.Is(err, ErrClosed) { // after Close tasks go on
		err = errors.Join(err, c.cancelRest(ctx, ids, records, over))
	}
	return records, errors.Join(err, errRead)
}

// cancelRest cancels the tasks whose record has not come, and calls f for those that were
// over before it could.
func (c *Client) cancelRest(ctx context.Context, ids []string, records []*hive.Record, f func(*hive.Record)) error {
	var rest []string
	for i, r := range records {
		if r == nil {
			rest = append(rest, ids[i])
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelFor)
	defer cancel()
	n, err := c.road.CancelMany(ctx, rest)
	if err != nil || n == len(rest) {
		return err
	}
	over, _, err := c.road.Wait(ctx, c.inbox.name, rest)
	for _, r := range over {
		if r.State != hive.Cancelled {
			f(r)
		}
	}
	return err
}
