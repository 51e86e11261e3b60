package broker

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"net"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// Wire is what lies between a broker and its road in a test of one goroutine. It alters
// scripts, repeats calls as the Redis client does, and loses replies.
type Wire struct {
	Dial  func() (net.Conn, error)
	Alter func(script string) string // nil: as it is
	Again func()                     // the next script call is made twice, this one in between
	Lose  bool                       // the reply to the next script call
	Sent  []any                      // the last script call, verbatim

	altered map[string]string // digest of a script -> digest of the altered one
	asIs    bool
}

// DialWire returns a broker whose calls go through a wire.
func DialWire(w *Wire, o Options) *Broker {
	w.altered = map[string]string{}
	o.Addrs = []string{"wire"}
	o = o.withDefaults()
	u := o.universal()
	u.Dialer = func(context.Context, string, string) (net.Conn, error) { return w.Dial() }
	u.MaxRetries, u.PoolSize = -1, 1
	b := newBroker(o, u)
	b.rdb.AddHook(w)
	return b
}

// Resend makes a call that was made before, verbatim.
func (b *Broker) Resend(ctx context.Context, w *Wire, sent []any) error {
	w.asIs, w.Sent = true, sent
	defer func() { w.asIs = false }()
	return b.rdb.Do(ctx, sent...).Err()
}

func (w *Wire) DialHook(next redis.DialHook) redis.DialHook { return next }

func (w *Wire) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (w *Wire) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); w.asIs || name != "evalsha" && name != "eval" {
			return next(ctx, cmd)
		}
		w.alter(cmd)
		err := next(ctx, cmd)
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			return err // it comes again, as text
		}
		w.Sent = slices.Clone(cmd.Args())
		if again := w.Again; again != nil {
			w.Again = nil
			again()
			err = next(ctx, cmd)
		}
		if w.Lose {
			w.Lose, err = false, io.EOF
			cmd.SetErr(err)
		}
		return err
	}
}

// alter puts the altered script in the place of the one that is called.
func (w *Wire) alter(cmd redis.Cmder) {
	if w.Alter == nil {
		return
	}
	args := cmd.Args()
	script := args[1].(string)
	if cmd.Name() == "evalsha" {
		args[1] = "unknown"
		if sum, ok := w.altered[script]; ok {
			args[1] = sum
		}
		return
	}
	text := w.Alter(script)
	w.altered[digest(script)] = digest(text)
	args[1] = text
}

func digest(script string) string {
	sum := sha1.Sum([]byte(script))
	return hex.EncodeToString(sum[:])
}

// Unpack reads a record as it stands in redis.
func Unpack(id, record string) (*hive.Record, error) { return unpack(id, []byte(record)) }

// Scripts is the text of every script, by its name; with the prelude in front of it.
func Scripts() (texts []string) {
	entries, err := luaFiles.ReadDir("lua")
	if err != nil {
		panic(err) // they are compiled in
	}
	for _, e := range entries {
		text, _ := luaFiles.ReadFile("lua/" + e.Name())
		texts = append(texts, string(text))
	}
	return texts
}
