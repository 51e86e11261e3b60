package broker

import (
	"context"
	"time"

	"github.com/hive-spore/hive"
)

// waitTTL is how long a wait for a task that never ends is remembered.
const waitTTL = 24 * time.Hour

// packed is a task on its way into a lane.
type packed struct {
	id, lane, inbox string
	record          []byte
}

func (p packed) size() int { return len(p.record) }

// Enqueue puts a task on the road. A task whose id is already there counts as
// put. If inbox is not empty, it is told when the task is over.
func (b *Broker) Enqueue(ctx context.Context, t *hive.Task, inbox string) error {
	p, err := pack(t, inbox)
	if err != nil {
		return err
	}
	_, err = b.enqueuer.do(ctx, p)
	return b.wrap("enqueue", err)
}

// EnqueueMany puts tasks on the road in as few calls as fit, in order. On an
// error the first n tasks are there, and some after them may be: the call can be
// repeated as it was.
func (b *Broker) EnqueueMany(ctx context.Context, tasks []hive.Task, inbox string) (n int, err error) {
	for n < len(tasks) {
		batch, bytes := []packed(nil), 0
		for n+len(batch) < len(tasks) && len(batch) < 2*batchCalls && bytes < batchBytes {
			p, err := pack(&tasks[n+len(batch)], inbox)
			if err != nil {
				return n, err
			}
			batch, bytes = append(batch, p), bytes+p.size()
		}
		if _, err := b.flushEnqueue(ctx, batch); err != nil {
			return n, b.wrap("enqueue", err)
		}
		n += len(batch)
	}
	return n, nil
}

func pack(t *hive.Task, inbox string) (packed, error) {
	if err := t.Validate(); err != nil {
		return packed{}, err
	}
	record, lane := packTask(t, inbox != "")
	return packed{t.ID, lane, inbox, record}, nil
}

// flushEnqueue calls the script once per inbox, nearly always once.
func (b *Broker) flushEnqueue(ctx context.Context, items []packed) ([]struct{}, error) {
	done := make([]struct{}, len(items))
	for len(items) > 0 {
		args := []any{items[0].inbox, waitTTL.Milliseconds()}
		var rest []packed
		for _, p := range items {
			if p.inbox != items[0].inbox {
				rest = append(rest, p)
				continue
			}
			args = append(args, p.id, p.lane, p.record)
		}
		if err := b.run(ctx, scriptEnqueue, args...).Err(); err != nil {
			return nil, err
		}
		items = rest
	}
	return done, nil
}
