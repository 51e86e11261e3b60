package broker_test

import (
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// What becomes of crons in an exploration, and of tasks that somebody has had enough of.

// cronName is that of the only cron.
const cronName = "c"

// cronTask is a task that a cron may make: its payload does not stand apart.
func cronTask(i int) hive.Task {
	t := taskOf(i)
	if !t.PayloadBlob.None() {
		t = taskOf(i + 1)
	}
	return t
}

// cron removes the cron, adds it, or puts another in its place.
func (x *explorer) cron(o op, c *call) error {
	c.kind = "cron"
	if o.who%3 == 0 {
		err := x.b.RemoveCron(ctx, cronName)
		c.promise(err == nil, func(_, is *view) bool { return len(is.crons) == 0 })
		return err
	}
	err := x.b.AddCron(ctx, &hive.Cron{Name: cronName, Schedule: "@hourly", CatchUp: hive.CatchUpAll, Task: cronTask(o.what)}, o.more%2 == 0)
	if err != nil && strings.Contains(err.Error(), "there is a cron") {
		err = hive.ErrTaken
	}
	c.promise(err == nil, func(_, is *view) bool { return is.crons[cronName] == int(is.now.UnixMilli()) })
	return err
}

// due has a nexus look after the cron up to now; it may not have read for long up to when that
// was done. The tasks have ids, as all in an exploration: one that is there is not made again.
func (x *explorer) due(o op, c *call) error {
	t := x.leads("due", o, c)
	if ms := x.is.crons[cronName]; ms > 0 && (o.more%3 > 0 || x.last[c.nexus].IsZero()) {
		x.last[c.nexus] = time.UnixMilli(int64(ms))
	}
	task := cronTask(o.what)
	c.since, c.until = x.last[c.nexus], time.UnixMilli(x.is.now.UnixMilli())
	id, err := x.b.Due(ctx, *t, &hive.Cron{Name: cronName, Last: c.since, Task: task}, c.until, o.more > 1)
	until := int(c.until.UnixMilli())
	c.promise(err == nil && id != "", func(was, is *view) bool {
		made := o.more < 2 || id == task.ID && is.tasks[id].Record != nil || id == is.unique[task.Unique]
		return made && is.crons[cronName] == until
	})
	c.promise(err == nil && id == "", func(was, is *view) bool {
		since := int(c.since.UnixMilli())
		return was.crons[cronName] != since || is.crons[cronName] == until // what it was told as a repeat
	})
	return err
}

// forget takes one or two records off the road.
func (x *explorer) forget(o op, c *call) error {
	c.kind = "forget"
	ids := []string{x.task(o, []string{"c", "f", "x"}[o.more%3]), taskOf(o.what + o.more).ID}[:1+o.who%2]
	_, queued, err := x.b.Forget(ctx, ids)
	c.promise(err == nil, func(was, is *view) bool {
		for _, id := range ids {
			old := was.tasks[id]
			if stands := old.over() && old.tombstone(); stands {
				queued--
			} else if old.over() && (is.tasks[id].Record != nil || slices.ContainsFunc(hangs, func(kind string) bool {
				_, there := is.keys[kind+id]
				return there
			})) {
				return false
			}
		}
		return queued == 0
	})
	return err
}

// hangs are the keys that go with a record.
var hangs = []string{"em:", "pg:", "wait:"}
