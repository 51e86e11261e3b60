package client

import (
	"context"

	"github.com/hive-spore/hive"
)

// mapWindow is how many tasks of a Map are on the road at once: enough to keep a
// cluster busy, few enough that a million items do not stand in memory twice.
const mapWindow = 20_000

// MapOptions shape a Map.
type MapOptions struct {
	// Task is the template of every task; its Payload and ID are replaced.
	Task hive.Task
	// Progress, if set, is called after each task that is over, with how many are.
	Progress func(done, total int, r *hive.Record)
}

// Map runs a skill over payloads and returns the records in the order of the
// payloads. A failed task is a record like any other, not an error.
func (c *Client) Map(ctx context.Context, o MapOptions, payloads [][]byte) ([]*hive.Record, error) {
	records := make([]*hive.Record, len(payloads))
	done := 0
	for from := 0; from < len(payloads); from += mapWindow {
		part := payloads[from:min(from+mapWindow, len(payloads))]
		index, tasks, ids := make(map[string]int, len(part)), make([]hive.Task, len(part)), make([]string, len(part))
		for i, payload := range part {
			tasks[i] = o.Task
			tasks[i].ID, tasks[i].Payload = hive.NewID(), payload
			ids[i], index[tasks[i].ID] = tasks[i].ID, from+i
		}
		submit := func(inbox string) error {
			_, err := c.submitMany(ctx, tasks, inbox)
			return err
		}
		err := c.inbox.submitAndWait(ctx, ids, submit, func(r *hive.Record) {
			records[index[r.ID]] = r
			if done++; o.Progress != nil {
				o.Progress(done, len(payloads), r)
			}
		})
		if err != nil {
			return records, err
		}
	}
	return records, nil
}
