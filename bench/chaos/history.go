// Package chaos breaks a hive on purpose while it works, and holds what came of it
// against what is promised.
package chaos

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hive-spore/hive"
)

// History is all that was seen of a run, when everything has come to rest.
type History struct {
	Acked  []string         // ids that the road took, as producers were told
	Ends   map[string]End   // how tasks ended, by id; the children too
	Counts map[string]int64 // how often a task's effect is there, by id: keys of their own, and children
	Ran    []Attempt        // attempts that began, as the skill told a server outside: at least those
	Retry  int              // failures that a task survives
	Keys   []string         // what stands in Redis, without the shard's prefix
	Stats  hive.Stats       // what the counters say
}

// End is how a task ended.
type End struct {
	State    hive.State
	Attempts int
	Failures int
	By       int // the attempt that says it wrote the result; 0: there is none
	Children []string
}

// Attempt is one that began.
type Attempt struct {
	Task   string
	Number int
}

// Violation is a promise that was not kept.
type Violation struct {
	Promise string // one of the promises
	What    string
}

// The promises, one word each.
const (
	Lost    = "lost"    // an acknowledged task that is nowhere, or does not end
	Doubled = "doubled" // an effect, a child or a completion that is there twice
	Missing = "missing" // an effect or a child of a completed task that is not there
	Stale   = "stale"   // a completion by an attempt that did not hold the lease
	Policy  = "policy"  // more failures than the policy allows, or fewer attempts than failures
	Leaked  = "leaked"  // a key that belongs to nothing any more
	Miscast = "counted" // a counter that differs from a recount
)

// Check returns every promise that a history breaks, in a stable order.
func (h *History) Check() (found []Violation) {
	add := func(promise, format string, args ...any) {
		found = append(found, Violation{promise, fmt.Sprintf(format, args...)})
	}
	h.checkAcked(add)
	h.checkEnds(add)
	h.checkAttempts(add)
	h.checkKeys(add)
	h.checkStats(add)
	slices.SortStableFunc(found, func(a, b Violation) int { return strings.Compare(a.Promise+a.What, b.Promise+b.What) })
	return found
}

type adder func(promise, format string, args ...any)

func (h *History) checkAcked(add adder) {
	seen := map[string]bool{}
	for _, id := range h.Acked {
		if seen[id] {
			add(Doubled, "task %s was acknowledged twice", id)
		}
		seen[id] = true
		if end, ok := h.Ends[id]; !ok {
			add(Lost, "task %s was acknowledged and is nowhere", id)
		} else if !end.State.Final() {
			add(Lost, "task %s is %s for ever", id, end.State)
		}
	}
}

func (h *History) checkEnds(add adder) {
	parents := map[string]string{}
	for id, end := range h.Ends {
		switch {
		case end.State == hive.Completed && h.Counts[id] == 0:
			add(Missing, "task %s is completed and its effect is not there", id)
		case h.Counts[id] > 1:
			add(Doubled, "the effect of task %s is there %d times", id, h.Counts[id])
		case end.State != hive.Completed && h.Counts[id] > 0:
			add(Doubled, "task %s is %s and its effect is there", id, end.State)
		}
		if end.State == hive.Completed && end.By != end.Attempts {
			add(Stale, "task %s was completed by attempt %d, and %d held the lease", id, end.By, end.Attempts)
		}
		if end.Failures > h.Retry+1 || end.State == hive.Completed && end.Failures > h.Retry || end.Attempts < end.Failures {
			add(Policy, "task %s is %s after %d failures of %d attempts, and survives %d", id, end.State, end.Failures, end.Attempts, h.Retry)
		}
		for _, child := range end.Children {
			if other := parents[child]; other != "" {
				add(Doubled, "task %s is a child of %s and of %s", child, other, id)
			}
			parents[child] = id
			if c, ok := h.Ends[child]; !ok || !c.State.Final() {
				add(Lost, "child %s of task %s is nowhere, or does not end", child, id)
			}
		}
	}
}

// checkAttempts holds what the skill told outside against the fence: a number is given
// out once, and none is beyond the last.
func (h *History) checkAttempts(add adder) {
	seen := map[Attempt]bool{}
	for _, a := range h.Ran {
		if seen[a] {
			add(Doubled, "attempt %d of task %s began twice", a.Number, a.Task)
		}
		seen[a] = true
		if end, ok := h.Ends[a.Task]; ok && a.Number > end.Attempts {
			add(Stale, "attempt %d of task %s began, and the last was %d", a.Number, a.Task, end.Attempts)
		}
	}
}

// rest are the keys that may stand when nothing waits or runs: what they begin with.
var rest = []string{"t:", "ct", "lead", "nodes", "hb:", "db:", "st:", "bell", "dead", "sk", "skgen", "ctl", "ctlgen",
	"kv:", "ki:", "kx", "au:", "ac:", "em:", "pg:", "rc:", "rcl", "rcb", "ib:", "ota"}

func (h *History) checkKeys(add adder) {
	for _, key := range h.Keys {
		if !slices.ContainsFunc(rest, func(name string) bool {
			return key == name || strings.HasSuffix(name, ":") && strings.HasPrefix(key, name)
		}) {
			add(Leaked, "the key %s stands although nothing waits or runs", key)
		}
		if id, ok := strings.CutPrefix(key, "t:"); ok {
			if _, known := h.Ends[id]; !known {
				add(Leaked, "the record of task %s, of which nobody knows", id)
			}
		}
	}
}

func (h *History) checkStats(add adder) {
	var want hive.Stats
	for _, end := range h.Ends {
		switch end.State {
		case hive.Completed:
			want.Completed++
		case hive.Failed:
			want.Failed++
		case hive.Cancelled:
			want.Cancelled++
		}
	}
	want.Mended = h.Stats.Mended // how often is no promise
	if h.Stats != want {
		add(Miscast, "the counters say %+v, and a recount %+v", h.Stats, want)
	}
}
