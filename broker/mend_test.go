package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// mended checks what is mended, and that nothing is left to mend.
func (r *road) mended(want ...string) {
	r.t.Helper()
	thorough := func(ctx context.Context, term broker.Term) ([]broker.Mend, error) { return r.Mend(ctx, term, true) }
	r.looked(thorough, want)
}

// recounted is mended, of the counters.
func (r *road) recounted(want ...string) {
	r.t.Helper()
	r.looked(r.Recount, want)
}

func (r *road) looked(look func(context.Context, broker.Term) ([]broker.Mend, error), want []string) {
	r.t.Helper()
	mends, err := look(r.ctx(), r.term)
	r.check(err)
	var got []string
	for _, m := range mends {
		got = append(got, fmt.Sprint(m.What, " ", m.Name, " ", m.Was, " ", m.Is))
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		r.t.Errorf("mended %q, want %q", got, want)
	}
	if again, err := look(r.ctx(), r.term); err != nil || len(again) > 0 {
		r.t.Errorf("mended again %v, %v", again, err)
	}
}

// Where only scripts write there is nothing to mend, whatever tasks go through.
func TestMendFindsNothing(t *testing.T) {
	onRoads(t, func(r *road) {
		defer r.recounted()
		s := r.join("a")
		r.mended()
		done, failed, back := r.running(s), r.running(s), r.running(s)
		r.enqueue()
		r.mended()
		r.recounted()
		r.complete(s, done)
		r.fail(s, failed, hive.FailTrap)
		_, err := r.Release(r.ctx(), s.Node, back)
		r.check(err)
		r.mended()
		cancelled := r.enqueue()
		r.assign("a", 1) // a tombstone, which counts as held until it is dropped
		_, err = r.Cancel(r.ctx(), cancelled)
		r.check(err)
		r.recounted()
		r.mended()
		_, err = r.Unregister(r.ctx(), s)
		r.check(err)
		r.mended()
	})
}

// What was lost or put there by hand is found, each thing once.
func TestMend(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.running(s)
		id := r.enqueue()
		r.do("HSET", "used", "a", "7")
		r.do("HSET", "used", "gone", "3")
		r.do("SREM", "act", "echo||:2")
		r.do("SADD", "act", "ghost||:5")
		r.mended("used a 7 1", "used gone 3 0", "act echo||:2 0 1", "act ghost||:5 1 0")
		r.assign("a", 1)
		r.want(id, hive.Assigned, 0, 0)

		r.do("SREM", "nodes", "a")
		r.do("HSET", "used", "a", "many")
		r.mended("used a -1 2", "nodes a 0 1")
		r.do("SET", "in:foreign:1", "x")
		r.do("SADD", "act", "foreign:1")
		r.mended("act foreign:1 1 0")
		r.do("SADD", "own:a", "ghost")
		r.mended("own ghost a ")
		if _, err := r.Mend(r.ctx(), broker.Term{Epoch: 1, Nexus: "x"}, true); !errors.Is(err, hive.ErrNotLeader) {
			t.Errorf("Mend by another nexus = %v", err)
		}
	})
}

// Counters are held against what stands on the road, where that is not too much.
func TestRecount(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.running(s)
		r.enqueue(func(task *hive.Task) { task.Priority = 7 })
		r.enqueue()
		r.recounted()
		r.do("HSET", "ct", "running", "9")
		r.do("HSET", "ct", "w7", "none")
		r.do("HSET", "ct", "w3", "3")
		r.do("HSET", "run", "echo||", "2")
		r.do("HSET", "run", "gone||", "1")
		r.do("HDEL", "ct", "w2")
		r.recounted("ct running 9 1", "ct w2 0 1", "ct w3 3 0", "ct w7 none 1", "run echo|| 2 1", "run gone|| 1 0")
		r.wantStats(hive.Stats{High: 1, Background: 1, Pending: 2, Running: 1, Mended: 6})
		if _, err := r.Recount(r.ctx(), broker.Term{Epoch: 1, Nexus: "x"}); !errors.Is(err, hive.ErrNotLeader) {
			t.Errorf("Recount by another nexus = %v", err)
		}

		r.do("HSET", "ct", "running", "9")
		for range 2000 {
			r.do("RPUSH", "in:echo||:2", "x")
		}
		r.recounted() // too much: it is left as it is
		r.do("LTRIM", "in:echo||:2", "0", "100")
		r.recounted("ct running 9 1")
	})
}

