package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// cast is one connection to the road for each role. The first error is kept, and
// nothing is done after it.
type cast struct {
	nexus, spore, client, dashboard *broker.Broker

	meddle func(words ...string) // a hand in Redis; nil: there is none

	ctx  context.Context
	err  error
	term broker.Term
	s    *broker.Session
}

func (c *cast) do(step string, f func() error) {
	if c.err == nil {
		if err := f(); err != nil {
			c.err = fmt.Errorf("%s: %w", step, err)
		}
	}
}

// play does all that the actors of a hive do on the road, each as itself, on a road
// that is empty and whose leases end at once.
func (c *cast) play() error {
	c.looks("") // also where nothing is yet
	c.begins()
	c.succeeds()
	c.commits()
	c.binds()
	c.flows()
	c.apart()
	c.fails()
	c.tells()
	c.goesBack()
	c.cancels()
	c.meets()
	c.leaves()
	return c.err
}

func (c *cast) begins() {
	c.do("lead", func() (err error) {
		c.term.Nexus = "n1"
		c.term.Epoch, _, _, err = c.nexus.Campaign(c.ctx, "n1", time.Hour)
		return err
	})
	skills := []hive.Skill{{Manifest: hive.Manifest{Name: "echo", Version: "1.0.0"}, Digest: "sha256:1"}}
	c.do("announce skills", func() error { return c.nexus.Announce(c.ctx, c.term, nil, false) })
	c.joins()
	c.do("announce skills to a spore", func() error { return c.nexus.Announce(c.ctx, c.term, skills, false) })
	c.do("mend", func() error { _, err := c.nexus.Mend(c.ctx, c.term, true); return err })
	c.do("look for orphans", func() error { _, err := c.nexus.Orphans(c.ctx); return err })
	c.do("read the skills", func() error { _, err := c.client.Skills(c.ctx); return err })
	c.commands()
}

// commands is a command that a spore hears, reads and answers.
func (c *cast) commands() {
	c.do("number a command", func() error { _, err := c.nexus.NextControl(c.ctx); return err })
	c.do("command", func() error {
		ctx, heard := context.WithTimeout(c.ctx, 5*time.Second)
		defer heard()
		ready := func() {
			if err := c.nexus.SendControl(ctx, []byte("signed")); err != nil {
				c.err = err
				heard()
			}
		}
		return c.spore.SubscribeControl(ctx, ready, func([]byte) { heard() })
	})
	c.do("read what was commanded", func() error {
		got, err := c.spore.Controls(c.ctx)
		return check(err, len(got) > 0)
	})
	c.do("answer", func() error { return c.spore.Answer(c.ctx, "ping", broker.Answer{Node: "a", OK: true}) })
	c.do("tell what was seen", func() error { return c.spore.ReportSeen(c.ctx, c.s, []byte("{}")) })
	c.do("read what was seen", func() error {
		got, err := c.nexus.SeenReports(c.ctx, []string{"a"})
		return check(err, len(got) == 1)
	})
	c.do("tell what rollouts do", func() error { return c.nexus.SetRollouts(c.ctx, c.term, []byte("{}")) })
	c.do("read answers", func() error {
		got, err := c.nexus.Answers(c.ctx, "ping", time.Second)
		return check(err, len(got) == 1)
	})
}

// check makes an error of a wrong answer.
func check(err error, right bool) error {
	if err == nil && !right {
		err = fmt.Errorf("a wrong answer")
	}
	return err
}

