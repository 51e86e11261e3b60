package broker_test

import (
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// goesBack is every way on which a task leaves a spore unfinished.
func (c *cast) goesBack() {
	a := c.running()
	c.do("release", func() error { _, err := c.spore.Release(c.ctx, "a", a); return err })
	id := c.assigned()
	c.do("hand back", func() error {
		n, err := c.spore.HandBack(c.ctx, c.s)
		return check(err, n > 0)
	})
	c.do("assign one task", func() error {
		moved, err := c.nexus.AssignTask(c.ctx, c.term, id, "a")
		return check(err, moved)
	})
	c.do("fetch it", func() error { _, _, err := c.spore.Fetch(c.ctx, c.s, 9); return err })
	c.running(once)
	c.assigned()
	c.joins() // takes back what its earlier incarnation held
	a = c.running()
	c.do("expire", func() error {
		r := &hive.Record{Task: a.Task, Attempts: a.Number}
		r.Timeout = -time.Hour
		taken, err := c.nexus.Expire(c.ctx, c.term, r)
		return check(err, taken)
	})
	c.running()
	c.running(once)
	c.assigned()
	c.do("reclaim", func() error {
		for {
			n, err := c.nexus.Reclaim(c.ctx, c.term, "a")
			if n > 0 || err != nil || c.ctx.Err() != nil {
				return check(err, n > 0)
			}
		}
	})
	c.joins()
}

// cancels ends tasks that run, wait, or are scheduled.
func (c *cast) cancels() {
	cancel := func(id string) func() error {
		return func() error { _, err := c.client.Cancel(c.ctx, id); return err }
	}
	c.do("cancel while running", cancel(c.running().Task.ID))
	assigned := c.assigned()
	c.do("be woken for both at once", func() error {
		k, err := c.spore.Listen(c.ctx, c.s, time.Second)
		return check(err, k.Work && len(k.Kill) == 1)
	})
	c.do("cancel while assigned", cancel(assigned))
	a := c.running()
	c.do("schedule", func() error {
		_, err := c.spore.Fail(c.ctx, "a", &a, failure(hive.FailSkill), time.Hour)
		return err
	})
	c.do("cancel while scheduled", cancel(a.Task.ID))
}

// leaves is the end of a spore, and of a leader.
func (c *cast) leaves() {
	c.running()
	c.assigned()
	c.do("leave", func() error {
		n, err := c.spore.Unregister(c.ctx, c.s)
		return check(err, n > 0)
	})
	c.do("forget the spore", func() error { _, err := c.nexus.Reclaim(c.ctx, c.term, "a"); return err })
	c.do("give up the lead", func() error { _, _, _, err := c.nexus.Campaign(c.ctx, "n1", 0); return err })
}

// looks is what everybody may see who is no spore; at a task, too, that emitted
// something.
func (c *cast) looks(emitter string) {
	id := c.submits()
	for _, b := range []*broker.Broker{c.nexus, c.client, c.dashboard} {
		c.do("leader", func() error { _, err := b.Leader(c.ctx); return err })
		c.do("status", func() error {
			r, err := b.Status(c.ctx, id)
			if err == nil {
				_, err = b.Place(c.ctx, r)
			}
			return err
		})
		c.do("stats", func() error { _, err := b.Stats(c.ctx); return err })
		c.do("lanes", func() error { _, err := b.ActiveLanes(c.ctx); return err })
		c.do("spores", func() error { _, err := b.Nodes(c.ctx); return err })
		c.do("zombies", func() error { _, err := b.Zombies(c.ctx, 0); return err })
		c.do("skills", func() error { _, err := b.Skills(c.ctx); return err })
		c.do("rollouts", func() error { _, err := b.Rollouts(c.ctx); return err })
		c.do("emitted", func() error { _, _, err := b.Emitted(c.ctx, emitter, 0, 0); return err })
		c.do("tasks", func() error {
			seen := 0
			err := b.Tasks(c.ctx, func(*hive.Record) bool { seen++; return true })
			return check(err, seen > 0)
		})
	}
	long := func(t *hive.Task) { // its class is hashed: lanes are told by their tasks
		t.Require, _ = hive.ParseSelector("zone in (a-very-long-name-of-a-zone,another-very-long-name-of-a-zone,and-one-more-of-them-all)")
	}
	c.submits(long)
	c.do("cancel", func() error { _, err := c.client.CancelMany(c.ctx, []string{id}); return err })
}
