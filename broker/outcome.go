package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// completion is one attempt's success on its way to its record.
type completion struct {
	node, id string
	attempt  int
	fields   []byte
	result   []byte
	effects  *hive.Effects // nil: none
	packed   []byte        // the same, as the script takes them
}

func (c completion) size() int {
	n := len(c.fields) + len(c.result) + len(c.packed)
	if c.effects != nil {
		n += effectWeight * (len(c.effects.KV) + len(c.effects.Spawn))
	}
	return n
}

// Complete ends an attempt with a result and does its effects, all or none. It
// returns ErrFenced when the attempt no longer holds the task; a repeat of a
// success is a success. After ErrConflict nothing is done and node still holds the
// task, as attempt a.Number+1: it is to be run again, and reported under that
// number. After ErrEffect nothing is done at all, and this outcome never will be.
func (b *Broker) Complete(ctx context.Context, node string, a *hive.Attempt, o *hive.Outcome) error {
	if err := o.ResultBlob.Validate(); err != nil {
		return fmt.Errorf("complete %s: result: %w", a.Task.ID, err)
	}
	if len(o.Result) > hive.MaxResult {
		return fmt.Errorf("complete %s: result of %d bytes, at most %d allowed: %w", a.Task.ID, len(o.Result), hive.MaxResult, hive.ErrTooLarge)
	}
	if len(o.Result) > b.opts.Inline {
		var err error
		apart := *o
		if apart.ResultBlob, err = b.putBytes(ctx, o.Result); err != nil {
			return fmt.Errorf("complete %s: %w", a.Task.ID, err)
		}
		apart.Result = nil
		o = &apart
	}
	c := completion{node: node, id: a.Task.ID, attempt: a.Number, fields: packOutcome(o), result: o.Result}
	batch := &b.completer
	if !o.Effects.None() {
		if err := checkEffects(&o.Effects); err != nil {
			return fmt.Errorf("complete %s: %w", a.Task.ID, err)
		}
		c.effects, c.packed = &o.Effects, packEffects(&o.Effects)
		batch = &b.committer
	}
	verdict, err := batch.do(ctx, c)
	if err != nil {
		return b.wrap("complete "+a.Task.ID, err)
	}
	if err := refusal(verdict, &o.Effects); err != nil {
		return fmt.Errorf("complete %s, attempt %d: %w", a.Task.ID, a.Number, err)
	}
	return nil
}

func (b *Broker) flushComplete(ctx context.Context, items []completion) ([]int64, error) {
	args := []any{b.opts.Retention.Milliseconds()}
	for _, c := range items {
		args = append(args, c.node, c.id, c.attempt, c.fields, c.result)
	}
	return b.verdicts(ctx, scriptComplete, len(items), args)
}

func (b *Broker) flushCommit(ctx context.Context, items []completion) ([]int64, error) {
	args := []any{b.opts.Retention.Milliseconds()}
	for _, c := range items {
		args = append(args, c.node, c.id, c.attempt, c.packed, c.fields, c.result)
	}
	return b.verdicts(ctx, scriptCommit, len(items), args)
}

// verdicts runs a script that answers each of n completions with a number.
func (b *Broker) verdicts(ctx context.Context, s *redis.Script, n int, args []any) ([]int64, error) {
	verdicts, err := b.run(ctx, s, args...).Int64Slice()
	if err == nil && len(verdicts) != n {
		err = fmt.Errorf("%d answers to %d completions", len(verdicts), n)
	}
	return verdicts, err
}

// Fail ends an attempt with a failure: the task is scheduled again after delay,
// or failed when the failure is permanent or its retries are used up. It returns
// the state the task is in now, or ErrFenced.
func (b *Broker) Fail(ctx context.Context, node string, a *hive.Attempt, o *hive.Outcome, delay time.Duration) (hive.State, error) {
	permanent := 0
	if o.Failure.Permanent {
		permanent = 1
	}
	if len(o.Recording) > 0 {
		o.Recorded = a.Number
	}
	state, err := b.run(ctx, scriptFail, node, a.Task.ID, a.Number, permanent, delay.Milliseconds(),
		packOutcome(o), b.opts.Retention.Milliseconds(), o.Recording, b.opts.Recordings).Text()
	switch {
	case err != nil:
		return "", b.wrap("fail "+a.Task.ID, err)
	case state == "fenced":
		return "", fmt.Errorf("fail %s, attempt %d: %w", a.Task.ID, a.Number, hive.ErrFenced)
	case state == "f":
		return hive.Failed, nil
	}
	return hive.Scheduled, nil
}

// Recording returns what the failed attempt of a task was told by its host, as
// Outcome.Recording was, or ErrNotFound.
func (b *Broker) Recording(ctx context.Context, id string, attempt int) ([]byte, error) {
	recording, err := b.rdb.Get(ctx, b.keys.recording(id, attempt)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("recording of %s, attempt %d: %w", id, attempt, hive.ErrNotFound)
	}
	return recording, b.wrap("read the recording of "+id, err)
}

// Release hands running attempts back at no cost to their tasks. It returns how
// many were still held.
func (b *Broker) Release(ctx context.Context, node string, attempts ...hive.Attempt) (int, error) {
	return b.release(ctx, node, "", 0, attempts)
}

// maxQueue bounds the queued tasks one script call moves: far more than a spore
// is ever given.
const maxQueue = 10000

// HandBack hands back all that is queued for a spore. It returns how many tasks
// that were, or ErrUnregistered: the queue belongs to another incarnation, or to
// none.
func (b *Broker) HandBack(ctx context.Context, s *Session) (int, error) {
	n, err := b.release(ctx, s.Node, s.Incarnation, maxQueue, nil)
	if err == nil && n < 0 {
		return 0, fmt.Errorf("release: %w", hive.ErrUnregistered)
	}
	return n, err
}

func (b *Broker) release(ctx context.Context, node, incarnation string, queued int, attempts []hive.Attempt) (int, error) {
	args := []any{node, incarnation, b.opts.Retention.Milliseconds(), queued}
	for i := range attempts {
		args = append(args, attempts[i].Task.ID, attempts[i].Number)
	}
	n, err := b.run(ctx, scriptRelease, args...).Int()
	return n, b.wrap("release", err)
}
