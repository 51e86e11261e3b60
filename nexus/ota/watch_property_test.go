package ota

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

// honest is a spore that tells what it did.
type honest struct {
	name, version string
	incarnation   int
	counts        map[string]*hive.SkillSeen // by letter
	told          *hive.Seen                 // its last report
}

func (h *honest) ends(letter string, failed bool) {
	s := h.counts[letter]
	if s == nil {
		s = &hive.SkillSeen{SkillID: letterID(letter)}
		h.counts[letter] = s
	}
	s.Took[40]++
	if failed {
		s.Failed++
	} else {
		s.Completed++
	}
}

func (h *honest) tell() {
	h.told = &hive.Seen{Incarnation: fmt.Sprint(h.incarnation)}
	for _, s := range h.counts {
		h.told.Skills = append(h.told.Skills, *s)
	}
}

// truth is what really came to pass since the step began.
type truth struct{ own, shared, failed [2]int }

// crowdOf are honest spores under a watch.
type crowdOf struct {
	*rapid.T
	watch   *Watch
	rollout Rollout
	now     time.Time
	spores  []*honest
	truth   truth
}

func (c *crowdOf) look() Window {
	var nodes []hive.Node
	reports := map[string]*hive.Seen{}
	for _, h := range c.spores {
		id := c.watch.from
		if h.version == "new" {
			id = c.watch.to
		}
		n := hive.Node{Online: true}
		n.ID, n.Bundles = h.name, []hive.BundleID{id}
		nodes = append(nodes, n)
		if h.told != nil {
			reports[h.name] = h.told
		}
	}
	return c.watch.Look(&c.rollout, nodes, reports, c.now)
}

// settle has everybody report and looks.
func (c *crowdOf) settle() Window {
	for _, h := range c.spores {
		h.tell()
	}
	return c.look()
}

// move is one thing that happens.
func (c *crowdOf) move() {
	h := rapid.SampledFrom(c.spores).Draw(c.T, "spore")
	switch rapid.SampledFrom([]string{"run", "run", "run", "share", "tell", "look", "restart", "update", "step", "join"}).Draw(c.T, "move") {
	case "run":
		c.runs(h, map[string]string{"old": "A", "new": "B"}[h.version])
	case "share":
		c.runs(h, "S")
	case "tell":
		h.tell()
	case "look":
		c.look()
	case "restart": // what nobody saw of the last incarnation is lost
		c.settle()
		h.incarnation, h.counts = h.incarnation+1, map[string]*hive.SkillSeen{}
	case "update":
		c.settle()
		h.version = rapid.SampledFrom([]string{"old", "new"}).Draw(c.T, "version")
	case "step":
		c.settle()
		c.rollout.Step++
		c.settle()
		c.truth = truth{}
	case "join":
		c.look()
		c.spores = append(c.spores, &honest{name: fmt.Sprint("s", len(c.spores)), version: "new", counts: map[string]*hive.SkillSeen{}})
	}
}

func (c *crowdOf) runs(h *honest, letter string) {
	failed := rapid.Bool().Draw(c.T, "failed")
	h.ends(letter, failed)
	side := 0
	if h.version == "new" {
		side = 1
	}
	if letter == "S" {
		c.truth.shared[side]++
	} else {
		c.truth.own[side]++
		if failed {
			c.truth.failed[side]++
		}
	}
}

