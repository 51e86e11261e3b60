//go:build !race

package foreman

import "testing"

// TestAllocsRoute bounds what a pass of Route costs once its router has seen the hive. It is
// without the race detector, with which there are more.
func TestAllocsRoute(t *testing.T) {
	all := func(int, int) bool { return true }
	zones := []string{"zone=eu", "zone=us", ""}
	for _, test := range []struct {
		name         string
		spores       int
		lanes, tasks int     // lanes that are not empty, tasks in each
		allocs       float64 // for a pass
	}{
		{"nothing waits", 3, 0, 0, 1},               // the seats
		{"one task of a quiet hive", 3, 1, 1, 16},   // and the lanes in turn, shares, sets, pools and grants, all made anew
		{"a burst", 3, 1, 1000, 16},                 // the same: none for a task
		{"many lanes and spores", 100, 50, 100, 78}, // and a set for each skill and selector, grants as they grow
	} {
		nodes := benchNodes(test.spores, 8, 2, all)
		lanes := benchLanes(t, max(1, test.lanes), test.lanes, func(i int) string { return zones[i%len(zones)] })
		for i := range lanes {
			if lanes[i].Count > 0 {
				lanes[i].Count = test.tasks
			}
		}
		var r Router
		pass := func() { r.Route(lanes, nodes, now) }
		pass()
		if n := testing.AllocsPerRun(100, pass); n > test.allocs {
			t.Errorf("%s: %v allocations, want at most %v", test.name, n, test.allocs)
		}
	}
}
