package spore_test

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
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
