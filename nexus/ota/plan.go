// Package ota decides which spores run which version of a bundle, and serves and
// seals the repository that they get it from.
package ota

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// UpdateEvery is the least time between two updates of a bundle. Going back is exempt.
const UpdateEvery = time.Hour

// What a plan may come to, so that its set can always be signed: an assignment set
// has at most 1 MiB and 4096 assignments.
const (
	maxPlan        = 900 << 10 // bytes of its assignments
	maxAssignments = 4096
)

// Plan is all that was decided. It is a value: what changes it returns the next plan,
// and the entry that tells the audit log of it, whose actor the caller fills in.
type Plan struct {
	Generation int64             `json:"generation"` // of the set that is to be signed; 0: none
	Bundles    map[string]Line   `json:"bundles,omitempty"`
	Denied     map[string]string `json:"denied,omitempty"` // digests that no rollout may have, and why
}

// Line is one bundle.
type Line struct {
	Current *bundle.Ref  `json:"current,omitempty"` // what spores run that no rollout says otherwise to; nil: nothing
	Updated time.Time    `json:"updated"`           // when its last rollout reached the first spore
	Rollout *Rollout     `json:"rollout,omitempty"` // the last one
	Pins    []bundle.Ref `json:"pins,omitempty"`    // what all spores run beside it
	Until   time.Time    `json:"until,omitzero"`    // when it goes by itself; zero: never
}

// Refusal is what was asked for and is not done: the plan is as before.
type Refusal struct{ Reason, Text string }

// Error returns one line.
func (r *Refusal) Error() string { return r.Text }

func refuse(reason, format string, args ...any) error {
	return &Refusal{reason, fmt.Sprintf(format, args...)}
}

// Request is a rollout that somebody wants.
type Request struct {
	Bundle  *bundle.Bundle
	Running *bundle.Bundle // the version that the plan has as current; nil: none
	Steps   []Step         // none: DefaultSteps
	Rules   Rules          // zero: DefaultRules
	// Every is the least time between two updates of the bundle; 0: UpdateEvery,
	// less: none.
	Every time.Duration
}

// Start begins a rollout with its first step, or holds it for approval when a skill
// may do more than in the version that runs.
func (p Plan) Start(q Request, now time.Time) (Plan, audit.Entry, error) {
	if len(q.Steps) == 0 {
		q.Steps = DefaultSteps()
	}
	if q.Rules == (Rules{}) {
		q.Rules = DefaultRules()
	}
	if q.Bundle == nil {
		q.Bundle = &bundle.Bundle{}
	}
	to := refOf(q.Bundle)
	line := p.Bundles[q.Bundle.Name]
	if err := p.admits(q, line, to, now); err != nil {
		return p, entry("start", q.Bundle.String(), err, "", ""), err
	}
	r := Rollout{From: line.Current, To: to, Steps: slices.Clone(q.Steps), Rules: q.Rules, State: Held, Reason: ReasonWider}
	if q.Running == nil || !bundle.Diff(q.Running, q.Bundle).Wider() {
		r.begin("", now)
		line.Updated = now
	}
	line.Rollout = &r
	next := p.with(q.Bundle.Name, line, now)
	if err := next.fits(); err != nil {
		return p, entry("start", q.Bundle.String(), err, "", ""), err
	}
	return next, entry("start", q.Bundle.String(), nil, r.Reason, ""), nil
}

func (p Plan) admits(q Request, line Line, to bundle.Ref, now time.Time) error {
	name, since := q.Bundle.Name, now.Sub(line.Updated)
	every := cmp.Or(q.Every, UpdateEvery)
	switch {
	case to.Digest == "":
		_, err := q.Bundle.Encode()
		return refuse(ReasonInvalid, "rollout: %v", err)
	case (q.Running == nil) != (line.Current == nil) || q.Running != nil && (q.Running.Name != name || refOf(q.Running) != *line.Current):
		return refuse(ReasonInvalid, "rollout of %s: it is compared with another version than the one that runs", name)
	case line.Rollout != nil && !line.Rollout.Ended():
		return refuse(ReasonInProgress, "rollout of %s: that of %s is %s; promote, abort or roll it back first", name, line.Rollout.To.Version, line.Rollout.State)
	case line.Current != nil && line.Current.Version == to.Version:
		return refuse(ReasonInvalid, "rollout of %s: %s runs already", name, to.Version)
	case line.other(to):
		return refuse(ReasonInvalid, "rollout of %s@%s: another digest of this version is pinned: unpin it, or raise the version", name, to.Version)
	case p.Denied[to.Digest] != "":
		return refuse(ReasonDenied, "rollout of %s@%s: it was rolled back before (%s)", name, to.Version, p.Denied[to.Digest])
	case !line.Updated.IsZero() && since < every:
		return refuse(ReasonRateLimited, "rollout of %s: it was updated %s ago, and is at most every %s; try again at %s",
			name, max(since, 0).Round(time.Second), every, line.Updated.Add(every).UTC().Format(time.RFC3339))
	}
	if err := checkSteps(q.Steps); err != nil {
		return refuse(ReasonInvalid, "rollout of %s: %v", name, err)
	}
	if err := q.Rules.check(); err != nil {
		return refuse(ReasonInvalid, "rollout of %s: %v", name, err)
	}
	return nil
}

