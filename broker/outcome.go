package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
)

// noEffects is the effect list of an attempt that asked for none: only the
// version of the list.
const noEffects = "1"

// completion is one attempt's success on its way to its record.
type completion struct {
	node, id string
	attempt  int
	fields   []byte
	result   []byte
}

func (c completion) size() int { return len(c.fields) + len(c.result) }

// Complete ends an attempt with a result. It returns ErrFenced when the attempt
// no longer holds the task; a repeat of a success is a success.
func (b *Broker) Complete(ctx context.Context, node string, a *hive.Attempt, o *hive.Outcome) error {
	if len(o.Result) > hive.MaxResult {
		return fmt.Errorf("complete %s: result of %d bytes, at most %d allowed: %w", a.Task.ID, len(o.Result), hive.MaxResult, hive.ErrTooLarge)
	}
	verdict, err := b.completer.do(ctx, completion{node, a.Task.ID, a.Number, packOutcome(o), o.Result})
	if err != nil {
		return b.wrap("complete "+a.Task.ID, err)
	}
	if verdict < 0 {
		return fmt.Errorf("complete %s, attempt %d: %w", a.Task.ID, a.Number, hive.ErrFenced)
	}
	return nil
}

func (b *Broker) flushComplete(ctx context.Context, items []completion) ([]int64, error) {
	args := []any{b.opts.Retention.Milliseconds()}
	for _, c := range items {
		args = append(args, c.node, c.id, c.attempt, noEffects, c.fields, c.result)
	}
	verdicts, err := b.run(ctx, scriptComplete, args...).Int64Slice()
	if err == nil && len(verdicts) != len(items) {
		err = fmt.Errorf("%d answers to %d completions", len(verdicts), len(items))
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
	state, err := b.run(ctx, scriptFail, node, a.Task.ID, a.Number, permanent, delay.Milliseconds(),
		packOutcome(o), b.opts.Retention.Milliseconds()).Text()
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
