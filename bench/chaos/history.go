// Package chaos breaks a hive on purpose while it works, and holds what came of it
// against what is promised.
package chaos

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// History is all that was seen of a run, when everything has come to rest.
type History struct {
	Said    []Said           // what producers were told
	Windows []Window         // in which what they were told may have been lost again
	Ends    map[string]End   // how tasks ended, by id; the children too
	Counts  map[string]int64 // how often a task's effect is there, by id: keys of their own
	Plain   map[string]bool  // tasks that have no such effect
	Shared  int64            // what the key says to which completed tasks add one,
	Sharing int64            // and how many of these there are
	Ran     []Attempt        // attempts that began, as the skill told a server outside: at least those
	Retries map[string]int   // failures that a task survives, where these are not those of the default
	Keys    []string         // what stands in Redis, without the shard's prefix
	Stats   hive.Stats       // what the counters say
	Fell    []string         // programs that ended and should not have
	Held    []Held           // submissions whose key another task had
	Crons   []Cron           // that made tasks
	Limits  []hive.Limit     // on tenants, from before the first task on
	Freed   time.Time        // until when they held, at least
}

// Said is what the road told a producer of a task: that it took it (pending), or how it
// ended.
type Said struct {
	Task  string
	State hive.State
	At    time.Time
}

// End is how a task ended.
type End struct {
	State    hive.State
	Attempts int
	Failures int
	By       int      // the attempt that says it wrote the result; 0: there is none
	Children []string // that are there, or have to be
	Tenant   string   // a child has that of its parent

	Created, Started, Finished time.Time // by Redis' clock; Started: the last attempt

	Deadline  time.Time
	Failure   *hive.Failure // the last
	Unique    string
	UniqueFor time.Duration
	Cron      string // that made it
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
	Lost    = "lost"    // an acknowledged task that is nowhere, or one that does not end
	Undone  = "undone"  // a task of which a producer was told that it is over, and it ended otherwise
	Doubled = "doubled" // an effect or an attempt that is there twice, or without a completion
	Missing = "missing" // an effect or a child of a completed task that is not there
	Stale   = "stale"   // a completion by an attempt that did not hold the lease, or a child of another's tenant
	Policy  = "policy"  // more failures than the policy allows, or fewer attempts than failures
	Leaked  = "leaked"  // a key that belongs to nothing any more
	Miscast = "counted" // a counter that differs from a recount
	Fell    = "fell"    // a program that ended by itself
	Unique  = "unique"  // two tasks that had one key, or one that is there although another had its key
	Late    = "late"    // an attempt that began after the deadline, or a task that failed of one that was not over
	Untimed = "cron"    // a time of a cron without a task, or a task without a time
	Limited = "limit"   // more tasks than a limit lets begin or run
)

// Check returns every promise that a history breaks, in a stable order.
func (h *History) Check() (found []Violation) {
	add := func(promise, format string, args ...any) {
		found = append(found, Violation{promise, fmt.Sprintf(format, args...)})
	}
	h.checkSaid(add)
	h.checkEnds(add)
	h.checkEffects(add)
	h.checkAttempts(add)
	h.checkKeys(add)
	h.checkStats(add)
	h.checkUnique(add)
	h.checkDeadlines(add)
	h.checkCrons(add)
	h.checkLimits(add)
	for _, what := range h.Fell {
		add(Fell, "%s", what)
	}
	slices.SortStableFunc(found, func(a, b Violation) int { return strings.Compare(a.Promise+a.What, b.Promise+b.What) })
	return found
}

type adder func(promise, format string, args ...any)

// checkSaid holds what producers were told against what is there. What was lost within a
// window is excused.
func (h *History) checkSaid(add adder) {
	for _, said := range h.Said {
		end, there := h.Ends[said.Task]
		switch {
		case h.excused(said.At):
		case !there:
			add(Lost, "task %s was %s at %s and is nowhere", said.Task, said.State, clock(said.At))
		case said.State.Final() && end.State != said.State:
			add(Undone, "task %s was %s at %s and is %s", said.Task, said.State, clock(said.At), end.State)
		}
	}
}

func clock(t time.Time) string { return t.Format("15:04:05.000") }

func (h *History) excused(at time.Time) bool {
	return slices.ContainsFunc(h.Windows, func(w Window) bool { return w.Has(at) })
}

