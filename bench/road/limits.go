package road

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/bench/road/order"
	"github.com/hive-spore/hive/broker"
)

const limitTable = "Limits: native, beside lanes that a limit holds back. Processing as above; result: of an idle task,\n" +
	"until the client holds it.\n" + perTask

// heldLanes are those that a limit holds back, each of another key.
const heldLanes = 10_000

func heldRow(lanes int) string {
	if lanes == 0 {
		return "nothing is limited"
	}
	return fmt.Sprintf("%d lanes are held back", lanes)
}

// limited measures a backlog beside so many lanes that a limit holds back.
func (s *suite) limited(lanes int) func(context.Context) error {
	return func(ctx context.Context) error {
		st, err := s.stand(ctx, native, setup{slots: usual, nexus: true})
		if err != nil {
			return err
		}
		defer st.close()
		if err := st.hold(ctx, lanes); err != nil {
			return err
		}
		n := native.backlog(s.size.Tasks)
		if err := st.warm(ctx, n, n/5); err != nil {
			return err
		}
		first, last, err := st.drain(ctx, n, n, n/5)
		if err != nil {
			return err
		}
		s.report.Add(limitTable, heldRow(lanes), last.costs(first, native)...)
		return nil
	}
}

// limitedIdle measures an idle task beside them.
func (s *suite) limitedIdle(lanes int) func(context.Context) error {
	return func(ctx context.Context) error {
		st, err := s.stand(ctx, native, setup{slots: idleSlots, nexus: true})
		if err != nil {
			return err
		}
		defer st.close()
		if err := st.hold(ctx, lanes); err != nil {
			return err
		}
		n, skip := s.size.Calls, s.size.Calls/10
		if err := st.startWorker(n+skip, skip, true); err != nil {
			return err
		}
		o := st.order(order.Call)
		o.Tasks, o.Skip = n+skip, skip
		a, err := st.ask(st.client, o)
		if err != nil {
			return err
		}
		s.report.Add(limitTable, heldRow(lanes), report.Figure{Column: resultP50, Value: a.P50 / 1000}, report.Figure{Column: resultP99, Value: a.P99 / 1000})
		return nil
	}
}

// hold enqueues a task of each of so many keys, which a rate holds back but for the first.
func (st *stand) hold(ctx context.Context, lanes int) error {
	if lanes == 0 {
		return nil
	}
	road, err := broker.Dial(ctx, broker.Options{Addrs: []string{st.redis.Addr()}})
	if err != nil {
		return err
	}
	held := hive.Scope{Tenant: "held"}
	for _, perKey := range []bool{false, true} {
		l := hive.Limit{LimitScope: hive.LimitScope{Scope: held, PerKey: perKey}, Rate: 1, Per: hive.MaxLimitTime}
		err = errors.Join(err, road.SetLimit(ctx, l))
	}
	tasks := make([]hive.Task, lanes)
	for i := range tasks {
		tasks[i] = hive.Task{Skill: hive.SkillRef{Name: rig.Noop}, Tenant: held.Tenant, Key: fmt.Sprint("key-", i), Payload: order.NewJob(i), Timeout: time.Minute}.WithDefaults()
	}
	_, errEnqueue := road.EnqueueMany(ctx, tasks, "")
	return errors.Join(err, errEnqueue, road.Close())
}
