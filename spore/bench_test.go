package spore_test

import (
	"context"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/spore"
)

// benchSlots is how many attempts run at once.
const benchSlots = 100

// benchSpore is a spore without its loops that runs the noop, and its road.
func benchSpore(t testing.TB) (*spore.Spore, *broker.Broker) {
	t.Helper()
	o := testkit.Options(t)
	o.Lease = time.Hour
	road, pub := testkit.DialTo(t, o), testkit.NewPublisher(t)
	s, err := spore.New(spore.Options{Road: road, Name: "a", Slots: benchSlots, Admit: testkit.Admit(), CacheDir: testkit.CacheDir(t),
		Bundles: spore.UpdaterOptions{Repository: pub.Client(t), Between: spore.NoWait}})
	if err != nil {
		t.Fatal(err)
	}
	noop := testkit.Skill("noop", testkit.Noop)
	stop := s.Play(t.Context(), &noop, testkit.Noop)
	t.Cleanup(func() {
		stop()
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, road
}

// queue is where attempts at the noop come from.
type queue struct {
	*broker.Broker
	t       testing.TB
	term    broker.Term
	session broker.Session
}

func newQueue(t testing.TB, road *broker.Broker) *queue {
	t.Helper()
	q := &queue{road, t, broker.Term{Nexus: "nexus"}, broker.Session{Node: "a", Incarnation: hive.NewID()}}
	var err error
	if q.term.Epoch, _, _, err = road.Campaign(t.Context(), "nexus", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := road.Register(t.Context(), &q.session, &hive.NodeReport{ID: "a", Slots: benchSlots}); err != nil {
		t.Fatal(err)
	}
	return q
}

// fetch takes n new tasks.
func (q *queue) fetch(n int) []hive.Attempt {
	q.t.Helper()
	tasks := make([]hive.Task, n)
	for i := range tasks {
		tasks[i] = hive.Task{Skill: hive.SkillRef{Name: "noop"}, Payload: make([]byte, 200)}.WithDefaults()
	}
	_, err := q.EnqueueMany(q.t.Context(), tasks, "")
	if err == nil {
		_, err = q.Assign(q.t.Context(), &q.term, []broker.Grant{{Lane: "noop||:0", Node: "a", Count: n}})
	}
	if err != nil {
		q.t.Fatal(err)
	}
	attempts, _, err := q.Fetch(q.t.Context(), &q.session, n)
	if err != nil || len(attempts) != n {
		q.t.Fatalf("Fetch = %d tasks, %v, want %d", len(attempts), err, n)
	}
	return attempts
}

// BenchmarkAttempts is what fetched tasks of the noop take until their results are recorded,
// with as many others at once as there are slots.
func BenchmarkAttempts(b *testing.B) {
	s, road := benchSpore(b)
	q := newQueue(b, road)
	s.RunAll(q.fetch(benchSlots))
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += benchSlots {
		b.StopTimer()
		attempts := q.fetch(min(benchSlots, b.N-done))
		b.StartTimer()
		s.RunAll(attempts)
	}
	b.StopTimer()
	for _, a := range q.fetch(1) { // that it was the noop that ran
		s.RunAll([]hive.Attempt{a})
		if r, err := road.Status(b.Context(), a.Task.ID); err != nil || r.State != hive.Completed || string(r.Result) != "ok" {
			b.Errorf("the last one came to %+v, %v", r, err)
		}
	}
}

// BenchmarkAttempt is one attempt at the noop without the road.
func BenchmarkAttempt(b *testing.B) {
	s, road := benchSpore(b)
	attempt := newQueue(b, road).fetch(1)[0]
	b.ReportAllocs()
	for b.Loop() {
		if out, err := s.RunUnrecorded(b.Context(), &attempt); err != nil || out.Failure != nil {
			b.Fatal(out.Failure, err)
		}
	}
}
