package broker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
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
	t    *testing.T
	term broker.Term
}

// onRoads runs a test on a redis-server and on the embedded road, as leader.
func onRoads(t *testing.T, test func(r *road)) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		o.Lease = 50 * time.Millisecond
		test(newRoad(t, o))
	})
}

func newRoad(t *testing.T, o broker.Options) *road {
	r := &road{Broker: testkit.DialTo(t, o), t: t}
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
	r.check(r.Enqueue(r.ctx(), &t, ""))
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

func TestEnqueue(t *testing.T) {
	onRoads(t, func(r *road) {
		id := r.enqueue()
		rec := r.want(id, hive.Pending, 0, 0)
		if string(rec.Payload) != "payload of "+id && string(rec.Payload) != "payload of " {
			r.t.Errorf("payload = %q", rec.Payload)
		}
		if rec.Timeout != hive.DefaultTimeout || rec.Retries != hive.DefaultRetries || rec.Skill.Name != "echo" {
			r.t.Errorf("record = %+v", rec.Task)
		}
		if age := time.Since(rec.Created); age < -time.Minute || age > time.Minute {
			r.t.Errorf("created %v ago", age)
		}
		again := echo(id)
		r.check(r.Enqueue(r.ctx(), &again, ""))
		r.wantStats(hive.Stats{Background: 1, Pending: 1})
		lanes, err := r.ActiveLanes(r.ctx())
		r.check(err)
		if len(lanes) != 1 || lanes[0].Name != "echo||:2" || lanes[0].Count != 1 || lanes[0].Head != id {
			r.t.Errorf("lanes = %+v", lanes)
		}
		bell, err := r.WaitBell(r.ctx(), time.Second)
		r.check(err)
		if len(bell.Lanes) != 1 || bell.Lanes[0] != (broker.LaneBell{Name: "echo||:2", Count: 1, Head: id}) {
			r.t.Errorf("bell = %+v", bell)
		}
	})
}

func TestEnqueueMany(t *testing.T) {
	onRoads(t, func(r *road) {
		var tasks []hive.Task
		for i := range 1300 {
			task := echo("")
			task.Priority = hive.Priority(i % 11)
			tasks = append(tasks, task)
		}
		n, err := r.EnqueueMany(r.ctx(), tasks, "")
		if n != len(tasks) || err != nil {
			r.t.Fatalf("EnqueueMany = %d, %v", n, err)
		}
		if n, err := r.EnqueueMany(r.ctx(), tasks, ""); n != len(tasks) || err != nil {
			r.t.Fatalf("EnqueueMany again = %d, %v", n, err)
		}
		r.wantStats(hive.Stats{High: 708, Background: 592, Pending: 1300})
		lanes, err := r.ActiveLanes(r.ctx())
		r.check(err)
		if len(lanes) != 11 {
			r.t.Errorf("%d lanes, want 11", len(lanes))
		}
	})
}

func TestEnqueueRefuses(t *testing.T) {
	t.Parallel()
	b := testkit.Dial(t)
	for _, test := range []struct {
		name   string
		mutate func(*hive.Task)
		want   error
	}{
		{"payload", func(t *hive.Task) { t.Payload = make([]byte, hive.MaxPayload+1) }, hive.ErrTooLarge},
		{"parents", func(t *hive.Task) { t.Parents = []string{"x"} }, hive.ErrNotSupported},
		{"run-at", func(t *hive.Task) { t.RunAt = time.Now() }, hive.ErrNotSupported},
		{"deadline", func(t *hive.Task) { t.Deadline = time.Now() }, hive.ErrNotSupported},
		{"tenant", func(t *hive.Task) { t.Tenant = "x" }, hive.ErrNotSupported},
		{"unique", func(t *hive.Task) { t.Unique = "x" }, hive.ErrNotSupported},
	} {
		task := echo("")
		test.mutate(&task)
		if err := b.Enqueue(t.Context(), &task, ""); !errors.Is(err, test.want) {
			t.Errorf("%s: Enqueue = %v, want %v", test.name, err, test.want)
		}
		if _, err := b.Status(t.Context(), task.ID); !errors.Is(err, hive.ErrNotFound) {
			t.Errorf("%s: Status = %v, want not found", test.name, err)
		}
	}
}

func TestAssign(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		first := r.enqueue()
		second := r.enqueue()
		if got := r.assign("a", 1); got != (broker.Assigned{Moved: 1, Left: 1, Active: 1, Head: second}) {
			r.t.Fatalf("Assign = %+v", got)
		}
		rec := r.want(first, hive.Assigned, 0, 0)
		if rec.Node != "a" {
			r.t.Errorf("assigned to %q, want a", rec.Node)
		}
		if got := r.assign("a", 5); got != (broker.Assigned{Moved: 1, Active: 2}) {
			r.t.Fatalf("Assign of the rest = %+v", got)
		}
		if got := r.assign("nobody", 5); got != (broker.Assigned{Active: -1}) {
			r.t.Fatalf("Assign to a spore that is not there = %+v", got)
		}
		r.wantStats(hive.Stats{Background: 2, Assigned: 2})
		if lanes, _ := r.ActiveLanes(r.ctx()); len(lanes) != 0 {
			r.t.Errorf("lanes = %+v, want none", lanes)
		}
		knock, err := r.Listen(r.ctx(), s, time.Second)
		if err != nil || !knock.Work {
			r.t.Errorf("Listen = %+v, %v", knock, err)
		}
	})
}

