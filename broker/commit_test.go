package broker_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

func TestCommit(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		out := withKV(set("k", "\xff\x00 bytes"), set("empty", ""), add("n", 3), add("n", -1))
		r.check(r.Complete(r.ctx(), "a", &a, out))
		r.check(r.Complete(r.ctx(), "a", &a, out)) // a repeat is a success, and adds nothing
		r.wantKV("k", "\xff\x00 bytes", "empty", "", "n", "2")
		if rec := r.want(a.Task.ID, hive.Completed, 1, 0); string(rec.Result) != "done" || len(rec.Payload) > 0 || rec.Finished.IsZero() {
			r.t.Errorf("record = %+v", rec)
		}
		r.wantStats(hive.Stats{Completed: 1})
		r.wantIdle()
		r.check(r.commit(r.running(s), del("k"), del("n"), del("never there")))
		r.wantKV("k", none, "n", none, "never there", none, "empty", "")
	})
}

func TestCommitKeepsOrder(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.given(set("text", "no number"), set("n", "40"))
		r.check(r.commit(r.running(s),
			set("text", "5"), add("text", 2), // counted from what was set
			del("n"), add("n", 1), // from nothing
			set("last", "1"), set("last", "2"), del("last"), set("last", "3"),
			set("gone", "1"), del("gone")))
		r.wantKV("text", "7", "n", "1", "last", "3", "gone", none)
		a := r.running(s)
		if err := r.commit(a, set("n", "one"), add("n", 1)); !errors.Is(err, hive.ErrEffect) {
			r.t.Errorf("Complete that adds to text of its own = %v", err)
		}
		r.wantKV("n", "1")
	})
}

func TestCommitTTL(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.check(r.commit(r.running(s), brief("n", "1", time.Hour), brief("soon", "x", time.Microsecond), set("stays", "x")))
		r.check(r.commit(r.running(s), add("n", 1))) // keeps it
		ms, err := strconv.Atoi(r.do("PTTL", "kv:s.echo:n"))
		if err != nil || ms <= 0 || ms > int(time.Hour.Milliseconds()) {
			r.t.Errorf("the number lives %d ms, %v, want nearly an hour", ms, err)
		}
		r.wantKV("n", "2", "stays", "x")
		for found := true; found; {
			_, found, err = r.KV().Get(r.ctx(), space, "soon")
			r.check(err)
		}
		r.check(r.commit(r.running(s), set("n", "3"))) // for good
		if ttl := r.do("PTTL", "kv:s.echo:n"); ttl != "-1" {
			r.t.Errorf("the number lives %s ms after it was set without end", ttl)
		}
	})
}

// TestCommitSweeps: the keys of a namespace that nobody lists do not pile up.
func TestCommitSweeps(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.check(r.commit(r.running(s), brief("gone:1", "x", time.Hour), brief("again", "x", time.Hour), brief("later", "x", time.Hour)))
		r.check(r.commit(r.running(s), set("again", "for good")))
		r.do("DEL", "kv:s.echo:gone:1") // as if the hour was over
		r.do("ZADD", "kx", "1", "s.echo:gone:1", "1", "s.echo:again")
		r.check(r.commit(r.running(s), add("n", 1)))
		r.wantKV("gone:1", none, "again", "for good", "later", "x")
		if n := r.do("ZCARD", "kx"); n != "1" {
			r.t.Errorf("%s keys are still to expire, want the later one", n)
		}
	})
}

func TestCommitExpectations(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.given(set("k", "v"), set("empty", ""))
		// They hold of what stood there before, wherever they stand.
		r.check(r.commit(r.running(s), set("k", "w"), expect("k", "v"), absent("new"), set("new", "x"), expect("empty", "")))
		r.wantKV("k", "w", "new", "x")
		for name, broken := range map[string]hive.KVEffect{
			"other value": expect("k", "v"), "shorter": expect("k", ""), "not there": expect("missing", ""), "there": absent("empty"),
		} {
			if err := r.commit(r.running(s), set("k", "lost"), broken); !errors.Is(err, hive.ErrConflict) {
				r.t.Errorf("%s: Complete = %v, want a conflict", name, err)
			}
			r.wantKV("k", "w")
		}
	})
}

