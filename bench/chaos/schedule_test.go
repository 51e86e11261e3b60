package chaos

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestScheduleIsThatOfItsSeed(t *testing.T) {
	t.Parallel()
	for _, p := range []Profile{Process, Failover} {
		first, again, other := Schedule(7, p, time.Minute), Schedule(7, p, time.Minute), Schedule(8, p, time.Minute)
		if !slices.Equal(first, again) {
			t.Errorf("%s: the same seed gives\n%v and\n%v", p, first, again)
		}
		if slices.Equal(first, other) {
			t.Errorf("%s: two seeds give %v", p, first)
		}
	}
}

// Something breaks every second, of every kind in time, and some spore goes on.
func TestScheduleBreaksEverySecond(t *testing.T) {
	t.Parallel()
	for p, all := range sorts {
		seen := map[Kind]int{}
		var hurt [spores + 1]time.Duration
		for i, f := range Schedule(1, p, time.Hour) {
			if want := time.Duration(i+1) * every; f.At != want {
				t.Fatalf("%s: fault %d is at %v, want %v", p, i, f.At, want)
			}
			seen[f.Kind]++
			if f.Kind != KillSpore && f.Kind != PauseSpore && f.Kind != StopSpore {
				continue
			}
			if hurt[f.On] > f.At {
				t.Fatalf("%s: %s although it is hurt until %v", p, f, hurt[f.On])
			}
			hurt[f.On] = f.At + f.For
			if slices.Min(hurt[1:]) > f.At {
				t.Fatalf("%s: no spore goes on after %s", p, f)
			}
		}
		for _, s := range all {
			if seen[s.kind] == 0 {
				t.Errorf("%s: in an hour there is no %q", p, s.kind)
			}
		}
	}
}

func TestDraftIsThatOfItsSeed(t *testing.T) {
	t.Parallel()
	percent := 0
	for _, f := range fates {
		percent += f.percent
	}
	if percent != 100 {
		t.Errorf("the fates are %d of a hundred", percent)
	}
	for n := range 1000 {
		a, b := draft(3, 1, n, "http://x"), draft(3, 1, n, "http://x")
		if a.ID != b.ID || string(a.Payload) != string(b.Payload) || a.Priority != b.Priority {
			t.Fatalf("task %d is %+v and %+v", n, a, b)
		}
		if task := a.Task.WithDefaults(); task.Validate() != nil {
			t.Fatalf("task %d: %v", n, task.Validate())
		}
	}
}

// Batches are those of their seed, and have lines that are alike and so are one task.
func TestLinesComeAgain(t *testing.T) {
	t.Parallel()
	again := 0
	for seed := range uint64(100) {
		a, b := lines(rand.New(rand.NewPCG(seed, 1)), 7), lines(rand.New(rand.NewPCG(seed, 1)), 7)
		payloads := map[string]string{}
		for i := range a {
			if a[i].ID != b[i].ID {
				t.Fatalf("line %d is %s and %s", i, a[i].ID, b[i].ID)
			}
			if task := a[i].WithDefaults(); task.Validate() != nil {
				t.Fatalf("line %d: %v", i, task.Validate())
			}
			if other, known := payloads[a[i].ID]; known && other != string(a[i].Payload) {
				t.Fatalf("%q and %q are one task", other, a[i].Payload)
			} else if known {
				again++
			}
			payloads[a[i].ID] = string(a[i].Payload)
		}
	}
	if again < 100 {
		t.Errorf("%d lines of 100 batches came again", again)
	}
}
