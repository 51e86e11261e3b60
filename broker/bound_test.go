package broker_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// unique gives a task a unique key, for a time if that is not 0.
func unique(key string, window time.Duration) func(*hive.Task) {
	return func(t *hive.Task) { t.Unique, t.UniqueFor = key, window }
}

func (r *road) submit(change ...func(*hive.Task)) (id, own string) {
	r.t.Helper()
	t := echo("")
	for _, c := range change {
		c(&t)
	}
	id, err := r.Enqueue(r.ctx(), &t, "")
	r.check(err)
	return id, t.ID
}

func TestEnqueueScheduled(t *testing.T) {
	onRoads(t, func(r *road) {
		later := func(t *hive.Task) { t.RunAt = time.Now().Add(time.Hour) }
		far := r.enqueue(later)
		if bell, err := r.WaitBell(r.ctx(), time.Second); !bell.Due || err != nil {
			r.t.Errorf("bell = %+v, %v; want it to say that something is due", bell, err)
		}
		due := r.want(far, hive.Scheduled, 0, 0).Due
		if wait := time.Until(due); wait < 59*time.Minute || wait > time.Hour {
			r.t.Errorf("due in %v, want an hour", wait)
		}
		soon := r.enqueue(func(t *hive.Task) { t.RunAt = time.Now().Add(-time.Second) }) // as a slow repeat comes
		r.wantStats(hive.Stats{Scheduled: 2})
		r.promoted(1)
		r.want(soon, hive.Pending, 0, 0)
		r.wantStats(hive.Stats{Background: 1, Pending: 1, Scheduled: 1})
		if _, err := r.Cancel(r.ctx(), far); err != nil {
			r.t.Errorf("Cancel = %v", err)
		}
		r.wantStats(hive.Stats{Background: 1, Pending: 1, Cancelled: 1})
		s := r.join("a")
		r.assign("a", 1)
		r.complete(s, r.fetch(s, 1)[0])
		r.want(soon, hive.Completed, 1, 0)
	})
}

func TestUnique(t *testing.T) {
	onRoads(t, func(r *road) {
		key := unique("nightly:eu", 0)
		first, _ := r.submit(key)
		second, refused := r.submit(key)
		if second != first {
			r.t.Fatalf("the second has id %s, want the first's, %s", second, first)
		}
		if _, err := r.Status(r.ctx(), refused); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("Status of the second = %v, want ErrNotFound", err)
		}
		again, _ := r.submit(key, func(t *hive.Task) { t.ID = first })
		if other, own := r.submit(unique("nightly:us", 0)); other != own || again != first {
			r.t.Errorf("another key: %s for %s; a repeat: %s for %s", other, own, again, first)
		}
		r.wantStats(hive.Stats{Background: 2, Pending: 2})
		s := r.join("a")
		r.assign("a", 1)
		r.complete(s, r.fetch(s, 1)[0])
		if id, own := r.submit(key); id != own {
			r.t.Errorf("after the first is over: %s, want a task of its own, %s", id, own)
		}
		late, _ := r.submit(key, func(t *hive.Task) { t.ID = first })
		if late != first {
			r.t.Errorf("a late repeat of the first: %s, want %s", late, first)
		}
	})
}

// TestUniqueHolds: in every state but the final ones a task has its key.
func TestUniqueHolds(t *testing.T) {
	onRoads(t, func(r *road) {
		s, key := r.join("a"), unique("k", 0)
		r.assign("a", 1)
		a := r.running(s, key, func(t *hive.Task) { t.Retries = 1 })
		held := func(when string) {
			r.t.Helper()
			if id, _ := r.submit(key); id != a.Task.ID {
				r.t.Errorf("%s: %s has the key, want %s", when, id, a.Task.ID)
			}
		}
		held("running")
		r.fail(s, a, hive.FailTrap)
		held("scheduled")
		r.promoted(1)
		held("pending")
		r.assign("a", 1)
		held("assigned")
		r.fail(s, r.fetch(s, 1)[0], hive.FailTrap)
		r.want(a.Task.ID, hive.Failed, 2, 2)
		next, own := r.submit(key)
		if next != own {
			r.t.Fatalf("a failed task has the key still: %s", next)
		}
		if err := r.Retry(r.ctx(), a.Task.ID); !errors.Is(err, hive.ErrHeld) || !strings.Contains(err.Error(), next) {
			r.t.Errorf("Retry = %v, want ErrHeld by %s", err, next)
		}
		if _, err := r.Cancel(r.ctx(), next); err != nil {
			r.t.Fatal(err)
		}
		r.check(r.Retry(r.ctx(), a.Task.ID))
		held("retried")
	})
}