// TestCommitOverWhatIsNoValue: somebody put something else under a value's key. It is
// moved aside, and there is no value then.
func TestCommitOverWhatIsNoValue(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		for name, e := range map[string]hive.KVEffect{"absent": absent("odd"), "add": add("odd", 1), "set": set("odd", "v")} {
			r.do("DEL", "kv:s.echo:odd")
			r.do("SADD", "kv:s.echo:odd", "x")
			if err := r.commit(r.running(s), e); err != nil {
				r.t.Errorf("%s: Complete = %v", name, err)
			}
		}
		r.do("SADD", "kv:s.echo:other", "x")
		if err := r.commit(r.running(s), set("k", "v"), expect("other", "x")); !errors.Is(err, hive.ErrConflict) {
			r.t.Errorf("Complete = %v, want a conflict", err)
		}
		r.wantKV("k", none)
	})
}

func TestCommitConflict(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.given(set("k", "v"), set("text", "x"))
		a := r.running(s)
		out := withKV(add("text", 1), set("new", "x"), expect("k", "other")) // the conflict comes first: another look may mend the rest
		out.Effects.Spawn = []hive.Task{echo("child")}
		before := r.want(a.Task.ID, hive.Running, 1, 0)
		for range 2 { // a repeat answers the same
			if err := r.Complete(r.ctx(), "a", &a, out); !errors.Is(err, hive.ErrConflict) {
				r.t.Fatalf("Complete = %v, want a conflict", err)
			}
			if rec := r.want(a.Task.ID, hive.Running, 2, 0); rec.Node != "a" || string(rec.Payload) != string(before.Payload) || rec.Started.Before(before.Started) {
				r.t.Errorf("record = %+v", rec)
			}
		}
		r.wantKV("new", none)
		if _, err := r.Status(r.ctx(), "child"); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("Status of the child = %v", err)
		}
		r.wantStats(hive.Stats{Running: 1, Completed: 1})
		if err := r.Complete(r.ctx(), "b", &a, out); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("Complete by another spore = %v", err)
		}
		next := a
		next.Number++
		for range 2 {
			if err := r.commit(next, expect("k", "third")); !errors.Is(err, hive.ErrConflict) {
				r.t.Errorf("Complete of the second = %v, want a conflict", err)
			}
		}
		if err := r.Complete(r.ctx(), "a", &a, out); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("late Complete of the first = %v", err)
		}
		next.Number++
		r.check(r.commit(next, expect("k", "v"), set("new", "x")))
		r.want(a.Task.ID, hive.Completed, 3, 0)
		r.wantKV("new", "x")
		r.wantStats(hive.Stats{Completed: 2})
		r.wantIdle()
	})
}

// TestCommitConflictIsForgotten: only the attempt that took over in place answers
// to the one before it.
func TestCommitConflictIsForgotten(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		next := a
		next.Number++
		conflict := expect("k", "v")
		if err := r.commit(a, conflict); !errors.Is(err, hive.ErrConflict) {
			r.t.Fatalf("Complete = %v, want a conflict", err)
		}
		if n, err := r.Release(r.ctx(), "a", next); n != 1 || err != nil {
			r.t.Fatalf("Release = %d, %v", n, err)
		}
		if got := r.do("GETRANGE", "t:"+a.Task.ID, "3", "3"); got != "\x00" {
			r.t.Errorf("flags of the released task are %q", got)
		}
		r.do("SETRANGE", "t:"+a.Task.ID, "3", "\x04") // as one would leave it who does not know the flag
		r.assign("a", 1)
		if got := r.fetch(s, 1); len(got) != 1 || got[0].Number != 3 {
			r.t.Fatalf("Fetch = %v, want the third attempt", got)
		}
		for _, late := range []hive.Attempt{a, next} {
			if err := r.commit(late, conflict); !errors.Is(err, hive.ErrFenced) {
				r.t.Errorf("late Complete of attempt %d = %v", late.Number, err)
			}
		}
		r.want(a.Task.ID, hive.Running, 3, 0)
	})
}

func TestCommitFenced(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		out := withKV(set("k", "v"), expect("missing", "x"))
		out.Effects.Spawn = []hive.Task{echo("child")}
		if err := r.Complete(r.ctx(), "b", &a, out); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("Complete by another spore = %v", err)
		}
		_, err := r.Release(r.ctx(), "a", a)
		r.check(err)
		if err := r.Complete(r.ctx(), "a", &a, out); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("Complete after Release = %v", err)
		}
		r.wantKV("k", none)
		r.want(a.Task.ID, hive.Pending, 1, 0)
		if _, err := r.Status(r.ctx(), "child"); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("Status of the child = %v", err)
		}
	})
}