// Who put many ids into a spore's own set keeps it from nothing.
func TestMendCrowd(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		const crowd = 10_000
		words := []string{}
		for i := range crowd {
			words = append(words, fmt.Sprint("garbage", i))
		}
		r.do("SADD", "own:a", words...)
		mends, err := r.Mend(r.ctx(), r.term, false)
		if len(mends) != crowd || err != nil {
			r.t.Errorf("%d mends, %v", len(mends), err)
		}
		r.complete(s, a)
		r.wantIdle()
	})
}

// A tombstone whose lane was deleted expires, as it would have there.
func TestAdoptTombstone(t *testing.T) {
	onRoads(t, func(r *road) {
		r.join("a")
		id, stands := r.enqueue(), r.enqueue(func(task *hive.Task) { task.Priority = 3 })
		_, err := r.Cancel(r.ctx(), id)
		r.check(err)
		_, err = r.Cancel(r.ctx(), stands)
		r.check(err)
		r.do("DEL", "in:echo||:2")
		orphans, err := r.Orphans(r.ctx())
		if len(orphans) != 1 || orphans[0].ID != id || err != nil {
			r.t.Fatalf("Orphans = %v, %v", orphans, err)
		}
		for _, want := range []bool{true, false} {
			if took, err := r.Adopt(r.ctx(), r.term, orphans[0]); took != want || err != nil {
				r.t.Errorf("Adopt = %v, %v, want %v", took, err, want)
			}
		}
		if ttl := r.do("PTTL", "t:"+id); ttl == "-1" || ttl == "-2" {
			r.t.Errorf("it expires in %s ms", ttl)
		}
		if orphans, err := r.Orphans(r.ctx()); len(orphans) > 0 || err != nil {
			r.t.Errorf("Orphans = %v, %v", orphans, err)
		}
	})
}

// A task that stands nowhere is found, and goes on; one that only moves is not touched.
func TestAdopt(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		ran, scheduled := r.running(s), r.running(s)
		pending := r.enqueue()
		if state := r.fail(s, scheduled, hive.FailTrap); state != hive.Scheduled {
			t.Fatalf("failed to %s", state)
		}
		found := func(want ...string) (orphans []broker.Orphan) {
			r.t.Helper()
			orphans, err := r.Orphans(r.ctx())
			r.check(err)
			var ids []string
			for _, o := range orphans {
				ids = append(ids, o.ID)
			}
			slices.Sort(ids)
			if slices.Sort(want); !slices.Equal(ids, want) {
				r.t.Errorf("Orphans = %v, want %v", orphans, want)
			}
			return orphans
		}
		found()
		r.do("SREM", "own:a", ran.Task.ID)
		r.do("DEL", "in:echo||:2")
		r.do("DEL", "delay")
		orphans := found(ran.Task.ID, pending, scheduled.Task.ID)
		for _, o := range orphans {
			changed := o
			changed.Attempt++
			for want, o := range map[bool]broker.Orphan{true: o, false: changed} {
				if took, err := r.Adopt(r.ctx(), r.term, o); took != want || err != nil {
					r.t.Errorf("Adopt(%+v) = %v, %v", o, took, err)
				}
			}
		}
		found()
		for _, o := range orphans { // who was adopted stands somewhere: a repeat mends nothing
			if o.State == hive.Scheduled {
				if took, err := r.Adopt(r.ctx(), r.term, o); took || err != nil {
					r.t.Errorf("another Adopt(%+v) = %v, %v", o, took, err)
				}
			}
		}
		r.want(ran.Task.ID, hive.Pending, 1, 1)
		r.want(pending, hive.Pending, 0, 0)
		r.want(scheduled.Task.ID, hive.Scheduled, 1, 1)
		if _, err := r.Adopt(r.ctx(), broker.Term{Epoch: 1, Nexus: "x"}, orphans[0]); !errors.Is(err, hive.ErrNotLeader) {
			t.Errorf("Adopt by another nexus = %v", err)
		}
	})
}