func TestAssignNeedsTheLead(t *testing.T) {
	onRoads(t, func(r *road) {
		r.join("a")
		id := r.enqueue()
		r.check(r.Resign(r.ctx(), "nexus"))
		epoch, leader, _, err := r.Campaign(r.ctx(), "other", time.Hour)
		if err != nil || leader != "other" || epoch != r.term.Epoch+1 {
			r.t.Fatalf("Campaign = %d, %q, %v", epoch, leader, err)
		}
		forged := broker.Term{Epoch: epoch, Nexus: "nexus"} // as after a failover that forgot an epoch
		if _, err := r.Assign(r.ctx(), &forged, []broker.Grant{{Lane: "echo||:2", Node: "a", Count: 1}}); !errors.Is(err, hive.ErrNotLeader) {
			r.t.Errorf("Assign with another's epoch = %v", err)
		}
		_, err = r.Assign(r.ctx(), &r.term, []broker.Grant{{Lane: "echo||:2", Node: "a", Count: 1}})
		if !errors.Is(err, hive.ErrNotLeader) {
			r.t.Errorf("Assign by a deposed leader = %v", err)
		}
		if _, _, err := r.Promote(r.ctx(), r.term); !errors.Is(err, hive.ErrNotLeader) {
			r.t.Errorf("Promote by a deposed leader = %v", err)
		}
		if _, err := r.Reclaim(r.ctx(), r.term, "a"); !errors.Is(err, hive.ErrNotLeader) {
			r.t.Errorf("Reclaim by a deposed leader = %v", err)
		}
		r.want(id, hive.Pending, 0, 0)
	})
}

func TestAssignTask(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		first, second := r.enqueue(), r.enqueue()
		assign := func(id, node string) bool {
			done, err := r.AssignTask(r.ctx(), r.term, id, node)
			if err != nil && !errors.Is(err, hive.ErrNotFound) {
				r.t.Fatal(err)
			}
			return done
		}
		if !assign(second, "a") || assign(second, "a") || assign(first, "nobody") || assign("unknown", "a") {
			r.t.Error("AssignTask did not assign exactly the second task")
		}
		r.wantStats(hive.Stats{Background: 2, Assigned: 1, Pending: 1})
		if !assign(first, "a") {
			r.t.Error("AssignTask did not assign the first task")
		}
		if lanes, _ := r.ActiveLanes(r.ctx()); len(lanes) != 0 {
			r.t.Errorf("lanes = %+v, want none", lanes)
		}
		got := r.fetch(s, 2)
		if len(got) != 2 || got[0].Task.ID != second {
			r.t.Fatalf("Fetch = %v", got)
		}
		r.complete(s, got[0])
		r.complete(s, got[1])
		r.wantIdle()
	})
}

