package foreman

import (
	"context"
	"errors"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// watch takes back what spores will not finish: everything a spore held whose
// lease ended, and attempts whose own timeout passed. It ends with ctx, or with
// the term.
func (f *Foreman) watch(ctx context.Context, term broker.Term) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for looked := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		overdue := time.Since(looked) >= overdueEvery
		if overdue {
			looked = time.Now()
		}
		err := f.look(ctx, term, overdue)
		if errors.Is(err, hive.ErrNotLeader) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			f.log.Warn("watchdog is interrupted", "error", err)
		}
	}
}

// look goes once over all spores.
func (f *Foreman) look(ctx context.Context, term broker.Term, overdue bool) error {
	nodes, err := f.road.Nodes(ctx)
	if err != nil {
		return err
	}
	for i := range nodes {
		if n := &nodes[i]; !n.Online {
			err = f.reclaim(ctx, term, n)
		} else if overdue && n.Active > 0 {
			err = f.expire(ctx, term, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
		if time.Since(r.Started) < r.Timeout {
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
