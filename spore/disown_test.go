package spore_test

import (
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/spore"
)

// TestDisown: an attempt that only the road knows of is handed back at no cost.
func TestDisown(t *testing.T) {
	t.Parallel()
	_, c, spores := hiveOf(t, spore.Options{Name: "a", Slots: 2, Grace: spore.NoGrace})
	id, err := c.Submit(t.Context(), guest("sleep 1h"))
	if err != nil {
		t.Fatal(err)
	}
	runs := func(attempt int) bool {
		r, err := c.Status(t.Context(), id)
		if err != nil || r.Failures > 0 {
			t.Fatalf("status: %+v, %v", r, err)
		}
		return r.State == hive.Running && r.Attempts == attempt
	}
	for !runs(1) {
	}
	for !spores[0].Forget(id) { // the road knows of it a little before the spore does
	}
	for !runs(2) {
	}
}
