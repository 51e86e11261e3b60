package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// controlTTL is how long a command is valid.
const controlTTL = 30 * time.Second

// maxEnvelope bounds a control message in bytes.
const maxEnvelope = 64 << 10

// PingData is what goes with hive.CommandPing: where to answer.
type PingData struct {
	ReplyTo string `json:"reply_to"` // an inbox
}

// Answer puts a spore's answer to a command into an inbox, which expires by
// itself.
func (b *Broker) Answer(ctx context.Context, inbox, node string) error {
	pipe := b.rdb.Pipeline()
	pipe.RPush(ctx, b.keys.inbox(inbox), noticeAnswer+node)
	pipe.PExpire(ctx, b.keys.inbox(inbox), time.Minute)
	_, err := pipe.Exec(ctx)
	return b.wrap("answer", err)
}

// Answers returns the spores that have answered into an inbox, after waiting up to
// d for the first.
func (b *Broker) Answers(ctx context.Context, inbox string, d time.Duration) ([]string, error) {
	items, err := b.popDoor(ctx, b.keys.inbox(inbox), d, inboxBatch)
	if err != nil {
		return nil, b.wrap("read answers", err)
	}
	var nodes []string
	for _, item := range items {
		if node, ok := strings.CutPrefix(item, noticeAnswer); ok {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

// BroadcastControl tells all spores that listen a command and returns its
// envelope. A broadcast is only a hint: it can be lost.
func (b *Broker) BroadcastControl(ctx context.Context, issuer string, command hive.Command, data any) (hive.Envelope, error) {
	body, err := json.Marshal(data)
	if err != nil {
		return hive.Envelope{}, fmt.Errorf("broadcast %s: %w", command, err)
	}
	generation, err := b.rdb.Incr(ctx, b.keys.controlGen()).Result()
	if err != nil {
		return hive.Envelope{}, b.wrap("broadcast", err)
	}
	now := time.Now().UTC()
	e := hive.Envelope{ID: hive.NewID(), Issuer: issuer, Target: "*", Command: command, Data: body,
		Generation: generation, Issued: now, Expires: now.Add(controlTTL)}
	text, err := json.Marshal(e)
	if err != nil {
		return e, fmt.Errorf("broadcast %s: %w", command, err)
	}
	return e, b.wrap("broadcast", b.rdb.Publish(ctx, b.opts.Channel, text).Err())
}

// SubscribeControl calls f for every envelope until ctx ends. What is no envelope
// is passed over. ready is called once the subscription stands.
func (b *Broker) SubscribeControl(ctx context.Context, ready func(), f func(hive.Envelope)) error {
	sub := b.rdb.Subscribe(ctx, b.opts.Channel)
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		return b.wrap("subscribe", err)
	}
	ready()
	messages := sub.Channel()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-messages:
			if !ok {
				return b.wrap("subscribe", context.Cause(ctx))
			}
			var e hive.Envelope
			if len(m.Payload) <= maxEnvelope && json.Unmarshal([]byte(m.Payload), &e) == nil {
				f(e)
			}
		}
	}
}