func TestFetch(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		for range 3 {
			r.enqueue()
		}
		r.assign("a", 3)
		got, left, err := r.Fetch(r.ctx(), s, 2)
		r.check(err)
		if len(got) != 2 || left != 1 {
			r.t.Fatalf("Fetch = %d attempts, %d left", len(got), left)
		}
		if a := got[0]; a.Number != 1 || a.Task.Skill.Name != "echo" || a.Task.Timeout != hive.DefaultTimeout || len(a.Task.Payload) == 0 {
			r.t.Errorf("attempt = %+v", a)
		}
		if rec := r.want(got[0].Task.ID, hive.Running, 1, 0); rec.Node != "a" || rec.Started.IsZero() {
			r.t.Errorf("record = %+v", rec)
		}
		r.wantStats(hive.Stats{Background: 1, Assigned: 1, Running: 2})
		stranger := &broker.Session{Node: "a", Incarnation: "old"}
		if _, _, err := r.Fetch(r.ctx(), stranger, 1); !errors.Is(err, hive.ErrUnregistered) {
			r.t.Errorf("Fetch by an old incarnation = %v", err)
		}
	})
}

// TestFetchDropsTombstones: cancelled tasks held places in the spore's queue; the
// foreman must hear that they are free.
func TestFetchDropsTombstones(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		dead := r.enqueue()
		r.assign("a", 1)
		if _, err := r.Cancel(r.ctx(), dead); err != nil {
			r.t.Fatal(err)
		}
		r.enqueue()
		for rung := true; rung; { // what has been said until here
			bell, err := r.WaitBell(r.ctx(), time.Millisecond)
			r.check(err)
			rung = bell.Nodes || len(bell.Lanes) > 0
		}
		if got := r.fetch(s, 1); len(got) != 0 {
			r.t.Fatalf("Fetch = %v, want nothing", got)
		}
		if bell, err := r.WaitBell(r.ctx(), time.Second); err != nil || !bell.Freed {
			r.t.Errorf("bell = %+v, %v, want it to say that there is room", bell, err)
		}
		r.wantIdle()
	})
}

// TestOutOfMemory: a full redis takes no new tasks, but what is on the road goes on.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	server, err := testkit.StartRedis("--maxmemory", "4mb", "--maxmemory-policy", "noeviction")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	r := newRoad(t, broker.Options{Addrs: []string{server.Addr}})
	s := r.join("a")
	r.enqueue()
	r.enqueue()
	r.assign("a", 1)
	a := r.fetch(s, 1)[0]
	for { // fill it up
		big := echo("")
		big.Payload = make([]byte, 200_000)
		if err := r.Enqueue(r.ctx(), &big, ""); err != nil {
			if !strings.Contains(err.Error(), "OOM") {
				t.Fatalf("Enqueue on a full redis = %v", err)
			}
			break
		}
	}
	if _, err := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a"}, false); err != nil {
		t.Errorf("Heartbeat = %v", err)
	}
	if _, leader, _, err := r.Campaign(r.ctx(), "nexus", time.Hour); leader != "nexus" || err != nil {
		t.Errorf("Campaign = %q, %v", leader, err)
	}
	r.complete(s, a)
	r.assign("a", 1)
	if b := r.fetch(s, 1); len(b) != 1 {
		t.Errorf("Fetch = %v, want the second task", b)
	} else if got := r.fail(s, b[0], hive.FailTrap); got != hive.Scheduled {
		t.Errorf("Fail = %s", got)
	}
}

