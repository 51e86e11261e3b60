package broker

import (
	"context"
	"fmt"
	"slices"

	"github.com/hive-spore/hive"
)

// Cancel ends a task in any unfinished state: a running attempt is fenced off at
// once and its spore told to kill it. It returns the state the task was in, and
// ErrFinal if it was over already.
func (b *Broker) Cancel(ctx context.Context, id string) (hive.State, error) {
	reply, err := b.run(ctx, scriptCancel, b.opts.Retention.Milliseconds(), hive.NewID(), id).StringSlice()
	switch {
	case err != nil:
		return "", b.wrap("cancel", err)
	case len(reply) != 1 || reply[0] == "":
		return "", fmt.Errorf("task %s: %w", id, hive.ErrNotFound)
	case reply[0][0] == 'F':
		state := stateLetters[reply[0][1]]
		return state, fmt.Errorf("task %s is %s: %w", id, state, hive.ErrFinal)
	}
	return stateLetters[reply[0][0]], nil
}

// cancelBatch bounds the ids of one cancel call.
const cancelBatch = 500

// CancelMany cancels those of the tasks that are not over and returns how many
// that were.
func (b *Broker) CancelMany(ctx context.Context, ids []string) (n int, err error) {
	for batch := range slices.Chunk(ids, cancelBatch) {
		args := []any{b.opts.Retention.Milliseconds(), hive.NewID()}
		for _, id := range batch {
			args = append(args, id)
		}
		reply, err := b.run(ctx, scriptCancel, args...).StringSlice()
		if err != nil {
			return n, b.wrap("cancel", err)
		}
		for _, answer := range reply {
			if len(answer) == 1 {
				n++
			}
		}
	}
	return n, nil
}

// Retry makes a failed task pending again, with all its failures forgiven. It returns
// ErrHeld where another task has its unique key by now.
func (b *Broker) Retry(ctx context.Context, id string) error {
	reply, err := b.run(ctx, scriptRetry, id, hive.NewID()).Result()
	if err != nil {
		return b.wrap("retry", err)
	}
	switch reply {
	case int64(1):
		return nil
	case int64(-1):
		return fmt.Errorf("task %s: %w", id, hive.ErrNotFound)
	case int64(-2):
		return fmt.Errorf("task %s: its deadline has passed: submit a new one", id)
	case int64(0):
		return fmt.Errorf("task %s is not failed: only failed tasks can be retried", id)
	}
	return fmt.Errorf("task %s: %w: %s", id, hive.ErrHeld, text(reply))
}
