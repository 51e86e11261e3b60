package way

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

const hopsTable = "Hops of an idle noop: the benchmark plays the spore, without a sandbox; the nexus is real.\n" +
	"Time since before Submit. The first hop is the time to route a task."

// Rows of the table.
const (
	hopKnocked = "assigned: the spore's doorbell rang"
	hopFetched = "fetched: the spore holds the task"
	hopTold    = "told: the client holds the result"
)

// hops measures when an idle task is where. The first of them is the time it
// takes to route a task, as far as it can be seen from outside.
func (s *suite) hops() stage {
	return stage{"idle: hops", rig.Noop, rig.Setup{Nexus: true}, func(ctx context.Context, h *rig.Hive) error {
		ctx, done := context.WithCancel(ctx)
		defer done()
		group, ctx := errgroup.WithContext(ctx)
		p, err := newPlayed(ctx, h.Road)
		if err != nil {
			return err
		}
		group.Go(func() error { return p.work(ctx) })
		group.Go(func() error { return p.beat(ctx) })
		group.Go(func() error {
			defer done()
			return s.follow(ctx, h, p)
		})
		return group.Wait()
	}}
}

// follow follows tasks, one after the other.
func (s *suite) follow(ctx context.Context, h *rig.Hive, p *played) error {
	var knocked, fetched, told []time.Duration
	for i := range s.size.Calls + s.size.Calls/10 {
		begun := time.Now()
		if err := runOne(ctx, h, rig.Noop); err != nil {
			return err
		}
		end := time.Now()
		at, err := p.hop(ctx)
		if err != nil {
			return err
		}
		if i >= s.size.Calls/10 { // those before are to warm up
			knocked = append(knocked, at.knocked.Sub(begun))
			fetched = append(fetched, at.fetched.Sub(begun))
			told = append(told, end.Sub(begun))
		}
	}
	s.report.Add(hopsTable, hopKnocked, report.Latency(knocked)...)
	s.report.Add(hopsTable, hopFetched, report.Latency(fetched)...)
	s.report.Add(hopsTable, hopTold, report.Latency(told)...)
	return nil
}