func TestComplete(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		out := &hive.Outcome{Result: []byte("\xff\x00 bytes"), Log: []byte("said"), Elapsed: 1500 * time.Microsecond,
			Ran: hive.SkillID{Name: "echo", Version: "1.0.0", Digest: "sha256:00"}}
		r.check(r.Complete(r.ctx(), "a", &a, out))
		r.check(r.Complete(r.ctx(), "a", &a, out)) // a repeat is a success
		rec := r.want(a.Task.ID, hive.Completed, 1, 0)
		if string(rec.Result) != string(out.Result) || string(rec.Log) != "said" || rec.Elapsed != out.Elapsed || rec.Ran != out.Ran {
			r.t.Errorf("outcome = %+v", rec.Outcome)
		}
		if rec.Finished.IsZero() || len(rec.Payload) > 0 {
			r.t.Errorf("finished %v, payload %q", rec.Finished, rec.Payload)
		}
		r.wantStats(hive.Stats{Completed: 1})
		r.wantIdle()
		a.Number++
		if err := r.Complete(r.ctx(), "a", &a, out); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("Complete by another attempt = %v", err)
		}
		big := &hive.Outcome{Result: make([]byte, hive.MaxResult+1)}
		if err := r.Complete(r.ctx(), "a", &a, big); !errors.Is(err, hive.ErrTooLarge) {
			r.t.Errorf("Complete with a large result = %v", err)
		}
	})
}

func TestFail(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s, func(t *hive.Task) { t.Retries = 1 })
		if got := r.fail(s, a, hive.FailTrap); got != hive.Scheduled {
			r.t.Fatalf("first Fail = %s", got)
		}
		rec := r.want(a.Task.ID, hive.Scheduled, 1, 1)
		if rec.Failure == nil || *rec.Failure != *hive.NewFailure(hive.FailTrap, "because") || rec.Due.IsZero() {
			r.t.Errorf("failure = %v, due %v", rec.Failure, rec.Due)
		}
		r.wantStats(hive.Stats{Scheduled: 1})
		r.promoted(1)
		r.assign("a", 1)
		b := r.fetch(s, 1)[0]
		if b.Number != 2 || b.Failures != 1 || string(b.Task.Payload) != string(a.Task.Payload) {
			r.t.Fatalf("second attempt = %+v", b)
		}
		if _, err := r.Fail(r.ctx(), "a", &a, failure(hive.FailTrap), 0); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("late Fail of the first attempt = %v", err)
		}
		if got := r.fail(s, b, hive.FailExit); got != hive.Failed {
			r.t.Fatalf("second Fail = %s", got)
		}
		r.want(a.Task.ID, hive.Failed, 2, 2)
		r.wantStats(hive.Stats{Failed: 1})
		r.wantIdle()
	})
}

func TestFailPermanent(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		if got := r.fail(s, a, hive.FailInput); got != hive.Failed {
			r.t.Fatalf("Fail = %s, want failed", got)
		}
		none := r.running(s, func(t *hive.Task) { t.Retries = hive.NoRetries })
		if got := r.fail(s, none, hive.FailTrap); got != hive.Failed {
			r.t.Fatalf("Fail without retries = %s, want failed", got)
		}
	})
}

func TestRetry(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		r.fail(s, a, hive.FailInput)
		r.check(r.Retry(r.ctx(), a.Task.ID))
		r.want(a.Task.ID, hive.Pending, 1, 0)
		if err := r.Retry(r.ctx(), a.Task.ID); err == nil {
			r.t.Error("Retry of a pending task succeeded")
		}
		if err := r.Retry(r.ctx(), "unknown"); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("Retry of an unknown task = %v", err)
		}
		r.assign("a", 1)
		b := r.fetch(s, 1)[0]
		if b.Number != 2 || string(b.Task.Payload) != string(a.Task.Payload) {
			r.t.Fatalf("attempt after Retry = %+v", b)
		}
		r.complete(s, b)
		r.wantStats(hive.Stats{Completed: 1})
		r.wantIdle()
	})
}

