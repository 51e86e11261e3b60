package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

const (
	// lookEvery is how often the road is looked at while a command waits for tasks.
	lookEvery = time.Second
	// roadGrace is how long the road may be gone meanwhile: time for a restart of
	// Redis, or for a replica to take over.
	roadGrace = 30 * time.Second
)

// waiting runs f, which waits for tasks, and looks after the road meanwhile: the
// client rides out a road that is gone, silently and for as long as it takes. Here
// that is said, after a call of clear, and ends f when it takes too long.
func (a *app) waiting(ctx context.Context, road *broker.Broker, clear func(), f func(context.Context) error) error {
	watched, cancel := context.WithCancelCause(ctx)
	var looking sync.WaitGroup
	looking.Go(func() { cancel(a.look(watched, road, clear)) })
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
func (a *app) look(ctx context.Context, road *broker.Broker, clear func()) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var gone time.Time // zero: the road answers
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := road.Leader(ctx)
		switch {
		case !errors.Is(err, hive.ErrUnreachable):
			if !gone.IsZero() && err == nil {
				gone = time.Time{}
				clear()
				a.say("the road answers again")
			}
		case gone.IsZero():
			gone = time.Now()
			clear()
			a.say("%s: waiting up to %v for it", safe(err.Error()), roadGrace)
		case time.Since(gone) > roadGrace:
			return fmt.Errorf("%w: given up after %v; what was submitted stays there", err, roadGrace)
		}
	}
}