// Losses are the tasks that were acknowledged within a window and are nowhere.
func (h *History) Losses() (lost []Said) {
	seen := map[string]bool{} // several submissions may have been told of one
	for _, said := range h.Said {
		if _, there := h.Ends[said.Task]; !there && said.State == hive.Pending && h.excused(said.At) && !seen[said.Task] {
			seen[said.Task] = true
			lost = append(lost, said)
		}
	}
	return lost
}

func (h *History) checkEnds(add adder) {
	parents := map[string]string{}
	for id, end := range h.Ends {
		if !end.State.Final() {
			add(Lost, "task %s is %s for ever", id, end.State)
		}
		if end.State == hive.Completed && end.By != end.Attempts {
			add(Stale, "task %s was completed by attempt %d, and %d held the lease", id, end.By, end.Attempts)
		}
		retries := cmp.Or(h.Retries[id], hive.DefaultRetries)
		if end.Failures > retries+1 || end.State == hive.Completed && end.Failures > retries || end.Attempts < end.Failures {
			add(Policy, "task %s is %s after %d failures of %d attempts, and survives %d", id, end.State, end.Failures, end.Attempts, retries)
		}
		if end.State == hive.Failed && end.Failures <= retries && !end.final() {
			add(Policy, "task %s is failed after %d failures, and survives %d", id, end.Failures, retries)
		}
		for _, child := range end.Children {
			if other := parents[child]; other != "" {
				add(Doubled, "task %s is a child of %s and of %s", child, other, id)
			}
			parents[child] = id
			if _, there := h.Ends[child]; !there {
				add(Missing, "task %s is %s and its child %s is not there", id, end.State, child)
			} else if end.State != hive.Completed {
				add(Doubled, "task %s is %s and its child %s is there", id, end.State, child)
			}
		}
	}
}

// final reports whether a task may fail before it used up its retries: of a permanent failure,
// or as its next attempt would begin after its deadline.
func (e End) final() bool { return e.Failure != nil && e.Failure.Permanent || !e.Deadline.IsZero() }

// checkEffects holds the keys of tasks against how these ended.
func (h *History) checkEffects(add adder) {
	for id, end := range h.Ends {
		switch {
		case end.State == hive.Completed && h.Counts[id] == 0 && !h.Plain[id]:
			add(Missing, "task %s is completed and its effect is not there", id)
		case h.Counts[id] > 1:
			add(Doubled, "the effect of task %s is there %d times", id, h.Counts[id])
		case end.State != hive.Completed && h.Counts[id] > 0:
			add(Doubled, "task %s is %s and its effect is there", id, end.State)
		}
	}
	for id, end := range h.Ends {
		for _, child := range end.Children {
			if c, there := h.Ends[child]; there && c.Tenant != end.Tenant {
				add(Stale, "task %s is of tenant %q, its child %s of %q", id, end.Tenant, child, c.Tenant)
			}
		}
	}
	for id, n := range h.Counts {
		if _, there := h.Ends[id]; !there {
			add(Doubled, "the effect of task %s is there %d times, and the task is nowhere", id, n)
		}
	}
	if h.Shared < h.Sharing {
		add(Missing, "%d tasks added one to the key of all, which is %d", h.Sharing, h.Shared)
	} else if h.Shared > h.Sharing {
		add(Doubled, "%d tasks added one to the key of all, which is %d", h.Sharing, h.Shared)
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

// resting are the keys that may stand when nothing waits or runs: what they begin with.
var resting = []string{"t:", "ct", "fmt", "lead", "nodes", "hb:", "db:", "st:", "bell", "dead", "u:", "sk", "skgen", "ctl", "ctlgen",
	"kv:", "ki:", "kx", "au:", "ac:", "em:", "pg:", "rc:", "rcl", "rcb", "ib:", "ota", "flow", "rl:", "b:", "cron", "cronat"}

func rests(key string) bool {
	return slices.ContainsFunc(resting, func(name string) bool {
		return key == name || strings.HasSuffix(name, ":") && strings.HasPrefix(key, name)
	})
}

func (h *History) checkKeys(add adder) {
	for _, key := range h.Keys {
		if !rests(key) {
			add(Leaked, "the key %s stands although nothing waits or runs", key)
		}
		if strings.HasPrefix(key, "u:"+keyUntilOver) {
			add(Leaked, "the unique key %s is taken, and every task is over", key)
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
	// Nothing is mended where only the scripts write, whatever else fails.
	if h.Stats != want {
		add(Miscast, "the counters say %+v, and a recount %+v", h.Stats, want)
	}
}
