package road

import (
	"context"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/road/order"
)

const idleTable = "Idle: one client, one task at a time. Handler: from before it is enqueued until its handler begins;\n" +
	"result: until the client holds the result. asynq tells a client of no result; a sandbox has no clock."

// idleSlots are those of each worker or spore.
const idleSlots = 10

// idling measures a task that has everything for itself.
func (s *suite) idling(p party) func(context.Context) error {
	return func(ctx context.Context) error {
		st, err := s.stand(ctx, p, setup{slots: idleSlots, nexus: true})
		if err != nil {
			return err
		}
		defer st.close()
		n, skip := s.size.Calls, s.size.Calls/10
		if p.peer == asynq && p.every == 0 {
			n, skip = s.size.Sleeps, 0
		}
		if p.skill == "" {
			if err := st.startWorker(n+skip, skip, true); err != nil {
				return err
			}
		}
		a, err := st.call(n, skip)
		if err != nil {
			return err
		}
		var figures []report.Figure
		if p.skill == "" {
			told, err := st.told(skip)
			if err != nil {
				return err
			}
			figures = append(figures, report.Figure{Column: handlerP50, Value: told.P50 / 1000}, report.Figure{Column: handlerP99, Value: told.P99 / 1000})
		}
		if p.peer != asynq {
			figures = append(figures, toResult(a)...)
		}
		s.report.Add(idleTable, p.name, figures...)
		return nil
	}
}

// call has the client do n tasks one after the other, and some before that do not count.
func (st *stand) call(n, skip int) (order.Answer, error) {
	o := st.order(order.Call)
	o.Tasks, o.Skip = n+skip, skip
	return st.ask(st.client, o)
}

// toResult is how long it took until the client held the results.
func toResult(a order.Answer) []report.Figure {
	return []report.Figure{{Column: resultP50, Value: a.P50 / 1000}, {Column: resultP99, Value: a.P99 / 1000}}
}

const (
	handlerP50 = "handler p50 ms"
	handlerP99 = "handler p99 ms"
	resultP50  = "result p50 ms"
	resultP99  = "result p99 ms"
)

// told is the last that a worker tells.
func (st *stand) told(skip int) (a order.Answer, err error) {
	if skip > 0 {
		if _, err := st.hear(st.worker); err != nil {
			return a, err
		}
	}
	return st.hear(st.worker)
}

const hopsTable = "Hops of an idle task: one program is client and native worker, the nexus is real. Time since before Enqueue,\n" +
	"and which share of the way to the result it is since the hop before. Who is told does not wait for the spore to be."

// hopNames are the hops in their order, and as the program calls them.
var hopNames = []struct{ row, name string }{
	{"enqueued: the client knows it is there", "enqueued"},
	{"assigned: the spore's doorbell rang", "knocked"},
	{"fetched: the spore holds the task", "fetched"},
	{"told: the client holds the result", "told"},
	{"completed: the spore knows that it counts", "completed"},
}

// hops measures when an idle task is where.
func (s *suite) hops(ctx context.Context) error {
	st, err := s.stand(ctx, native, setup{slots: idleSlots, nexus: true})
	if err != nil {
		return err
	}
	defer st.close()
	o := st.order(order.Hops)
	o.Tasks, o.Skip, o.Slots = s.size.Calls*11/10, s.size.Calls/10, idleSlots
	a, err := st.ask(st.client, o)
	if err != nil {
		return err
	}
	before := 0.0
	for _, hop := range hopNames {
		at := a.Hops[hop.name]
		s.report.Add(hopsTable, hop.row, report.Figure{Column: "p50 ms", Value: at[0] / 1000}, report.Figure{Column: "p99 ms", Value: at[1] / 1000})
		if hop.name != "completed" {
			s.report.Add(hopsTable, hop.row, report.Figure{Column: "share %", Value: 100 * (at[0] - before) / a.Hops["told"][0]})
		}
		before = at[0]
	}
	return nil
}
