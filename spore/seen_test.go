package spore_test

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/nexus/ota"
	"github.com/hive-spore/hive/spore"
)

// seenBy waits for a report of a spore that is as wanted.
func seenBy(t *testing.T, road *broker.Broker, name string, wanted func(*hive.Seen) bool) *hive.Seen {
	t.Helper()
	for {
		bodies, err := road.SeenReports(t.Context(), []string{name})
		if err != nil {
			t.Fatal(err)
		}
		if bodies[name] == nil {
			continue
		}
		if s, err := hive.ParseSeen(bodies[name]); err != nil {
			t.Fatalf("ParseSeen(%s): %v", bodies[name], err)
		} else if wanted(s) {
			return s
		}
	}
}

func TestReportsWhatWasSeen(t *testing.T) {
	t.Parallel()
	w, c, spores := hiveOf(t, spore.Options{Name: "a"})
	first := seenBy(t, w.road, "a", func(s *hive.Seen) bool { return len(s.Skills) == 0 }) // before anything ran
	for _, payload := range []string{"echo hello", "exit 3", "exit 4", "echo again", "spin"} {
		task := guest(payload)
		if payload == "spin" {
			task.Timeout = 50 * time.Millisecond
		}
		if _, err := c.Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
	slow, err := c.Submit(t.Context(), guest("sleep 1h"))
	if err != nil {
		t.Fatal(err)
	}
	for r := (&hive.Record{}); r.State != hive.Running; {
		if r, err = w.road.Status(t.Context(), slow); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.road.Cancel(t.Context(), slow); err != nil { // counts nowhere
		t.Fatal(err)
	}
	got := seenBy(t, w.road, "a", func(s *hive.Seen) bool {
		return len(s.Skills) == 1 && s.Skills[0].Completed+s.Skills[0].Failed == 5
	})
	skill := got.Skills[0]
	if got.Incarnation != first.Incarnation || skill.String() != "guest@1.0.0" || skill.Completed != 2 || skill.Failed != 3 {
		t.Errorf("seen %+v", got)
	}
	if err := spores[0].Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.start(spore.Options{Name: "a"})
	again := seenBy(t, w.road, "a", func(s *hive.Seen) bool { return s.Incarnation != got.Incarnation })
	if len(again.Skills) != 0 {
		t.Errorf("a spore that began anew has seen %+v", again)
	}
}

// TestReportsBundles: a spore's heartbeat names the bundle versions that it runs.
func TestReportsBundles(t *testing.T) {
	t.Parallel()
	w, _, _ := hiveOf(t, spore.Options{Name: "a"})
	nodes, err := w.road.Nodes(t.Context())
	if err != nil || len(nodes) != 1 || len(nodes[0].Bundles) != 1 || nodes[0].Bundles[0].String() != "guest@1.0.0" || len(nodes[0].Bundles[0].Digest) != 71 {
		t.Errorf("Nodes = %+v, %v; want one that runs guest@1.0.0", nodes, err)
	}
}

// TestWatched: what a spore tells is what a watch of a rollout looks for.
func TestWatched(t *testing.T) {
	t.Parallel()
	w, c, _ := hiveOf(t, spore.Options{Name: "a"})
	w.register(func(m *hive.Manifest) { m.Version = "1.1.0" })
	from, errFrom := w.pub.Repository.Bundle("guest", "1.0.0")
	to, errTo := w.pub.Repository.Bundle("guest", "1.1.0")
	watch := ota.NewWatch(must(t, from, errFrom), must(t, to, errTo))
	rollout := ota.Rollout{From: &bundle.Ref{Version: "1.0.0", Digest: from.Digest()}, To: bundle.Ref{Version: "1.1.0", Digest: to.Digest()}, Step: 1}
	look := func() ota.Window {
		t.Helper()
		nodes, err := w.road.Nodes(t.Context())
		bodies, errSeen := w.road.SeenReports(t.Context(), []string{"a"})
		if err != nil || errSeen != nil {
			t.Fatal(err, errSeen)
		}
		reports := map[string]*hive.Seen{}
		if seen, err := hive.ParseSeen(bodies["a"]); err == nil {
			reports["a"] = seen
		}
		return watch.Look(&rollout, nodes, reports, time.Now())
	}
	seenBy(t, w.road, "a", func(*hive.Seen) bool { return true })
	for look().New.Spores == 0 {
	}
	for _, payload := range []string{"echo hello", "exit 3", "echo again"} {
		if r, err := c.Run(t.Context(), guest(payload)); err != nil || r.Ran.Version != "1.1.0" {
			t.Fatalf("Run = %v, %v", r, err)
		}
	}
	got := look()
	for ; got.New.Tasks < 3; got = look() {
	}
	if got.New.P95 <= 0 {
		t.Error("it took no time")
	}
	if got.New.P95 = 0; got.New != (ota.Seen{Tasks: 3, Errors: 1, Spores: 1}) || got.Old != (ota.Seen{}) {
		t.Errorf("Look = %+v", got)
	}
}
