package ota

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// Step is how far a new version goes: to the first percent of a bundle's cohorts, or
// to the spores with some tags. What an earlier step reached, later ones keep.
type Step struct {
	Percent  int           // 1..100; 0: the step goes by tags
	Selector hive.Selector // empty: the step goes by percent
}

// Bounds of a rollout's steps.
const (
	maxSteps = 16
	// maxRest bounds the selectors that together mean "all others".
	maxRest = 64
)

// DefaultSteps are a canary, a quarter, and all.
func DefaultSteps() []Step { return []Step{{Percent: 5}, {Percent: 25}, {Percent: 100}} }

// ParseStep reads "25%" or a selector.
func ParseStep(s string) (Step, error) {
	if number, ok := strings.CutSuffix(s, "%"); ok {
		percent, err := strconv.Atoi(number)
		if err != nil || percent < 1 || percent > 100 {
			return Step{}, fmt.Errorf("step %.40q: want 1%% to 100%%, or tags as zone=eu", s)
		}
		return Step{Percent: percent}, nil
	}
	sel, err := hive.ParseSelector(s)
	if err == nil && len(sel) == 0 {
		err = errors.New("want 1% to 100%, or tags as zone=eu")
	}
	if err != nil {
		return Step{}, fmt.Errorf("step %.40q: %w", s, err)
	}
	return Step{Selector: sel}, nil
}

// String is what ParseStep reads.
func (s Step) String() string {
	if len(s.Selector) > 0 {
		return s.Selector.String()
	}
	return strconv.Itoa(s.Percent) + "%"
}

// MarshalText writes what ParseStep reads.
func (s Step) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a step as ParseStep does.
func (s *Step) UnmarshalText(text []byte) (err error) {
	*s, err = ParseStep(string(text))
	return err
}

// checkSteps reports steps that do not only grow, or do not end with everybody.
func checkSteps(steps []Step) error {
	if len(steps) == 0 || len(steps) > maxSteps || steps[len(steps)-1].Percent != 100 {
		return fmt.Errorf("want 1 to %d steps, and 100%% as the last", maxSteps)
	}
	percent := 0
	for i, s := range steps {
		if again, err := ParseStep(s.String()); err != nil {
			return err
		} else if again.String() != s.String() || s.Percent != 0 && len(s.Selector) > 0 {
			return fmt.Errorf("step %d: want a percentage or tags", i+1)
		}
		if s.Percent != 0 && s.Percent <= percent {
			return fmt.Errorf("step %d: %s after %d%%; steps only grow", i+1, s, percent)
		}
		percent = max(percent, s.Percent)
	}
	_, err := others(selectors(steps))
	return err
}

func selectors(steps []Step) (list []hive.Selector) {
	for _, s := range steps {
		if len(s.Selector) > 0 {
			list = append(list, s.Selector)
		}
	}
	return list
}

// spread gives to to the spores that some steps reach, and from to all others.
func spread(name string, from *bundle.Ref, to bundle.Ref, steps []Step) (list []bundle.Assignment) {
	percent := 0
	for _, s := range steps {
		percent = max(percent, s.Percent)
	}
	chosen, seen := selectors(steps), map[string]bool{}
	if percent == 100 {
		chosen = nil
	}
	give := func(sel hive.Selector, percent int, before *bundle.Ref) {
		// What has the tags of a step and is among the others at once is nobody.
		if text := sel.String(); !seen[text] {
			seen[text] = true
			list = append(list, bundle.Assignment{Bundle: name, Version: to.Version, Digest: to.Digest, Selector: sel, Percent: percent, Previous: before})
		}
	}
	for _, sel := range chosen {
		give(sel, 100, nil)
	}
	rest, _ := others(chosen) // checked when the rollout began
	for _, sel := range rest {
		give(sel, percent, from)
	}
	return list
}

// others are selectors of which each spore that matches none of list meets one or
// more, and no other spore any. Of an empty list that is one which all meet.
func others(list []hive.Selector) ([]hive.Selector, error) {
	texts := []string{""}
	for _, sel := range list {
		var next []string
		for _, r := range sel {
			opposite, err := not(r)
			if err != nil {
				return nil, err
			}
			for _, text := range texts {
				next = append(next, strings.TrimPrefix(text+","+opposite.String(), ","))
			}
		}
		if texts = next; len(texts) > maxRest {
			return nil, fmt.Errorf("steps by tags: %d requirements in combination, at most %d allowed", len(texts), maxRest)
		}
	}
	rest := make([]hive.Selector, len(texts))
	for i, text := range texts {
		var err error
		if rest[i], err = hive.ParseSelector(text); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// opposites are the operators of which a tag, or its absence, meets exactly one.
var opposites = [][2]hive.Op{{hive.OpEqual, hive.OpNotEqual}, {hive.OpIn, hive.OpNotIn}, {hive.OpExists, hive.OpAbsent}}

// not is what a spore meets that does not meet r.
func not(r hive.Requirement) (hive.Requirement, error) {
	for _, pair := range opposites {
		if i := slices.Index(pair[:], r.Op); i >= 0 {
			return hive.Requirement{Key: r.Key, Op: pair[1-i], Values: r.Values}, nil
		}
	}
	return r, fmt.Errorf("step %s: steps go by =, !=, in, notin and tags that are there or not; a tag that is no number is on neither side of %s", r, r.Op)
}
