package broker_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

func TestSendControl(t *testing.T) {
	onRoads(t, func(r *road) {
		ctx, cancel := context.WithCancel(r.ctx())
		ready, got := make(chan struct{}), make(chan []byte, 1)
		done := make(chan error, 1)
		go func() { done <- r.SubscribeControl(ctx, func() { close(ready) }, func(e []byte) { got <- e }) }()
		<-ready
		sent := []byte("opaque \x00\xff")
		r.check(r.SendControl(r.ctx(), sent))
		if heard := <-got; !bytes.Equal(heard, sent) {
			r.t.Errorf("heard %q, want %q", heard, sent)
		}
		cancel()
		r.check(<-done)
		if kept, err := r.Controls(r.ctx()); err != nil || len(kept) != 1 || !bytes.Equal(kept[0], sent) {
			r.t.Errorf("Controls = %q, %v, want it kept for who did not listen", kept, err)
		}
		for range 2 {
			_, err := r.NextControl(r.ctx())
			r.check(err)
		}
		if n, err := r.NextControl(r.ctx()); err != nil || n != 3 {
			r.t.Errorf("NextControl = %d, %v, want 3", n, err)
		}
	})
}

// The list is bounded in number, bytes and time.
func TestControlsBounds(t *testing.T) {
	onRoads(t, func(r *road) {
		for i := range 300 {
			r.check(r.SendControl(r.ctx(), fmt.Append(nil, i)))
		}
		kept, err := r.Controls(r.ctx())
		r.check(err)
		if len(kept) != 256 || string(kept[0]) != "299" || string(kept[255]) != "44" {
			r.t.Errorf("%d kept, want the last 256, the newest first", len(kept))
		}
		for _, n := range []int{0, broker.MaxControl + 1} {
			if err := r.SendControl(r.ctx(), make([]byte, n)); err == nil || !strings.Contains(err.Error(), "want 1 to 65536") {
				r.t.Errorf("SendControl of %d bytes = %v", n, err)
			}
		}
		rdb := rawRedis(r.t, r.opts)
		list := shardKey(r.opts, "ctl")
		if left, err := rdb.PTTL(r.ctx(), list).Result(); err != nil || left <= 0 || left > 2*hive.MaxControlAge {
			r.t.Errorf("the list expires after %v, %v, want at most %v", left, err, 2*hive.MaxControlAge)
		}
		r.check(rdb.RPush(r.ctx(), list, make([]byte, broker.MaxControl+1)).Err())
		if again, err := r.Controls(r.ctx()); err != nil || !slices.EqualFunc(again, kept, bytes.Equal) {
			r.t.Errorf("with more than is ever kept: %d, %v, want the same 256", len(again), err)
		}
		r.check(rdb.LPush(r.ctx(), list, make([]byte, broker.MaxControl+1)).Err())
		if again, err := r.Controls(r.ctx()); err != nil || !slices.EqualFunc(again, kept[:255], bytes.Equal) {
			r.t.Errorf("behind one that is too long: %d, %v, want the 255 after it", len(again), err)
		}
	})
}

// A subscription whose connection is lost stands again, and that is said.
func TestSubscribeControlAnew(t *testing.T) {
	t.Parallel()
	server, err := testkit.StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	o := broker.Options{Addrs: []string{server.Addr}}
	b, rdb := testkit.DialTo(t, o), rawRedis(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	ready, got, done := make(chan struct{}, 1), make(chan []byte, 1), make(chan error, 1)
	go func() { done <- b.SubscribeControl(ctx, func() { ready <- struct{}{} }, func(e []byte) { got <- e }) }()
	<-ready
	if n, err := rdb.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Result(); err != nil || n != 1 {
		t.Fatalf("%d connections ended, %v, want 1", n, err)
	}
	<-ready
	if err := b.SendControl(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	<-got
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Whatever stands in an inbox, answers are read.
func TestAnswers(t *testing.T) {
	onRoads(t, func(r *road) {
		inbox := hive.NewID()
		want := []broker.Answer{{Node: "a", OK: true}, {Node: "b", Reason: "expired"}}
		r.check(r.Answer(r.ctx(), inbox, want[0]))
		rdb := rawRedis(r.t, r.opts)
		for _, text := range []string{
			"", "A", "Aa", "A[]", `A{"node":7}`, `A{"node":"a","ok":"yes"}`, `A{"node":"a b","ok":true}`, `A{"ok":true}`, "A{\"node\":\"\xff\"}",
			`A{"node":"a","reason":"` + strings.Repeat("x", 1<<20) + `"}`, "A" + strings.Repeat(`{"node":`, 10_000), "Tx", `{"node":"a","ok":true}`,
		} {
			r.check(rdb.RPush(r.ctx(), shardKey(r.opts, "ib:"+inbox), text).Err())
		}
		r.check(r.Answer(r.ctx(), inbox, want[1]))
		var got []broker.Answer
		for len(got) < len(want) {
			more, err := r.Answers(r.ctx(), inbox, time.Second)
			r.check(err)
			got = append(got, more...)
		}
		if !slices.Equal(got, want) {
			r.t.Errorf("Answers = %+v, want %+v", got, want)
		}
	})
}

// rawRedis is a client of the road's server that knows nothing of the road.
func rawRedis(t testing.TB, o broker.Options) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: o.Addrs[0], DisableIdentity: true})
	t.Cleanup(func() { rdb.Close() })
	return rdb
}

func shardKey(o broker.Options, name string) string { return "{" + cmp.Or(o.Shard, "h") + "}:" + name }

func FuzzAnswer(f *testing.F) {
	for _, text := range []string{"", "A", `A{"node":"a","ok":true}`, `A{"node":"a","reason":"expired"}`, `A{"node":"` + strings.Repeat("x", 2000) + `"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, ok := broker.ReadAnswer(text)
		if ok && (len(text) > 1<<10+1 || hive.CheckNodeID(a.Node) != nil || !utf8.ValidString(a.Reason)) {
			t.Errorf("ReadAnswer(%q) = %+v", text, a)
		}
	})
}
