package broker_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func everyHour(name string) hive.Cron {
	return hive.Cron{Name: name, Schedule: "@hourly", Zone: "Europe/Berlin", CatchUp: hive.CatchUpAll, Task: hive.Task{
		Skill: hive.SkillRef{Name: "echo", Pin: "1.0.0"}, Payload: []byte("p"), Priority: 3, Tenant: "acme", Retries: hive.NoRetries,
		Timeout: time.Minute, Retain: time.Hour, Backoff: hive.Backoff{Base: time.Second, Max: time.Minute, Jitter: hive.NoJitter}}}
}

func (r *road) crons() []hive.Cron {
	r.t.Helper()
	crons, err := r.Crons(r.ctx())
	r.check(err)
	return crons
}

func TestCron(t *testing.T) {
	onRoads(t, func(r *road) {
		c := everyHour("nightly")
		now, err := r.Now(r.ctx())
		r.check(err)
		r.check(r.AddCron(r.ctx(), &c, false))
		if err := r.AddCron(r.ctx(), &c, false); err == nil || err.Error() != "there is a cron nightly already" {
			r.t.Errorf("AddCron again = %v", err)
		}
		r.check(r.AddCron(r.ctx(), &c, true))
		got := r.crons()
		if len(got) != 1 || got[0].Last.Before(now.Truncate(time.Millisecond)) {
			r.t.Fatalf("Crons = %+v", got)
		}
		want := everyHour("nightly")
		want.Last = got[0].Last
		if !reflect.DeepEqual(got[0], want) {
			r.t.Errorf("Crons = %+v, want %+v", got[0], want)
		}
		if bell, err := r.WaitBell(r.ctx(), time.Millisecond); err != nil || !bell.Crons {
			r.t.Errorf("the bell says %+v, %v", bell, err)
		}
		first := got[0]
		next := first.Last.Add(time.Hour)
		id, err := r.Due(r.ctx(), r.term, &first, next, true)
		r.check(err)
		if rec := r.want(id, hive.Pending, 0, 0); rec.Tenant != "acme" || rec.Priority != 3 || rec.Retain != time.Hour || string(rec.Payload) != "p" {
			r.t.Errorf("the task is %+v", rec)
		}
		if id, err := r.Due(r.ctx(), r.term, &first, next, true); id != "" || err != nil {
			r.t.Errorf("Due again = %q, %v", id, err)
		}
		second := r.crons()[0]
		if !second.Last.Equal(next) {
			r.t.Errorf("it was looked after until %v, want %v", second.Last, next)
		}
		if id, err := r.Due(r.ctx(), r.term, &second, next.Add(time.Hour), false); id == "" || err != nil {
			r.t.Errorf("Due without a task = %q, %v", id, err)
		}
		r.wantStats(hive.Stats{Background: 1, Pending: 1})
		r.check(r.RemoveCron(r.ctx(), "nightly"))
		if err := r.RemoveCron(r.ctx(), "nightly"); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("RemoveCron again = %v", err)
		}
		if id, err := r.Due(r.ctx(), r.term, &second, next.Add(2*time.Hour), true); id != "" || err != nil {
			r.t.Errorf("Due of what is removed = %q, %v", id, err)
		}
		if got := r.crons(); len(got) != 0 {
			r.t.Errorf("Crons = %+v", got)
		}
	})
}

// TestCronUnique: while a task has the key of a cron's, no other is made, and the time has
// passed.
func TestCronUnique(t *testing.T) {
	onRoads(t, func(r *road) {
		c := everyHour("one")
		c.Task.Unique = "key"
		r.check(r.AddCron(r.ctx(), &c, false))
		var ids []string
		for range 2 {
			c := r.crons()[0]
			id, err := r.Due(r.ctx(), r.term, &c, c.Last.Add(time.Hour), true)
			r.check(err)
			ids = append(ids, id)
		}
		if ids[0] != ids[1] {
			r.t.Errorf("Due = %v", ids)
		}
		r.wantStats(hive.Stats{Background: 1, Pending: 1})
	})
}

func TestCronBadInput(t *testing.T) {
	onRoads(t, func(r *road) {
		for name, change := range map[string]func(*hive.Cron){
			"cron name":     func(c *hive.Cron) { c.Name = "A" },
			"catch-up":      func(c *hive.Cron) { c.CatchUp = "" },
			"a cron's task": func(c *hive.Cron) { c.Task.RunAt = time.Now() },
			"priority":      func(c *hive.Cron) { c.Task.Priority = 11 },
			"schedule":      func(c *hive.Cron) { c.Schedule = strings.Repeat("*", 300) },
		} {
			c := everyHour("x")
			change(&c)
			if err := r.AddCron(r.ctx(), &c, true); err == nil || !strings.HasPrefix(err.Error(), name) {
				r.t.Errorf("%s: AddCron = %v", name, err)
			}
		}
		c := everyHour("good")
		r.check(r.AddCron(r.ctx(), &c, false))
		r.do("HSET", "cron", "odd", "x", "none", "{}", "cut", `{"schedule":"@daily","catch_up":"all","task":"MXA="}`)
		r.do("HSET", "cronat", "odd", "1", "none", "1", "cut", "1")
		if got := r.crons(); len(got) != 1 {
			r.t.Errorf("Crons = %+v", got)
		}
		var words []string
		for i := range 10_000 {
			words = append(words, fmt.Sprint("c", i), "x")
		}
		r.do("HSET", "cron", words...)
		if err := r.AddCron(r.ctx(), func() *hive.Cron { c := everyHour("more"); return &c }(), false); err == nil || !strings.Contains(err.Error(), "there are 10000 crons already") {
			r.t.Errorf("AddCron = %v", err)
		}
	})
}
