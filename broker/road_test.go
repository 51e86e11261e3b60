package broker_test

import (
	"cmp"
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Main(m, func() error { return goleak.Find() })
}

// road is one road with the parts of the hive that a script test plays itself.
type road struct {
	*broker.Broker
	opts broker.Options
	t    testing.TB
	term broker.Term

	giver *broker.Session // see given
}

// onRoads runs a test on a redis-server and on the embedded road, as leader.
func onRoads(t *testing.T, test func(r *road)) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		o.Lease = 50 * time.Millisecond
		test(newRoad(t, o))
	})
}

func newRoad(t testing.TB, o broker.Options) *road {
	r := &road{Broker: testkit.DialTo(t, o), opts: o, t: t}
	epoch, leader, _, err := r.Campaign(t.Context(), "nexus", time.Hour)
	if err != nil || leader != "nexus" {
		t.Fatalf("Campaign = leader %q, %v", leader, err)
	}
	r.term.Epoch, r.term.Nexus = epoch, leader
	return r
}

func (r *road) ctx() context.Context { return r.t.Context() }

func (r *road) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// put checks that a task was put on the road.
func (r *road) put(_ string, err error) {
	r.t.Helper()
	r.check(err)
}

func (r *road) shard() string { return cmp.Or(r.opts.Shard, "h") }

// do sends a command on a key of the shard, as somebody who meddles would.
func (r *road) do(command, key string, more ...string) string {
	r.t.Helper()
	words := append([]string{command, "{" + r.shard() + "}:" + key}, more...)
	answer, err := testkit.Do(r.opts.Addrs[0], words...)
	r.check(err)
	return answer
}

// join registers a spore of two slots.
func (r *road) join(id string) *broker.Session {
	r.t.Helper()
	s := &broker.Session{Node: id, Incarnation: hive.NewID()}
	r.check(r.Register(r.ctx(), s, &hive.NodeReport{ID: id, Slots: 2}))
	return s
}

func echo(id string) hive.Task {
	t := hive.Task{ID: id, Skill: hive.SkillRef{Name: "echo"}, Payload: []byte("payload of " + id), Priority: hive.BackgroundPriority}
	return t.WithDefaults()
}

// enqueue puts one task of the echo skill on the road and returns its id.
func (r *road) enqueue(change ...func(*hive.Task)) string {
	r.t.Helper()
	t := echo("")
	for _, c := range change {
		c(&t)
	}
	r.put(r.Enqueue(r.ctx(), &t, ""))
	return t.ID
}

// assign gives n tasks of the echo lane to a spore.
func (r *road) assign(node string, n int) broker.Assigned {
	r.t.Helper()
	done, err := r.Assign(r.ctx(), &r.term, []broker.Grant{{Lane: "echo||:2", Node: node, Count: n}})
	r.check(err)
	return done[0]
}

func (r *road) fetch(s *broker.Session, n int) []hive.Attempt {
	r.t.Helper()
	attempts, _, err := r.Fetch(r.ctx(), s, n)
	r.check(err)
	return attempts
}

// running enqueues a task and takes it all the way to an attempt on s.
func (r *road) running(s *broker.Session, change ...func(*hive.Task)) hive.Attempt {
	r.t.Helper()
	id := r.enqueue(change...)
	r.assign(s.Node, 1)
	got := r.fetch(s, 1)
	if len(got) != 1 || got[0].Task.ID != id {
		r.t.Fatalf("Fetch = %v, want task %s", got, id)
	}
	return got[0]
}

func (r *road) complete(s *broker.Session, a hive.Attempt) {
	r.t.Helper()
	r.check(r.Complete(r.ctx(), s.Node, &a, &hive.Outcome{Result: []byte("done")}))
}

func (r *road) fail(s *broker.Session, a hive.Attempt, kind hive.FailureKind) hive.State {
	r.t.Helper()
	state, err := r.Fail(r.ctx(), s.Node, &a, failure(kind), time.Millisecond)
	r.check(err)
	return state
}

func failure(kind hive.FailureKind) *hive.Outcome {
	return &hive.Outcome{Failure: hive.NewFailure(kind, "because")}
}

// want checks a task's state and counters of attempts and failures.
func (r *road) want(id string, state hive.State, attempts, failures int) *hive.Record {
	r.t.Helper()
	rec, err := r.Status(r.ctx(), id)
	r.check(err)
	if rec.State != state || rec.Attempts != attempts || rec.Failures != failures {
		r.t.Fatalf("task is %s, attempts %d, failures %d; want %s, %d, %d",
			rec.State, rec.Attempts, rec.Failures, state, attempts, failures)
	}
	return rec
}

func (r *road) wantStats(want hive.Stats) {
	r.t.Helper()
	got, err := r.Stats(r.ctx())
	r.check(err)
	if got != want {
		r.t.Fatalf("Stats = %+v\n     want %+v", got, want)
	}
}

// wantIdle checks that no spore is charged with a task any more.
func (r *road) wantIdle() {
	r.t.Helper()
	active, err := r.Active(r.ctx())
	r.check(err)
	for node, n := range active {
		if n != 0 {
			r.t.Fatalf("spore %s is charged with %d tasks, want none", node, n)
		}
	}
}

// promoted waits until n scheduled tasks have become pending.
func (r *road) promoted(n int) {
	r.t.Helper()
	for n > 0 {
		got, next, err := r.Promote(r.ctx(), r.term)
		r.check(err)
		if n -= got; n > 0 && next < 0 {
			r.t.Fatalf("%d tasks are not scheduled at all", n)
		}
	}
}

// lapse waits until the lease of a silent spore has ended and its tasks are back.
func (r *road) lapse(node string, want int) {
	r.t.Helper()
	for moved := 0; moved < want; {
		n, err := r.Reclaim(r.ctx(), r.term, node)
		r.check(err)
		moved += n
	}
}

// knock reads the doorbell until it says more than "work".
func (r *road) knock(s *broker.Session) broker.Knock {
	r.t.Helper()
	for {
		k, err := r.Listen(r.ctx(), s, 5*time.Second)
		r.check(err)
		if !k.Work || len(k.Kill) > 0 || k.Skills {
			return k
		}
	}
}
