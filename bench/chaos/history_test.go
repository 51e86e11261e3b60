package chaos

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// at is some seconds after the run began.
func at(seconds int) time.Time { return time.Unix(int64(1000+seconds), 0) }

// clean is a history in which every promise is kept: two tasks that completed, one of
// which has a child and took three attempts, one that failed, and one that was cancelled;
// two after each other with one key and two with one for 3 s, one that was too late, those of
// a cron, and those of a tenant that are limited.
func clean() *History {
	h := plain()
	done := func(id string, created, started, finished int, with End) {
		with.State, with.Attempts, with.By = hive.Completed, 1, 1
		with.Created, with.Started, with.Finished = at(created), at(started), at(finished)
		h.Ends[id], h.Plain[id] = with, true
		h.Stats.Completed++
	}
	done("u1", 1, 2, 3, End{Unique: "own-1"})
	done("u2", 3, 4, 4, End{Unique: "own-1"})
	done("w1", 1, 1, 9, End{Unique: "for-1", UniqueFor: 3 * time.Second})
	done("w2", 4, 4, 5, End{Unique: "for-1", UniqueFor: time.Second})
	h.Held = []Held{{"u3", "own-1", "u1", at(2)}}
	done("in-time", 1, 2, 9, End{Deadline: at(2)})
	h.Ends["late"] = End{State: hive.Failed, Created: at(1), Finished: at(2), Deadline: at(2), Failure: &hive.Failure{Kind: hive.FailDeadline}}
	h.Ends["no-more"] = End{State: hive.Failed, Attempts: 1, Failures: 1, Failure: &hive.Failure{Kind: hive.FailSkill, Permanent: true}}
	h.Stats.Failed += 2
	h.Crons = []Cron{{Name: "steady", From: at(0), Since: at(0), Until: at(2), Heard: at(2), Gone: at(3)}}
	done("c1", 1, 1, 1, End{Cron: "steady"})
	done("c2", 4, 4, 4, End{Cron: "steady"})
	h.Freed = at(8)
	h.Limits = []hive.Limit{{LimitScope: hive.LimitScope{Scope: hive.Scope{Tenant: "l"}}, Rate: 2, Per: time.Second, Burst: 1, Running: 2}}
	for i := range 6 { // 4 and 2: 4 beyond the rate, as many as 1 + 2 + 1
		done(fmt.Sprint("l", i), 0, 1+i/4, 1+i/4, End{Tenant: "l"})
	}
	done("l8", 0, 5, 7, End{Tenant: "l"})
	done("l9", 0, 5, 6, End{Tenant: "l"})
	done("l10", 0, 6, 7, End{Tenant: "l"})
	for i := range 9 { // when the limit was no more
		done(fmt.Sprint("m", i), 0, 8, 9, End{Tenant: "l"})
	}
	return h
}