func TestRelease(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		behind := r.enqueue()
		r.assign("a", 1)
		if n, err := r.ReleaseQueue(r.ctx(), "a"); n != 1 || err != nil {
			r.t.Fatalf("ReleaseQueue = %d, %v", n, err)
		}
		if n, err := r.Release(r.ctx(), "a", a); n != 1 || err != nil {
			r.t.Fatalf("Release = %d, %v", n, err)
		}
		if n, err := r.Release(r.ctx(), "a", a); n != 0 || err != nil {
			r.t.Fatalf("Release again = %d, %v", n, err)
		}
		r.want(a.Task.ID, hive.Pending, 1, 0)
		r.want(behind, hive.Pending, 0, 0)
		if err := r.Complete(r.ctx(), "a", &a, &hive.Outcome{}); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("Complete after Release = %v", err)
		}
		r.wantIdle()
		r.assign("a", 2)
		got := r.fetch(s, 2)
		if len(got) != 2 || got[0].Task.ID != a.Task.ID || got[0].Number != 2 || got[0].Failures != 0 || got[1].Number != 1 {
			r.t.Errorf("next attempts = %+v, want the released task's second before the first of %s", got, behind)
		}
	})
}

func TestReclaim(t *testing.T) {
	onRoads(t, func(r *road) {
		dead := r.join("dead")
		a := r.running(dead)
		queued := r.enqueue()
		r.assign("dead", 1)
		r.lapse("dead", 2)
		rec := r.want(a.Task.ID, hive.Pending, 1, 1)
		if rec.Failure != nil && rec.Failure.Kind != hive.FailLost {
			r.t.Errorf("failure = %v", rec.Failure)
		}
		r.want(queued, hive.Pending, 0, 0)
		r.wantIdle()
		if err := r.Complete(r.ctx(), "dead", &a, &hive.Outcome{}); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("late Complete = %v", err)
		}
		if _, err := r.Heartbeat(r.ctx(), dead, &hive.NodeReport{ID: "dead"}, false); !errors.Is(err, hive.ErrUnregistered) {
			r.t.Errorf("Heartbeat after reclaim = %v", err)
		}
		alive := r.join("alive")
		r.assign("alive", 2)
		got := r.fetch(alive, 2)
		if len(got) != 2 {
			r.t.Fatalf("Fetch = %d attempts, want both tasks", len(got))
		}
		for _, b := range got {
			r.complete(alive, b)
		}
		r.wantStats(hive.Stats{Completed: 2})
	})
}

func TestReclaimUsesUpRetries(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("dead")
		a := r.running(s, func(t *hive.Task) { t.Retries = hive.NoRetries })
		r.lapse("dead", 1)
		rec := r.want(a.Task.ID, hive.Failed, 1, 1)
		if rec.Failure == nil || rec.Failure.Kind != hive.FailLost {
			r.t.Errorf("failure = %v", rec.Failure)
		}
		r.wantStats(hive.Stats{Failed: 1})
	})
}

func TestExpire(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		rec := r.want(a.Task.ID, hive.Running, 1, 0)
		if took, err := r.Expire(r.ctx(), r.term, rec); took || err != nil {
			r.t.Fatalf("Expire in time = %v, %v", took, err)
		}
		rec.Timeout = -broker.ExpireGrace // as if its time and the grace were over
		if took, err := r.Expire(r.ctx(), r.term, rec); !took || err != nil {
			r.t.Fatalf("Expire = %v, %v", took, err)
		}
		r.want(a.Task.ID, hive.Pending, 1, 1)
		r.wantIdle()
		knock := r.knock(s)
		if len(knock.Kill) != 1 || knock.Kill[0] != (broker.Kill{ID: a.Task.ID, Attempt: 1}) {
			r.t.Errorf("Listen = %+v", knock)
		}
	})
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

func TestExpireUsesUpRetries(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s, func(t *hive.Task) { t.Retries = hive.NoRetries })
		rec := r.want(a.Task.ID, hive.Running, 1, 0)
		rec.Timeout = -broker.ExpireGrace
		if took, err := r.Expire(r.ctx(), r.term, rec); !took || err != nil {
			r.t.Fatalf("Expire = %v, %v", took, err)
		}
		if rec := r.want(a.Task.ID, hive.Failed, 1, 1); rec.Failure == nil || rec.Failure.Kind != hive.FailTimeout {
			r.t.Errorf("failure = %v", rec.Failure)
		}
	})
}

