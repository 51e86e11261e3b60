package spore_test

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/nexus/ota"
	"github.com/hive-spore/hive/spore"
)

// rollOut begins a rollout of the guest as another version, to all at once, which needs
// five tasks.
func (w *world) rollOut(version string) {
	w.Helper()
	before, err := w.pub.Repository.Bundle("guest", "1.0.0")
	b := *must(w.T, before, err)
	b.Version, b.Skills = version, []bundle.Skill{b.Skills[0]}
	b.Skills[0].Version = version
	data, err := b.Encode()
	target := bundle.Listed{Name: b.Name, Version: version}.TargetName()
	if _, err := w.pub.Repository.Publish(w.pub.Targets, map[string][]byte{target: must(w.T, data, err)}); err != nil {
		w.Fatal(err)
	}
	rules := ota.DefaultRules()
	rules.MinTasks, rules.Soak = 5, 0
	if _, _, err := w.pub.Desk.Start(ota.Request{Bundle: &b, Steps: []ota.Step{{Percent: 100}}, Rules: rules, Every: -1}, time.Now()); err != nil {
		w.Fatal(err)
	}
}

// ends runs tasks until the rollout has ended, and returns how.
func (w *world) ends(payload string) *ota.Rollout {
	w.Helper()
	c := w.client()
	for {
		if _, err := c.Run(w.Context(), guest(payload)); err != nil {
			w.Fatal(err)
		}
		p, err := w.pub.Desk.Load()
		if r := must(w.T, p, err).Bundles["guest"].Rollout; r.Ended() {
			return r
		}
	}
}

// runsOn waits until tasks run on a version.
func (w *world) runsOn(version string) {
	w.Helper()
	c := w.client()
	for {
		r, err := c.Run(w.Context(), guest("echo hello"))
		if err != nil || r.State != hive.Completed {
			w.Fatalf("Run = %v, %v", r, err)
		}
		if r.Ran.Version == version {
			return
		}
	}
}

// TestRolloutGoesOn: a version whose tasks complete becomes everybody's by itself, and
// people see why.
func TestRolloutGoesOn(t *testing.T) {
	t.Parallel()
	w, _, _ := hiveOf(t, spore.Options{Name: "a"})
	w.rollOut("1.1.0")
	w.runsOn("1.1.0")
	if r := w.ends("echo hello"); r.State != ota.Done {
		t.Fatalf("the rollout is %s", r)
	}
	told, err := w.road.Rollouts(t.Context())
	sights, errParse := ota.ParseSights(told)
	if got := sights["guest"]; err != nil || errParse != nil || got.To.Version != "1.1.0" || got.Window.New.Tasks < 5 || got.Window.New.Spores != 1 {
		t.Errorf("people see %s, %v, %v", told, err, errParse)
	}
}

// TestRolloutGoesBack: a version whose tasks fail goes back by itself, and does not
// come again.
func TestRolloutGoesBack(t *testing.T) {
	t.Parallel()
	w, _, _ := hiveOf(t, spore.Options{Name: "a"})
	w.rollOut("1.1.0")
	w.runsOn("1.1.0")
	r := w.ends("exit 3")
	if r.State != ota.RolledBack || r.Reason != ota.ReasonErrors {
		t.Fatalf("the rollout is %s", r)
	}
	w.runsOn("1.0.0")
	if p, err := w.pub.Desk.Load(); err != nil || p.Denied[r.To.Digest] == "" {
		t.Errorf("denied: %v, %v", p.Denied, err)
	}
}
