package ota

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// TestPlanProperties drives one bundle's rollouts through whatever windows and people
// may bring, and looks at what a crowd of spores would run after each.
func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Plan
		now := began
		versions := map[string]*bundle.Bundle{}
		for range rapid.IntRange(1, 40).Draw(t, "moves") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, time.Hour}).Draw(t, "after"))
			before := spelled(t, p)
			next, w := move(t, p, versions, now)
			if again := spelled(t, p); again != before {
				t.Fatalf("the old plan changed from\n%s to\n%s", before, again)
			}
			checkMove(t, p, next, w)
			p = next
		}
	})
}

// move does one thing; the window is nil where it was a person.
func move(t *rapid.T, p Plan, versions map[string]*bundle.Bundle, now time.Time) (Plan, *Window) {
	switch rapid.IntRange(0, 5).Draw(t, "move") {
	case 0:
		b := bundleOf("crow", fmt.Sprintf("1.%d.0", rapid.IntRange(0, 5).Draw(t, "version")), rapid.SampledFrom([][]hive.Grant{nil, {"kv"}}).Draw(t, "grants")...)
		q := Request{Bundle: b, Steps: rapid.SampledFrom(manySteps).Draw(t, "steps")}
		if current := p.Bundles["crow"].Current; current != nil {
			q.Running = versions[current.Digest]
		}
		versions[b.Digest()] = b
		next, _, _ := p.Start(q, now)
		return next, nil
	case 1:
		verb := rapid.SampledFrom([]Verb{Approve, Pause, Resume, Promote, Abort, Rollback}).Draw(t, "verb")
		next, _, _ := p.Tell("crow", verb, now)
		return next, nil
	}
	w := Window{genSeen.Draw(t, "old"), genSeen.Draw(t, "new")}
	next, _, _ := p.Advance("crow", w, now)
	return next, &w
}

var manySteps = [][]Step{
	nil, {{Percent: 100}}, {{Percent: 10}, {Percent: 100}},
	{tags("canary"), {Percent: 30}, tags("zone=eu,gpu"), {Percent: 60}, {Percent: 100}},
	{tags("zone in (eu,us),!gpu"), tags("canary,!canary"), tags("canary"), {Percent: 100}},
}

var genSeen = rapid.Custom(func(t *rapid.T) Seen {
	few := rapid.SampledFrom([]int{-1, 0, 0, 0, 1, 3})
	return Seen{
		Tasks:  rapid.SampledFrom([]int{-1, 0, 1, 99, 100, 1000, 1 << 62}).Draw(t, "tasks"),
		Errors: few.Draw(t, "errors"), Traps: few.Draw(t, "traps"),
		P95:    rapid.SampledFrom([]time.Duration{-1, 0, time.Millisecond, time.Second, 1 << 62}).Draw(t, "p95"),
		Spores: rapid.SampledFrom([]int{-1, 0, 1, 50}).Draw(t, "spores"),
	}
})

func checkMove(t *rapid.T, p, next Plan, w *Window) {
	was, is := runs(t, p), runs(t, next)
	old, r := p.Bundles["crow"], next.Bundles["crow"].Rollout
	for i := range is {
		if changed := was[i] != is[i]; changed && next.Generation <= p.Generation {
			t.Fatalf("spore %d ran %q and is to run %q in the same generation %d", i, was[i], is[i], next.Generation)
		}
		if old.Current != nil && is[i] == "" && next.Bundles["crow"].Current != nil {
			t.Fatalf("spore %d ran %q and is to run nothing", i, was[i])
		}
		if r != nil && old.Rollout != nil && r.To == old.Rollout.To && was[i] == r.To.Version && is[i] != was[i] && r.State != RolledBack && r.State != Aborted {
			t.Fatalf("spore %d lost %s, and the rollout is %s", i, was[i], r)
		}
	}
	if next.Generation < p.Generation {
		t.Fatalf("generation %d after %d", next.Generation, p.Generation)
	}
	if r != nil && !r.Ended() && r.Step > 0 && next.Denied[r.To.Digest] != "" {
		t.Fatalf("%s is denied and rolls out", r.To.Version)
	}
	if w != nil && r != nil {
		checkPromoted(t, old.Rollout, r, w)
	}
}

// checkPromoted checks that what went on by itself had enough of everything.
func checkPromoted(t *rapid.T, old, r *Rollout, w *Window) {
	if r.Step == old.Step && !(r.State == Done && old.State != Done) {
		return
	}
	least := r.Rules.MinTasks
	compared := r.From == nil || old.Step == len(r.Steps) || w.Old.Tasks >= least
	if w.New.Tasks < least || w.New.Spores < 1 || !compared || old.waiting() || r.Step > old.Step+1 {
		t.Fatalf("%s became %s by %+v", old, r, w)
	}
	if w.New.Errors > w.New.Tasks/2 || w.New.Traps > w.New.Tasks/2 {
		t.Fatalf("%s became %s though most fails: %+v", old, r, w)
	}
}

// crowd are spores with all mixes of tags.
var crowd = func() (list []bundle.Spore) {
	for i := range 240 {
		spore := bundle.Spore{ID: fmt.Sprint("spore-", i), Tags: hive.Tags{}}
		for bit, tag := range []string{"canary", "gpu"} {
			if i>>bit&1 == 1 {
				spore.Tags[tag] = "true"
			}
		}
		if zone := []string{"", "eu", "us"}[i%3]; zone != "" {
			spore.Tags["zone"] = zone
		}
		list = append(list, spore)
	}
	return list
}()

// runs is the version that each of the crowd is to run, of what can be signed. No
// spore has two.
func runs(t *rapid.T, p Plan) []string {
	list := make([]string, len(crowd))
	if p.Generation == 0 {
		return list
	}
	set := p.Set(began, time.Hour)
	if _, err := set.Sign(nexusKey); err != nil {
		t.Fatalf("the set cannot be signed: %v", err)
	}
	for i, spore := range crowd {
		of := set.For(spore)
		if len(of) > 1 {
			t.Fatalf("%v is to run %v", spore, of)
		}
		for _, run := range of {
			list[i] = run.Version
		}
	}
	return list
}

// spelled is a plan as it is stored, which reads back as the same.
func spelled(t *rapid.T, p Plan) string {
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Plan
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if again, err := json.Marshal(back); err != nil || string(again) != string(data) {
		t.Fatalf("%s\nreads back as\n%s, %v", data, again, err)
	}
	return string(data)
}

// TestReach checks how much of a large crowd a percentage is.
func TestReach(t *testing.T) {
	t.Parallel()
	p, _, err := Plan{}.Start(Request{Bundle: bundleOf("crow", "1.0.0")}, began)
	if err != nil {
		t.Fatal(err)
	}
	set, reached := p.Set(began, time.Hour), 0
	for i := range 10_000 {
		reached += len(set.For(bundle.Spore{ID: fmt.Sprint("spore-", i)}))
	}
	if reached < 400 || reached > 600 {
		t.Errorf("5%% are %d of 10,000 spores", reached)
	}
}
