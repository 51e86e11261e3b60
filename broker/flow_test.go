package broker_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func TestFlow(t *testing.T) {
	onRoads(t, func(r *road) {
		flow := func() hive.Flow {
			f, err := r.Flow(r.ctx())
			r.check(err)
			return f
		}
		if f := flow(); len(f.Pauses)+len(f.Weights) != 0 {
			r.t.Errorf("Flow = %+v on an empty road", f)
		}
		now, err := r.Now(r.ctx())
		r.check(err)
		until := now.Add(time.Hour).Truncate(time.Millisecond)
		all, echo, acme := hive.Scope{}, hive.Scope{Skill: "echo"}, hive.Scope{Tenant: "acme"}
		for s, until := range map[hive.Scope]time.Time{all: {}, echo: until, acme: {}} {
			r.check(r.Pause(r.ctx(), s, until))
			if p := flow().Pauses[s]; p.Scope != s || !p.Until.Equal(until) || p.Since.Before(now.Truncate(time.Millisecond)) || p.Since.After(now.Add(time.Minute)) {
				r.t.Errorf("the pause of %s is %+v", s, p)
			}
		}
		r.check(r.SetWeight(r.ctx(), "acme", 7))
		r.check(r.SetWeight(r.ctx(), "", 2))
		if f := flow(); !maps.Equal(f.Weights, map[string]int{"acme": 7, "": 2}) || len(f.Pauses) != 3 {
			r.t.Errorf("Flow = %+v", f)
		}
		r.check(r.SetWeight(r.ctx(), "acme", 1))
		for _, s := range []hive.Scope{all, echo, acme} {
			r.check(r.Resume(r.ctx(), s))
			if err := r.Resume(r.ctx(), s); !errors.Is(err, hive.ErrNotFound) || !strings.HasPrefix(err.Error(), s.String()+" is not paused") {
				r.t.Errorf("Resume of what goes on = %v", err)
			}
		}
		if f := flow(); !maps.Equal(f.Weights, map[string]int{"": 2}) || len(f.Pauses) != 0 {
			r.t.Errorf("Flow = %+v", f)
		}
		if bell, err := r.WaitBell(r.ctx(), time.Millisecond); err != nil || !bell.Flow {
			r.t.Errorf("the bell says %+v, %v", bell, err)
		}
	})
}

func TestFlowBadInput(t *testing.T) {
	onRoads(t, func(r *road) {
		for name, err := range map[string]error{
			"a skill and a tenant": r.Pause(r.ctx(), hive.Scope{Skill: "a", Tenant: "b"}, time.Time{}),
			"a skill's version":    r.Pause(r.ctx(), hive.Scope{Skill: "a@1.0.0"}, time.Time{}),
			"a tenant with a bar":  r.Resume(r.ctx(), hive.Scope{Tenant: "a|b"}),
			"weight 0":             r.SetWeight(r.ctx(), "a", 0),
			"no limit":             r.SetLimit(r.ctx(), hive.Limit{}),
			"rate 0":               r.SetLimit(r.ctx(), hive.Limit{Per: time.Second}),
			"no limit to remove":   r.RemoveLimit(r.ctx(), hive.LimitScope{PerKey: true}),
			"weight 1001":          r.SetWeight(r.ctx(), "a", 1001),
			"weight of a b":        r.SetWeight(r.ctx(), "a b", 1),
		} {
			if err == nil {
				r.t.Errorf("%s: no error", name)
			}
		}
		if n := r.do("EXISTS", "flow"); fmt.Sprint(n) != "0" {
			r.t.Errorf("something was written: %v", n)
		}
	})
}

// TestFlowIsBounded: what is over gives way, what nobody wrote is passed over, and there is
// an end to what the foreman has to read.
func TestFlowIsBounded(t *testing.T) {
	onRoads(t, func(r *road) {
		r.do("HSET", "flow", "ps:old", "1 1", "ps:echo", "x", "pq", "0", "ps:", "0 1", "pt:", "0 1", "w:a", "none", "ps:a|b", "0 1",
			"l", "1 1000 0", "k", "0 0 0 0", "ls:", "0 0 0 1", "ls:echo", "0 0 0 -1", "lx:a", "0 0 0 1", "kt:a", "9999999999999999999 1 0 0", "lt:a", "1 9223372036854775807 0 0", "", "0")
		if f, err := r.Flow(r.ctx()); err != nil || len(f.Weights) != 0 || len(f.Limits) != 0 || len(f.Pauses) != 1 {
			r.t.Errorf("Flow = %+v, %v", f, err)
		}
		r.check(r.Pause(r.ctx(), hive.Scope{Skill: "echo"}, time.Time{}))
		if f, err := r.Flow(r.ctx()); err != nil || len(f.Pauses) != 1 {
			r.t.Errorf("Flow = %+v, %v", f, err)
		}
		var words []string
		for i := range 10_000 {
			words = append(words, fmt.Sprint("w:t", i), "2")
		}
		r.do("HSET", "flow", words...)
		if err := r.SetWeight(r.ctx(), "one-more", 2); err == nil || !strings.Contains(err.Error(), "there are 10000 pauses, limits and weights already") {
			r.t.Errorf("SetWeight = %v", err)
		}
		r.check(r.SetWeight(r.ctx(), "t1", 3))
	})
}
