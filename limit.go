package hive

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// LimitScope says what a limit is about: the tasks of a scope together or, PerKey, those of
// each key by themselves.
type LimitScope struct {
	Scope
	PerKey bool // tasks without a key are free of it then
}

// String is the scope for people.
func (s LimitScope) String() string {
	switch {
	case !s.PerKey:
		return s.Scope.String()
	case s.Scope == Scope{}:
		return "each key"
	}
	return s.Scope.String() + " per key"
}

// Limit bounds tasks on the whole road: how many are given to spores in a time, and how many
// spores hold at once. Of several that are about a task all hold.
type Limit struct {
	LimitScope
	Rate    int           // tasks in Per; 0: any number
	Per     time.Duration // to the millisecond
	Burst   int           // tasks of Rate at once after a time of fewer; 0: those of a tenth of a second
	Running int           // tasks that spores hold; 0: any number
}

// The most that a limit can be about. Tasks of a faster rate than MaxRate a second it would
// not keep apart.
const (
	MaxRate      = 1_000_000
	MaxRunning   = 1_000_000
	MaxLimitTime = 30 * 24 * time.Hour
)

// Validate reports everything that is wrong with the limit.
func (l Limit) Validate() error {
	errs := []error{l.Scope.Validate()}
	add := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	add(l.Rate == 0 && l.Running == 0, "a limit on %s: want a rate, a number that may run, or both", l.LimitScope)
	add(l.Running < 0 || l.Running > MaxRunning, "running %d: want 1 to %d", l.Running, MaxRunning)
	add(l.Rate == 0 && l.Burst != 0, "burst %d: want a rate, too", l.Burst)
	if l.Rate == 0 {
		return errors.Join(errs...)
	}
	if err := l.checkRate(); err != nil {
		return errors.Join(append(errs, err)...)
	}
	add(l.Burst < 0 || l.Burst > l.Rate, "burst %d: want 1 to %d, the tasks of %v", l.Burst, l.Rate, l.Per)
	return errors.Join(errs...)
}

func (l Limit) checkRate() error {
	switch {
	case l.Rate < 0 || l.Rate > MaxRate:
		return fmt.Errorf("rate %d: want 1 to %d tasks", l.Rate, MaxRate)
	case l.Per < time.Millisecond || l.Per > MaxLimitTime || l.Per%time.Millisecond != 0:
		return fmt.Errorf("a rate per %v: want 1ms to %v, in whole milliseconds", l.Per, MaxLimitTime)
	case float64(l.Rate) > MaxRate*l.Per.Seconds():
		return fmt.Errorf("a rate of %d per %v: want at most %d a second", l.Rate, l.Per, MaxRate)
	}
	return nil
}

// within reports whether another limit is about all that this one is, and more.
func (l Limit) within(other Limit) bool {
	return l.LimitScope != other.LimitScope && (other.Scope == Scope{} || other.Scope == l.Scope) && (l.PerKey || !other.PerKey)
}

// Contradicts reports a limit of two that would hold nothing back, as the other one is about
// more tasks and allows fewer.
func (l Limit) Contradicts(other Limit) error {
	if !l.within(other) {
		if !other.within(l) {
			return nil
		}
		l, other = other, l
	}
	switch {
	case other.Running > 0 && l.Running > other.Running:
		return fmt.Errorf("%s: %d running, but %s: %d running; the first would hold nothing back", l.LimitScope, l.Running, other.LimitScope, other.Running)
	case other.Rate > 0 && l.Rate > 0 && l.Interval() < other.Interval():
		return fmt.Errorf("%s: %s, but %s: %s; the first would hold nothing back", l.LimitScope, l.RateText(), other.LimitScope, other.RateText())
	}
	return nil
}

// Interval is the time between two tasks at the limit's rate; 0 if it has none.
func (l Limit) Interval() time.Duration {
	if l.Rate < 1 {
		return 0
	}
	return (l.Per + time.Duration(l.Rate) - 1) / time.Duration(l.Rate)
}

// Depth is the burst, also where none is given; 0 if there is no rate.
func (l Limit) Depth() int {
	if l.Burst > 0 || l.Rate < 1 {
		return l.Burst
	}
	return max(1, int(100*time.Millisecond/l.Interval()))
}

// units are the times that a rate names by a letter.
var units = []struct {
	name string
	time time.Duration
}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}}

// RateText spells the rate as people write it: 100/s.
func (l Limit) RateText() string {
	for _, u := range units {
		switch n := l.Per / u.time; {
		case l.Per%u.time != 0 || n == 0:
		case n == 1:
			return fmt.Sprintf("%d/%s", l.Rate, u.name)
		default:
			return fmt.Sprintf("%d/%d%s", l.Rate, n, u.name)
		}
	}
	return fmt.Sprintf("%d/%v", l.Rate, l.Per)
}

// ParseRate is RateText backwards. It reads also a time as Go spells it: 5/1h30m.
func ParseRate(text string) (rate int, per time.Duration, ok bool) {
	tasks, span, _ := strings.Cut(text, "/")
	rate, errTasks := strconv.Atoi(tasks)
	for _, u := range units {
		if span == u.name {
			return rate, u.time, errTasks == nil
		}
	}
	if days, is := strings.CutSuffix(span, "d"); is {
		n, err := strconv.ParseUint(days, 10, 16)
		return rate, time.Duration(n) * 24 * time.Hour, errTasks == nil && err == nil
	}
	per, err := time.ParseDuration(span)
	return rate, per, errTasks == nil && err == nil
}

var limitKey = regexp.MustCompile(`^[A-Za-z0-9._:/@+=~\[\]-]{1,253}$`)

// CheckKey reports a key that no task can have.
func CheckKey(key string) error {
	if key != "" && !limitKey.MatchString(key) {
		return fmt.Errorf("key %.80q: want 1 to 253 letters, digits and ._:/@+=~[]-", key)
	}
	return nil
}

// LimitsOn returns those of the limits that are about a task.
func (f *Flow) LimitsOn(skill, tenant, key string) []Limit {
	scopes := []Scope{{}}
	if skill != "" {
		scopes = append(scopes, Scope{Skill: skill})
	}
	if tenant != "" {
		scopes = append(scopes, Scope{Tenant: tenant})
	}
	var on []Limit
	for _, s := range scopes {
		for _, perKey := range [...]bool{false, true} {
			if l, is := f.Limits[LimitScope{s, perKey}]; is && (!perKey || key != "") {
				on = append(on, l)
			}
		}
	}
	return on
}
