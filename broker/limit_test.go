package broker_test

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

func TestLimits(t *testing.T) {
	onRoads(t, func(r *road) {
		limits := map[hive.LimitScope]hive.Limit{}
		for _, l := range []hive.Limit{
			{Rate: 100, Per: time.Second},
			{LimitScope: hive.LimitScope{Scope: hive.Scope{Skill: "echo"}}, Running: 5},
			{LimitScope: hive.LimitScope{Scope: hive.Scope{Skill: "echo"}, PerKey: true}, Rate: 5, Per: time.Minute, Burst: 2, Running: 1},
			{LimitScope: hive.LimitScope{Scope: hive.Scope{Tenant: "acme"}}, Rate: 1, Per: hive.MaxLimitTime},
		} {
			r.check(r.SetLimit(r.ctx(), l))
			limits[l.LimitScope] = l
			if f, err := r.Flow(r.ctx()); err != nil || !maps.Equal(f.Limits, limits) {
				r.t.Fatalf("Limits = %+v, %v, want %+v", f.Limits, err, limits)
			}
			if bell, err := r.WaitBell(r.ctx(), time.Millisecond); err != nil || !bell.Flow {
				r.t.Errorf("the bell says %+v, %v", bell, err)
			}
		}
		changed := hive.Limit{Rate: 7, Per: time.Second}
		r.check(r.SetLimit(r.ctx(), changed))
		limits[changed.LimitScope] = changed
		for s := range limits {
			if f, err := r.Flow(r.ctx()); err != nil || f.Limits[s] != limits[s] {
				r.t.Errorf("the limit of %s is %+v, %v", s, f.Limits[s], err)
			}
			r.check(r.RemoveLimit(r.ctx(), s))
			if err := r.RemoveLimit(r.ctx(), s); !errors.Is(err, hive.ErrNotFound) {
				r.t.Errorf("RemoveLimit of none = %v", err)
			}
		}
	})
}

// TestBuckets: what grants empty stands on the road with them, and not without them.
func TestBuckets(t *testing.T) {
	onRoads(t, func(r *road) {
		r.join("a")
		r.enqueue()
		echo := broker.Bucket{LimitScope: hive.LimitScope{Scope: hive.Scope{Skill: "echo"}}}
		key := broker.Bucket{LimitScope: hive.LimitScope{PerKey: true}, Key: "example.com:443"}
		buckets := []broker.Bucket{echo, key, {}}
		full := time.Now().Add(time.Hour)
		spent := []broker.Spent{{Bucket: echo, Full: full, Keep: time.Hour}, {Bucket: key, Full: full.Add(1), Keep: time.Hour}}
		grants := []broker.Grant{{Lane: "echo||:2", Node: "a", Count: 1}}
		read := func() []time.Time {
			got, err := r.Buckets(r.ctx(), buckets)
			if err != nil || len(got) != len(buckets) {
				r.t.Fatalf("Buckets = %v, %v", got, err)
			}
			return got
		}
		deposed := broker.Term{Epoch: r.term.Epoch - 1, Nexus: "old"}
		if _, err := r.Assign(r.ctx(), &deposed, grants, spent...); !errors.Is(err, hive.ErrNotLeader) {
			r.t.Errorf("Assign by who leads no more = %v", err)
		}
		if got := read(); !got[0].IsZero() || !got[1].IsZero() {
			r.t.Errorf("who leads no more emptied buckets: %v", got)
		}
		if done, err := r.Assign(r.ctx(), &r.term, grants, spent...); err != nil || len(done) != 1 || done[0].Moved != 1 {
			r.t.Errorf("Assign = %v, %v", done, err)
		}
		if got := read(); !got[0].Equal(full) || !got[1].Equal(full.Add(1)) || !got[2].IsZero() {
			r.t.Errorf("Buckets = %v, want two full at %v", got, full)
		}
		for _, name := range []string{"rl:ls:echo", "rl:k example.com:443"} {
			if ms, err := strconv.Atoi(r.do("PTTL", name)); err != nil || ms <= 0 || ms > int(time.Hour.Milliseconds()) {
				r.t.Errorf("%s is kept for %v ms", name, ms)
			}
		}
		r.do("SET", "rl:ls:echo", "soon")
		if got := read(); !got[0].IsZero() {
			r.t.Errorf("Buckets = %v of what nobody wrote", got)
		}
	})
}

// TestRunningOf: what spores hold counts for each limit that it is about, also where the
// class is hashed.
func TestRunningOf(t *testing.T) {
	onRoads(t, func(r *road) {
		r.join("a")
		long := strings.Repeat("x", 60)
		var grants []broker.Grant
		for _, key := range []string{"", "k1", "k1", "k2", long} {
			task := hive.Task{Skill: hive.SkillRef{Name: "echo"}, Tenant: "acme", Key: key}
			if key == long {
				task.Tenant = long
			}
			task = task.WithDefaults()
			_, err := r.Enqueue(r.ctx(), &task, "")
			r.check(err)
			if rec, err := r.Status(r.ctx(), task.ID); err != nil || rec.Key != key {
				r.t.Errorf("the key is %q, %v, want %q", rec.Key, err, key)
			}
		}
		lanes, err := r.ActiveLanes(r.ctx())
		r.check(err)
		if len(lanes) != 4 {
			r.t.Errorf("%d lanes for 4 keys", len(lanes))
		}
		for _, l := range lanes {
			grants = append(grants, broker.Grant{Lane: l.Name, Node: "a", Count: l.Count})
		}
		_, err = r.Assign(r.ctx(), &r.term, grants)
		r.check(err)
		skill, perKey := hive.Limit{LimitScope: hive.LimitScope{Scope: hive.Scope{Skill: "echo"}}, Running: 9}, hive.Limit{LimitScope: hive.LimitScope{PerKey: true}, Running: 1}
		flow := hive.Flow{Limits: map[hive.LimitScope]hive.Limit{skill.LimitScope: skill, perKey.LimitScope: perKey}}
		running, err := r.Running(r.ctx())
		r.check(err)
		counts, err := r.RunningOf(r.ctx(), &flow, running, map[string]broker.Class{})
		want := map[broker.Bucket]int{broker.BucketOf(skill, ""): 5, broker.BucketOf(perKey, "k1"): 2, broker.BucketOf(perKey, "k2"): 1, broker.BucketOf(perKey, long): 1}
		if err != nil || !maps.Equal(counts, want) {
			r.t.Errorf("RunningOf = %v, %v, want %v", counts, err, want)
		}
	})
}
