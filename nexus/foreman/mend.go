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

// mend looks at once, and now and then, until ctx ends, or the term.
func (f *Foreman) mend(ctx context.Context, term broker.Term) error {
	m := mender{Foreman: f, term: term}
	tick := time.NewTicker(f.mendEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		err := m.look(ctx, n%adoptEvery == adoptEvery-1)
		if errors.Is(err, hive.ErrNotLeader) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			f.log.Warn("looking for what to mend is interrupted", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look mends what can be seen at a glance and, if it is to be thorough, what takes reading
// all tasks. Counters are right only when every task stands somewhere.
func (m *mender) look(ctx context.Context, thorough bool) error {
	if err := m.told(m.road.Mend(ctx, m.term)); err != nil || !thorough {
		return err
	}
	if err := m.adopt(ctx); err != nil || len(m.suspects) > 0 {
		return err
	}
	return m.told(m.road.Recount(ctx, m.term))
}

// told logs what was mended.
func (m *mender) told(mends []broker.Mend, err error) error {
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
