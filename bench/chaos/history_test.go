package chaos

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/hive-spore/hive"
)

// clean is a history in which every promise is kept: two tasks that completed, one of
// which has a child and took three attempts, and one that failed.
func clean() *History {
	return &History{
		Acked: []string{"a", "b", "c"}, Retry: 3,
		Ends: map[string]End{
			"a":  {State: hive.Completed, Attempts: 1, By: 1},
			"b":  {State: hive.Completed, Attempts: 3, Failures: 2, By: 3, Children: []string{"b1"}},
			"b1": {State: hive.Completed, Attempts: 1, By: 1},
			"c":  {State: hive.Failed, Attempts: 5, Failures: 4},
		},
		Counts: map[string]int64{"a": 1, "b": 1, "b1": 1},
		Ran:    []Attempt{{"a", 1}, {"b", 1}, {"b", 2}, {"b", 3}, {"b1", 1}, {"c", 5}},
		Keys:   []string{"t:a", "t:b", "t:b1", "t:c", "ct", "nodes", "hb:s1", "kv:s.tally:n", "dead"},
		Stats:  hive.Stats{Completed: 3, Failed: 1},
	}
}

func TestCleanHistory(t *testing.T) {
	if found := clean().Check(); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

// Each planted break is found, and nothing else is.
func TestPlantedViolations(t *testing.T) {
	end := func(h *History, id string, change func(*End)) {
		e := h.Ends[id]
		change(&e)
		h.Ends[id] = e
	}
	for _, tt := range []struct {
		name  string
		plant func(*History)
		want  []string
	}{
		{"a task is lost", func(h *History) { h.Acked = append(h.Acked, "gone") }, []string{Lost}},
		{"a task does not end", func(h *History) {
			h.Acked = append(h.Acked, "d")
			h.Ends["d"] = End{State: hive.Running, Attempts: 1}
		}, []string{Lost}},
		{"a completion is doubled", func(h *History) { h.Counts["a"] = 2 }, []string{Doubled}},
		{"an effect of a failed task", func(h *History) { h.Counts["c"] = 1 }, []string{Doubled}},
		{"an effect is missing", func(h *History) { delete(h.Counts, "b") }, []string{Missing}},
		{"an attempt that was fenced off completes", func(h *History) { end(h, "b", func(e *End) { e.By = 2 }) }, []string{Stale}},
		{"an attempt is given out twice", func(h *History) { h.Ran = append(h.Ran, Attempt{"b", 2}) }, []string{Doubled}},
		{"an attempt beyond the last", func(h *History) { h.Ran = append(h.Ran, Attempt{"a", 2}) }, []string{Stale}},
		{"too many failures", func(h *History) { end(h, "c", func(e *End) { e.Failures, e.Attempts = 5, 6 }) }, []string{Policy}},
		{"completed beyond the policy", func(h *History) { end(h, "b", func(e *End) { e.Failures, e.Attempts, e.By = 4, 5, 5 }) }, []string{Policy}},
		{"more failures than attempts", func(h *History) { end(h, "a", func(e *End) { e.Failures = 2 }) }, []string{Policy}},
		{"a child is lost", func(h *History) { end(h, "a", func(e *End) { e.Children = []string{"a1"} }) }, []string{Lost}},
		{"a child of two", func(h *History) { end(h, "a", func(e *End) { e.Children = []string{"b1"} }) }, []string{Doubled}},
		{"an acknowledgement twice", func(h *History) { h.Acked = append(h.Acked, "a") }, []string{Doubled}},
		{"a lane is left", func(h *History) { h.Keys = append(h.Keys, "in:tally||:2") }, []string{Leaked}},
		{"a count of held tasks is left", func(h *History) { h.Keys = append(h.Keys, "used") }, []string{Leaked}},
		{"a record nobody knows", func(h *History) { h.Keys = append(h.Keys, "t:x") }, []string{Leaked}},
		{"a counter is off", func(h *History) { h.Stats.Running = 1 }, []string{Miscast}},
		{"two at once", func(h *History) { h.Counts["a"] = 2; h.Keys = append(h.Keys, "own:s1") }, []string{Doubled, Leaked}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := clean()
			tt.plant(h)
			found := map[string]bool{}
			for _, v := range h.Check() {
				found[v.Promise] = true
			}
			slices.Sort(tt.want)
			if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, tt.want) {
				t.Errorf("found %v, want %v: %s", got, tt.want, fmt.Sprint(h.Check()))
			}
		})
	}
}
