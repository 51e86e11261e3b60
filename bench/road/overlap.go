package road

import (
	"context"
	"time"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/road/order"
)

const overlapTable = "Overlapped: 50 callers enqueue while workers do 100 at once, from before the first is enqueued until the last is done.\n" + perTask

// overlapping measures enqueueing and processing at once.
func (s *suite) overlapping(p party) func(context.Context) error {
	return func(ctx context.Context) error {
		st, err := s.stand(ctx, p, setup{slots: usual, nexus: true})
		if err != nil {
			return err
		}
		defer st.close()
		n := p.backlog(s.size.Tasks)
		st.before = warmed * st.slots
		if p.skill == "" {
			if err := st.startWorker(st.before+n, st.before, false); err != nil {
				return err
			}
		}
		if _, err := st.fill(st.before); err != nil {
			return err
		}
		first, err := st.await(ctx, st.before)
		if err != nil {
			return err
		}
		a, err := st.enqueue(n, 50, 0)
		if err != nil {
			return err
		}
		last, err := st.await(ctx, st.before+n)
		if err != nil {
			return err
		}
		if err := st.check(); err != nil {
			return err
		}
		first.at = time.UnixMicro(a.Begun)
		s.report.Add(overlapTable, p.name, append(last.costs(first, p), report.Figure{Column: clientColumn, Value: a.CPU / float64(n)})...)
		return nil
	}
}

const (
	mapTable     = "Map: one client.Map, skill in C, one spore with 100 slots; memory: what the client has held at most."
	clientColumn = "client µs"
)

// mapping measures one Map of many items.
func (s *suite) mapping(ctx context.Context) error {
	st, err := s.stand(ctx, sandboxC, setup{slots: usual, nexus: true})
	if err != nil {
		return err
	}
	defer st.close()
	o := st.order(order.Map)
	o.Tasks = s.size.Map
	a, err := st.ask(st.client, o)
	if err != nil {
		return err
	}
	s.report.Add(mapTable, sandboxC.name, report.Figure{Column: "items", Value: float64(o.Tasks)},
		report.Figure{Column: "items/s", Value: perSecond(o.Tasks, a)},
		report.Figure{Column: clientColumn, Value: a.CPU / float64(o.Tasks)},
		report.Figure{Column: "client MiB", Value: a.Memory / (1 << 20)})
	return nil
}
