package ota

import (
	"errors"
	"fmt"
	"time"

	"github.com/hive-spore/hive/bundle"
)

// State is where a rollout is.
type State string

// The states. The last three are ends.
const (
	Running    State = "running"     // goes on when its gate opens
	Paused     State = "paused"      // a person said so
	Held       State = "held"        // its reason says for what
	RolledBack State = "rolled_back" // the old version is back, the new one denied
	Done       State = "done"        // the new version is everybody's
	Aborted    State = "aborted"     // the old version is back, of the new one nothing is said
)

// Reasons, one word each. The list only grows.
const (
	ReasonTooFewTasks = "too_few_tasks" // of one of the versions: nothing can be said yet
	ReasonNoSpores    = "no_spores"     // nobody reported the new version
	ReasonBehind      = "spores_behind" // the last step, and some still report the old version
	ReasonDeadline    = "deadline"      // a step took too long: a person decides
	ReasonWider       = "wider_grants"  // it asks for more than what runs: a person decides
	ReasonTraps       = "trap_rate"
	ReasonErrors      = "error_rate"
	ReasonSlow        = "p95"

	ReasonByHand      = "by_hand"
	ReasonExpired     = "expired"      // its time was over
	ReasonInProgress  = "in_progress"  // one rollout per bundle
	ReasonRateLimited = "rate_limited" // one update an hour
	ReasonDenied      = "denied"       // it was rolled back before
	ReasonNotNow      = "not_now"      // not in this state
	ReasonInvalid     = "invalid"
)

// Rules are what a new version has to meet. Rates are shares of 1.
type Rules struct {
	MinTasks   int           `json:"min_tasks"`   // of each version, before anything is said
	MoreErrors float64       `json:"more_errors"` // by which the share of failed tasks may exceed the old version's
	MoreTraps  float64       `json:"more_traps"`  // the same of tasks that trapped
	Slower     float64       `json:"slower"`      // p95 may be so many times the old one,
	Slack      time.Duration `json:"slack"`       // and that much more
	Soak       time.Duration `json:"soak"`        // a step lasts at least so long
	Deadline   time.Duration `json:"deadline"`    // and is held for a person after that
}

// DefaultRules take three failed tasks of a hundred, or two traps, for a bad sign.
func DefaultRules() Rules {
	return Rules{MinTasks: 100, MoreErrors: 0.02, MoreTraps: 0.01, Slower: 1.5, Slack: 5 * time.Millisecond, Soak: time.Minute, Deadline: time.Hour}
}

func (r Rules) check() error {
	share := func(f float64) bool { return f >= 0 && f <= 1 } // false for NaN
	switch {
	case r.MinTasks < 1:
		return errors.New("rules: min_tasks: want 1 or more: silence never promotes")
	case !share(r.MoreErrors) || !share(r.MoreTraps):
		return errors.New("rules: more_errors, more_traps: want 0 to 1")
	case !(r.Slower >= 1 && r.Slower <= 1000) || r.Slack < 0:
		return errors.New("rules: slower: want 1 to 1000, and slack 0 or more")
	case r.Soak < 0 || r.Deadline <= r.Soak:
		return errors.New("rules: want a deadline that is longer than soak")
	}
	return nil
}

// Window is what was seen of two versions in one stretch of time, at most as long as
// the step: they are only compared where they had the same weather.
type Window struct {
	Old Seen `json:"old"`
	New Seen `json:"new"`
}

// Seen is what one version did.
type Seen struct {
	Tasks  int           `json:"tasks"`  // that ended
	Errors int           `json:"errors"` // of them, failed
	Traps  int           `json:"traps"`  // of them, with a trap
	P95    time.Duration `json:"p95"`    // of what they took
	Spores int           `json:"spores"` // that report the version now
}

// Rollout brings one version of a bundle to all spores in steps.
type Rollout struct {
	From    *bundle.Ref `json:"from,omitempty"` // nil: the bundle is new
	To      bundle.Ref  `json:"to"`
	Steps   []Step      `json:"steps"`
	Step    int         `json:"step"` // steps that began; 0: nobody has it
	State   State       `json:"state"`
	Reason  string      `json:"reason,omitempty"` // why it is in this state; one of the reasons
	Stepped time.Time   `json:"stepped"`          // when the step began or was resumed
	Rules   Rules       `json:"rules"`
	// Base is the old version in the last window in which there was enough of it. In
	// the last step nobody runs it any more.
	Base *Seen `json:"base,omitempty"`
}