func TestCommitSpawns(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		there := r.enqueue(func(t *hive.Task) { t.Priority = 9 })
		other := echo("child-2")
		other.Skill.Name, other.Priority = "other", 7
		out := &hive.Outcome{Effects: hive.Effects{Spawn: []hive.Task{echo("child-0"), other, echo(there), echo("child-1")}}}
		_, err := r.WaitBell(r.ctx(), time.Second) // what rang so far
		r.check(err)
		r.check(r.Complete(r.ctx(), "a", &a, out))
		r.check(r.Complete(r.ctx(), "a", &a, out))
		r.wantStats(hive.Stats{High: 2, Background: 2, Pending: 4, Completed: 1})
		bell, err := r.WaitBell(r.ctx(), time.Second)
		r.check(err)
		want := []broker.LaneBell{{Name: "echo||:2", Count: 2, Head: "child-0"}, {Name: "other||:7", Count: 1, Head: "child-2"}}
		if !slices.Equal(bell.Lanes, want) || !bell.Freed {
			r.t.Errorf("bell = %+v, want %+v", bell, want)
		}
		if lanes, err := r.ActiveLanes(r.ctx()); len(lanes) != 3 || err != nil {
			r.t.Errorf("ActiveLanes = %+v, %v", lanes, err)
		}
		rec := r.want("child-0", hive.Pending, 0, 0)
		if age := time.Since(rec.Created); string(rec.Payload) != "payload of child-0" || age < -time.Minute || age > time.Minute {
			r.t.Errorf("child = %+v, created %v ago", rec, age)
		}
		r.assign("a", 2)
		if got := r.fetch(s, 2); len(got) != 2 || got[0].Task.ID != "child-0" || got[1].Task.ID != "child-1" {
			r.t.Errorf("Fetch = %+v, want the children in order", got)
		}
	})
}

func TestCommitBatch(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		var attempts []hive.Attempt
		for range 6 {
			attempts = append(attempts, r.running(s))
		}
		attempts[2].Number++
		spawning := *withKV(add("n", 1))
		spawning.Effects.Spawn = []hive.Task{echo("child")}
		outs := []hive.Outcome{
			spawning,
			*withKV(expect("n", "1"), add("n", 1), set("text", "x")), // sees the first one's
			*withKV(add("n", 100)), // fenced
			*withKV(absent("n"), add("n", 100)),
			*withKV(del("n"), add("n", 5), add("text", 1), add("text", 2)),
			spawning,
		}
		for range 2 { // a repeat answers the same, but for what is done already
			got, err := r.CommitBatch(r.ctx(), "a", attempts, outs)
			r.check(err)
			for i, want := range []int64{1, 1, -1, -2, -5, 1} {
				if got[i] != want && (want != 1 || got[i] != 0) {
					r.t.Errorf("verdicts = %v, the one at %d should be %d", got, i, want)
				}
			}
			r.wantKV("n", "3", "text", "x")
			r.wantStats(hive.Stats{Background: 1, Pending: 1, Running: 3, Completed: 3})
		}
	})
}

func TestCommitCountsExactly(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		const tasks = 200
		var done sync.WaitGroup
		for range tasks {
			a := r.running(s)
			done.Go(func() {
				if err := r.commit(a, add("n", 1)); err != nil {
					r.t.Errorf("Complete = %v", err)
				}
			})
		}
		done.Wait()
		r.wantKV("n", fmt.Sprint(tasks))
		r.wantStats(hive.Stats{Completed: tasks})
	})
}

// TestCommitModel compares effects with what a map would hold after them.
func TestCommitModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := newRoad(t, testkit.Options(t))
		defer r.Close()
		s, m := r.join("a"), model{}
		for range rapid.IntRange(1, 8).Draw(rt, "attempts") {
			kv := rapid.SliceOfN(rapid.Custom(drawEffect), 1, 8).Draw(rt, "effects")
			want := m.do(kv)
			if err := r.commit(r.running(s), kv...); !errors.Is(err, want) {
				rt.Fatalf("Complete = %v, want %v", err, want)
			}
			for _, key := range modelKeys {
				value, found, err := r.KV().Get(r.ctx(), space, key)
				if held, there := m[key]; err != nil || found != there || string(value) != held {
					rt.Fatalf("%q holds %q, %v, %v; want %q, %v", key, value, found, err, held, there)
				}
			}
		}
	})
}
