package way

import (
	"context"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// played is a spore without a sandbox, played by the benchmark.
type played struct {
	road    *broker.Broker
	session *broker.Session
	report  hive.NodeReport
	seen    chan hop // one for each task
}

// hop is when a task came to the spore.
type hop struct{ knocked, fetched time.Time }

// newPlayed joins the road and offers every skill that is registered.
func newPlayed(ctx context.Context, road *broker.Broker) (*played, error) {
	skills, err := road.Skills(ctx)
	if err != nil {
		return nil, err
	}
	p := &played{road: road, seen: make(chan hop, 1),
		session: &broker.Session{Node: "played", Incarnation: hive.NewID()},
		report:  hive.NodeReport{ID: "played", Name: "played", Slots: 2, Prefetch: 2, Started: time.Now()}}
	for i := range skills {
		p.report.Skills = append(p.report.Skills, skills[i].ID())
	}
	return p, road.Register(ctx, p.session, &p.report)
}

// beat keeps the spore online until ctx ends.
func (p *played) beat(ctx context.Context) error {
	tick := time.NewTicker(hive.HeartbeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := p.road.Heartbeat(ctx, p.session, &p.report, false); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// work completes tasks until ctx ends.
func (p *played) work(ctx context.Context) error {
	for ctx.Err() == nil {
		err := p.step(ctx)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("played spore: %w", err)
		}
	}
	return nil
}

// step waits at the doorbell and completes what has come.
func (p *played) step(ctx context.Context) error {
	_, err := p.road.Listen(ctx, p.session, hive.HeartbeatEvery)
	if err != nil {
		return err
	}
	h := hop{knocked: time.Now()}
	attempts, _, err := p.road.Fetch(ctx, p.session, p.report.Slots)
	if err != nil {
		return err
	}
	h.fetched = time.Now()
	for i := range attempts {
		out := hive.Outcome{Result: []byte("ok"), Ran: p.report.Skills[0]}
		if err := p.road.Complete(ctx, p.session.Node, &attempts[i], &out); err != nil {
			return err
		}
		select {
		case p.seen <- h:
		case <-ctx.Done():
		}
	}
	return nil
}

// hop returns when the task came that was completed last.
func (p *played) hop(ctx context.Context) (hop, error) {
	select {
	case h := <-p.seen:
		return h, nil
	case <-ctx.Done():
		return hop{}, context.Cause(ctx)
	}
}
