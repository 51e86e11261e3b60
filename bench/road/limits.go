package road

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/bench/road/order"
	"github.com/hive-spore/hive/broker"
)

const limitTable = "Limits: native, beside lanes that a limit holds back. Processing as above; result: of an idle task,\n" +
	"until the client holds it.\n" + perTask

// heldLanes are those that a limit holds back, each of another key.
const heldLanes = 10_000

// beside is what a stage is measured beside.
type beside struct {
	name   string
	limits []hive.Limit // on the tenant whose tasks wait in the lanes
}

var (
	unlimited = beside{name: "nothing is limited"}
	heldBack  = beside{fmt.Sprintf("%d lanes are held back", heldLanes), []hive.Limit{{Rate: 1, Per: hive.MaxLimitTime}, {LimitScope: perKey, Rate: 1, Per: hive.MaxLimitTime}}}
	comeBack  = beside{fmt.Sprintf("%d lanes come back, 100 a second", heldLanes), []hive.Limit{{Rate: 100, Per: time.Second, Running: 20}, {LimitScope: perKey, Rate: 1, Per: time.Second}}}
	besides   = []beside{unlimited, heldBack, comeBack}
	perKey    = hive.LimitScope{PerKey: true}
)

// limited measures a backlog beside lanes that a limit holds back.
func (s *suite) limited(how beside) func(context.Context) error {
	return func(ctx context.Context) error {
		st, err := s.stand(ctx, native, setup{slots: usual, nexus: true})
		if err != nil {
			return err
		}
		defer st.close()
		if err := st.hold(ctx, how.limits); err != nil {
			return err
		}
		n := 3 * native.backlog(s.size.Tasks) // a nexus that begins to lead looks at all lanes: that is not to weigh
		if err := st.warm(ctx, n, n/5); err != nil {
			return err
		}
		first, last, err := st.drain(ctx, n, n, n/5)
		if err != nil {
			return err
		}
		s.report.Add(limitTable, how.name, last.costs(first, native)...)
		return nil
	}
}

// limitedIdle measures an idle task beside them.
func (s *suite) limitedIdle(how beside) func(context.Context) error {
	return func(ctx context.Context) error {
		st, err := s.stand(ctx, native, setup{slots: idleSlots, nexus: true})
		if err != nil {
			return err
		}
		defer st.close()
		if err := st.hold(ctx, how.limits); err != nil {
			return err
		}
		n, skip := s.size.Calls, s.size.Calls/10
		if err := st.startWorker(n+skip, skip, true); err != nil {
			return err
		}
		a, err := st.call(n, skip)
		if err != nil {
			return err
		}
		s.report.Add(limitTable, how.name, toResult(a)...)
		return nil
	}
}

// hold enqueues three tasks of each of many keys, which limits hold back.
func (st *stand) hold(ctx context.Context, limits []hive.Limit) error {
	if limits == nil {
		return nil
	}
	road, err := broker.Dial(ctx, broker.Options{Addrs: []string{st.redis.Addr()}})
	if err != nil {
		return err
	}
	const tenant = "held"
	for _, l := range limits {
		l.Tenant = tenant
		err = errors.Join(err, road.SetLimit(ctx, l))
	}
	tasks := make([]hive.Task, 3*heldLanes)
	for i := range tasks {
		tasks[i] = hive.Task{Skill: hive.SkillRef{Name: rig.Noop}, Tenant: tenant, Key: fmt.Sprint("key-", i%heldLanes), Payload: order.NewJob(i), Timeout: time.Minute}.WithDefaults()
	}
	_, errEnqueue := road.EnqueueMany(ctx, tasks, "")
	return errors.Join(err, errEnqueue, road.Close())
}
