//go:build !race

package spore_test

import "testing"

// TestAllocsAttempt bounds what an attempt costs beside the road. It is without the race
// detector, with which there are more.
func TestAllocsAttempt(t *testing.T) {
	s, road := benchSpore(t)
	attempt := newQueue(t, road).fetch(1)[0]
	run := func() {
		if out, err := s.RunUnrecorded(t.Context(), &attempt); err != nil || out.Failure != nil {
			t.Fatal(out.Failure, err)
		}
	}
	const allowed = 6 // what host functions know of it, its emitter, context and log, a method of the shelf, the result
	if n := testing.AllocsPerRun(100, run); n > allowed {
		t.Errorf("%v allocations for an attempt, want at most %v", n, allowed)
	}
}
