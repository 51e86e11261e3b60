package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// Bounds of what control commands take on the road.
const (
	// MaxControl bounds the envelope of one command in bytes.
	MaxControl = 64 << 10
	// maxControls is how many of the last commands are kept.
	maxControls = 256
	// controlTTL is how long they are, after the last one.
	controlTTL = 2 * hive.MaxControlAge
	// maxAnswer bounds an answer in bytes.
	maxAnswer = 1 << 10
	// answerTTL is how long answers that nobody reads are kept.
	answerTTL = time.Minute
)

// ReplyTo is the data of a command whose sender wants answers.
type ReplyTo struct {
	Inbox string `json:"reply_to"`
}

// Answer is what a spore says to a command.
type Answer struct {
	Node   string `json:"node"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"` // a word, where not OK
}

// NextControl returns the generation of the next command: each is higher than the
// one before, as long as the road remembers.
func (b *Broker) NextControl(ctx context.Context) (int64, error) {
	generation, err := b.rdb.Incr(ctx, b.keys.controlGen()).Result()
	return generation, b.wrap("command", err)
}

// SendControl tells the spores a command, which is opaque here: those that listen at
// once, and those that do not while it is kept.
func (b *Broker) SendControl(ctx context.Context, envelope []byte) error {
	if n := len(envelope); n == 0 || n > MaxControl {
		return fmt.Errorf("command: its envelope has %d bytes, want 1 to %d", n, MaxControl)
	}
	pipe, list := b.rdb.Pipeline(), b.keys.controls()
	pipe.LPush(ctx, list, envelope)
	pipe.LTrim(ctx, list, 0, maxControls-1)
	pipe.PExpire(ctx, list, controlTTL)
	if _, err := pipe.Exec(ctx); err != nil {
		return b.wrap("command", err)
	}
	return b.wrap("command", b.rdb.Publish(ctx, b.opts.Channel, envelope).Err())
}

// Controls returns the last commands that were sent, the newest first. Some may be
// expired by now, and none was checked.
func (b *Broker) Controls(ctx context.Context) ([][]byte, error) {
	list, err := b.run(ctx, scriptControls, maxControls, MaxControl).StringSlice()
	if err != nil {
		return nil, b.wrap("read commands", err)
	}
	envelopes := make([][]byte, len(list))
	for i, text := range list {
		envelopes[i] = []byte(text)
	}
	return envelopes, nil
}

// SubscribeControl calls f for every command that is sent until ctx ends, whoever sent
// it. ready is called whenever the subscription stands anew: what was sent before is
// among Controls.
func (b *Broker) SubscribeControl(ctx context.Context, ready func(), f func(envelope []byte)) error {
	sub := b.rdb.Subscribe(ctx, b.opts.Channel)
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		return b.wrap("subscribe", err)
	}
	ready()
	for messages := sub.ChannelWithSubscriptions(); ; {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-messages:
			if !ok {
				return b.wrap("subscribe", errors.New("the subscription ended"))
			}
			switch m := m.(type) {
			case *redis.Subscription: // after a connection was lost
				ready()
			case *redis.Message:
				if len(m.Payload) <= MaxControl {
					f([]byte(m.Payload))
				}
			}
		}
	}
}

// Answer puts a spore's answer to a command into an inbox, which expires by itself.
func (b *Broker) Answer(ctx context.Context, inbox string, a Answer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	pipe := b.rdb.Pipeline()
	pipe.RPush(ctx, b.keys.inbox(inbox), noticeAnswer+string(text))
	pipe.PExpire(ctx, b.keys.inbox(inbox), answerTTL)
	_, err = pipe.Exec(ctx)
	return b.wrap("answer", err)
}

// Answers returns what spores have answered into an inbox, after waiting up to d for
// the first. Every spore can write there: what is no answer is passed over, and who
// an answer is said to be from is not proven.
func (b *Broker) Answers(ctx context.Context, inbox string, d time.Duration) ([]Answer, error) {
	items, err := b.popDoor(ctx, b.keys.inbox(inbox), d, inboxBatch)
	if err != nil {
		return nil, b.wrap("read answers", err)
	}
	var answers []Answer
	for _, item := range items {
		if a, ok := readAnswer(item); ok {
			answers = append(answers, a)
		}
	}
	return answers, nil
}

func readAnswer(item string) (a Answer, ok bool) {
	text, ok := strings.CutPrefix(item, noticeAnswer)
	ok = ok && len(text) <= maxAnswer && utf8.ValidString(text) &&
		json.Unmarshal([]byte(text), &a) == nil && hive.CheckNodeID(a.Node) == nil
	return a, ok
}
