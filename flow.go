package hive

import (
	"fmt"
	"regexp"
	"time"
)

// Scope says which tasks something is about: those of a skill, whatever its version, those
// of a tenant, or all.
type Scope struct {
	Skill  string // a name; at most one of the two is given
	Tenant string
}

// Validate reports everything that is wrong with the scope.
func (s Scope) Validate() error {
	switch {
	case s.Skill != "" && s.Tenant != "":
		return fmt.Errorf("skill %.80q and tenant %.80q: want one of them", s.Skill, s.Tenant)
	case s.Skill != "":
		return CheckSkillName(s.Skill)
	case s.Tenant != "":
		return CheckTenant(s.Tenant)
	}
	return nil
}

// String is the scope for people.
func (s Scope) String() string {
	switch {
	case s.Skill != "":
		return "skill " + s.Skill
	case s.Tenant != "":
		return "tenant " + s.Tenant
	}
	return "everything"
}

// Pause keeps tasks of a scope from being given to spores. What a spore holds already goes
// on.
type Pause struct {
	Scope
	Since time.Time
	Until time.Time // zero: until it is resumed
}

// MaxWeight bounds a tenant's weight; one that has none has 1.
const MaxWeight = 1000

// CheckWeight reports a weight that no tenant can have.
func CheckWeight(n int) error {
	if n < 1 || n > MaxWeight {
		return fmt.Errorf("weight %d: want 1 to %d", n, MaxWeight)
	}
	return nil
}

var tenantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// CheckTenant reports a name that no tenant can have. Who names none is a tenant as well,
// whose name is empty.
func CheckTenant(name string) error {
	if name != "" && !tenantName.MatchString(name) {
		return fmt.Errorf("tenant %.80q: want 1 to 63 letters, digits, '.', '_' and '-', beginning with a letter or digit", name)
	}
	return nil
}

// Flow is what holds tasks back on the whole road, and how tenants share it.
type Flow struct {
	At      time.Time // when it was so, by Redis' clock
	Pauses  map[Scope]Pause
	Weights map[string]int // of tenants that do not weigh 1
	Limits  map[LimitScope]Limit
}

// Paused returns the pause that keeps a task of a skill and a tenant back, the widest if
// there are several.
func (f *Flow) Paused(skill, tenant string) (Pause, bool) { return f.PausedAt(skill, tenant, f.At) }

// PausedAt is Paused at another time.
func (f *Flow) PausedAt(skill, tenant string, at time.Time) (Pause, bool) {
	for _, s := range []Scope{{}, {Skill: skill}, {Tenant: tenant}} {
		if p, is := f.Pauses[s]; is && !p.Over(at) {
			return p, true
		}
	}
	return Pause{}, false
}

// Over reports whether the pause has ended by itself.
func (p Pause) Over(at time.Time) bool { return !p.Until.IsZero() && !at.Before(p.Until) }

// String says for people what is paused, and until when.
func (p Pause) String() string {
	text := p.Scope.String() + " is paused"
	if p.Until.IsZero() {
		return text
	}
	return text + " until " + p.Until.UTC().Format(time.RFC3339)
}

// Weight is that of a tenant.
func (f *Flow) Weight(tenant string) int { return max(1, f.Weights[tenant]) }
