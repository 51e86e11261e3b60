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
	// adoptAfter is the time after which a task that stood nowhere is looked for again: none
	// moves for that long.
	adoptAfter = 5 * time.Second
	// restFor is how many times as long as a thorough look the time until the next one is
	// at least: it reads the name of every key, and Redis has other things to do.
	restFor = 50
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

// meet logs foreign values, some a minute, and has the mender look: they may have stood in
// the place of something that is missed now.
func (f *Foreman) meet(foreign []string) {
	if time.Since(f.metSince) > time.Minute {
		if f.metMore > 0 {
			f.log.Warn("met foreign values", "more", f.metMore)
		}
		f.metSince, f.metTold, f.metMore = time.Now(), 0, 0
	}
	for _, what := range foreign {
		if f.metTold++; f.metTold > mendsTold {
			f.metMore++
			continue
		}
		f.log.Warn("met a foreign value", "what", what)
	}
	select {
	case f.met <- struct{}{}:
	default: // it is about to look
	}
}

// mend looks at once, and now and then, until ctx ends, or the term.
func (f *Foreman) mend(ctx context.Context, term broker.Term) error {
	m := mender{Foreman: f, term: term}
	complaint, thorough, rested := broker.Complaint{}, false, time.Time{}
	for n := 1; ; n++ {
		began := time.Now()
		thorough = (thorough || n%adoptEvery == 0) && !began.Before(rested)
		err := m.compare(ctx, thorough)
		if errors.Is(err, hive.ErrNotLeader) {
			return err
		}
		if ctx.Err() == nil {
			complaint.Tell(f.road, f.log, "looking for what to mend is interrupted", err)
		}
		if thorough {
			rested = time.Now().Add(restFor * time.Since(began))
		}
		next := f.mendEvery
		if thorough = len(m.suspects) > 0; thorough {
			next = min(next, adoptAfter)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-f.met:
			thorough = true
			pause(ctx, max(min(f.mendEvery, adoptAfter)-time.Since(began), time.Until(rested))) // there may be many
		case <-time.After(next):
		}
	}
}

// compare mends what can be seen at a glance and, if it is to be thorough, what takes
// reading all keys. Counters are right only when every task stands somewhere.
func (m *mender) compare(ctx context.Context, thorough bool) error {
	if err := m.told(m.road.Mend(ctx, m.term, thorough)); err != nil || !thorough {
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
