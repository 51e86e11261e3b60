package chaos

import (
	"slices"
	"time"

	"github.com/hive-spore/hive"
)

// Held is a submission that put nothing on the road, as another task had its key.
type Held struct {
	Task, Key string
	By        string // the task of which the producer was told instead
	At        time.Time
}

// checkUnique holds tasks that had one key against each other, and what producers were told
// of others' tasks against what is there.
func (h *History) checkUnique(add adder) {
	owners := map[string][]string{}
	for id, end := range h.Ends {
		if end.Unique != "" {
			owners[end.Unique] = append(owners[end.Unique], id)
		}
	}
	for key, ids := range owners {
		slices.SortFunc(ids, func(a, b string) int {
			return slices.Compare(h.Ends[a].span(), h.Ends[b].span())
		})
		for i, id := range ids[1:] {
			if before := h.Ends[ids[i]]; h.Ends[id].Created.Before(before.free()) {
				add(Unique, "task %s was made at %s with the key %q, which task %s had until %s",
					id, clock(h.Ends[id].Created), key, ids[i], clock(before.free()))
			}
		}
	}
	for _, held := range h.Held {
		if end, there := h.Ends[held.By]; there && end.Unique != held.Key && !h.excused(held.At) {
			add(Unique, "task %s was said to have the key %q, and has %q", held.By, held.Key, end.Unique)
		}
		if _, there := h.Ends[held.Task]; there && !h.excused(held.At) {
			add(Unique, "task %s is there, and at %s its producer was told of %s, which had its key", held.Task, clock(held.At), held.By)
		}
	}
}

// span is from when to when a task was there un-over.
func (e End) span() []int64 { return []int64{e.Created.UnixMilli(), e.Finished.UnixMilli()} }

// free is when the key of a task could be another's.
func (e End) free() time.Time {
	if e.UniqueFor > 0 {
		return e.Created.Add(e.UniqueFor)
	}
	return e.Finished
}

// checkDeadlines holds when attempts began and when tasks failed against their deadlines. It
// is one script, with one time of Redis, that looks at a deadline and notes the beginning.
func (h *History) checkDeadlines(add adder) {
	for id, end := range h.Ends {
		if !end.Deadline.IsZero() && end.Started.After(end.Deadline) {
			add(Late, "attempt %d of task %s began at %s, and its deadline was %s", end.Attempts, id, clock(end.Started), clock(end.Deadline))
		}
		switch {
		case !end.late():
		case end.Deadline.IsZero():
			add(Late, "task %s failed of a deadline, and has none", id)
		case end.Finished.Before(end.Deadline):
			add(Late, "task %s failed of its deadline %s at %s", id, clock(end.Deadline), clock(end.Finished))
		}
	}
}

// late reports whether a task failed of its deadline.
func (e End) late() bool {
	return e.State == hive.Failed && e.Failure != nil && e.Failure.Kind == hive.FailDeadline
}
