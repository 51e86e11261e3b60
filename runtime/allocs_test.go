//go:build !race

package runtime

import (
	"testing"

	"github.com/hive-spore/hive"
)

// TestAllocsCall bounds what a call of a small reactor costs. It is without the race
// detector, with which there are more.
func TestAllocsCall(t *testing.T) {
	s := skillOf(t, dialer().bytes(), hive.Manifest{})
	call := Call{Payload: dial(dialInput, 100, 16, 0)}
	run := func() {
		if out := s.Call(t.Context(), call); out.Failure != nil {
			t.Fatal(out.Failure)
		}
	}
	const allowed = 1 // the result
	if n := testing.AllocsPerRun(100, run); n > allowed {
		t.Errorf("%v allocations for a call, want at most %v", n, allowed)
	}
}
