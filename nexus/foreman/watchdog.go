package foreman

import (
	"context"
	"errors"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// maxVacant is for how long nobody may have led before a term whose leader believes the
// beats at once. A road that was away made all of them old: spores get a lease's time then
// to beat again before anything is taken from them. Had it been away for longer than this
// and a lead (2 s), nobody could have kept that. For less, a beat may be a second older,
// and that of a spore which notices late a third of a lease: all within one.
const maxVacant = 250 * time.Millisecond

// watch takes back what spores will not finish: everything a spore held whose
// lease ended, and attempts whose own timeout passed. It ends with ctx, or with
// the term.
func (f *Foreman) watch(ctx context.Context, term broker.Term) error {
	next := time.NewTimer(watchEvery)
	defer next.Stop()
	trusted := f.trusted(ctx)
	complaint := broker.Complaint{}
	for looked := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
		}
		overdue := time.Since(looked) >= overdueEvery
		if overdue {
			looked = time.Now()
		}
		silent, err := f.look(ctx, term, time.Now().After(trusted), overdue)
		next.Reset(watchEvery)
		if silent {
			next.Reset(silentEvery)
		}
		if errors.Is(err, hive.ErrNotLeader) {
			return err
		}
		if ctx.Err() == nil {
			complaint.Tell(f.road, f.log, "watchdog is interrupted", err)
		}
		if errors.Is(err, hive.ErrUnreachable) {
			trusted = time.Now().Add(f.road.Lease())
		}
	}
}

// trusted is when the beats that are on the road can be believed.
func (f *Foreman) trusted(ctx context.Context) time.Time {
	if vacant, err := f.road.Vacant(ctx); err != nil || vacant > maxVacant {
		return time.Now().Add(f.road.Lease())
	}
	return time.Now()
}

// look goes once over all spores. It reports whether a silent one still holds tasks.
func (f *Foreman) look(ctx context.Context, term broker.Term, reclaim, overdue bool) (silent bool, err error) {
	nodes, err := f.road.Nodes(ctx)
	if err != nil {
		return false, err
	}
	var errs []error // of one spore: the others are looked at all the same
	for i := range nodes {
		n := &nodes[i]
		silent = silent || !n.Online && n.Active > 0
		switch {
		case !n.Online && reclaim:
			errs = append(errs, f.reclaim(ctx, term, n))
		case n.Online && overdue && n.Active > 0:
			errs = append(errs, f.expire(ctx, term, n))
		}
	}
	return silent, errors.Join(errs...)
}

// reclaim takes everything back from a silent spore once its lease has ended.
func (f *Foreman) reclaim(ctx context.Context, term broker.Term, n *hive.Node) error {
	moved, err := f.road.Reclaim(ctx, term, n.ID)
	if moved > 0 {
		f.log.Warn("took tasks back from a silent spore", "spore", n.ID, "tasks", moved, "silent_since", n.Beat)
	}
	return err
}

// expire takes attempts back that their living spore should have ended by now.
func (f *Foreman) expire(ctx context.Context, term broker.Term, n *hive.Node) error {
	running, err := f.road.Holds(ctx, n.ID)
	if err != nil {
		return err
	}
	for _, r := range running {
		if !overdue(n, r) {
			continue
		}
		took, err := f.road.Expire(ctx, term, r)
		if err != nil {
			return err
		}
		if took {
			f.log.Warn("took an overdue task back", "task", r.ID, "attempt", r.Attempts, "spore", n.ID)
		}
	}
	return nil
}

// overdue reports whether an attempt's timeout had passed at its spore's last beat. Both
// times are by Redis' clock: this machine's may be wrong.
func overdue(n *hive.Node, r *hive.Record) bool { return n.Beat.Sub(r.Started) >= r.Timeout }
