package broker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

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

// A value of another type, or half a record, under the key of one task must not
// keep the others from coming back.

func TestReclaimPassesOverAnotherType(t *testing.T) {
	onRoads(t, func(r *road) {
		r.reclaimBeside(func(key string) {
			r.do("DEL", key)
			r.do("RPUSH", key, "no", "record")
		})
	})
}

func TestReclaimPassesOverHalfARecord(t *testing.T) {
	onRoads(t, func(r *road) {
		r.reclaimBeside(func(key string) { r.do("SET", key, r.do("GETRANGE", key, "0", "65")) })
	})
}

func (r *road) reclaimBeside(spoil func(key string)) {
	s := r.join("dead")
	bad, good := r.running(s), r.running(s)
	spoil("t:" + bad.Task.ID)
	r.lapse("dead", 1)
	r.want(good.Task.ID, hive.Pending, 1, 1)
}

// What a spore puts in the place of its heartbeat keeps none of its tasks for ever.
func TestReclaimHostileHeartbeat(t *testing.T) {
	onRoads(t, func(r *road) {
		rdb := rawRedis(r.t, r.opts)
		for node, spoil := range map[string]func(key string) error{
			"word": func(key string) error { return rdb.HSet(r.ctx(), key, "beat", "never").Err() },
			"list": func(key string) error {
				return errors.Join(rdb.Del(r.ctx(), key).Err(), rdb.RPush(r.ctx(), key, "x").Err())
			},
		} {
			a := r.running(r.join(node))
			r.check(spoil(shardKey(r.opts, "hb:"+node)))
			r.lapse(node, 1)
			r.want(a.Task.ID, hive.Pending, 1, 1)
			s := r.join(node)
			r.assign(node, 1)
			r.complete(s, r.fetch(s, 1)[0])
		}
	})
}