// TestWatchHonest: of honest spores each task of a skill that one version has is
// counted once, and one of a skill that both have at most once and for the right one.
func TestWatchHonest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, to := letters("1.0.0", "A,S"), letters("1.1.0", "B,S")
		ref := refOf(from)
		c := &crowdOf{T: t, watch: NewWatch(from, to), rollout: Rollout{From: &ref, To: refOf(to), Step: 1, Stepped: began}, now: began}
		for i, version := range []string{"old", "new", "old"} {
			c.spores = append(c.spores, &honest{name: fmt.Sprint("s", i), version: version, counts: map[string]*hive.SkillSeen{}})
		}
		c.settle()
		for range rapid.IntRange(0, 60).Draw(t, "moves") {
			c.now = c.now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(t, "after"))
			c.move()
		}
		w := c.settle()
		for side, seen := range []Seen{w.Old, w.New} {
			own, shared, failed := c.truth.own[side], c.truth.shared[side], c.truth.failed[side]
			if seen.Tasks < own || seen.Tasks > own+shared || seen.Errors < failed || seen.Errors > failed+shared {
				t.Fatalf("%d tasks and %d that are shared, %d failed; seen %+v", own, shared, failed, seen)
			}
		}
		if w.Old.Spores+w.New.Spores != len(c.spores) {
			t.Fatalf("%d spores; seen %+v", len(c.spores), w)
		}
	})
}

var genSkill = rapid.Custom(func(t *rapid.T) (s hive.SkillSeen) {
	number := rapid.Int64Range(0, 1<<40)
	s.SkillID = letterID(rapid.SampledFrom([]string{"A", "B", "S", "X"}).Draw(t, "skill"))
	s.Completed, s.Failed = number.Draw(t, "completed"), number.Draw(t, "failed")
	s.Trapped = min(s.Failed, number.Draw(t, "trapped"))
	s.Took[rapid.IntRange(0, hive.TookBuckets-1).Draw(t, "bucket")] = s.Completed + s.Failed
	return s
})

// TestWatchHostile: whatever spores say and whatever the clock does, a window holds
// numbers that can be, never fewer than before within a step, and no more than the
// bound lets through.
func TestWatchHostile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, to := letters("1.0.0", "A,S"), letters("1.1.0", "B,S")
		ref := refOf(from)
		w := NewWatch(from, to)
		r := Rollout{From: &ref, To: refOf(to), Step: 1, Stepped: began}
		var before Window
		now, most := began, 0.0
		for range rapid.IntRange(1, 30).Draw(t, "looks") {
			after := rapid.SampledFrom([]time.Duration{-time.Minute, 0, time.Second, time.Minute}).Draw(t, "after")
			now = now.Add(after)
			if rapid.IntRange(0, 9).Draw(t, "step") == 0 {
				r.Step++
				before, most = Window{}, 0
			}
			var nodes []hive.Node
			reports := map[string]*hive.Seen{}
			for i := range rapid.IntRange(0, 3).Draw(t, "spores") {
				n := hive.Node{Online: rapid.Bool().Draw(t, "online")}
				n.ID = fmt.Sprint("s", i)
				n.Bundles = rapid.SliceOfN(rapid.SampledFrom([]hive.BundleID{w.from, w.to, {}}), 0, 3).Draw(t, "bundles")
				nodes = append(nodes, n)
				if rapid.Bool().Draw(t, "reports") {
					reports[n.ID] = &hive.Seen{Incarnation: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "incarnation"),
						Skills: rapid.SliceOfNDistinct(genSkill, 0, 4, func(s hive.SkillSeen) hive.SkillID { return s.SkillID }).Draw(t, "skills")}
				}
			}
			most += 3 * (30*60 + lateBy.Seconds()) * maxRate // no look is further away
			got := w.Look(&r, nodes, reports, now)
			checkSeen(t, got.Old, before.Old)
			checkSeen(t, got.New, before.New)
			if float64(got.Old.Tasks+got.New.Tasks) > most || got.Old.Spores+got.New.Spores > len(nodes) {
				t.Fatalf("of %d spores: %+v", len(nodes), got)
			}
			before = got
		}
	})
}

func checkSeen(t *rapid.T, got, before Seen) {
	if got.Traps < 0 || got.Errors < got.Traps || got.Tasks < got.Errors || got.P95 < 0 || (got.Tasks > 0) != (got.P95 > 0) {
		t.Fatalf("what cannot be: %+v", got)
	}
	if got.Tasks < before.Tasks || got.Errors < before.Errors || got.Traps < before.Traps {
		t.Fatalf("%+v after %+v", got, before)
	}
}