func TestPromote(t *testing.T) {
	onRoads(t, func(r *road) {
		if n, next, err := r.Promote(r.ctx(), r.term); n != 0 || next >= 0 || err != nil {
			r.t.Fatalf("Promote of nothing = %d, %v, %v", n, next, err)
		}
		s := r.join("a")
		late, soon := r.running(s), r.running(s)
		_, err := r.Fail(r.ctx(), "a", &late, failure(hive.FailTrap), time.Hour)
		r.check(err)
		_, err = r.Fail(r.ctx(), "a", &soon, failure(hive.FailTrap), 0)
		r.check(err)
		n, next, err := r.Promote(r.ctx(), r.term)
		if n != 1 || next <= 59*time.Minute || err != nil {
			r.t.Fatalf("Promote = %d, next in %v, %v", n, next, err)
		}
		r.want(soon.Task.ID, hive.Pending, 1, 1)
		r.want(late.Task.ID, hive.Scheduled, 1, 1)
		r.wantStats(hive.Stats{Background: 1, Pending: 1, Scheduled: 1})
	})
}

func TestCancel(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		cancel := func(id string, want hive.State) {
			r.t.Helper()
			if got, err := r.Cancel(r.ctx(), id); got != want || err != nil {
				r.t.Fatalf("Cancel = %s, %v; want it %s", got, err, want)
			}
			r.want(id, hive.Cancelled, map[bool]int{true: 1}[want == hive.Running || want == hive.Scheduled], map[bool]int{true: 1}[want == hive.Scheduled])
		}
		running := r.running(s)
		cancel(running.Task.ID, hive.Running)
		if k := r.knock(s); len(k.Kill) != 1 || k.Kill[0].ID != running.Task.ID {
			r.t.Errorf("Listen = %+v", k)
		}
		if err := r.Complete(r.ctx(), "a", &running, &hive.Outcome{}); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("Complete after Cancel = %v", err)
		}
		retrying := r.running(s)
		r.fail(s, retrying, hive.FailTrap)
		cancel(retrying.Task.ID, hive.Scheduled)

		pending, assigned := r.enqueue(), ""
		cancel(pending, hive.Pending)
		assigned = r.enqueue()
		r.assign("a", 2)
		cancel(assigned, hive.Pending)
		if got := r.fetch(s, 2); len(got) != 0 {
			r.t.Errorf("Fetch = %v, want the tombstones dropped", got)
		}
		r.wantIdle()
		if state, err := r.Cancel(r.ctx(), assigned); state != hive.Cancelled || !errors.Is(err, hive.ErrFinal) {
			r.t.Errorf("Cancel again = %s, %v", state, err)
		}
		if _, err := r.Cancel(r.ctx(), "unknown"); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("Cancel of an unknown task = %v", err)
		}
		r.wantStats(hive.Stats{Cancelled: 4})
		many := []string{r.enqueue(), r.enqueue(), "unknown", assigned}
		if n, err := r.CancelMany(r.ctx(), many); n != 2 || err != nil {
			r.t.Errorf("CancelMany = %d, %v, want 2", n, err)
		}
		r.wantStats(hive.Stats{Cancelled: 6})
	})
}

func TestWait(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		inbox := "client"
		told := echo("")
		r.check(r.Enqueue(r.ctx(), &told, inbox))
		r.assign("a", 1)
		first := r.fetch(s, 1)[0]
		second := r.running(s)
		over, unknown, err := r.Wait(r.ctx(), inbox, []string{second.Task.ID, "unknown"})
		if len(over) != 0 || len(unknown) != 1 || err != nil {
			r.t.Fatalf("Wait = %v, %v, %v", over, unknown, err)
		}
		r.complete(s, first)
		r.fail(s, second, hive.FailInput)
		states := map[string]hive.State{}
		for len(states) < 2 {
			got, err := r.ReadInbox(r.ctx(), inbox, 5*time.Second)
			r.check(err)
			for _, n := range got {
				states[n.ID] = n.Record.State
			}
		}
		if states[first.Task.ID] != hive.Completed || states[second.Task.ID] != hive.Failed {
			r.t.Errorf("told %v", states)
		}
		over, _, err = r.Wait(r.ctx(), inbox, []string{first.Task.ID})
		if len(over) != 1 || err != nil || string(over[0].Result) != "done" {
			r.t.Errorf("Wait for a finished task = %v, %v", over, err)
		}
	})
}