// Ended reports whether nothing happens any more by itself.
func (r *Rollout) Ended() bool {
	return r.State == RolledBack || r.State == Done || r.State == Aborted
}

func (r *Rollout) last() bool { return r.Step == len(r.Steps) }

// waiting reports whether a person must decide before anything goes on.
func (r *Rollout) waiting() bool {
	return r.State == Paused || r.State == Held && (r.Reason == ReasonDeadline || r.Reason == ReasonWider)
}

// begin gives the version to the spores of the next step, or says that there is none.
func (r *Rollout) begin(why string, now time.Time) {
	r.State, r.Reason = Running, why
	if r.last() {
		r.State = Done
		return
	}
	r.Step, r.Stepped = r.Step+1, now
}

// advance is what a window makes of a rollout that has not ended and that somebody
// has, and what it saw, for people. A bad version is taken back whoever waits for what.
func (r Rollout) advance(w Window, now time.Time) (Rollout, string) {
	reason, text := r.fails(w)
	if reason != "" {
		r.State, r.Reason = RolledBack, reason
		return r, text
	}
	late := now.Sub(r.Stepped) >= r.Rules.Deadline
	lacks, text := r.lacks(w)
	switch {
	case r.waiting():
		return r, ""
	case lacks != "" && late:
		r.State, r.Reason = Held, ReasonDeadline
		return r, fmt.Sprintf("%s for %s", text, r.Rules.Deadline)
	case lacks != "":
		r.State, r.Reason = Held, lacks
		return r, text
	case now.Sub(r.Stepped) < r.Rules.Soak:
		r.State, r.Reason = Running, ""
		return r, "it is being looked at"
	}
	if w.Old.Tasks >= r.Rules.MinTasks {
		r.Base = &w.Old
	}
	r.begin("", now)
	return r, fmt.Sprintf("%d tasks, %d failed", w.New.Tasks, w.New.Errors)
}

// lacks says what is missing to go on.
func (r *Rollout) lacks(w Window) (reason, text string) {
	least := r.Rules.MinTasks
	switch {
	case w.New.Spores < 1:
		return ReasonNoSpores, "no spore reported " + r.To.Version
	case w.New.Tasks < least:
		return ReasonTooFewTasks, fmt.Sprintf("%d of %d tasks of %s", w.New.Tasks, least, r.To.Version)
	case r.From != nil && !r.last() && w.Old.Tasks < least:
		return ReasonTooFewTasks, fmt.Sprintf("%d of %d tasks of %s", w.Old.Tasks, least, r.From.Version)
	case r.From != nil && r.last() && w.Old.Spores > 0:
		return ReasonBehind, fmt.Sprintf("%d spores report %s", w.Old.Spores, r.From.Version)
	}
	return "", ""
}

// fails says what is worse than the old version, or than nothing that fails where
// there is no old one.
func (r *Rollout) fails(w Window) (reason, text string) {
	old := w.Old
	if old.Tasks < r.Rules.MinTasks {
		switch {
		case r.Base != nil:
			old = *r.Base
		case r.From != nil && !r.last():
			return "", "" // it is held: there is nothing to compare with yet
		default:
			old = Seen{}
		}
	}
	for _, gate := range []struct {
		reason     string
		next, prev int
		more       float64
	}{{ReasonTraps, w.New.Traps, old.Traps, r.Rules.MoreTraps}, {ReasonErrors, w.New.Errors, old.Errors, r.Rules.MoreErrors}} {
		// With few tasks: as if all that are missing went well.
		is, was := share(gate.next, max(w.New.Tasks, r.Rules.MinTasks)), share(gate.prev, old.Tasks)
		if is > was+gate.more {
			return gate.reason, fmt.Sprintf("%d of %d tasks, %d of %d before", gate.next, w.New.Tasks, gate.prev, old.Tasks)
		}
	}
	most := r.Rules.Slower*float64(old.P95) + float64(r.Rules.Slack)
	if w.New.Tasks >= r.Rules.MinTasks && old.Tasks > 0 && float64(w.New.P95) > most {
		return ReasonSlow, fmt.Sprintf("%s, %s before", w.New.P95, old.P95)
	}
	return "", ""
}

// share of n in all, 0 to 1.
func share(n, all int) float64 {
	if n <= 0 || all <= 0 {
		return 0
	}
	return min(float64(n)/float64(all), 1)
}
