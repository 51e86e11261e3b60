package chaos

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hive-spore/hive"
)

// The tenants whose tasks are limited.
const (
	capped = "capped"
	rated  = "rated"
)

// limits are a number that may run, and a rate that is a little less than is asked for.
var limits = []hive.Limit{
	{LimitScope: hive.LimitScope{Scope: hive.Scope{Tenant: capped}}, Running: 3},
	{LimitScope: hive.LimitScope{Scope: hive.Scope{Tenant: rated}}, Rate: 6, Per: time.Second, Burst: 6, Running: 4},
}

func (s *stage) setLimits(ctx context.Context) error {
	var errs []error
	for _, l := range limits {
		errs = append(errs, s.look.SetLimit(ctx, l))
	}
	return errors.Join(errs...)
}

// endLimits lifts the limits, so that what they held back is done soon.
func (s *stage) endLimits(ctx context.Context) error {
	s.freed = time.Now() // Redis runs on this machine: its clock is ours
	var errs []error
	for _, l := range limits {
		errs = append(errs, s.look.RemoveLimit(ctx, l.LimitScope))
	}
	return errors.Join(errs...)
}

// checkLimits holds when tasks of the limited tenants began and ended against the limits.
// What a failover loses excuses nothing: tasks, buckets and counts are of one history.
func (h *History) checkLimits(add adder) {
	for _, l := range h.Limits {
		var ends []End
		for _, end := range h.Ends {
			if end.Tenant == l.Tenant && end.Attempts > 0 && end.Started.Before(h.Freed) {
				ends = append(ends, end)
			}
		}
		if l.Rate > 0 {
			checkRate(add, l, ends)
		}
		if l.Running > 0 {
			checkRunning(add, l, ends)
		}
	}
}

// clockSlack is how far two leaders' notions of Redis' clock may differ: one reads it when
// it reads the limits, and takes it for that of when the answer came.
const clockSlack = 500 * ms

// checkRate: in any time, no more tasks begin than the rate gives in that time, and one
// burst, and what spores held when it began. A task is given to a spore once for each
// attempt and begins later, so those that begin in a time were given in it or held before
// it, and never more than may run are held. Only last attempts are known: there were no fewer.
func checkRate(add adder, l hive.Limit, ends []End) {
	slices.SortFunc(ends, func(a, b End) int { return a.Started.Compare(b.Started) })
	held := cmp.Or(l.Running, spores*(slots+prefetch))
	most := float64(l.Depth()+held) + clockSlack.Seconds()/l.Interval().Seconds()
	// The level of a bucket that runs dry at the rate is the most that began in any time up to
	// now beyond what the rate gave in it.
	level := 0.0
	for i, end := range ends {
		if i > 0 {
			level = max(0, level-end.Started.Sub(ends[i-1].Started).Seconds()/l.Interval().Seconds())
		}
		if level++; level > most {
			add(Limited, "by %s %.0f tasks of %s began beyond its %s, and %.0f may", clock(end.Started), level, l.Scope, l.RateText(), most)
			return
		}
	}
}

// prefetch is how many tasks a spore holds beyond its slots: by default half as many.
const prefetch = slots / 2

// checkRunning: the last attempts of completed tasks had their leases from their beginning to
// their end, so at no time are there more of them than may run. Attempts that end and begin
// in one millisecond may have done so in that order.
func checkRunning(add adder, l hive.Limit, ends []End) {
	type step struct {
		at time.Time
		n  int
	}
	var steps []step
	for _, end := range ends {
		if end.State == hive.Completed {
			steps = append(steps, step{end.Started, 1}, step{end.Finished, -1})
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Or(a.at.Compare(b.at), a.n-b.n) })
	running := 0
	for _, s := range steps {
		if running += s.n; running > l.Running {
			add(Limited, "at %s %d tasks of %s ran, and %d may", clock(s.at), running, l.Scope, l.Running)
			return
		}
	}
}
