package nexus

import (
	"context"
	"errors"
	"time"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/nexus/ota"
)

// gateEvery is how often rollouts are looked at.
const gateEvery = time.Second

// gate has rollouts go on, or back, by what the spores saw.
type gate struct {
	road    *broker.Broker
	keep    *ota.KeeperOptions
	term    broker.Term // that runs
	desk    *ota.Desk   // of it
	wake    func()      // something was decided
	watches ota.Watches
	trouble broker.Complaint
}

func newGate(road *broker.Broker, keep *ota.KeeperOptions, wake func()) *gate {
	return &gate{road: road, keep: keep, wake: wake}
}

// lead looks at rollouts until ctx ends. What another nexus saw before is not known.
func (g *gate) lead(ctx context.Context, term broker.Term, desk *ota.Desk) {
	g.term, g.desk = term, desk
	g.watches = ota.Watches{Bundle: g.keep.Repository.Stored}
	tick := time.NewTicker(gateEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := g.look(ctx, time.Now()); ctx.Err() == nil {
			g.trouble.Tell(g.road, g.keep.Log, "cannot look at rollouts", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// look takes what all spores report, and decides.
func (g *gate) look(ctx context.Context, now time.Time) error {
	plan, err := g.desk.Load()
	if err != nil || !plan.Rolling() {
		return err
	}
	nodes, err := g.road.Nodes(ctx)
	if err != nil {
		return err
	}
	ids := make([]string, len(nodes))
	for i := range nodes {
		ids[i] = nodes[i].ID
	}
	bodies, err := g.road.SeenReports(ctx, ids)
	if err != nil {
		return err
	}
	sights, errLook := g.watches.Look(plan, nodes, bodies, now)
	return errors.Join(errLook, g.show(ctx, sights), g.judge(sights, now)) // what is decided, people see why
}

func (g *gate) judge(sights map[string]ota.Sight, now time.Time) error {
	told, err := g.desk.Judge(sights, now)
	for _, e := range told {
		g.keep.Log.Info("rollout", "action", e.Action, "bundle", e.Subject, "reason", e.Reason, "text", e.Fields["text"])
		if g.keep.Audit != nil {
			g.keep.Audit(e)
		}
	}
	if len(told) > 0 {
		g.wake()
	}
	return err
}

// show tells people what was seen.
func (g *gate) show(ctx context.Context, sights map[string]ota.Sight) error {
	body, err := ota.EncodeSights(sights)
	if err != nil {
		return err
	}
	return g.road.SetRollouts(ctx, g.term, body)
}