func TestRegister(t *testing.T) {
	onRoads(t, func(r *road) {
		old := r.join("a")
		r.check(r.Register(r.ctx(), old, &hive.NodeReport{ID: "a"})) // a repeat is a success
		a := r.running(old)
		next := &broker.Session{Node: "a", Incarnation: "next"}
		err := r.Register(r.ctx(), next, &hive.NodeReport{ID: "a"})
		for errors.Is(err, hive.ErrTaken) { // until the lease of the first has ended
			err = r.Register(r.ctx(), next, &hive.NodeReport{ID: "a"})
		}
		r.check(err)
		r.want(a.Task.ID, hive.Pending, 1, 1)
		r.wantIdle()
		r.assign("a", 1)
		if got := r.fetch(next, 1); len(got) != 1 || got[0].Number != 2 {
			r.t.Errorf("Fetch = %v", got)
		}
	})
}

func TestHeartbeat(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		pulse, err := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a", Slots: 7, CPU: 0.5, Tags: hive.Tags{"zone": "eu"}}, false)
		r.check(err)
		if !pulse.Holds[a.Task.ID] || len(pulse.Holds) != 1 {
			r.t.Errorf("pulse = %+v", pulse)
		}
		nodes, err := r.Nodes(r.ctx())
		r.check(err)
		if len(nodes) != 1 || nodes[0].Slots != 7 || nodes[0].Active != 1 || !nodes[0].Online || nodes[0].Tags["zone"] != "eu" {
			r.t.Errorf("Nodes = %+v", nodes)
		}
	})
}

func TestUnregister(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		queued := r.enqueue()
		r.assign("a", 1)
		if n, err := r.Unregister(r.ctx(), s); n != 2 || err != nil {
			r.t.Fatalf("Unregister = %d, %v", n, err)
		}
		if n, err := r.Unregister(r.ctx(), s); n != 0 || err != nil {
			r.t.Fatalf("Unregister again = %d, %v", n, err)
		}
		r.want(a.Task.ID, hive.Pending, 1, 0)
		r.want(queued, hive.Pending, 0, 0)
		r.wantIdle()
		if nodes, _ := r.Nodes(r.ctx()); len(nodes) != 0 {
			r.t.Errorf("Nodes = %v, want none", nodes)
		}
	})
}

func TestCampaign(t *testing.T) {
	onRoads(t, func(r *road) {
		epoch, leader, left, err := r.Campaign(r.ctx(), "other", time.Hour)
		if err != nil || leader != "nexus" || epoch != r.term.Epoch || left <= 0 {
			r.t.Fatalf("Campaign of a second nexus = %d, %q, %v, %v", epoch, leader, left, err)
		}
		if epoch, leader, _, _ := r.Campaign(r.ctx(), "nexus", time.Hour); leader != "nexus" || epoch != r.term.Epoch {
			r.t.Errorf("Campaign of the leader = %d, %q", epoch, leader)
		}
		if leader, err := r.Leader(r.ctx()); leader != "nexus" || err != nil {
			r.t.Errorf("Leader = %q, %v", leader, err)
		}
		r.check(r.Resign(r.ctx(), "other")) // it does not lead
		r.check(r.Resign(r.ctx(), "nexus"))
		if leader, _ := r.Leader(r.ctx()); leader != "" {
			r.t.Errorf("Leader after Resign = %q", leader)
		}
		epoch, leader, _, _ = r.Campaign(r.ctx(), "nexus", time.Hour)
		if leader != "nexus" || epoch != r.term.Epoch+1 {
			r.t.Errorf("Campaign after Resign = %d, %q, want a new epoch", epoch, leader)
		}
	})
}

func TestZombies(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		if got, err := r.Zombies(r.ctx(), time.Hour); len(got) != 0 || err != nil {
			r.t.Errorf("Zombies = %v, %v", got, err)
		}
		got, err := r.Zombies(r.ctx(), -time.Second)
		if len(got) != 1 || got[0].ID != a.Task.ID || got[0].Node != "a" || err != nil {
			r.t.Errorf("Zombies = %v, %v", got, err)
		}
	})
}

