package broker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// TestLostReply lets redis execute each script, cuts the connection before the
// answer arrives, and lets the client repeat the call: the outcome must be as if
// it had been made once.
func TestLostReply(t *testing.T) {
	t.Parallel()
	tests := map[string]func(r *road, cut func()){
		"enqueue": func(r *road, cut func()) {
			cut()
			r.want(r.enqueue(), hive.Pending, 0, 0)
			r.wantStats(hive.Stats{Background: 1, Pending: 1})
		},
		"assign": func(r *road, cut func()) {
			r.join("a")
			r.enqueue()
			r.enqueue()
			cut()
			done, err := r.Assign(r.ctx(), &r.term, []broker.Grant{{Lane: "echo||:2", Node: "a", Count: 1}})
			r.check(err)
			if len(done) > 1 {
				r.t.Errorf("Assign = %v", done)
			}
			r.wantStats(hive.Stats{Background: 2, Assigned: 1, Pending: 1})
			if got := r.assign("a", 1); got.Active != 2 { // the term goes on
				r.t.Errorf("next Assign = %+v", got)
			}
		},
		"assign in several calls": func(r *road, cut func()) {
			r.join("a")
			tasks := make([]hive.Task, 1000)
			grants := make([]broker.Grant, 1000)
			for i := range grants {
				grants[i], tasks[i] = broker.Grant{Lane: "echo||:2", Node: "a", Count: 1}, echo("")
			}
			_, err := r.EnqueueMany(r.ctx(), tasks, "")
			r.check(err)
			cut()
			done, err := r.Assign(r.ctx(), &r.term, grants)
			r.check(err)
			moved := int64(len(grants))
			if done == nil { // the first call was a repeat, and the last
				moved = 256
			} else if len(done) != len(grants) || done[999].Active != 1000 || done[999].Left != 0 {
				r.t.Errorf("Assign of 1000 = %d answers, the last %+v", len(done), done[len(done)-1])
			}
			r.wantStats(hive.Stats{Background: 1000, Assigned: moved, Pending: 1000 - moved})
		},
		"assign_task": func(r *road, cut func()) {
			r.join("a")
			id := r.enqueue()
			cut()
			if done, err := r.AssignTask(r.ctx(), r.term, id, "a"); !done || err != nil {
				r.t.Errorf("AssignTask = %v, %v", done, err)
			}
			r.want(id, hive.Assigned, 0, 0)
			r.wantStats(hive.Stats{Background: 1, Assigned: 1})
		},
		"fetch": func(r *road, cut func()) {
			s := r.join("a")
			r.enqueue()
			r.enqueue()
			r.assign("a", 2)
			cut()
			if got := r.fetch(s, 1); len(got) != 1 || got[0].Number != 1 {
				r.t.Fatalf("Fetch = %v", got)
			}
			r.wantStats(hive.Stats{Background: 1, Assigned: 1, Running: 1})
			if got := r.fetch(s, 2); len(got) != 1 || got[0].Number != 1 {
				r.t.Fatalf("next Fetch = %v", got)
			}
		},
		"complete": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			cut()
			r.complete(s, a)
			r.wantStats(hive.Stats{Completed: 1})
		},
		"commit": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			o := withKV(add("n", 1), absent("new"), set("new", "x"))
			o.Effects.Spawn = []hive.Task{echo("child")}
			cut()
			r.check(r.Complete(r.ctx(), "a", &a, o))
			r.wantKV("n", "1", "new", "x")
			r.wantStats(hive.Stats{Background: 1, Pending: 1, Completed: 1})
		},
		"commit with a conflict": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			cut()
			if err := r.commit(a, expect("k", "v")); !errors.Is(err, hive.ErrConflict) {
				r.t.Errorf("Complete = %v, want a conflict", err)
			}
			r.want(a.Task.ID, hive.Running, 2, 0)
			a.Number++
			r.check(r.commit(a, set("k", "v")))
		},
		"commit that adds to text": func(r *road, cut func()) {
			s := r.join("a")
			r.check(r.commit(r.running(s), set("n", "x")))
			a := r.running(s)
			cut()
			if err := r.commit(a, add("n", 1)); !errors.Is(err, hive.ErrEffect) {
				r.t.Errorf("Complete = %v", err)
			}
			r.want(a.Task.ID, hive.Running, 1, 0)
		},
		"fail": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			cut()
			r.fail(s, a, hive.FailTrap)
			r.want(a.Task.ID, hive.Scheduled, 1, 1)
			r.wantStats(hive.Stats{Scheduled: 1})
		},
		"release": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			cut()
			_, err := r.Release(r.ctx(), "a", a)
			r.check(err)
			r.wantStats(hive.Stats{Background: 1, Pending: 1})
		},
		"hand back": func(r *road, cut func()) {
			s := r.join("a")
			id := r.enqueue()
			r.assign("a", 1)
			cut()
			_, err := r.HandBack(r.ctx(), s)
			r.check(err)
			r.want(id, hive.Pending, 0, 0)
			r.wantStats(hive.Stats{Background: 1, Pending: 1})
			r.wantIdle()
		},
		"reclaim": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			for r.leaseHolds("a") {
			}
			cut()
			_, err := r.Reclaim(r.ctx(), r.term, "a") // counts what the repeat moved: nothing
			r.check(err)
			r.want(a.Task.ID, hive.Pending, 1, 1)
			r.wantStats(hive.Stats{Background: 1, Pending: 1})
		},
		"expire": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			rec := r.want(a.Task.ID, hive.Running, 1, 0)
			rec.Timeout = -broker.ExpireGrace
			cut()
			_, err := r.Expire(r.ctx(), r.term, rec)
			r.check(err)
			r.want(a.Task.ID, hive.Pending, 1, 1)
		},
		"promote": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			_, err := r.Fail(r.ctx(), "a", &a, failure(hive.FailTrap), 0)
			r.check(err)
			cut()
			_, _, err = r.Promote(r.ctx(), r.term)
			r.check(err)
			r.want(a.Task.ID, hive.Pending, 1, 1)
			r.wantStats(hive.Stats{Background: 1, Pending: 1})
		},
		"cancel": func(r *road, cut func()) {
			id := r.enqueue()
			cut()
			if was, err := r.Cancel(r.ctx(), id); was != hive.Pending || err != nil {
				r.t.Errorf("Cancel = %s, %v", was, err)
			}
			if was, err := r.Cancel(r.ctx(), id); was != hive.Cancelled || !errors.Is(err, hive.ErrFinal) {
				r.t.Errorf("another Cancel = %s, %v", was, err)
			}
			r.want(id, hive.Cancelled, 0, 0)
			r.wantStats(hive.Stats{Cancelled: 1})
		},
		"cancel_many": func(r *road, cut func()) {
			s := r.join("a")
			ids := []string{r.running(s).Task.ID, r.enqueue(), "unknown"}
			cut()
			if n, err := r.CancelMany(r.ctx(), ids); n != 2 || err != nil {
				r.t.Errorf("CancelMany = %d, %v", n, err)
			}
			r.wantStats(hive.Stats{Cancelled: 2})
		},
		"retry": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			r.fail(s, a, hive.FailInput)
			cut()
			r.check(r.Retry(r.ctx(), a.Task.ID))
			if err := r.Retry(r.ctx(), a.Task.ID); err == nil {
				r.t.Error("another Retry succeeded")
			}
			rec := r.want(a.Task.ID, hive.Pending, 1, 0)
			if string(rec.Payload) != string(a.Task.Payload) || rec.Failure == nil {
				r.t.Errorf("record = %+v", rec)
			}
			r.wantStats(hive.Stats{Background: 1, Pending: 1})
		},
		"wait": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			cut()
			_, _, err := r.Wait(r.ctx(), "client", []string{a.Task.ID})
			r.check(err)
			r.complete(s, a)
			told, err := r.ReadInbox(r.ctx(), "client", 5*time.Second)
			if len(told) != 1 || err != nil {
				r.t.Errorf("ReadInbox = %v, %v, want one notice", told, err)
			}
		},
		"register": func(r *road, cut func()) {
			cut()
			s := r.join("a")
			a := r.running(s)
			r.complete(s, a)
		},
		"heartbeat": func(r *road, cut func()) {
			s := r.join("a")
			cut()
			_, err := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a"}, false)
			r.check(err)
		},
		"unregister": func(r *road, cut func()) {
			s := r.join("a")
			a := r.running(s)
			cut()
			_, err := r.Unregister(r.ctx(), s)
			r.check(err)
			r.want(a.Task.ID, hive.Pending, 1, 0)
			r.wantStats(hive.Stats{Background: 1, Pending: 1})
		},
		"campaign": func(r *road, cut func()) {
			r.check(r.Resign(r.ctx(), "nexus"))
			cut()
			epoch, leader, _, err := r.Campaign(r.ctx(), "other", time.Hour)
			if epoch != r.term.Epoch+1 || leader != "other" || err != nil {
				r.t.Errorf("Campaign = %d, %q, %v", epoch, leader, err)
			}
		},
		"announce": func(r *road, cut func()) {
			cut()
			skills := []hive.Skill{{Manifest: hive.Manifest{Name: "echo", Version: "1.0.0"}, Digest: "sha256:aa"}}
			r.check(r.Announce(r.ctx(), r.term, skills, false))
			if known, err := r.Skills(r.ctx()); err != nil || len(known) != 1 {
				r.t.Errorf("Skills = %v, %v", known, err)
			}
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loaded := newRoad(t, shortLease(testkit.Options(t)))
			test(loaded, func() {}) // from here on redis knows the scripts: the cut hits their answers

			o := shortLease(testkit.Options(t))
			proxy := testkit.StartProxy(t, o.Addrs[0])
			o.Addrs = []string{proxy.Addr}
			test(newRoad(t, o), proxy.CutNextReply)
			if proxy.Cuts() != 1 {
				t.Errorf("%d replies were cut, want 1", proxy.Cuts())
			}
		})
	}
}

// leaseHolds reports whether a silent spore's lease has not ended yet.
func (r *road) leaseHolds(node string) bool {
	r.t.Helper()
	nodes, err := r.Nodes(r.ctx())
	r.check(err)
	for _, n := range nodes {
		if n.ID == node {
			return time.Since(n.Beat) <= 2*r.Lease()
		}
	}
	return false
}

func shortLease(o broker.Options) broker.Options {
	o.Lease = 50 * time.Millisecond
	return o
}
