package broker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

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

func TestRelease(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		behind := r.enqueue()
		r.assign("a", 1)
		earlier := &broker.Session{Node: "a", Incarnation: "earlier"}
		if n, err := r.HandBack(r.ctx(), earlier); n != 0 || !errors.Is(err, hive.ErrUnregistered) {
			r.t.Fatalf("HandBack by another incarnation = %d, %v", n, err)
		}
		r.want(behind, hive.Assigned, 0, 0)
		if n, err := r.HandBack(r.ctx(), s); n != 1 || err != nil {
			r.t.Fatalf("HandBack = %d, %v", n, err)
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
