package ota

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive/audit"
)

// Verb is what a person tells a rollout.
type Verb string

// The verbs.
const (
	Approve  Verb = "approve"  // what it may do more than what runs
	Pause    Verb = "pause"    // no next step; a bad version still goes back
	Resume   Verb = "resume"   // go on, with all of the deadline's time
	Promote  Verb = "promote"  // the next step now, whatever the gate says
	Abort    Verb = "abort"    // back to the old version
	Rollback Verb = "rollback" // back, and this digest never again; also after the end
)

// hears says in which states a rollout hears a verb.
var hears = map[Verb][]State{
	Approve:  {Held},
	Pause:    {Running, Held},
	Resume:   {Paused, Held},
	Promote:  {Running, Held},
	Abort:    {Running, Held, Paused},
	Rollback: {Running, Held, Paused, Done},
}

// Tell carries out what a person says of a bundle's rollout.
func (p Plan) Tell(name string, v Verb, now time.Time) (Plan, audit.Entry, error) {
	line := p.Bundles[name]
	if err := line.hears(name, v); err != nil {
		return p, entry(string(v), name, err, "", ""), err
	}
	r := *line.Rollout
	switch v {
	case Approve:
		line.Updated = now
		r.begin(ReasonByHand, now)
	case Promote:
		r.begin(ReasonByHand, now)
	case Pause:
		r.State, r.Reason = Paused, ReasonByHand
	case Resume:
		r.State, r.Reason, r.Stepped = Running, ReasonByHand, now
	case Abort:
		r.State, r.Reason = Aborted, ReasonByHand
	case Rollback:
		r.State, r.Reason = RolledBack, ReasonByHand
	}
	line.Rollout = &r
	return p.with(name, line, now), entry(string(v), name+"@"+r.To.Version, nil, ReasonByHand, r.String()), nil
}

func (l Line) hears(name string, v Verb) error {
	r := l.Rollout
	switch {
	case hears[v] == nil:
		return refuse(ReasonInvalid, "rollout: %.40q: want one of %s", string(v), verbs())
	case r == nil:
		return refuse(ReasonNotNow, "%s: %s has no rollout", v, name)
	case !slices.Contains(hears[v], r.State):
		return refuse(ReasonNotNow, "%s: the rollout of %s@%s is %s", v, name, r.To.Version, r.State)
	case r.Step == 0 && (v == Pause || v == Resume || v == Promote):
		return refuse(ReasonWider, "%s: %s@%s may do more than what runs: look at the diff, then approve or abort", v, name, r.To.Version)
	case r.Step > 0 && v == Approve:
		return refuse(ReasonNotNow, "%s: the rollout of %s@%s needs none: it is %s (%s)", v, name, r.To.Version, r.State, r.Reason)
	}
	return nil
}

func verbs() string {
	list := slices.Sorted(maps.Keys(hears))
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = string(v)
	}
	return strings.Join(names, ", ")
}

// Allow takes a digest off the deny list.
func (p Plan) Allow(digest string) (Plan, audit.Entry, error) {
	if p.Denied[digest] == "" {
		err := refuse(ReasonNotNow, "allow: %.80q is not denied", digest)
		return p, entry("allow", digest, err, "", ""), err
	}
	next := p
	next.Denied = maps.Clone(p.Denied)
	delete(next.Denied, digest)
	return next, entry("allow", digest, nil, ReasonByHand, ""), nil
}
