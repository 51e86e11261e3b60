package road

import (
	"context"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/road/order"
)

const enqueueTable = "Enqueue: no worker runs. Client, Redis: their processor time per task."

// way is how tasks are enqueued.
type way struct {
	name          string
	callers, bulk int
}

// The ways. Bulk is by one caller.
var (
	oneCaller   = way{"1 caller", 1, 0}
	someCallers = way{"50 callers", 50, 0}
	manyCallers = way{"1,000 callers", 1000, 0}
	bulks       = way{"bulk of 500", 1, 500}
	largeBulks  = way{"bulk of 10,000", 1, 10_000}
)

// ways are those that a peer has: asynq has no bulk. NATS publishes without waiting for
// each.
func (p party) ways() []way {
	if p.peer == asynq {
		return []way{oneCaller, someCallers, manyCallers}
	}
	return []way{oneCaller, someCallers, manyCallers, bulks, largeBulks}
}

// enqueueRow names the peer alone: what its workers would do makes no difference.
func enqueueRow(p party, how way) string {
	names := map[string]string{ours: "ours", asynq: "asynq", bullmq: "BullMQ", nats: "NATS JetStream"}
	return names[p.peer] + ": " + how.name
}

// enqueueing measures a way to enqueue, on a fresh server.
func (s *suite) enqueueing(p party, how way) func(context.Context) error {
	return func(ctx context.Context) error {
		st, err := s.stand(ctx, p, setup{slots: 1})
		if err != nil {
			return err
		}
		defer st.close()
		n := s.tasks(p, how)
		if _, err := st.enqueue(max(n/10, min(how.callers, n)), how.callers, how.bulk); err != nil { // connects, loads scripts
			return err
		}
		var before, after spent
		if err := st.spent(ctx, &before); err != nil {
			return err
		}
		a, err := st.enqueue(n, how.callers, how.bulk)
		if err != nil {
			return err
		}
		if err := st.spent(ctx, &after); err != nil {
			return err
		}
		each := float64(n)
		figures := []report.Figure{
			{Column: rateColumn, Value: perSecond(n, a)},
			{Column: "client µs", Value: a.CPU / each},
		}
		if st.redis != nil {
			figures = append(figures, report.Figure{Column: redisColumn, Value: float64((after.redis - before.redis).Microseconds()) / each})
		}
		if how.bulk == 0 {
			figures = append(figures, report.Figure{Column: "p50 ms", Value: a.P50 / 1000}, report.Figure{Column: "p99 ms", Value: a.P99 / 1000})
		}
		s.report.Add(enqueueTable, enqueueRow(p, how), figures...)
		return nil
	}
}

// tasks is how many are enqueued in a way.
func (s *suite) tasks(p party, how way) int {
	if how == oneCaller {
		return s.size.Tasks / 6
	}
	return max(p.backlog(s.size.Tasks), how.bulk)
}

// perSecond is the rate of n tasks.
func perSecond(n int, a order.Answer) float64 { return float64(n) / (float64(a.At-a.Begun) / 1e6) }