func TestTasks(t *testing.T) {
	onRoads(t, func(r *road) {
		want := map[string]bool{}
		for range 20 {
			want[r.enqueue()] = true
		}
		r.check(r.Tasks(r.ctx(), func(rec *hive.Record) bool {
			delete(want, rec.ID)
			return true
		}))
		if len(want) != 0 {
			r.t.Errorf("Tasks left out %v", want)
		}
	})
}

func TestPublish(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		publish := func(version, digest string) error {
			skill := &hive.Skill{Manifest: hive.Manifest{Name: "echo", Version: version}, Digest: "sha256:" + digest}
			return r.Publish(r.ctx(), skill, []byte("program "+digest))
		}
		r.check(publish("1.2.0", "aa"))
		r.check(publish("1.10.0", "bb"))
		r.check(publish("1.2.0", "aa"))
		if err := publish("1.2.0", "cc"); err == nil {
			r.t.Error("Publish of another program under the same version succeeded")
		}
		skills, err := r.Skills(r.ctx())
		r.check(err)
		if len(skills) != 2 || skills[0].Version != "1.10.0" || skills[1].Digest != "sha256:aa" {
			r.t.Errorf("Skills = %+v", skills)
		}
		program, err := r.Program(r.ctx(), "sha256:bb")
		if string(program) != "program bb" || err != nil {
			r.t.Errorf("Program = %q, %v", program, err)
		}
		if k, err := r.Listen(r.ctx(), s, time.Second); !k.Skills || err != nil {
			r.t.Errorf("Listen = %+v, %v", k, err)
		}
	})
}

func TestBroadcastControl(t *testing.T) {
	onRoads(t, func(r *road) {
		ctx, cancel := context.WithCancel(r.ctx())
		ready, got := make(chan struct{}), make(chan hive.Envelope, 1)
		done := make(chan error, 1)
		go func() { done <- r.SubscribeControl(ctx, func() { close(ready) }, func(e hive.Envelope) { got <- e }) }()
		<-ready
		sent, err := r.BroadcastControl(r.ctx(), "nexus", hive.CommandPing, map[string]int{"n": 1})
		r.check(err)
		e := <-got
		if e.ID != sent.ID || e.Command != hive.CommandPing || string(e.Data) != `{"n":1}` || e.Generation != 1 {
			r.t.Errorf("envelope = %+v", e)
		}
		if err := e.Check("a", time.Now()); err != nil {
			r.t.Errorf("Check = %v", err)
		}
		cancel()
		r.check(<-done)
	})
}

func TestDialRefuses(t *testing.T) {
	t.Parallel()
	secured, err := testkit.StartRedis("--requirepass", "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(secured.Stop)
	for _, test := range []struct {
		name string
		o    broker.Options
		want error
	}{
		{"nobody there", broker.Options{Addrs: []string{os.TempDir() + "/no-such-socket"}}, hive.ErrUnreachable},
		{"no password", broker.Options{Addrs: []string{secured.Addr}}, hive.ErrUnreachable},
		{"wrong password", broker.Options{Addrs: []string{secured.Addr}, Password: "wrong"}, hive.ErrUnreachable},
	} {
		_, err := broker.Dial(t.Context(), test.o)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: Dial = %v, want %v", test.name, err, test.want)
		}
	}
	b, err := broker.Dial(t.Context(), broker.Options{Addrs: []string{secured.Addr}, Password: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if _, err := broker.Dial(t.Context(), broker.Options{Addrs: []string{"a:1", "b:1"}, DB: 3}); err == nil {
		t.Error("Dial of a Cluster with database 3 succeeded")
	}
}

func ExampleParseURL() {
	_, err := broker.ParseURL("redis://user:s3cret@host:notaport/0")
	fmt.Println(err)
	// Output: redis address "…@host:notaport/0": invalid port ":notaport" after host
}