func plain() *History {
	return &History{
		Said: []Said{{"a", hive.Pending, at(1)}, {"b", hive.Pending, at(2)}, {"c", hive.Pending, at(3)}, {"d", hive.Pending, at(4)},
			{"a", hive.Completed, at(5)}, {"d", hive.Cancelled, at(6)}},
		Plain: map[string]bool{"b1": true}, Shared: 2, Sharing: 2,
		Ends: map[string]End{
			"a":  {State: hive.Completed, Attempts: 1, By: 1},
			"b":  {State: hive.Completed, Attempts: 3, Failures: 2, By: 3, Children: []string{"b1"}},
			"b1": {State: hive.Completed, Attempts: 1, By: 1},
			"c":  {State: hive.Failed, Attempts: 5, Failures: 4},
			"d":  {State: hive.Cancelled, Attempts: 1},
		},
		Counts: map[string]int64{"a": 1, "b": 1},
		Ran:    []Attempt{{"a", 1}, {"b", 1}, {"b", 2}, {"b", 3}, {"b1", 1}, {"c", 5}},
		Keys:   []string{"t:a", "t:b", "t:b1", "t:c", "t:d", "ct", "nodes", "hb:s1", "kv:s.tally:n", "dead"},
		Stats:  hive.Stats{Completed: 3, Failed: 1, Cancelled: 1},
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
		{"a task is lost", func(h *History) { h.Said = append(h.Said, Said{"gone", hive.Pending, at(3)}) }, []string{Lost}},
		{"a task is lost before the window", func(h *History) {
			h.Said = append(h.Said, Said{"gone", hive.Pending, at(3)})
			h.Windows = []Window{{at(3), at(5)}}
		}, []string{Lost}},
		{"a task is lost after the window", func(h *History) {
			h.Said = append(h.Said, Said{"gone", hive.Pending, at(4)})
			h.Windows = []Window{{at(1), at(3)}}
		}, []string{Lost}},
		{"a task does not end", func(h *History) { h.Ends["e"] = End{State: hive.Running, Attempts: 1} }, []string{Lost}},
		{"a cancelled task completes", func(h *History) { h.Said = append(h.Said, Said{"a", hive.Cancelled, at(9)}) }, []string{Undone}},
		{"a completion is doubled", func(h *History) { h.Counts["a"] = 2 }, []string{Doubled}},
		{"an effect of a failed task", func(h *History) { h.Counts["c"] = 1 }, []string{Doubled}},
		{"an effect of no task", func(h *History) { h.Counts["x"] = 1 }, []string{Doubled}},
		{"a shared key counts too much", func(h *History) { h.Shared = 3 }, []string{Doubled}},
		{"a shared key counts too little", func(h *History) { h.Shared = 1 }, []string{Missing}},
		{"an effect is missing", func(h *History) { delete(h.Counts, "b") }, []string{Missing}},
		{"an attempt that was fenced off completes", func(h *History) { end(h, "b", func(e *End) { e.By = 2 }) }, []string{Stale}},
		{"an attempt is given out twice", func(h *History) { h.Ran = append(h.Ran, Attempt{"b", 2}) }, []string{Doubled}},
		{"an attempt beyond the last", func(h *History) { h.Ran = append(h.Ran, Attempt{"a", 2}) }, []string{Stale}},
		{"too many failures", func(h *History) { end(h, "c", func(e *End) { e.Failures, e.Attempts = 5, 6 }) }, []string{Policy}},
		{"completed beyond the policy of its own", func(h *History) { h.Retries = map[string]int{"b": 1} }, []string{Policy}},
		{"completed beyond the policy", func(h *History) { end(h, "b", func(e *End) { e.Failures, e.Attempts, e.By = 4, 5, 5 }) }, []string{Policy}},
		{"more failures than attempts", func(h *History) { end(h, "a", func(e *End) { e.Failures = 2 }) }, []string{Policy}},
		{"a child of another tenant", func(h *History) { end(h, "b1", func(e *End) { e.Tenant = "other" }) }, []string{Stale}},
		{"a child is missing", func(h *History) { end(h, "a", func(e *End) { e.Children = []string{"a1"} }) }, []string{Missing}},
		{"a child of a failed task", func(h *History) {
			end(h, "b", func(e *End) { e.Children = nil })
			end(h, "c", func(e *End) { e.Children = []string{"b1"} })
		}, []string{Doubled}},
		{"a child of two", func(h *History) { end(h, "a", func(e *End) { e.Children = []string{"b1"} }) }, []string{Doubled}},
		{"a lane is left", func(h *History) { h.Keys = append(h.Keys, "in:tally||:2") }, []string{Leaked}},
		{"a count of held tasks is left", func(h *History) { h.Keys = append(h.Keys, "used") }, []string{Leaked}},
		{"a record nobody knows", func(h *History) { h.Keys = append(h.Keys, "t:x") }, []string{Leaked}},
		{"something was mended", func(h *History) { h.Stats.Mended = 1 }, []string{Miscast}},
		{"a program ends by itself", func(h *History) { h.Fell = []string{"s1 ended"} }, []string{Fell}},
		{"a counter is off", func(h *History) { h.Stats.Running = 1 }, []string{Miscast}},
		{"a task fails although it has failures left", func(h *History) {
			end(h, "no-more", func(e *End) { e.Failure = &hive.Failure{Kind: hive.FailSkill} })
		}, []string{Policy}},
		{"a unique key is left", func(h *History) { h.Keys = append(h.Keys, "u:own-1") }, []string{Leaked}},
		{"two have a key at a time", func(h *History) { end(h, "u2", func(e *End) { e.Created = at(3).Add(-ms) }) }, []string{Unique}},
		{"two have a key within its time", func(h *History) { end(h, "w2", func(e *End) { e.Created = at(4).Add(-ms) }) }, []string{Unique}},
		{"a task whose key another had is there", func(h *History) { h.Held = append(h.Held, Held{"u2", "own-1", "u1", at(2)}) }, []string{Unique}},
		{"who is said to have a key has another", func(h *History) { h.Held = append(h.Held, Held{"u3", "own-1", "w1", at(2)}) }, []string{Unique}},
		{"an attempt begins after the deadline", func(h *History) { end(h, "in-time", func(e *End) { e.Started = at(2).Add(ms) }) }, []string{Late}},
		{"a task fails before its deadline", func(h *History) { end(h, "late", func(e *End) { e.Deadline = at(2).Add(ms) }) }, []string{Late}},
		{"a task without a deadline fails of one", func(h *History) { end(h, "late", func(e *End) { e.Deadline = time.Time{} }) }, []string{Late, Policy}},
		{"a time of a cron is missed", func(h *History) { end(h, "c2", func(e *End) { e.Cron = "other" }) }, []string{Untimed}},
		{"a time of a cron is missed before a window", func(h *History) {
			end(h, "c2", func(e *End) { e.Cron = "other" })
			h.Windows = []Window{{at(2), at(3)}}
		}, []string{Untimed}},
		{"a time of a cron has two tasks", func(h *History) {
			end(h, "a", func(e *End) { e.Cron, e.Created = "steady", at(5) })
			end(h, "b", func(e *End) { e.Cron, e.Created = "steady", at(5) })
		}, []string{Untimed}},
		{"a cron is early", func(h *History) { end(h, "c2", func(e *End) { e.Created = at(2).Add(-ms) }) }, []string{Untimed}},
		{"a rate is too high", func(h *History) { end(h, "a", func(e *End) { e.Tenant, e.Started, e.Finished = "l", at(2), at(2) }) }, []string{Limited}},
		{"too many run", func(h *History) { end(h, "l10", func(e *End) { e.Started = at(6).Add(-ms) }) }, []string{Limited}},
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

// What is lost within a window is no violation, and is counted.
func TestLossesWithinAWindow(t *testing.T) {
	h := clean()
	h.Windows = []Window{{at(2), at(3)}, {at(10), at(12)}}
	h.Said = append(h.Said, Said{"gone", hive.Pending, at(11)}, Said{"gone", hive.Cancelled, at(12)}, Said{"a", hive.Cancelled, at(12)})
	if found := h.Check(); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	if lost := h.Losses(); len(lost) != 1 || lost[0].Task != "gone" {
		t.Errorf("lost %v, want gone", lost)
	}
}
