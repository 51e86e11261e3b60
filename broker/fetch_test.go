package broker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

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