// Advance looks at a window of a bundle's rollout. Without one that somebody has, or
// where nothing changes, told is false.
func (p Plan) Advance(name string, w Window, now time.Time) (next Plan, e audit.Entry, told bool) {
	line := p.Bundles[name]
	if line.Rollout == nil || line.Rollout.Ended() || line.Rollout.Step == 0 {
		return p, e, false
	}
	r, text := line.Rollout.advance(w, now)
	if r.State == line.Rollout.State && r.Reason == line.Rollout.Reason && r.Step == line.Rollout.Step {
		return p, e, false
	}
	verb := map[State]string{Running: "go_on", Held: "hold", RolledBack: "rollback", Done: "done"}[r.State]
	if r.Step > line.Rollout.Step {
		verb = "step"
	}
	line.Rollout = &r
	next = p.with(name, line, now)
	return next, entry(verb, name+"@"+r.To.Version, nil, r.Reason, text), true
}

// with is the plan with a rollout that came as far as its state says. The generation
// rises where spores are to do something else.
func (p Plan) with(name string, line Line, now time.Time) Plan {
	r := line.Rollout
	switch r.State {
	case Done:
		line.Current = &r.To
	case RolledBack, Aborted:
		line.Current = r.From
	}
	if r.State == RolledBack {
		line.Pins = slices.DeleteFunc(slices.Clone(line.Pins), func(pin bundle.Ref) bool { return pin.Digest == r.To.Digest })
	}
	next := p.put(name, line, now)
	if r.State == RolledBack {
		next.Denied[r.To.Digest] = r.Reason
	}
	return next
}

// put is the plan with a line in the place of what it was.
func (p Plan) put(name string, line Line, now time.Time) Plan {
	next := Plan{p.Generation, maps.Clone(p.Bundles), maps.Clone(p.Denied)}
	if next.Bundles == nil {
		next.Bundles = map[string]Line{}
	}
	if next.Denied == nil {
		next.Denied = map[string]string{}
	}
	next.Bundles[name] = line
	if !reflect.DeepEqual(p.Bundles[name].assignments(name), line.assignments(name)) {
		next.Generation = p.after(now)
	}
	return next
}

// after is the next generation: above all that was signed before a plan that came
// back from a backup.
func (p Plan) after(now time.Time) int64 { return max(p.Generation+1, now.Unix()) }

// Set is what is to be signed, for a time. Without a generation there is nothing.
func (p Plan) Set(now time.Time, life time.Duration) *bundle.AssignmentSet {
	issued := now.UTC().Truncate(time.Second)
	set := &bundle.AssignmentSet{Generation: p.Generation, Issued: issued, Expires: issued.Add(life)}
	for _, name := range slices.Sorted(maps.Keys(p.Bundles)) {
		set.Assignments = append(set.Assignments, p.Bundles[name].assignments(name)...)
	}
	return set
}

func (l Line) assignments(name string) (list []bundle.Assignment) {
	r, taken := l.Rollout, ""
	switch {
	case r != nil && !r.Ended() && r.Step > 0:
		list, taken = spread(name, r.From, r.To, r.Steps[:r.Step]), r.To.Version
	case l.Current != nil:
		list, taken = everybody(name, *l.Current), l.Current.Version
	}
	return append(list, l.pinned(name, taken)...)
}

// pinned are the assignments of what is kept beside the version that is taken.
func (l Line) pinned(name, taken string) (list []bundle.Assignment) {
	for _, pin := range l.Pins {
		if pin.Version != taken {
			list = append(list, everybody(name, pin)...)
		}
	}
	return list
}

func everybody(name string, to bundle.Ref) []bundle.Assignment {
	return spread(name, nil, to, []Step{{Percent: 100}})
}

// fits reports a plan of which some step may be more than can be signed.
func (p Plan) fits() error {
	bytes, count := 0, 0
	for name, line := range p.Bundles {
		most, many := measure(line.assignments(name))
		if r := line.Rollout; r != nil && !r.Ended() {
			for i := range r.Steps {
				size, n := measure(append(spread(name, r.From, r.To, r.Steps[:i+1]), line.pinned(name, r.To.Version)...))
				most, many = max(most, size), max(many, n)
			}
		}
		bytes, count = bytes+most, count+many
	}
	if bytes > maxPlan || count > maxAssignments {
		return refuse(ReasonInvalid, "rollout: with %d assignments of %d bytes there are more than can be signed; at most %d of %d", count, bytes, maxAssignments, maxPlan)
	}
	return nil
}

func measure(list []bundle.Assignment) (bytes, count int) {
	data, _ := json.Marshal(list) // of texts and numbers alone
	return len(data), len(list)
}

func refOf(b *bundle.Bundle) bundle.Ref { return bundle.Ref{Version: b.Version, Digest: b.Digest()} }

// entry tells of a verb. With an error it was refused.
func entry(verb, subject string, err error, reason, text string) audit.Entry {
	e := audit.Entry{Action: "rollout." + verb, Subject: subject, Outcome: audit.OK, Reason: reason}
	if refusal, ok := err.(*Refusal); ok {
		e.Outcome, e.Reason, text = audit.Refused, refusal.Reason, refusal.Text
	}
	if text != "" {
		e.Fields = map[string]string{"text": text}
	}
	return e
}

// String says where a rollout is: "held, step 1 of 3, too_few_tasks".
func (r *Rollout) String() string {
	text := fmt.Sprintf("%s, step %d of %d", r.State, r.Step, len(r.Steps))
	if r.Reason != "" {
		text += ", " + r.Reason
	}
	return text
}
