package broker

import (
	"context"
	"fmt"
	"strings"

	"github.com/hive-spore/hive"
)

// packed is a task on its way into a lane.
type packed struct {
	id, lane string
	record   []byte
}

func (p packed) size() int { return len(p.record) }

// Enqueue puts a task on the road, and returns its id. A task whose id is already there
// counts as put. If inbox is not empty, it is told when the task is over; who wants to hear before
// that of what it emits says so with Wait. Where another
// task has its unique key, nothing is put, that one's id is returned, and inbox is told of
// neither.
func (b *Broker) Enqueue(ctx context.Context, t *hive.Task, inbox string) (id string, err error) {
	if t, err = b.apart(ctx, t); err != nil {
		return "", err
	}
	p, err := pack(t, inbox)
	if err != nil {
		return "", err
	}
	id, err = b.enqueuer.do(ctx, p)
	if err == nil && id == "" {
		err = fmt.Errorf("task %s: its payload: %w", t.ID, hive.ErrNotFound)
	}
	return id, b.wrap("enqueue", err)
}

// EnqueueMany puts tasks on the road in as few calls as fit, in order, and returns the ids
// that Enqueue would. On an error as many tasks are there as there are ids, and some after
// them may be: the call can be repeated as it was.
func (b *Broker) EnqueueMany(ctx context.Context, tasks []hive.Task, inbox string) (ids []string, err error) {
	ids = make([]string, 0, len(tasks))
	for len(ids) < len(tasks) {
		n := len(ids)
		batch, bytes := make([]packed, 0, min(2*batchCalls, len(tasks)-n)), 0
		for n+len(batch) < len(tasks) && len(batch) < 2*batchCalls && bytes < batchBytes {
			t, err := b.apart(ctx, &tasks[n+len(batch)])
			if err != nil {
				return ids, err
			}
			p, err := pack(t, inbox)
			if err != nil {
				return ids, err
			}
			bytes += p.size() + len(tasks[n+len(batch)].Payload) // also of those that are on the road by now: they do not stay for long
			batch = append(batch, p)
		}
		put, err := b.flushEnqueue(ctx, batch)
		if err != nil {
			return ids, b.wrap("enqueue", err)
		}
		for i, id := range put {
			if id == "" {
				return ids, fmt.Errorf("task %s: its payload: %w", tasks[n+i].ID, hive.ErrNotFound)
			}
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func pack(t *hive.Task, inbox string) (packed, error) {
	if err := t.Validate(); err != nil {
		return packed{}, err
	}
	if len(inbox) > nameLen || strings.IndexByte(inbox, 0) >= 0 {
		return packed{}, fmt.Errorf("inbox %q: want at most %d bytes, none of them NUL", inbox, nameLen)
	}
	record, lane := packTask(t, inbox)
	return packed{t.ID, lane, record}, nil
}

// flushEnqueue returns an empty id where the blob is not there that is to be the payload.
func (b *Broker) flushEnqueue(ctx context.Context, items []packed) ([]string, error) {
	args := make([]any, 0, 4*len(items))
	for _, p := range items {
		args = append(args, p.id, p.lane, p.record[:createdAt], p.record[createdAt+6:])
	}
	reply, err := b.run(ctx, scriptEnqueue, args...).Result()
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(items))
	for i, p := range items {
		ids[i] = p.id
	}
	held, _ := reply.([]any)
	for i := 0; i+1 < len(held); i += 2 {
		for j, id := range ids {
			if id == text(held[i]) {
				ids[j] = text(held[i+1])
			}
		}
	}
	return ids, nil
}
