package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/schedule"
)

// Cron is one that made a task every second, and what is known of when it did. Redis runs on
// this machine, so its clock is ours.
type Cron struct {
	Name  string
	From  time.Time // it was not there before,
	Since time.Time // it was there from here on,
	Until time.Time // its times up to here were looked after,
	Heard time.Time // as was heard then,
	Gone  time.Time // and it was gone by here
}

// everySecond is the schedule of all crons: so its times do not depend on when it was added.
const everySecond = "@every 1s"

// cron is one whose tasks are known by their key.
func cron(name string) *hive.Cron {
	return &hive.Cron{Name: name, Schedule: everySecond, CatchUp: hive.CatchUpAll,
		Task: hive.Task{Skill: hive.SkillRef{Name: tally}, Payload: []byte("count"), Key: name}}
}

// addSteady adds the cron that is there all the time, while nobody leads: so it is known
// exactly from when on it makes tasks.
func (s *stage) addSteady(ctx context.Context) error {
	c := cron("steady")
	if err := s.look.AddCron(ctx, c, false); err != nil {
		return err
	}
	crons, err := s.look.Crons(ctx)
	if err != nil || len(crons) != 1 {
		return fmt.Errorf("%d crons instead of one: %w", len(crons), err)
	}
	s.steady = Cron{Name: c.Name, From: crons[0].Last, Since: crons[0].Last}
	return nil
}

// endCrons waits until the steady cron is looked after up to now, and removes it and what
// others a failover brought back. If it never is, its history says so.
func (s *stage) endCrons(ctx context.Context) error {
	s.steady.Until = time.Now()
	s.steady.Heard = s.steady.Until
	err := await(ctx, "the cron", func() (bool, error) {
		last, err := lastOf(ctx, s.look, s.steady.Name)
		return err == nil && last.Add(time.Second).After(s.steady.Until), nil
	})
	if err != nil {
		s.say(err.Error())
	}
	s.producers.operating.Wait()
	crons, err := s.look.Crons(ctx)
	for _, c := range crons {
		err = errors.Join(err, s.look.RemoveCron(ctx, c.Name))
	}
	s.steady.Gone = time.Now()
	return err
}

// lastOf returns up to when a cron has been looked after; zero: there is none.
func lastOf(ctx context.Context, road interface {
	Crons(context.Context) ([]hive.Cron, error)
}, name string) (last time.Time, err error) {
	crons, err := road.Crons(ctx)
	for _, c := range crons {
		if c.Name == name {
			last = c.Last
		}
	}
	return last, err
}

// operateCrons adds crons one after another, each of which is removed after a while.
func (p *producers) operateCrons(ctx, open context.Context, c *client.Client) {
	defer p.operating.Done()
	random := rand.New(rand.NewPCG(p.seed, 1<<63+1))
	for n := 0; rest(open, time.Duration(random.IntN(2000))*ms) == nil; n++ {
		known := Cron{Name: fmt.Sprintf("some-%d", n), From: time.Now()}
		if !p.repeat(ctx, func() error { return c.AddCron(ctx, cron(known.Name), true) }) {
			return
		}
		known.Since = time.Now()
		_ = rest(open, time.Duration(1500+random.IntN(3500))*ms)
		p.repeat(ctx, func() (err error) {
			known.Until, err = lastOf(ctx, c, known.Name)
			return err
		})
		known.Heard = time.Now()
		p.repeat(ctx, func() error { return c.RemoveCron(ctx, known.Name) })
		known.Gone = time.Now()
		p.crons = append(p.crons, known)
	}
}

// checkCrons holds the tasks of each cron against its times.
func (h *History) checkCrons(add adder) {
	made := map[string][]time.Time{}
	for _, end := range h.Ends {
		if end.Cron != "" {
			made[end.Cron] = append(made[end.Cron], end.Created)
		}
	}
	for _, c := range h.Crons {
		h.checkCron(add, c, made[c.Name])
	}
}

// checkCron: a task for each time, no other, and none before its time. That it was added,
// looked after or removed may have been lost within a window; its tasks and up to when it was
// looked after are lost together.
func (h *History) checkCron(add adder, c Cron, made []time.Time) {
	slices.SortFunc(made, time.Time.Compare)
	least, most := times(c.Since, c.Until), times(c.From, c.Gone)
	if n := len(least); len(made) < n && !h.excused(c.Since) && !h.excused(c.Heard) {
		add(Untimed, "cron %s made %d tasks for %d times from %s to %s", c.Name, len(made), n, clock(c.Since), clock(c.Until))
	}
	if n := len(most); len(made) > n && !h.excused(c.Gone) {
		add(Untimed, "cron %s made %d tasks for %d times from %s to %s", c.Name, len(made), n, clock(c.From), clock(c.Gone))
	}
	for i, at := range made[:min(len(made), len(most))] {
		if at.Before(most[i]) {
			add(Untimed, "cron %s made %d tasks by %s, and no more than %d were due", c.Name, i+1, clock(at), i)
			return
		}
	}
}

// times are when a cron was due after a time and until another.
func times(after, until time.Time) (all []time.Time) {
	s, err := schedule.Parse(everySecond, "")
	if err != nil {
		panic(err)
	}
	for t := s.Next(after); !t.After(until); t = s.Next(t) {
		all = append(all, t)
	}
	return all
}
