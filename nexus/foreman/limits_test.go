package foreman_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus/foreman"
)

// floor is a road with one spore, which takes what it is given and does nothing by itself.
type floor struct {
	*testing.T
	*broker.Broker
	spore   *broker.Session
	report  *hive.NodeReport
	held    map[string][]hive.Attempt // by skill and key
	leaders int
}

func newFloor(t *testing.T, o broker.Options) *floor {
	o.Lease = time.Hour
	f := &floor{T: t, Broker: testkit.DialTo(t, o), spore: &broker.Session{Node: "a", Incarnation: hive.NewID()}, held: map[string][]hive.Attempt{}}
	f.report = &hive.NodeReport{ID: "a", Slots: 1000, Skills: []hive.SkillID{{Name: "echo", Version: "1.0.0"}, {Name: "dig", Version: "1.0.0"}}}
	f.must(f.Register(t.Context(), f.spore, f.report))
	return f
}

func (f *floor) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// lead has another foreman lead until stop is called.
func (f *floor) lead() (stop func()) {
	f.leaders++
	name := fmt.Sprint("nexus", f.leaders)
	epoch, _, _, err := f.Campaign(f.Context(), name, time.Hour)
	f.must(err)
	ctx, cancel := context.WithCancel(f.Context())
	led := make(chan error, 1)
	fore := foreman.New(f.Broker, slog.New(slog.DiscardHandler))
	fore.RereadAfter(time.Hour) // who is forgotten stays so
	go func() { led <- fore.Lead(ctx, broker.Term{Epoch: epoch, Nexus: name}) }()
	return func() {
		cancel()
		<-led
		f.must(f.Resign(f.Context(), name))
	}
}

func (f *floor) submit(n int, skill, key string, priority ...hive.Priority) (ids []string) {
	tasks := make([]hive.Task, n)
	for i := range tasks {
		tasks[i] = hive.Task{Skill: hive.SkillRef{Name: skill}, Key: key}.WithDefaults()
		if len(priority) > 0 {
			tasks[i].Priority = priority[0]
		}
		if key == long {
			tasks[i].Tenant = long
		}
	}
	ids, err := f.EnqueueMany(f.Context(), tasks, "")
	f.must(err)
	return ids
}

// long makes a class so long that it is hashed.
var long = strings.Repeat("k", 60)

// take has the spore take what it was given.
func (f *floor) take() {
	_, err := f.Heartbeat(f.Context(), f.spore, f.report, false)
	f.must(err)
	got, _, err := f.Fetch(f.Context(), f.spore, 1000)
	f.must(err)
	for _, a := range got {
		what := a.Task.Skill.Name + a.Task.Key
		f.held[what] = append(f.held[what], a)
	}
}

// await takes tasks until the spore holds as many of a skill and a key.
func (f *floor) await(n int, what string) {
	f.Helper()
	for len(f.held[what]) < n {
		f.take()
		time.Sleep(time.Millisecond)
	}
}

// finish completes an attempt that the spore holds.
func (f *floor) finish(what string) {
	a := f.held[what][0]
	f.held[what] = f.held[what][1:]
	f.must(f.Complete(f.Context(), "a", &a, &hive.Outcome{}))
}

// routed returns when the foreman has seen all that was submitted before: it has given a task
// that was submitted behind it and that nothing limits.
func (f *floor) routed() {
	f.Helper()
	n := len(f.held["dig"])
	f.submit(1, "dig", "")
	f.await(n+1, "dig")
	f.take()
}

// want checks what the spore holds of a skill and a key.
func (f *floor) want(n int, what string) {
	f.Helper()
	if got := len(f.held[what]); got != n {
		f.Errorf("the spore holds %d of %s, want %d", got, what, n)
	}
}

func limit(skill string, perKey bool, rate int, per time.Duration, running int) hive.Limit {
	return hive.Limit{LimitScope: hive.LimitScope{Scope: hive.Scope{Skill: skill}, PerKey: perKey}, Rate: rate, Per: per, Running: running}
}

