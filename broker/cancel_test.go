package broker_test

import (
	"errors"
	"testing"

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
