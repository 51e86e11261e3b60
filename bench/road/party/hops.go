package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/native"
	"github.com/hive-spore/hive/bench/road/order"
)

// hops does one task after the other, as a client and as the spore, so that it sees
// when each of them is where.
func (p *ours) hops(ctx context.Context, o order.Order) (a order.Answer, err error) {
	ctx, cancel := context.WithCancel(ctx)
	seen := make(chan native.Times, 1)
	s := &native.Spore{Road: p.road, Name: "native", Slots: o.Slots, Done: func(t native.Times) { seen <- t }}
	if err := s.Join(ctx); err != nil {
		cancel()
		return a, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Work(ctx) })
	group.Go(func() (err error) {
		defer cancel()
		a, err = p.follow(ctx, o, seen)
		return err
	})
	return a, group.Wait()
}

// follow follows tasks, one after the other.
func (p *ours) follow(ctx context.Context, o order.Order, seen <-chan native.Times) (order.Answer, error) {
	inbox := hive.NewID()
	var enqueued, knocked, fetched, completed, told []time.Duration
	for i := range o.Tasks {
		begun := time.Now()
		task := p.task(order.NewJob(i)).WithDefaults()
		if _, err := p.road.Enqueue(ctx, &task, inbox); err != nil {
			return order.Answer{}, err
		}
		put := time.Now()
		notices, err := p.road.ReadInbox(ctx, inbox, 5*time.Second)
		if err != nil {
			return order.Answer{}, err
		}
		end := time.Now()
		if len(notices) != 1 || notices[0].ID != task.ID {
			return order.Answer{}, errors.New("the client was told of another task, or of none")
		}
		at := <-seen
		if i < o.Skip {
			continue
		}
		enqueued = append(enqueued, put.Sub(begun))
		knocked = append(knocked, at.Knocked.Sub(begun))
		fetched = append(fetched, at.Fetched.Sub(begun))
		completed = append(completed, at.Completed.Sub(begun))
		told = append(told, end.Sub(begun))
	}
	a := order.Answer{Hops: map[string][2]float64{}}
	for name, times := range map[string][]time.Duration{"enqueued": enqueued, "knocked": knocked, "fetched": fetched, "completed": completed, "told": told} {
		p50, p99 := quantiles(times)
		a.Hops[name] = [2]float64{p50, p99}
	}
	return a, nil
}