// flows is what operators do to tasks as they flow.
func (c *cast) flows() {
	acme := hive.Scope{Tenant: "acme"}
	c.do("pause", func() error { return c.client.Pause(c.ctx, acme, time.Time{}) })
	c.do("weigh", func() error { return c.client.SetWeight(c.ctx, "acme", 7) })
	echo := hive.Limit{LimitScope: hive.LimitScope{Scope: hive.Scope{Skill: "echo"}}, Rate: 1000, Per: time.Second, Running: 1000}
	c.do("limit", func() error { return c.client.SetLimit(c.ctx, echo) })
	for _, b := range []*broker.Broker{c.client, c.nexus, c.dashboard} {
		c.do("read limits", func() error {
			f, err := b.Flow(c.ctx)
			if err = check(err, f.Limits[echo.LimitScope] == echo); err != nil {
				return err
			}
			if _, err = b.Running(c.ctx); err == nil {
				_, err = b.RunningOf(c.ctx, &f, map[string]int{"#": 1}, map[string]broker.Class{})
			}
			if err == nil {
				_, err = b.Buckets(c.ctx, []broker.Bucket{broker.BucketOf(echo, "")})
			}
			return err
		})
	}
	c.do("end the limit", func() error { return c.client.RemoveLimit(c.ctx, echo.LimitScope) })
	for _, b := range []*broker.Broker{c.client, c.nexus, c.dashboard} {
		c.do("read what is paused", func() error {
			f, err := b.Flow(c.ctx)
			return check(err, len(f.Pauses) == 1 && f.Weight("acme") == 7)
		})
	}
	c.do("bell", func() error { _, err := c.nexus.WaitBell(c.ctx, time.Millisecond); return err })
	c.do("resume", func() error { return c.client.Resume(c.ctx, acme) })
	often := hive.Cron{Name: "often", Schedule: "@hourly", CatchUp: hive.CatchUpOnce, Task: hive.Task{Skill: hive.SkillRef{Name: "echo"}}}
	c.do("add a cron", func() error { return c.client.AddCron(c.ctx, &often, true) })
	c.do("make its task", func() error {
		crons, err := c.nexus.Crons(c.ctx)
		if err = check(err, len(crons) == 1); err != nil {
			return err
		}
		id, err := c.nexus.Due(c.ctx, c.term, &crons[0], crons[0].Last.Add(time.Hour), true)
		if err = check(err, id != ""); err != nil {
			return err
		}
		_, err = c.client.Cancel(c.ctx, id)
		return err
	})
	for _, b := range []*broker.Broker{c.client, c.dashboard} {
		c.do("list crons", func() error {
			crons, err := b.Crons(c.ctx)
			return check(err, len(crons) == 1)
		})
	}
	c.do("remove a cron", func() error { return c.client.RemoveCron(c.ctx, "often") })
	c.do("weigh", func() error { return c.client.SetWeight(c.ctx, "acme", 1) })
}

// apart is payloads and results that stand apart.
func (c *cast) apart() {
	data := noise(100_000, 9)
	long := func(t *hive.Task) { t.Payload = data }
	for _, b := range []*broker.Broker{c.client, c.nexus} {
		c.do("put", func() error {
			blob, err := b.PutBlob(c.ctx, bytes.NewReader(data[:10]))
			if err == nil {
				_, err = b.PutBlob(c.ctx, bytes.NewReader(data[:10]))
			}
			return check(err, blob.Size == 10)
		})
	}
	a := c.running(long)
	c.do("read a payload", func() error {
		got, err := c.spore.Payload(c.ctx, &a.Task)
		return check(err, len(got) == len(data))
	})
	c.do("complete with a long result", func() error {
		return c.spore.Complete(c.ctx, "a", &a, &hive.Outcome{Result: noise(90_000, 8)})
	})
	for _, b := range []*broker.Broker{c.client, c.nexus, c.dashboard} {
		c.do("read a result", func() error {
			r, err := b.Status(c.ctx, a.Task.ID)
			if err != nil {
				return err
			}
			got, err := b.ReadBlob(c.ctx, r.ResultBlob)
			return check(err, len(got) == 90_000)
		})
	}
	c.submits(long, until(-time.Second), once)
	c.do("lapse what has a long payload", func() error { _, _, err := c.nexus.Lapse(c.ctx, c.term); return err })
	c.do("submit it anew", func() error { _, err := c.client.Cancel(c.ctx, c.submits(long)); return err })
	dead := c.running(long, once)
	c.do("fail with a long payload", func() error { _, err := c.spore.Fail(c.ctx, "a", &dead, failure(hive.FailSkill), 0); return err })
	c.do("retry with a long payload", func() error { return c.client.Retry(c.ctx, dead.Task.ID) })
	c.do("cancel it", func() error { _, err := c.client.Cancel(c.ctx, dead.Task.ID); return err })
}

// joins registers the spore, in place of an earlier incarnation.
func (c *cast) joins() {
	c.s = &broker.Session{Node: "a", Incarnation: hive.NewID()}
	c.do("join", func() error {
		for {
			if err := c.spore.Register(c.ctx, c.s, &hive.NodeReport{ID: "a", Slots: 9}); err == nil || c.ctx.Err() != nil || !errors.Is(err, hive.ErrTaken) {
				return err
			}
		}
	})
}

// submits puts a task on the road for which the client waits, and returns its id.
func (c *cast) submits(change ...func(*hive.Task)) string {
	task := echo("")
	for _, f := range change {
		f(&task)
	}
	c.do("enqueue", func() error { _, err := c.client.Enqueue(c.ctx, &task, "inbox"); return err })
	return task.ID
}

func once(t *hive.Task) { t.Retries = 0 }

