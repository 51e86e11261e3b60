package foreman

import (
	"context"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/schedule"
)

const (
	// onTime is how late a cron's task may be made and still be that of its time: later, the
	// time has passed while no nexus led.
	onTime = time.Minute
	// maxMissed is how long ago a time may be that is made up for.
	maxMissed = 31 * 24 * time.Hour
)

// crontab is what a leader knows of the crons. It belongs to the routing loop.
type crontab struct {
	crons []planned
	read  time.Time       // by this machine's clock; zero: it is to be read
	due   time.Time       // when the next is, by this machine's clock; zero: there is none
	bad   map[string]bool // those that have been complained of
}

type planned struct {
	hive.Cron
	times *schedule.Schedule
	next  time.Time // by the road's clock
}

// cron makes the tasks that are due, and notes when the next is.
func (f *Foreman) cron(ctx context.Context, term broker.Term) error {
	tab := &f.crontab
	if time.Since(tab.read) > f.reread {
		if err := f.readCrons(ctx); err != nil {
			return err
		}
	} else if tab.due.IsZero() || time.Now().Before(tab.due) {
		return nil
	}
	if tab.due = (time.Time{}); len(tab.crons) == 0 {
		return nil
	}
	now, err := f.road.Now(ctx)
	if err != nil {
		return err
	}
	for i := range tab.crons {
		c := &tab.crons[i]
		if !c.next.IsZero() && !c.next.After(now) {
			if err := f.makeUp(ctx, term, c, now); err != nil {
				return err
			}
		}
		if at := time.Now().Add(c.next.Sub(now)); !c.next.IsZero() && (tab.due.IsZero() || at.Before(tab.due)) {
			tab.due = at
		}
	}
	return nil
}

func (f *Foreman) readCrons(ctx context.Context) error {
	crons, err := f.road.Crons(ctx)
	if err != nil {
		return err
	}
	tab := crontab{read: time.Now(), bad: map[string]bool{}}
	for _, c := range crons {
		times, err := schedule.Parse(c.Schedule, c.Zone)
		if err != nil {
			if tab.bad[c.Name] = true; !f.crontab.bad[c.Name] {
				f.log.Warn("a cron is never due", "cron", c.Name, "error", err)
			}
			continue
		}
		tab.crons = append(tab.crons, planned{c, times, times.Next(c.Last)})
	}
	f.crontab = tab
	return nil
}

// makeUp makes the tasks of a cron that is due, and of the times that passed unseen what its
// CatchUp says.
func (f *Foreman) makeUp(ctx context.Context, term broker.Term, c *planned, now time.Time) error {
	if now.Sub(c.Last) > maxMissed {
		c.next = c.times.Next(now.Add(-maxMissed))
	}
	var due []time.Time
	for t := c.next; !t.IsZero() && !t.After(now); t = c.times.Next(t) {
		if due = append(due, t); len(due) > 2*hive.MaxCatchUp {
			due = append(due[:0], due[len(due)-hive.MaxCatchUp:]...)
		}
	}
	due = due[max(0, len(due)-hive.MaxCatchUp):]
	if c.CatchUp != hive.CatchUpAll && len(due) > 0 {
		due = due[len(due)-1:]
	}
	for _, at := range due {
		id, err := f.road.Due(ctx, term, &c.Cron, at, c.CatchUp != hive.CatchUpSkip || now.Sub(at) <= onTime)
		if err != nil {
			return err
		}
		if id == "" { // it is another one by now
			f.crontab.read = time.Time{}
			return nil
		}
		f.log.Debug("a cron was due", "cron", c.Name, "at", at, "task", id)
		c.Last = at
		c.next = c.times.Next(at)
	}
	return nil
}
