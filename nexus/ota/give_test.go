package ota

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// runsOf is what every spore is to run by a plan.
func runsOf(p Plan) (runs []string) {
	for _, r := range p.Set(began, time.Hour).For(bundle.Spore{ID: "spore"}) {
		runs = append(runs, r.String())
	}
	return runs
}

// decided fails the test if a decision is refused, or spores are to run something else
// than what is wanted, or are told of it without a new generation, or with one for nothing.
func decided(t *testing.T, before Plan, want string) func(Plan, audit.Entry, error) Plan {
	return func(p Plan, e audit.Entry, err error) Plan {
		t.Helper()
		if err != nil || e.Outcome != audit.OK {
			t.Fatalf("%s: %v (%+v)", want, err, e)
		}
		runs := runsOf(p)
		if got := strings.Join(runs, " "); got != want {
			t.Errorf("spores are to run %q, want %q", got, want)
		}
		if changed := !slices.Equal(runs, runsOf(before)); changed != (p.Generation > before.Generation) {
			t.Errorf("%s: generation %d after %d", want, p.Generation, before.Generation)
		}
		if err := p.Set(began, time.Hour).Assignments; len(err) > 0 {
			if _, err := p.Set(began, time.Hour).Sign(nexusKey); err != nil {
				t.Errorf("%s: %v", want, err)
			}
		}
		return p
	}
}

func TestGiveAndPin(t *testing.T) {
	t.Parallel()
	one, two, jay := bundleOf("crow", "1.0.0"), bundleOf("crow", "2.0.0"), bundleOf("jay", "1.0.0")
	var none, p Plan
	p = decided(t, none, "crow@1.0.0")(none.Give(Request{Bundle: one}, time.Time{}, began))
	p = decided(t, p, "crow@1.0.0")(p.Give(Request{Bundle: one, Running: one}, time.Time{}, began))
	p = decided(t, p, "crow@1.0.0 jay@1.0.0")(p.Give(Request{Bundle: jay}, began.Add(time.Hour), began))
	p = decided(t, p, "crow@1.0.0 jay@1.0.0")(p.Pin("crow", refOf(one), began))
	p = decided(t, p, "crow@1.0.0 crow@2.0.0 jay@1.0.0")(p.Give(Request{Bundle: two, Running: one, Every: -1}, time.Time{}, began))
	p = decided(t, p, "crow@1.0.0 crow@2.0.0 jay@1.0.0")(p.Pin("crow", refOf(one), began))
	p = decided(t, p, "crow@2.0.0 jay@1.0.0")(p.Unpin("crow", "1.0.0", began))
	p = decided(t, p, "crow@1.0.0 jay@1.0.0")(p.Tell("crow", Rollback, began))
	for _, refused := range []func() (Plan, audit.Entry, error){
		func() (Plan, audit.Entry, error) { return p.Pin("crow", refOf(two), began) },
		func() (Plan, audit.Entry, error) {
			return p.Give(Request{Bundle: two, Running: one, Every: -1}, time.Time{}, began)
		},
		func() (Plan, audit.Entry, error) {
			return p.Give(Request{Bundle: bundleOf("crow", "3.0.0"), Running: one}, time.Time{}, began)
		},
		func() (Plan, audit.Entry, error) { return p.Give(Request{}, time.Time{}, began) },
		func() (Plan, audit.Entry, error) { return p.Unpin("crow", "1.0.0", began) },
		func() (Plan, audit.Entry, error) { return p.Drop("magpie", began) },
	} {
		after, e, err := refused()
		if err == nil || e.Outcome != audit.Refused || e.Reason == "" || after.Generation != p.Generation || strings.Contains(err.Error(), "\n") {
			t.Errorf("not refused: %+v, %v", e, err)
		}
	}
	if next, told := p.Expire(began.Add(59 * time.Minute)); len(told) > 0 || next.Generation != p.Generation {
		t.Errorf("expired early: %+v", told)
	}
	next, told := p.Expire(began.Add(time.Hour))
	if len(told) != 1 || told[0].Subject != "jay" || told[0].Reason != ReasonExpired {
		t.Errorf("told %+v", told)
	}
	next = decided(t, p, "crow@1.0.0")(next, told[0], nil)
	decided(t, next, "")(next.Drop("crow", began))
}

// A version that a rollout brings to some spores may be pinned to all.
func TestPinDuringRollout(t *testing.T) {
	t.Parallel()
	one, two := bundleOf("crow", "1.0.0"), bundleOf("crow", "2.0.0")
	p, _, _ := Plan{}.Give(Request{Bundle: one}, time.Time{}, began)
	p, _, err := p.Start(Request{Bundle: two, Running: one, Every: -1, Steps: []Step{{Percent: 1}, {Percent: 100}}}, began)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*bundle.Bundle{one, two} {
		if p, _, err = p.Pin("crow", refOf(b), began); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Set(began, time.Hour).Sign(nexusKey); err != nil {
			t.Errorf("with %s pinned: %v", b, err)
		}
	}
	for i := range maxPins - 2 {
		if p, _, err = p.Pin("crow", bundle.Ref{Version: fmt.Sprintf("0.0.%d", i), Digest: digestOfBytes([]byte{byte(i)})}, began); err != nil {
			t.Fatal(err)
		}
	}
	if _, e, err := p.Pin("crow", bundle.Ref{Version: "0.1.0", Digest: digestOfBytes(nil)}, began); err == nil || e.Outcome != audit.Refused {
		t.Errorf("one pin more: %v", err)
	}
}

// A version that was taken off the list and published again with other bytes never runs
// beside what it was: such a set could not be signed.
func TestOneDigestOfAVersion(t *testing.T) {
	t.Parallel()
	one, two := bundleOf("crow", "1.0.0"), bundleOf("crow", "2.0.0")
	again := bundleOf("crow", "1.0.0")
	again.Description = "the same bird, again"
	given, _, err := Plan{}.Give(Request{Bundle: one}, time.Time{}, began)
	if err != nil {
		t.Fatal(err)
	}
	pinned, _, err := given.Pin("crow", refOf(one), began)
	if err != nil {
		t.Fatal(err)
	}
	if pinned, _, err = pinned.Give(Request{Bundle: two, Running: one, Every: -1}, time.Time{}, began); err != nil {
		t.Fatal(err)
	}
	for what, ask := range map[string]func() (Plan, audit.Entry, error){
		"pinned beside what runs": func() (Plan, audit.Entry, error) { return given.Pin("crow", refOf(again), began) },
		"pinned beside what is":   func() (Plan, audit.Entry, error) { return pinned.Pin("crow", refOf(again), began) },
		"rolled out beside a pin": func() (Plan, audit.Entry, error) {
			return pinned.Start(Request{Bundle: again, Running: two, Every: -1}, began)
		},
		"given to all beside a pin": func() (Plan, audit.Entry, error) {
			return pinned.Give(Request{Bundle: again, Running: two, Every: -1}, time.Time{}, began)
		},
	} {
		if next, e, err := ask(); err == nil || e.Reason != ReasonInvalid || next.Generation > pinned.Generation {
			t.Errorf("%s: %+v, %v", what, e, err)
		}
	}
	free, _, err := pinned.Unpin("crow", "1.0.0", began)
	if err == nil {
		_, _, err = free.Give(Request{Bundle: again, Running: two, Every: -1}, time.Time{}, began)
	}
	if err != nil {
		t.Errorf("with nothing pinned: %v", err)
	}
}
