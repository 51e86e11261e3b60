package broker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

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

// After a failover and back, redis may know of calls of this very term that its leader
// does not: one call is taken for a repeat, and no other.
func TestAssignBehindItsTerm(t *testing.T) {
	onRoads(t, func(r *road) {
		r.join("a")
		r.enqueue()
		id := r.enqueue()
		for range 5 {
			r.assign("a", 0)
		}
		behind := broker.Term{Epoch: r.term.Epoch, Nexus: r.term.Nexus}
		grants := []broker.Grant{{Lane: "echo||:2", Node: "a", Count: 2}}
		if done, err := r.Assign(r.ctx(), &behind, grants); done != nil || err != nil {
			r.t.Errorf("Assign behind its term = %v, %v, want nothing", done, err)
		}
		if done, err := r.Assign(r.ctx(), &behind, grants); err != nil || len(done) != 1 || done[0].Moved != 2 {
			r.t.Errorf("the next Assign = %v, %v, want 2 moved", done, err)
		}
		r.want(id, hive.Assigned, 0, 0)
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
		r.join("b")
		if !assign(second, "a") || assign(second, "b") || assign(first, "nobody") || assign("unknown", "a") {
			r.t.Error("AssignTask did not assign exactly the second task")
		}
		if !assign(second, "a") { // it may be a repeat
			r.t.Error("AssignTask to the spore that has the task = false")
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
		if !assign(second, "a") || assign(second, "b") {
			r.t.Error("AssignTask of a running task does not tell who runs it")
		}
		r.complete(s, got[0])
		r.complete(s, got[1])
		r.wantIdle()
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
