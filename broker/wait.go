package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// waitTTL is how long a wait for a task that never ends is remembered.
const waitTTL = 24 * time.Hour

// maxWaiters bounds the inboxes one task tells.
const maxWaiters = 64

// waitBatch bounds the ids of one wait call.
const waitBatch = 500

// Wait registers an inbox with tasks that are not over and returns the records
// of those that are. unknown lists ids the road has no record of.
func (b *Broker) Wait(ctx context.Context, inbox string, ids []string) (over []*hive.Record, unknown []string, err error) {
	for len(ids) > 0 {
		n := min(len(ids), waitBatch)
		args := []any{inbox, waitTTL.Milliseconds(), maxWaiters}
		reply, err := b.run(ctx, scriptWait, append(args, anys(ids[:n])...)...).StringSlice()
		if err != nil {
			return nil, nil, b.wrap("wait", err)
		}
		for i, answer := range reply {
			switch answer {
			case "":
				unknown = append(unknown, ids[i])
			case "0":
			case "1":
				return nil, nil, fmt.Errorf("wait for %s: %d others wait already", ids[i], maxWaiters)
			default:
				r, err := unpack(ids[i], []byte(answer))
				if err != nil {
					return nil, nil, err
				}
				over = append(over, r)
			}
		}
		ids = ids[n:]
	}
	return over, unknown, nil
}

// The first byte of an item in an inbox says what it is. Readers pass over kinds
// they do not know.
const (
	noticeTold   = "T" // a task is over
	noticeEmit   = "E" // a running one gave a part of its result, or said how far it is
	noticeAnswer = "A" // a spore answers a control command
)

// Told is one notice from an inbox: a task is over, or has Emitted something.
// Record is nil where it was too large to travel with the notice.
type Told struct {
	ID      string
	Record  *hive.Record
	Emitted bool
}

// inboxBatch is how many notices one read takes at most.
const inboxBatch = 512

// ReadInbox returns the notices of an inbox, after waiting up to d for the first.
// A notice can be lost with a connection: the record is the truth.
func (b *Broker) ReadInbox(ctx context.Context, inbox string, d time.Duration) ([]Told, error) {
	items, err := b.popDoor(ctx, b.keys.inbox(inbox), d, inboxBatch)
	if err != nil {
		return nil, b.wrap("read inbox", err)
	}
	told := make([]Told, 0, len(items))
	for _, item := range items {
		if id, ok := strings.CutPrefix(item, noticeEmit); ok {
			told = append(told, Told{ID: id, Emitted: true})
		}
		item, isTold := strings.CutPrefix(item, noticeTold)
		if !isTold {
			continue
		}
		id, record, inline := strings.Cut(item, "\n")
		t := Told{ID: id}
		if inline {
			t.Record, _ = unpack(id, []byte(record)) // nil: the caller reads it
		}
		told = append(told, t)
	}
	return told, nil
}

// CloseInbox forgets an inbox.
func (b *Broker) CloseInbox(ctx context.Context, inbox string) error {
	return b.wrap("close inbox", b.rdb.Del(ctx, b.keys.inbox(inbox)).Err())
}

// maxPop is how long one blocking read waits: well within the client's limit for
// an answer.
const maxPop = 2 * time.Second

// popDoor waits up to d (at most maxPop) for the first item of a list, then takes what else
// stands there, at most limit items. A context that ends wakes the wait by an
// empty item: a blocked read does not watch its context. What also asks for is read then,
// in the same round trip.
func (b *Broker) popDoor(ctx context.Context, key string, d time.Duration, limit int, also ...func(context.Context, redis.Pipeliner)) ([]string, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() {
		bg, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		pipe := b.rdb.Pipeline()
		pipe.RPush(bg, key, "")
		pipe.PExpire(bg, key, time.Minute)
		pipe.Exec(bg) // best effort: the wait also ends by itself after d
	})
	defer stop()
	// One round trip for all. BLPOP is spelled out, because the client's own method
	// rounds to whole seconds; 0 would wait for ever.
	seconds := strconv.FormatFloat(min(max(d, time.Millisecond), maxPop).Seconds(), 'f', 3, 64)
	pipe, bg := b.rdb.Pipeline(), context.WithoutCancel(ctx)
	wait, rest := pipe.Do(bg, "BLPOP", key, seconds), pipe.LPopCount(bg, key, limit-1)
	for _, ask := range also {
		ask(bg, pipe)
	}
	pipe.Exec(bg) // each command tells its own error
	first, err := wait.StringSlice()
	if errors.Is(err, redis.Nil) {
		return nil, context.Cause(ctx)
	}
	if err == nil && len(first) != 2 {
		err = fmt.Errorf("unexpected answer of %d values", len(first))
	}
	if err != nil {
		return nil, err
	}
	more, err := rest.Result()
	if err != nil {
		more = nil // none, or cut off: the first item is ours, lose nothing over the rest
	}
	return append(first[1:2], more...), nil
}
