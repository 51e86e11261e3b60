package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/nexus/foreman"
)

const (
	// lookEvery is how often the road is looked at while a command waits for tasks.
	lookEvery = time.Second
	// roadGrace is how long the road may be gone meanwhile: time for a restart of
	// Redis, or for a replica to take over.
	roadGrace = 30 * time.Second
)

// stuckFor is how many looks in a row must find tasks stuck before that is said: a
// nexus or a spore may be about to start.
const stuckFor = 3

// lookout watches over the road while a command waits for tasks.
type lookout struct {
	*app
	road *broker.Broker
	// lane is where tasks wait that the command waits for; false if none does.
	lane  func(context.Context) (foreman.Lane, bool)
	clear func() // removes the bar before something is said

	gone  time.Time // since when the road does not answer; zero: it does
	why   string    // what keeps the tasks from running; "" if nothing does
	looks int       // that have found so
	said  string    // the last hint
}

// waiting runs f, which waits for tasks, and looks after the road meanwhile: the
// client rides out a road that is gone, silently and for as long as it takes. Here
// that is said, and ends f when it takes too long; so is what somebody must do
// before the tasks can run.
func (l *lookout) waiting(ctx context.Context, f func(context.Context) error) error {
	watched, cancel := context.WithCancelCause(ctx)
	var looking sync.WaitGroup
	looking.Go(func() { cancel(l.look(watched)) })
	err := f(watched)
	gone := watched.Err() != nil && ctx.Err() == nil
	cancel(nil)
	looking.Wait()
	if err != nil && gone {
		return context.Cause(watched)
	}
	return err
}

// look returns an error when the road has been gone for too long.
func (l *lookout) look(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		why, err := l.stuck(ctx)
		if err == nil {
			err = l.road.Lost() // a replica answers, but of what waits nobody hears
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			l.answered(why)
		case !errors.Is(err, hive.ErrUnreachable):
		case l.gone.IsZero():
			l.gone = time.Now()
			l.speak("%s: waiting up to %v for it", safe(err.Error()), roadGrace)
		case time.Since(l.gone) > roadGrace:
			return fmt.Errorf("%w: given up after %v; what was submitted stays there", err, roadGrace)
		}
	}
}

// answered takes what a look has found.
func (l *lookout) answered(why string) {
	if !l.gone.IsZero() {
		l.gone = time.Time{}
		l.speak("the road answers again")
	}
	if why != l.why {
		l.why, l.looks = why, 0
	}
	if l.looks++; why != "" && l.looks >= stuckFor && why != l.said {
		l.said = why
		l.speak("hint: %s", safe(why))
	}
}

func (l *lookout) speak(format string, args ...any) {
	l.clear()
	l.say(format, args...)
}

// stuck says what somebody must do before the tasks that wait can run, "" if
// nothing or none waits. That all spores are full passes by itself.
func (l *lookout) stuck(ctx context.Context) (string, error) {
	leader, err := l.road.Leader(ctx)
	if err != nil {
		return "", err
	}
	lane, waits := l.lane(ctx)
	if !waits {
		return "", nil
	}
	if leader == "" {
		return `no nexus leads this hive; start one with "nexus serve"`, nil
	}
	if paused, err := l.paused(ctx, lane); paused != "" || err != nil {
		return paused, err
	}
	nodes, err := l.road.Nodes(ctx)
	switch {
	case err != nil:
		return "", err
	case !slices.ContainsFunc(nodes, func(n hive.Node) bool { return n.Online }):
		return `no spore is online; start one with "spore"`, nil
	case slices.ContainsFunc(nodes, func(n hive.Node) bool { return takes(&n, lane) }):
		return "", nil
	}
	return foreman.Explain(lane, nodes, 0) + "; the tasks wait for one that can run them", nil
}

// paused says what holds a lane back, "" if nothing does.
func (l *lookout) paused(ctx context.Context, lane foreman.Lane) (string, error) {
	flow, err := l.road.Flow(ctx)
	if err != nil || len(flow.Pauses) == 0 {
		return "", err
	}
	if p, is := flow.Paused(lane.Skill.Name, lane.Tenant); is {
		return p.String() + "; the tasks wait", nil
	}
	return "", nil
}

// takes reports whether a spore runs a lane's tasks, be it that it is full now, or will
// when it has prepared the skill.
func takes(n *hive.Node, lane foreman.Lane) bool {
	return n.Online && !n.Draining && (n.Has(lane.Skill) || n.Prepares(lane.Skill)) && lane.Require.Matches(n.Tags)
}

// laneOf is where a task waits for a spore.
func laneOf(t *hive.Task) foreman.Lane {
	return foreman.Lane{Skill: t.Skill, Require: t.Require, Tenant: t.Tenant, Key: t.Key, Priority: t.Priority}
}

// laneOfTask returns the lane of a task by its id, while the task waits there.
func laneOfTask(road *broker.Broker, id string) func(context.Context) (foreman.Lane, bool) {
	return func(ctx context.Context) (foreman.Lane, bool) {
		r, err := road.Status(ctx, id)
		if err != nil || r.State != hive.Pending {
			return foreman.Lane{}, false
		}
		return laneOf(&r.Task), true
	}
}

// laneLike returns the lane of all tasks like t, whatever their keys, while any waits there.
func laneLike(road *broker.Broker, t *hive.Task) func(context.Context) (foreman.Lane, bool) {
	want := laneOf(t)
	return func(ctx context.Context) (foreman.Lane, bool) {
		lanes, err := road.ActiveLanes(ctx)
		waits := slices.ContainsFunc(lanes, func(l broker.Lane) bool {
			return l.Count > 0 && l.Priority == want.Priority && l.Skill == want.Skill && l.Tenant == want.Tenant && l.Require.String() == want.Require.String()
		})
		return want, err == nil && waits
	}
}
