package foreman

import (
	"context"
	"errors"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

const (
	// mendEvery is the time between two comparisons of what stands in two places.
	mendEvery = time.Minute
	// adoptEvery is after how many of those tasks are looked for that stand nowhere.
	adoptEvery = 5
	// mendsTold bounds how many mends of one look are logged one by one.
	mendsTold = 20
)

// mender compares what the scripts keep together. Nothing but a hand in Redis, a server
// that lost its last second or a mistake of ours parts it.
type mender struct {
	*Foreman
	term     broker.Term
	suspects map[broker.Orphan]bool // that stood nowhere at the last look
}

// mend looks now and then until ctx ends, or the term.
func (f *Foreman) mend(ctx context.Context, term broker.Term) error {
	m := mender{Foreman: f, term: term}
	tick := time.NewTicker(f.mendEvery)
	defer tick.Stop()
	complaint := broker.Complaint{}
	for look := 1; ; look++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := m.compare(ctx)
		if err == nil && look%adoptEvery == 0 {
			err = m.adopt(ctx)
		}
		if errors.Is(err, hive.ErrNotLeader) {
			return err
		}
		if ctx.Err() == nil {
			complaint.Tell(f.road, f.log, "looking for what to mend is interrupted", err)
		}
	}
}

func (m *mender) compare(ctx context.Context) error {
	mends, err := m.road.Mend(ctx, m.term)
	for _, mend := range mends[:min(len(mends), mendsTold)] {
		m.log.Warn("mended the road", "what", mend.What, "name", mend.Name, "was", mend.Was, "is", mend.Is)
	}
	if more := len(mends) - mendsTold; more > 0 {
		m.log.Warn("mended the road", "more", more)
	}
	return err
}

// adopt takes tasks in that stood nowhere twice, and did not change meanwhile.
func (m *mender) adopt(ctx context.Context) error {
	orphans, err := m.road.Orphans(ctx)
	if err != nil {
		return err
	}
	before := m.suspects
	m.suspects = map[broker.Orphan]bool{}
	for _, o := range orphans {
		if !before[o] {
			m.suspects[o] = true
			continue
		}
		took, err := m.road.Adopt(ctx, m.term, o)
		if err != nil {
			return err
		}
		if took {
			m.log.Warn("adopted a task that stood nowhere", "task", o.ID, "state", o.State, "attempt", o.Attempt)
		}
	}
	return nil
}
