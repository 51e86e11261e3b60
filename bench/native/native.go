// Package native is a spore without a sandbox: what it does of a task is nothing. It
// shows what the road alone can carry, and when a task is where.
package native

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// Spore joins the road as a spore does, and fetches and completes as one.
type Spore struct {
	Road  *broker.Broker
	Name  string
	Slots int
	// Handle, if it is set, is called on a goroutine of each attempt, and Done after it
	// was completed.
	Handle func(*hive.Attempt)
	Done   func(Times)

	session *broker.Session
	report  hive.NodeReport
	slots   chan struct{}
	wake    chan time.Time // when the doorbell rang
}

// Times are when an attempt was where.
type Times struct{ Knocked, Fetched, Completed time.Time }

// Result is that of every task.
var Result = []byte(`{"ok":true}`)

// Join joins the road and offers every skill that is announced.
func (s *Spore) Join(ctx context.Context) error {
	skills, err := s.Road.Skills(ctx)
	if err != nil {
		return err
	}
	s.session = &broker.Session{Node: s.Name, Incarnation: hive.NewID()}
	s.report = hive.NodeReport{ID: s.Name, Name: s.Name, Slots: s.Slots, Prefetch: max(2, s.Slots/2), Started: time.Now()}
	for i := range skills {
		s.report.Skills = append(s.report.Skills, skills[i].ID())
	}
	s.slots, s.wake = make(chan struct{}, s.Slots), make(chan time.Time, 1)
	for range s.Slots {
		s.slots <- struct{}{}
	}
	return s.Road.Register(ctx, s.session, &s.report)
}

// Work does tasks until ctx ends, and leaves the road.
func (s *Spore) Work(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.beat(ctx) })
	group.Go(func() error { return s.listen(ctx) })
	group.Go(func() error { return s.fetch(ctx, group) })
	err := group.Wait()
	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, left := s.Road.Unregister(leave, s.session)
	if err == nil {
		err = left
	}
	return err
}

// beat keeps the spore online.
func (s *Spore) beat(ctx context.Context) error {
	tick := time.NewTicker(hive.HeartbeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := s.Road.Heartbeat(ctx, s.session, &s.report, false); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// listen waits at the doorbell.
func (s *Spore) listen(ctx context.Context) error {
	for ctx.Err() == nil {
		knock, err := s.Road.Listen(ctx, s.session, hive.HeartbeatEvery)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if !knock.Work {
			continue
		}
		select {
		case s.wake <- time.Now():
		default:
		}
	}
	return nil
}

// fetch takes tasks whenever there are free slots and a hint, or a second has passed
// without one.
func (s *Spore) fetch(ctx context.Context, group *errgroup.Group) error {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	var knocked time.Time
	for {
		n := s.free(ctx)
		if n == 0 {
			return nil
		}
		attempts, left, err := s.Road.Fetch(ctx, s.session, n)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		at := Times{Knocked: knocked, Fetched: time.Now()}
		for i := range attempts {
			group.Go(func() error { return s.run(ctx, &attempts[i], at) })
		}
		for range n - len(attempts) {
			s.slots <- struct{}{}
		}
		if left > 0 {
			continue
		}
		select {
		case knocked = <-s.wake:
		case <-look.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// free waits for a free slot and takes all there are; 0: ctx has ended.
func (s *Spore) free(ctx context.Context) (n int) {
	select {
	case <-s.slots:
	case <-ctx.Done():
		return 0
	}
	for n = 1; ; n++ {
		select {
		case <-s.slots:
		default:
			return n
		}
	}
}

// run is an attempt.
func (s *Spore) run(ctx context.Context, a *hive.Attempt, at Times) error {
	if s.Handle != nil {
		s.Handle(a)
	}
	out := hive.Outcome{Result: Result, Ran: s.report.Skills[0]}
	if err := s.Road.Complete(ctx, s.Name, a, &out); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	s.slots <- struct{}{}
	if at.Completed = time.Now(); s.Done != nil {
		s.Done(at)
	}
	return nil
}
