package chaos

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

// TestRun breaks a hive for a short time, and then its history: what is planted in Redis
// is found.
func TestRun(t *testing.T) {
	kit, err := rig.NewKit(t.Context(), "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "hive-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	o := Options{For: 5 * time.Second, Seed: 5, Profile: Process, Repo: "../.."}
	s, err := newStage(o.Profile, folders{dir: dir}, func(said string) { t.Log(said) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	if err := s.begin(t.Context(), kit, o); err != nil {
		t.Fatal(err)
	}
	if err := s.play(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	h, err := s.collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found := h.Check(); len(found) > 0 {
		t.Errorf("promises were not kept with seed %d: %v", o.Seed, found)
	}
	r := &report.Report{}
	s.conclude(r, o, h, o.For)
	for _, row := range []string{"tasks acknowledged", "completed", "failed for good", "cancelled"} {
		if !(r.Value(workTable, row, "number") > 0) {
			t.Errorf("none are %q", row)
		}
	}
	plantIn(t, s, h)
}

// plantIn breaks each promise in Redis that can be broken there.
func plantIn(t *testing.T, s *stage, h *History) {
	t.Helper()
	gone, twice := "", ""
	for _, said := range h.Said {
		switch end := h.Ends[said.Task]; {
		case end.State == hive.Failed:
			gone = said.Task
		case h.Counts[said.Task] == 1:
			twice = said.Task
		}
	}
	ctx := context.WithoutCancel(t.Context())
	for _, err := range []error{
		s.raw.Del(ctx, prefix+"t:"+gone).Err(),
		s.raw.Incr(ctx, prefix+counted+twice).Err(),
		s.raw.RPush(ctx, prefix+"in:tally||:5", gone).Err(),
		s.raw.HIncrBy(ctx, prefix+"ct", "completed", 1).Err(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := s.collect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, v := range h.Check() {
		found[v.Promise] = true
	}
	want := []string{Miscast, Doubled, Leaked, Lost}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v: %s", got, want, fmt.Sprint(h.Check()))
	}
}
