package client_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
)

// played is a foreman and a spore in one, without a sandbox: what a task costs with it is
// what client and road cost.
type played struct {
	*broker.Broker
	t       testing.TB
	term    broker.Term
	session broker.Session
}

var (
	benchPayload = bytes.Repeat([]byte("x"), 200)
	benchTask    = hive.Task{Skill: hive.SkillRef{Name: "noop"}, Payload: benchPayload, Priority: hive.BackgroundPriority}
)

const benchLane = "noop||:2"

// benchHive returns a client, and the address of its road, on which a skill is known.
func benchHive(t testing.TB) (*client.Client, *played, string) {
	t.Helper()
	o := testkit.Options(t)
	o.Lease = time.Hour
	p := &played{Broker: testkit.DialTo(t, o), t: t}
	epoch, _, _, err := p.Campaign(t.Context(), "nexus", time.Hour)
	p.check(err)
	p.term = broker.Term{Epoch: epoch, Nexus: "nexus"}
	p.session = broker.Session{Node: "a", Incarnation: hive.NewID()}
	p.check(p.Register(t.Context(), &p.session, &hive.NodeReport{ID: "a", Slots: 100}))
	plain, strict := testkit.Skill("noop", nil), testkit.Skill("strict", nil)
	strict.Input = []byte(`{"type":"object","properties":{"n":{"type":"number"}}}`)
	p.check(p.Announce(t.Context(), p.term, []hive.Skill{plain, strict}, false))
	c := client.New(testkit.DialTo(t, o), client.Options{})
	t.Cleanup(func() { c.Close() })
	return c, p, o.Addrs[0]
}

func (p *played) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// play completes tasks until what it returns is called.
func (p *played) play() (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	var playing sync.WaitGroup
	playing.Go(func() {
		for ctx.Err() == nil {
			if err := p.turn(ctx); err != nil && ctx.Err() == nil {
				p.t.Error(err)
				return
			}
		}
	})
	return func() {
		cancel()
		playing.Wait()
	}
}

// turn completes what waits, or else waits for more.
func (p *played) turn(ctx context.Context) error {
	done, err := p.Assign(ctx, &p.term, []broker.Grant{{Lane: benchLane, Node: "a", Count: 200}})
	if err != nil {
		return err
	}
	if done[0].Moved == 0 {
		_, err := p.WaitBell(ctx, time.Second)
		return err
	}
	attempts, _, err := p.Fetch(ctx, &p.session, done[0].Moved)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for i := range attempts {
		all.Go(func() {
			if err := p.Complete(ctx, "a", &attempts[i], &hive.Outcome{Result: []byte("ok")}); err != nil && ctx.Err() == nil {
				p.t.Error(err)
			}
		})
	}
	all.Wait()
	return nil
}

// BenchmarkSubmit is what one task takes until it is on the road.
func BenchmarkSubmit(b *testing.B) {
	c, _, addr := benchHive(b)
	submit := func() {
		if _, err := c.Submit(b.Context(), benchTask); err != nil {
			b.Fatal(err)
		}
	}
	submit()
	report := testkit.Cost(b, addr)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		submit()
	}
	b.StopTimer()
	report(b.N)
}

// BenchmarkRun is one task after the other, from its submission to its result. Allocations
// are those of the played spore as well.
func BenchmarkRun(b *testing.B) {
	c, p, addr := benchHive(b)
	defer p.play()()
	run := func() {
		if r, err := c.Run(b.Context(), benchTask); err != nil || r.State != hive.Completed {
			b.Fatal(r, err)
		}
	}
	run()
	report := testkit.Cost(b, addr)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		run()
	}
	b.StopTimer()
	report(b.N)
}

// BenchmarkMap is one Map over all tasks.
func BenchmarkMap(b *testing.B) {
	c, p, addr := benchHive(b)
	defer p.play()()
	run := func(n int) {
		payloads := make([][]byte, n)
		for i := range payloads {
			payloads[i] = benchPayload
		}
		if _, err := c.Map(b.Context(), client.MapOptions{Task: benchTask}, payloads); err != nil {
			b.Fatal(err)
		}
	}
	run(1)
	report := testkit.Cost(b, addr)
	b.ReportAllocs()
	b.ResetTimer()
	run(b.N)
	b.StopTimer()
	report(b.N)
}
