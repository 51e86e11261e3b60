package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/nexus/foreman"
)

// sampleFor is how long it is looked how fast the tasks ahead of one become fewer.
const sampleFor = time.Second

func (a *app) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "why ID",
		Short: "Say why a task waits, and when it will begin",
		Long: `Say why a task waits, and when it will begin. Where others are ahead of it, that is
an estimate: from the rate that holds it back, or from how many fewer they became
within a second.`,
		Args: wantArgs(1, 1),
		RunE: a.onRoadArgs(func(ctx context.Context, road *broker.Broker, args []string) error {
			v, err := lookWhy(ctx, road, args[0])
			if err != nil {
				return err
			}
			if a.flags.json {
				return printJSON(a.Out, v)
			}
			text := v.Why
			if v.Status == hive.Pending && v.BeginsIn != nil {
				text += fmt.Sprintf("; it begins in about %v", (time.Duration(*v.BeginsIn) * time.Millisecond).Round(time.Second))
			} else if v.Ahead > 0 {
				text += "; none of those has begun within a second"
			}
			_, err = fmt.Fprintln(a.Out, safe(text))
			return err
		}),
	}
}

// whyView is why a task waits, as --json shows it.
type whyView struct {
	ID       string     `json:"task_id"`
	Status   hive.State `json:"status"`
	Why      string     `json:"why"`
	Ahead    int        `json:"tasks_ahead,omitempty"`
	BeginsIn *int64     `json:"begins_in_ms,omitempty"` // null: nobody knows
}

func lookWhy(ctx context.Context, road *broker.Broker, id string) (whyView, error) {
	v, err := reason(ctx, road, id)
	if err != nil || v.Ahead == 0 || v.BeginsIn != nil {
		return v, err
	}
	select {
	case <-time.After(sampleFor):
	case <-ctx.Done():
		return v, context.Cause(ctx)
	}
	later, err := reason(ctx, road, id)
	if err == nil && later.Status == hive.Pending && later.Ahead < v.Ahead {
		in := int64(later.Ahead) * sampleFor.Milliseconds() / int64(v.Ahead-later.Ahead)
		later.BeginsIn = &in
	}
	return later, err
}

func reason(ctx context.Context, road *broker.Broker, id string) (v whyView, err error) {
	r, err := road.Status(ctx, id)
	if err != nil {
		return v, err
	}
	now, err := road.Now(ctx)
	if err != nil {
		return v, err
	}
	v.ID, v.Status = r.ID, r.State
	switch r.State {
	case hive.Pending:
		return whyPending(ctx, road, r)
	case hive.Scheduled:
		in := max(0, r.Due.Sub(now)).Milliseconds()
		v.BeginsIn = &in
		v.Why = fmt.Sprintf("it waits for its time, in %v", max(0, r.Due.Sub(now)).Round(time.Second))
		if r.Failure != nil {
			v.Why = fmt.Sprintf("it is tried again in %v: %v", max(0, r.Due.Sub(now)).Round(time.Second), r.Failure)
		}
	case hive.Assigned:
		v.Why = "it is next on spore " + r.Node
	case hive.Running:
		v.Why = fmt.Sprintf("it does not wait: it runs on spore %s, since %s", r.Node, ago(now, r.Started))
	default:
		v.Why = fmt.Sprintf("it does not wait: it is %s", r.State)
	}
	return v, err
}

// whyPending says why a pending task waits.
func whyPending(ctx context.Context, road *broker.Broker, r *hive.Record) (v whyView, err error) {
	v.ID, v.Status = r.ID, r.State
	nodes, err := road.Nodes(ctx)
	if err != nil {
		return v, err
	}
	leader, err := road.Leader(ctx)
	if err != nil {
		return v, err
	}
	if leader == "" {
		v.Why = "no nexus is running: nothing is routed"
		return v, nil
	}
	flow, err := road.Flow(ctx)
	if err != nil {
		return v, err
	}
	if p, is := flow.Paused(r.Task.Skill.Name, r.Tenant); is {
		v.Why = p.String()
		return v, nil
	}
	mine := laneOf(&r.Task)
	place, err := road.Place(ctx, r)
	if err != nil {
		return v, err
	}
	lanes, err := road.ActiveLanes(ctx)
	if err != nil {
		return v, err
	}
	v.Ahead = place + aheadOf(&flow, nodes, mine, lanes)
	v.Why = foreman.Explain(mine, nodes, v.Ahead)
	if !slices.ContainsFunc(nodes, func(n hive.Node) bool { return takes(&n, mine) }) {
		return v, nil // that is to be changed first
	}
	mine.Oldest = hive.IDTime(r.ID)
	limit, wait, err := foreman.HeldBack(ctx, road, &flow, mine, place, lanes)
	if limit != "" {
		if v.Why = limit; v.Ahead > 0 {
			v.Why += "; " + foreman.Ahead(v.Ahead)
		}
	}
	if wait > 0 {
		in := wait.Milliseconds()
		v.BeginsIn = &in
	}
	return v, err
}

// aheadOf is how many tasks of a higher priority compete with those of a lane for spores.
func aheadOf(flow *hive.Flow, nodes []hive.Node, mine foreman.Lane, lanes []broker.Lane) (ahead int) {
	for _, l := range lanes {
		if _, paused := flow.Paused(l.Skill.Name, l.Tenant); paused {
			continue
		}
		if l.Priority > mine.Priority && compete(nodes, mine, foreman.Lane{Skill: l.Skill, Require: l.Require}) {
			ahead += l.Count
		}
	}
	return ahead
}

// compete reports whether a spore runs the tasks of both lanes.
func compete(nodes []hive.Node, a, b foreman.Lane) bool {
	return slices.ContainsFunc(nodes, func(n hive.Node) bool { return takes(&n, a) && takes(&n, b) })
}