// TestCaps: no more run than may, whichever nexus leads, and all are done in the end.
func TestCaps(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		f := newFloor(t, o)
		f.must(f.SetLimit(f.Context(), limit("echo", false, 0, 0, 5)))
		f.must(f.SetLimit(f.Context(), limit("", true, 0, 0, 2)))
		stop := f.lead()
		defer func() { stop() }()
		keys := []string{"x", "y", long}
		for _, key := range keys {
			f.submit(10, "echo", key)
		}
		held := func() (n int) {
			for _, key := range keys {
				if k := len(f.held["echo"+key]); k > 2 {
					t.Errorf("the spore holds %d of key %s", k, key)
				} else {
					n += k
				}
			}
			if n > 5 {
				t.Errorf("the spore holds %d of echo", n)
			}
			return n
		}
		for done := 0; done < 30; {
			f.take()
			n := held()
			if n < min(5, 30-done) && done < 24 {
				continue // more are on their way: of the last few a key may hold back all
			}
			if n == 0 {
				continue
			}
			f.routed()
			n = held()
			if done%10 == 9 {
				stop()
				stop = f.lead()
				f.routed()
				if now := held(); now != n {
					t.Errorf("another leader gave %d to %d", now-n, n)
				}
			}
			for i := range keys { // in turn, so that each has some left until the end
				if what := "echo" + keys[(done+i)%len(keys)]; len(f.held[what]) > 0 {
					f.finish(what)
					done++
					break
				}
			}
		}
	})
}

// TestRates: a bucket is emptied once, whichever nexus leads, and fills again.
func TestRates(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		f := newFloor(t, o)
		hourly := limit("echo", true, 10, 10*time.Hour, 0)
		hourly.Burst = 3
		f.must(f.SetLimit(f.Context(), hourly))
		stop := f.lead()
		f.submit(2, "echo", "x")
		f.submit(9, "echo", "y")
		f.submit(9, "echo", "")
		f.await(9, "echo")
		f.routed()
		f.want(2, "echox")
		f.want(3, "echoy")
		for range 3 {
			stop()
			stop = f.lead()
			f.routed()
			f.want(2, "echox")
			f.want(3, "echoy")
		}
		f.submit(3, "echo", "x")
		f.await(3, "echox")
		f.routed()
		f.want(3, "echox")
		f.must(f.SetLimit(f.Context(), limit("echo", true, 1000, time.Second, 0)))
		f.await(5, "echox")
		f.must(f.RemoveLimit(f.Context(), hourly.LimitScope))
		f.await(9, "echoy")
		stop()
	})
}

// TestRateIsKept: in no time more begin than the rate says, one bucket apart, though leaders
// follow each other.
func TestRateIsKept(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		f := newFloor(t, o)
		l := limit("echo", false, 200, time.Second, 0)
		f.must(f.SetLimit(f.Context(), l))
		began, err := f.Now(t.Context())
		f.must(err)
		f.submit(100, "echo", "")
		for n := 10; n <= 100; n += 30 {
			stop := f.lead()
			f.await(n, "echo")
			stop()
			f.take()
			now, err := f.Now(t.Context())
			f.must(err)
			if most := l.Depth() + int(now.Add(time.Millisecond).Sub(began)/l.Interval()); len(f.held["echo"]) > most {
				t.Errorf("%d began within %v, want at most %d", len(f.held["echo"]), now.Sub(began), most)
			}
		}
	})
}

// TestLimitsOfMany: lanes by the thousand that are held back keep nothing else waiting.
func TestLimitsOfMany(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		f := newFloor(t, o)
		f.must(f.SetLimit(f.Context(), limit("echo", true, 1, time.Hour, 1)))
		stop := f.lead()
		defer func() { stop() }()
		const keys = 500
		tasks := make([]hive.Task, 3*keys)
		for i := range tasks {
			tasks[i] = hive.Task{Skill: hive.SkillRef{Name: "echo"}, Key: fmt.Sprint("k", i%keys)}.WithDefaults()
		}
		_, err := f.EnqueueMany(t.Context(), tasks, "")
		f.must(err)
		done := 0
		for done < keys {
			f.take()
			for what := range f.held {
				for len(f.held[what]) > 0 {
					f.finish(what)
					done++
				}
			}
		}
		stop()
		stop = f.lead()
		f.routed()
		if len(f.held) != keys+1 {
			t.Errorf("%d keys had a turn, want %d", len(f.held)-1, keys)
		}
		for what, held := range f.held {
			if what != "dig" && len(held) > 0 {
				t.Errorf("%s had a second turn", what)
			}
		}
	})
}