// assigned is submits, and the foreman gives the task to the spore.
func (c *cast) assigned(change ...func(*hive.Task)) string {
	id := c.submits(change...)
	c.do("bell", func() error { _, err := c.nexus.WaitBell(c.ctx, time.Millisecond); return err })
	c.do("lanes", func() error {
		lanes, err := c.nexus.ActiveLanes(c.ctx)
		return check(err, len(lanes) > 0)
	})
	c.do("assign", func() error {
		done, err := c.nexus.Assign(c.ctx, &c.term, []broker.Grant{{Lane: "echo||:2", Node: "a", Count: 100}},
			broker.Spent{Bucket: broker.Bucket{LimitScope: hive.LimitScope{Scope: hive.Scope{Skill: "echo"}}}, Full: time.Now(), Keep: time.Minute})
		return check(err, len(done) == 1 && done[0].Moved > 0)
	})
	return id
}

// running is assigned, and the spore fetches the task.
func (c *cast) running(change ...func(*hive.Task)) (a hive.Attempt) {
	c.assigned(change...)
	c.do("listen", func() error { _, err := c.spore.Listen(c.ctx, c.s, time.Millisecond); return err })
	c.do("fetch", func() error {
		got, _, err := c.spore.Fetch(c.ctx, c.s, 9)
		if err = check(err, len(got) > 0); err == nil {
			a = got[len(got)-1]
		}
		return err
	})
	return a
}

// succeeds is the straight way, with somebody who follows it.
func (c *cast) succeeds() {
	a := c.running()
	for i := range 65 { // the last of them is one of those that wait already, of as many as may
		c.do("wait", func() error {
			_, unknown, err := c.client.Wait(c.ctx, fmt.Sprintf("other%d", i%64), []string{a.Task.ID})
			return check(err, len(unknown) == 0)
		})
	}
	c.do("beat", func() error {
		p, err := c.spore.Heartbeat(c.ctx, c.s, &hive.NodeReport{ID: "a"}, true)
		return check(err, p.Holds[a.Task.ID] && p.Skills > 0)
	})
	c.do("emit", func() error { return c.spore.Emit(c.ctx, "a", &a, hive.Part{Attempt: 1, Number: 1, Data: []byte("x")}) })
	c.do("progress", func() error { return c.spore.Progress(c.ctx, "a", &a, hive.Progress{Done: 1, Total: 2}) })
	c.do("emitted", func() error {
		parts, _, err := c.client.Emitted(c.ctx, a.Task.ID, 0, 0)
		return check(err, len(parts) == 1)
	})
	c.looks(a.Task.ID)
	c.do("complete", func() error { return c.spore.Complete(c.ctx, "a", &a, &hive.Outcome{Result: []byte("done")}) })
	c.do("read the inboxes", func() error {
		ended, errEnded := c.client.ReadInbox(c.ctx, "inbox", time.Second)
		told, err := c.client.ReadInbox(c.ctx, "other1", time.Second)
		return check(errors.Join(errEnded, err), len(ended) > 0 && len(told) > 1)
	})
	c.do("wait for what is over", func() error {
		over, _, err := c.client.Wait(c.ctx, "inbox", []string{a.Task.ID})
		return check(err, len(over) == 1)
	})
	c.do("close the inbox", func() error { return c.client.CloseInbox(c.ctx, "other0") })
}

// commits is an attempt with effects, and one whose effects conflict.
func (c *cast) commits() {
	complete := func(a hive.Attempt, o *hive.Outcome) func() error {
		return func() error { return c.spore.Complete(c.ctx, "a", &a, o) }
	}
	a := c.running()
	out := withKV(set("k", "v"), add("n", 1), set("gone", ""), del("gone"), brief("soon", "", time.Millisecond))
	child := echo("")
	child.Skill.Name = "other"
	out.Effects.Spawn = []hive.Task{child}
	c.do("commit", complete(a, out))
	c.do("cancel what it spawned", func() error { _, err := c.client.Cancel(c.ctx, child.ID); return err })
	a = c.running()
	c.do("conflict", func() error {
		err := complete(a, withKV(expect("k", "other")))()
		if !errors.Is(err, hive.ErrConflict) {
			return fmt.Errorf("want a conflict: %w", check(err, false))
		}
		a.Number++
		return complete(a, withKV(expect("k", "v")))()
	})
	c.do("get", func() error {
		_, found, err := c.spore.KV().Get(c.ctx, space, "k")
		return check(err, found)
	})
	c.do("list", func() error { _, err := c.spore.KV().List(c.ctx, space, "", "", 9); return err })
	c.do("take what expired out of an index", func() error { _, err := c.spore.Unlist(c.ctx, space, "soon"); return err })
}