func TestUniqueFor(t *testing.T) {
	onRoads(t, func(r *road) {
		s, key := r.join("a"), unique("k", time.Hour)
		a := r.running(s, key)
		r.complete(s, a)
		if id, _ := r.submit(key); id != a.Task.ID {
			r.t.Errorf("within its time: %s has the key, want %s", id, a.Task.ID)
		}
		if ms, _ := strconv.Atoi(r.do("PTTL", "u:k")); ms <= 0 || ms > 3_600_000 {
			r.t.Errorf("the key is kept for %d ms, want at most an hour", ms)
		}
		r.do("DEL", "u:k") // its time is over
		if id, own := r.submit(key); id != own {
			r.t.Errorf("after its time: %s, want a task of its own", id)
		}
	})
}

// TestUniqueInOneCall: of tasks with one key in one call the first is put.
func TestUniqueInOneCall(t *testing.T) {
	onRoads(t, func(r *road) {
		tasks := []hive.Task{echo(""), echo(""), echo(""), echo("")}
		tasks[1].Unique, tasks[3].Unique = "k", "k"
		ids, err := r.EnqueueMany(r.ctx(), tasks, "")
		r.check(err)
		for i, want := range []int{0, 1, 2, 1} {
			if ids[i] != tasks[want].ID {
				r.t.Errorf("id %d is %s, want that of task %d", i, ids[i], want)
			}
		}
		r.wantStats(hive.Stats{Background: 3, Pending: 3})
	})
}

// until gives a task a deadline.
func until(d time.Duration) func(*hive.Task) {
	return func(t *hive.Task) { t.Deadline = time.Now().Add(d) }
}

func (r *road) wantLapsed(id string) {
	r.t.Helper()
	rec, err := r.Status(r.ctx(), id)
	r.check(err)
	if rec.State != hive.Failed || rec.Failure == nil || rec.Failure.Kind != hive.FailDeadline {
		r.t.Errorf("task is %s, %v; want it failed by its deadline", rec.State, rec.Failure)
	}
}

func TestLapse(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.enqueue()
		waits := r.enqueue(until(-time.Second), unique("k", 0))
		later := r.enqueue(func(t *hive.Task) { t.RunAt = time.Now().Add(-2 * time.Second) }, until(-time.Second))
		far := r.enqueue(until(time.Hour))
		n, next, err := r.Lapse(r.ctx(), r.term)
		if n != 2 || next < 59*time.Minute || next > time.Hour || err != nil {
			r.t.Fatalf("Lapse = %d, next in %v, %v", n, next, err)
		}
		r.wantLapsed(waits)
		r.wantLapsed(later)
		r.wantStats(hive.Stats{Background: 2, Pending: 2, Failed: 2})
		if id, own := r.submit(unique("k", 0)); id != own {
			r.t.Errorf("a lapsed task has its key still")
		}
		r.assign("a", 4)
		if got := r.fetch(s, 4); len(got) != 3 {
			r.t.Errorf("%d attempts, want 3: what lapsed is dropped from the queue", len(got))
		}
		r.want(far, hive.Running, 1, 0)
		if ttl, _ := strconv.Atoi(r.do("PTTL", "t:"+waits)); ttl <= 0 {
			r.t.Errorf("what lapsed and is dropped is kept for %d ms", ttl)
		}
	})
}

// TestLapseFenced: only who leads has tasks lapse.
func TestLapseFenced(t *testing.T) {
	onRoads(t, func(r *road) {
		waits := r.enqueue(until(-time.Second))
		if _, _, err := r.Lapse(r.ctx(), broker.Term{Epoch: r.term.Epoch - 1, Nexus: "old"}); !errors.Is(err, hive.ErrNotLeader) {
			r.t.Errorf("Lapse = %v, want ErrNotLeader", err)
		}
		r.want(waits, hive.Pending, 0, 0)
	})
}

