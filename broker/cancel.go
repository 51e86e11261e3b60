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
	reply, err := b.run(ctx, scriptCancel, b.opts.Retention.Milliseconds(), hive.NewID(), unfinished, id).StringSlice()
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

// unfinished and over are the letters of the states of tasks that are not over, and that are.
const unfinished, over = "sbpr", "cfx"

// letters are those of some states; without any they are all.
func letters(states []hive.State, all string) string {
	if len(states) == 0 {
		return all
	}
	var some []byte
	for _, s := range states {
		some = append(some, letterOf(s))
	}
	return string(some)
}

// manyBatch bounds the ids of one call that is about many tasks.
const manyBatch = 500

// CancelMany cancels those of the tasks that are not over, or that are in some states then, and
// returns how many that were. A task that is assigned counts as pending.
func (b *Broker) CancelMany(ctx context.Context, ids []string, states ...hive.State) (n int, err error) {
	for batch := range slices.Chunk(ids, manyBatch) {
		args := []any{b.opts.Retention.Milliseconds(), hive.NewID(), letters(states, unfinished)}
		reply, err := b.run(ctx, scriptCancel, append(args, anys(batch)...)...).StringSlice()
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
	_, refused, err := b.RetryMany(ctx, []string{id})
	if err == nil && len(refused) > 0 {
		err = refused[0]
	}
	return err
}

// RetryMany is Retry of many tasks. It returns how many are pending again, and why each of
// the others is not.
func (b *Broker) RetryMany(ctx context.Context, ids []string) (n int, refused []error, err error) {
	for batch := range slices.Chunk(ids, manyBatch) {
		reply, err := b.run(ctx, scriptRetry, append([]any{hive.NewID()}, anys(batch)...)...).Slice()
		if err == nil && len(reply) != len(batch) {
			err = fmt.Errorf("%d answers to %d ids", len(reply), len(batch))
		}
		if err != nil {
			return n, refused, b.wrap("retry", err)
		}
		for i, answer := range reply {
			if err := retried(batch[i], answer); err != nil {
				refused = append(refused, err)
				continue
			}
			n++
		}
	}
	return n, refused, nil
}

// retried is what the script's answer means.
func retried(id string, answer any) error {
	switch answer {
	case int64(1):
		return nil
	case int64(-1):
		return fmt.Errorf("task %s: %w", id, hive.ErrNotFound)
	case int64(-2):
		return fmt.Errorf("task %s: its deadline has passed: submit a new one", id)
	case int64(-3):
		return fmt.Errorf("task %s: its payload is gone: submit a new one", id)
	case int64(0):
		return fmt.Errorf("task %s is not failed: only failed tasks can be retried", id)
	}
	return fmt.Errorf("task %s: %w: %s", id, hive.ErrHeld, text(answer))
}

// Forget takes the records of tasks that are over, or that are in some states then, off the
// road with all that hangs on them, and returns how many are gone and how many of the others
// still stand in a queue: those can go when their turn there has come.
func (b *Broker) Forget(ctx context.Context, ids []string, states ...hive.State) (n, queued int, err error) {
	for batch := range slices.Chunk(ids, manyBatch) {
		gone, err := b.run(ctx, scriptForget, append([]any{letters(states, over)}, anys(batch)...)...).Int64Slice()
		if err != nil {
			return n, queued, b.wrap("delete", err)
		}
		for _, answer := range gone {
			switch answer {
			case 1:
				n++
			case -2:
				queued++
			}
		}
	}
	return n, queued, nil
}

func anys(ids []string) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return args
}
