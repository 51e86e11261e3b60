package bundle

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// Bounds of an assignment set.
const (
	maxSet         = 1 << 20 // bytes of its JSON
	maxAssignments = 4096
)

// maxSkew is how far ahead the clock of a nexus may be.
const maxSkew = 30 * time.Second

// AssignmentSet is what a nexus signs: which bundle versions which spores are to
// run. It chooses among bundles that the publisher signed, and can add none.
type AssignmentSet struct {
	Generation  int64        `json:"generation"` // rises with every set, from 1
	Issued      time.Time    `json:"issued"`     // UTC
	Expires     time.Time    `json:"expires"`    // UTC; an expired set changes nothing any more
	Assignments []Assignment `json:"assignments"`
}

// Assignment gives one version of a bundle to the spores that have the tags and
// are among the first percent of the bundle's cohorts. A spore runs what all
// assignments give it: several versions of a bundle may run side by side.
type Assignment struct {
	Bundle   string        `json:"bundle"`
	Version  string        `json:"version"`
	Digest   string        `json:"digest"` // of the bundle's manifest
	Selector hive.Selector `json:"selector,omitempty"`
	Percent  int           `json:"percent"`            // 0..100
	Previous *Ref          `json:"previous,omitempty"` // what spores with the tags run that are not among them; nil: nothing
}

// Ref is one version of a bundle.
type Ref struct {
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// Run is a bundle version that a spore is to run.
type Run struct {
	Bundle string `json:"bundle"`
	Ref
}

// String names the version: "scan@1.3.0".
func (r Run) String() string { return r.Bundle + "@" + r.Version }

// Spore is what an assignment or a command goes by.
type Spore struct {
	ID   string
	Tags hive.Tags
}

// Cohort places a spore in one of a bundle's 100 cohorts, 0 to 99, for ever: a
// larger percentage only adds spores. The version has no part in it, but the bundle
// has, so that the first spores are not the same ones for all bundles.
func Cohort(bundle, spore string) int {
	sum := sha256.Sum256([]byte(bundle + "\x00" + spore))
	return int(binary.BigEndian.Uint64(sum[:]) % 100)
}

// For returns what a spore is to run, by bundle and version, each once.
func (s *AssignmentSet) For(me Spore) []Run {
	var runs []Run
	for i := range s.Assignments {
		a := &s.Assignments[i]
		switch {
		case !a.Selector.Matches(me.Tags):
		case Cohort(a.Bundle, me.ID) < a.Percent:
			runs = append(runs, Run{a.Bundle, Ref{a.Version, a.Digest}})
		case a.Previous != nil:
			runs = append(runs, Run{a.Bundle, *a.Previous})
		}
	}
	slices.SortFunc(runs, func(a, b Run) int {
		if c := strings.Compare(a.Bundle, b.Bundle); c != 0 {
			return c
		}
		return hive.CompareVersions(a.Version, b.Version)
	})
	return slices.Compact(runs)
}

// Decide returns what a spore is to run from now on and the highest generation it
// has seen, which it must make last before it acts. With an error both are what was
// given: a set that is refused stops a change, and never what runs.
//
// A floor belongs to the nexus keys of its time. Who keeps it begins anew at 0 when
// the publisher replaces those: else a stolen key could raise it out of reach.
func (s *AssignmentSet) Decide(me Spore, running []Run, floor int64, now time.Time) ([]Run, int64, error) {
	if err := s.check(floor, now); err != nil {
		return running, floor, err
	}
	return s.For(me), s.Generation, nil
}

// check reports a set that must not change anything at a time.
func (s *AssignmentSet) check(floor int64, now time.Time) error {
	what := fmt.Sprintf("assignment set %d", s.Generation)
	switch {
	case s.Generation < floor:
		return refuse(ReasonRollback, what, fmt.Errorf("generation %d was seen", floor))
	case !now.Before(s.Expires):
		return refuse(ReasonExpired, what, fmt.Errorf("at %s", s.Expires.Format(time.RFC3339)))
	case s.Issued.After(now.Add(maxSkew)):
		return refuse(ReasonFuture, what, fmt.Errorf("it was issued at %s", s.Issued.Format(time.RFC3339)))
	}
	return nil
}

// Sign returns the set in an envelope that ReadAssignments reads.
func (s *AssignmentSet) Sign(key crypto.Signer) ([]byte, error) {
	payload, err := spell(s, new(AssignmentSet), maxSet)
	if err != nil {
		return nil, refuse(ReasonInvalid, "the assignment set", err)
	}
	return Sign(TypeAssignments, payload, key)
}

// ReadAssignments reads a set that one of keys signed. Whether it may change
// anything is for Decide to say.
func ReadAssignments(envelope []byte, keys []ed25519.PublicKey) (*AssignmentSet, error) {
	payload, err := Verify(envelope, keys, TypeAssignments)
	if err != nil {
		return nil, err
	}
	s := new(AssignmentSet)
	if err := parse(payload, s, maxSet); err != nil {
		return nil, refuse(ReasonUnparsable, "the assignment set", err)
	}
	return s, nil
}

func (s *AssignmentSet) validate() error {
	if s.Generation < 1 {
		return fmt.Errorf("generation %d: want 1 or more", s.Generation)
	}
	if err := checkTimes(s.Issued, s.Expires); err != nil {
		return err
	}
	if n := len(s.Assignments); n > maxAssignments {
		return fmt.Errorf("%d assignments, at most %d allowed", n, maxAssignments)
	}
	digests, seen := map[string]string{}, map[string]bool{}
	for i := range s.Assignments {
		a := &s.Assignments[i]
		if err := a.validate(digests); err != nil {
			return fmt.Errorf("assignment %d: %w", i+1, err)
		}
		key := a.Bundle + "@" + a.Version + " " + a.Selector.String()
		if seen[key] {
			return fmt.Errorf("assignment %d: %s@%s is assigned twice to the same spores", i+1, a.Bundle, a.Version)
		}
		seen[key] = true
	}
	return nil
}

// validate reports what is wrong with an assignment. digests are those of the
// versions seen before: a version has one.
func (a *Assignment) validate(digests map[string]string) error {
	if a.Percent < 0 || a.Percent > 100 {
		return fmt.Errorf("percent %d: want 0 to 100", a.Percent)
	}
	refs := []Ref{{a.Version, a.Digest}}
	if a.Previous != nil {
		refs = append(refs, *a.Previous)
	}
	for _, r := range refs {
		if err := CheckRun(a.Bundle, r); err != nil {
			return err
		}
		name := a.Bundle + "@" + r.Version
		if known := digests[name]; known != "" && known != r.Digest {
			return fmt.Errorf("%s has two digests", name)
		}
		digests[name] = r.Digest
	}
	return nil
}

// CheckRun reports what is no version of a bundle.
func CheckRun(name string, r Ref) error {
	if !strings.HasPrefix(r.Digest, "sha256:") {
		return fmt.Errorf("digest %.80q: want sha256: and 64 lower-case hex digits", r.Digest)
	}
	if err := (hive.SkillRef{Name: name, Pin: r.Digest}).Validate(); err != nil {
		return err
	}
	return hive.CheckVersion(r.Version)
}

// checkTimes reports when something would be valid at no time, or times that have
// more than one spelling.
func checkTimes(issued, expires time.Time) error {
	if issued.Location() != time.UTC || expires.Location() != time.UTC {
		return errors.New("issued and expires: want UTC")
	}
	if !expires.After(issued) {
		return errors.New("expires: want a time after issued")
	}
	return nil
}