// TestDeadline: no attempt begins after it, be it the first or a further one.
func TestDeadline(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		missed := r.enqueue(until(-time.Second))
		r.assign("a", 1)
		if got := r.fetch(s, 1); len(got) != 0 {
			r.t.Errorf("Fetch = %v, want nothing: the deadline is over", got)
		}
		r.wantLapsed(missed)
		r.wantIdle()

		a := r.running(s, until(time.Minute))
		state, err := r.Fail(r.ctx(), "a", &a, failure(hive.FailTrap), time.Hour)
		if state != hive.Failed || err != nil {
			r.t.Errorf("Fail with a retry after the deadline = %s, %v", state, err)
		}
		if rec := r.want(a.Task.ID, hive.Failed, 1, 1); rec.Failure.Kind != hive.FailTrap {
			r.t.Errorf("failure is %v, want its own", rec.Failure)
		}
		r.check(r.Retry(r.ctx(), a.Task.ID))
		if err := r.Retry(r.ctx(), missed); err == nil || !strings.Contains(err.Error(), "its deadline has passed") {
			r.t.Errorf("Retry after the deadline = %v", err)
		}
		r.assign("a", 1)
		r.complete(s, r.fetch(s, 1)[0])
		if n := r.do("ZCARD", "dl"); n != "0" {
			r.t.Errorf("%s deadlines are listed of tasks that are over", n)
		}
	})
}

// TestLapseRunning: an attempt that began in time goes on, and what comes back lapses.
func TestLapseRunning(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s, until(time.Hour))
		r.do("ZADD", "dl", "1", a.Task.ID)
		n, next, err := r.Lapse(r.ctx(), r.term)
		if n != 0 || next <= 0 || next > time.Minute || err != nil {
			r.t.Fatalf("Lapse = %d, next in %v, %v", n, next, err)
		}
		r.want(a.Task.ID, hive.Running, 1, 0)
		r.complete(s, a)
	})
}

func TestRetain(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		brief := func(t *hive.Task) { t.Retain = 2 * time.Minute }
		kept := func(id string, most int) {
			r.t.Helper()
			if ms, _ := strconv.Atoi(r.do("PTTL", "t:"+id)); ms <= 0 || ms > most {
				r.t.Errorf("kept for %d ms, want at most %d", ms, most)
			}
		}
		done, failed := r.running(s, brief), r.running(s, brief)
		r.complete(s, done)
		kept(done.Task.ID, 120_000)
		_, err := r.Fail(r.ctx(), "a", &failed, failure(hive.FailInput), 0)
		r.check(err)
		kept(failed.Task.ID, 120_000)
		gone := r.enqueue(brief)
		_, err = r.Cancel(r.ctx(), gone)
		r.check(err)
		r.assign("a", 1)
		r.fetch(s, 1)
		kept(gone, 120_000)
	})
}

func TestBoundRecord(t *testing.T) {
	onRoads(t, func(r *road) {
		at := time.UnixMilli(time.Now().UnixMilli()).Add(time.Hour)
		id := r.enqueue(func(t *hive.Task) {
			t.Deadline, t.Retain, t.Unique, t.UniqueFor = at, time.Hour, "k\x00é", 90*time.Second
			t.Backoff = hive.Backoff{Base: 3 * time.Second, Max: time.Minute, Jitter: 0.25}
		}, func(t *hive.Task) {
			t.Require, _ = hive.ParseSelector("zone in (" + strings.Repeat("long-name-of-a-zone,", 9) + "eu)")
		})
		got := r.want(id, hive.Pending, 0, 0).Task
		if !got.Deadline.Equal(at) || got.Retain != time.Hour || got.Unique != "k\x00é" || got.UniqueFor != 90*time.Second ||
			got.Backoff != (hive.Backoff{Base: 3 * time.Second, Max: time.Minute, Jitter: 0.25}) {
			r.t.Errorf("task = %+v", got)
		}
		none := r.enqueue(func(t *hive.Task) { t.Backoff.Jitter = hive.NoJitter })
		if got := r.want(none, hive.Pending, 0, 0).Backoff; got != (hive.Backoff{Jitter: hive.NoJitter}) {
			r.t.Errorf("backoff = %+v", got)
		}
	})
}

// TestRetryAtTheDeadline: what lapsed in this very millisecond still stands in its lane, and is
// not put there again.
func TestRetryAtTheDeadline(t *testing.T) {
	x := newExplorer(nil)
	defer x.close()
	deadline := op{kind: "enqueue", more: 7} // in 7 s
	if _, err := x.run([]op{{kind: "campaign"}, deadline, {kind: "pass", what: 3}, {kind: "pass", what: 5}, {kind: "lapse"}, {kind: "retry"}}, true); err != nil {
		t.Error(err)
	}
	if x.steps["pf lapse"] == 0 {
		t.Errorf("nothing lapsed: %v", x.steps)
	}
}