// binds is what is asked for beside the task itself: a time, a deadline, a key.
func (c *cast) binds() {
	hour := func(t *hive.Task) { t.RunAt, t.Deadline = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour) }
	first := c.submits(hour, unique("k", 0), once)
	c.submits(unique("k", 0))
	c.do("cancel what is scheduled", func() error { _, err := c.client.Cancel(c.ctx, first); return err })
	timed := c.submits(unique("timed", time.Hour), func(t *hive.Task) { t.Skill.Name = "other" })
	c.do("cancel what has a key for a time", func() error { _, err := c.client.Cancel(c.ctx, timed); return err })
	c.submits(unique("timed", time.Hour))

	a, out := c.running(), withKV(set("k", "v"))
	child, held := echo(""), echo("")
	until(-time.Second)(&child)
	unique("spawned", 0)(&child)
	child.Skill.Name = "other"
	unique("timed", 0)(&held)
	out.Effects.Spawn = []hive.Task{child, held}
	c.do("spawn what is bound", func() error { return c.spore.Complete(c.ctx, "a", &a, out) })
	c.do("lapse", func() error {
		n, _, err := c.nexus.Lapse(c.ctx, c.term)
		return check(err, n == 1)
	})

	dead := c.running(unique("d", 0), until(time.Hour), once)
	c.do("fail what is bound", func() error { _, err := c.spore.Fail(c.ctx, "a", &dead, failure(hive.FailSkill), 0); return err })
	c.do("retry what is bound", func() error { return c.client.Retry(c.ctx, dead.Task.ID) })
	c.do("cancel it", func() error { _, err := c.client.Cancel(c.ctx, dead.Task.ID); return err })
}

// tells is what the audit log hears of a spore: more than may wait, to nexus.
func (c *cast) tells() {
	c.do("tell", func() error {
		many := make([][]byte, broker.MaxTold)
		if err := c.spore.Tell(c.ctx, "a", many); err != nil {
			return err
		}
		return c.spore.Tell(c.ctx, "a", [][]byte{[]byte("one more")})
	})
	for _, all := range []bool{false, true} {
		c.do("who told", func() error {
			nodes, err := c.nexus.Tellers(c.ctx, all)
			return check(err, len(nodes) == 1 && nodes[0] == "a")
		})
	}
	c.do("hear", func() error {
		told, err := c.nexus.Told(c.ctx, "a", 2)
		if err = check(err, len(told.Raw) == 2 && told.Dropped > 0); err != nil {
			return err
		}
		return c.nexus.Heard(c.ctx, "a", told)
	})
}

// meets is what each does about values that none of them wrote.
func (c *cast) meets() {
	if c.meddle == nil {
		return
	}
	id := c.submits()
	c.meddle("DEL", "{h}:t:"+id)
	c.meddle("SADD", "{h}:t:"+id, "x")
	c.do("cancel what is no task", func() error {
		if _, err := c.client.Cancel(c.ctx, id); !errors.Is(err, hive.ErrNotFound) {
			return fmt.Errorf("want it not found: %w", check(err, false))
		}
		return nil
	})
	c.meddle("DEL", "{h}:hb:a")
	c.meddle("SET", "{h}:hb:a", "x")
	c.joins()
	c.meddle("DEL", "{h}:used")
	c.meddle("SET", "{h}:used", "x")
	c.do("look past what is no hash", func() error { _, err := c.nexus.Nodes(c.ctx); return err })
	c.do("mend", func() error { _, err := c.nexus.Mend(c.ctx, c.term, true); return err })
	c.do("recount", func() error { _, err := c.nexus.Recount(c.ctx, c.term); return err })
}

// fails goes to the dead letters at once, and by way of the delay.
func (c *cast) fails() {
	fail := func(a hive.Attempt, kind hive.FailureKind) func() error {
		return func() error {
			o := failure(kind)
			o.Recording = []byte("recorded")
			_, err := c.spore.Fail(c.ctx, "a", &a, o, 0)
			return err
		}
	}
	dead := c.running(once)
	c.do("fail", fail(dead, hive.FailSkill))
	for _, b := range []*broker.Broker{c.client, c.nexus} {
		c.do("list what failed", func() error {
			found := false
			err := b.Failed(c.ctx, func(r *hive.Record) bool { found = found || r.ID == dead.Task.ID; return true })
			return check(err, found)
		})
	}
	c.do("replay", func() error { _, err := c.client.Recording(c.ctx, dead.Task.ID, dead.Number); return err })
	c.do("retry", func() error { return c.client.Retry(c.ctx, dead.Task.ID) })
	c.do("cancel while pending", func() error { _, err := c.client.Cancel(c.ctx, dead.Task.ID); return err })
	later := c.running() // the tombstone before it is dropped
	c.do("fail for now", fail(later, hive.FailSkill))
	c.do("promote", c.promoted)
}

func (c *cast) promoted() error {
	for {
		n, next, err := c.nexus.Promote(c.ctx, c.term)
		if n > 0 || next < 0 || err != nil { // next < 0: done by a call whose answer was lost
			return err
		}
	}
}
