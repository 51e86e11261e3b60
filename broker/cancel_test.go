package broker_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

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

func TestRetryMany(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		var ids []string
		for range 3 {
			a := r.running(s)
			r.fail(s, a, hive.FailInput)
			ids = append(ids, a.Task.ID)
		}
		waits := r.enqueue()
		n, refused, err := r.RetryMany(r.ctx(), append(ids, waits, "unknown", ids[0]))
		// Of an id that is there twice the second is the first's repeat.
		if n != 4 || err != nil || len(refused) != 2 || !errors.Is(refused[1], hive.ErrNotFound) {
			r.t.Errorf("RetryMany = %d, %v, %v", n, refused, err)
		}
		r.wantStats(hive.Stats{Background: 4, Pending: 4})
	})
}

// TestForget: what is over can be deleted, what is not stays; failed tasks are listed.
func TestForget(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		done, dead, kept := r.running(s), r.running(s), r.running(s)
		r.complete(s, done)
		r.fail(s, dead, hive.FailInput)
		r.fail(s, kept, hive.FailInput)
		failed := func() (ids []string) {
			r.check(r.Failed(r.ctx(), func(rec *hive.Record) bool {
				ids = append(ids, rec.ID)
				return true
			}))
			slices.Sort(ids)
			return ids
		}
		if got := failed(); !slices.Equal(got, slices.Sorted(slices.Values([]string{dead.Task.ID, kept.Task.ID}))) {
			r.t.Errorf("Failed = %v", got)
		}
		runs := r.running(s)
		waits, tombstone := r.enqueue(), r.enqueue()
		if _, err := r.Cancel(r.ctx(), tombstone); err != nil {
			r.t.Fatal(err)
		}
		for _, want := range []int{2, 0} {
			n, queued, err := r.Forget(r.ctx(), []string{done.Task.ID, dead.Task.ID, waits, tombstone, runs.Task.ID, "unknown"})
			if n != want || queued != 1 || err != nil {
				r.t.Errorf("Forget = %d, %d, %v, want %d", n, queued, err, want)
			}
		}
		for _, id := range []string{done.Task.ID, dead.Task.ID} {
			if _, err := r.Status(r.ctx(), id); !errors.Is(err, hive.ErrNotFound) {
				r.t.Errorf("Status of a deleted task: %v", err)
			}
		}
		if got := failed(); !slices.Equal(got, []string{kept.Task.ID}) {
			r.t.Errorf("Failed = %v", got)
		}
		r.complete(s, runs)
		r.assign("a", 2) // the tombstone goes in its turn
		r.complete(s, r.fetch(s, 2)[0])
		if n, _, err := r.Forget(r.ctx(), []string{tombstone, waits, runs.Task.ID}, hive.Completed); n != 2 || err != nil {
			r.t.Errorf("Forget of what has completed = %d, %v, want 2", n, err)
		}
		if n, _, err := r.Forget(r.ctx(), []string{tombstone, waits, runs.Task.ID}); n != 1 || err != nil {
			r.t.Errorf("Forget = %d, %v, want 1", n, err)
		}
		r.wantStats(hive.Stats{Completed: 3, Failed: 2, Cancelled: 1})
		r.wantIdle()
	})
}

// TestFailedPages: however many there are, each is listed once, also while they are deleted.
func TestFailedPages(t *testing.T) {
	onRoads(t, func(r *road) {
		const many = 2500
		s := r.join("a")
		for range many {
			a := r.running(s)
			r.fail(s, a, hive.FailInput)
		}
		got := map[string]bool{}
		r.check(r.Failed(r.ctx(), func(rec *hive.Record) bool {
			if got[rec.ID] {
				r.t.Errorf("%s is listed twice", rec.ID)
			}
			got[rec.ID] = true
			if _, _, err := r.Forget(r.ctx(), []string{rec.ID}); err != nil {
				r.t.Fatal(err)
			}
			return true
		}))
		if len(got) != many {
			r.t.Errorf("%d are listed, want %d", len(got), many)
		}
	})
}

// TestForgetAll: nothing of a task that is deleted is told of the next one of its id, and its
// key is free.
func TestForgetAll(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s, func(t *hive.Task) { t.ID, t.Unique, t.UniqueFor = "b-1", "key", time.Hour })
		r.check(r.Emit(r.ctx(), "a", &a, hive.Part{Number: 1, Data: []byte("old")}))
		o := failure(hive.FailInput)
		o.Recording = []byte("recorded")
		_, err := r.Fail(r.ctx(), "a", &a, o, 0)
		r.check(err)
		if n, _, err := r.Forget(r.ctx(), []string{"b-1"}); n != 1 || err != nil {
			r.t.Errorf("Forget = %d, %v", n, err)
		}
		if keys := r.do("KEYS", "*b-1*"); len(fmt.Sprint(keys)) > 2 {
			r.t.Errorf("there is left %v", keys)
		}
		if id := r.enqueue(func(t *hive.Task) { t.ID, t.Unique = "b-2", "key" }); id != "b-2" {
			r.t.Errorf("%s has the key", id)
		}
	})
}

// TestCancelInState: a task that is in another state by now than was meant stays.
func TestCancelInState(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		runs := r.running(s)
		waits := r.enqueue()
		if n, err := r.CancelMany(r.ctx(), []string{runs.Task.ID, waits}, hive.Pending); n != 1 || err != nil {
			r.t.Errorf("CancelMany = %d, %v, want 1", n, err)
		}
		r.want(runs.Task.ID, hive.Running, 1, 0)
	})
}
