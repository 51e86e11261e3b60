package ota

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hive-spore/hive/bundle"
)

// maxGeneration leaves room for those that follow it.
const maxGeneration = 1 << 53

// check reports a plan that no decision can have made: somebody wrote in its file.
func (p Plan) check() error {
	if p.Generation < 0 || p.Generation > maxGeneration {
		return fmt.Errorf("generation %d: want 0 to %d", p.Generation, int64(maxGeneration))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Bundles)) {
		if err := p.Bundles[name].check(name); err != nil {
			return fmt.Errorf("bundle %.80q: %w", name, err)
		}
	}
	return nil
}

func (l Line) check(name string) error {
	refs := slices.Clone(l.Pins)
	if l.Current != nil {
		refs = append(refs, *l.Current)
	}
	if len(l.Pins) > maxPins {
		return fmt.Errorf("%d pins, at most %d allowed", len(l.Pins), maxPins)
	}
	if r := l.Rollout; r != nil {
		if err := r.check(); err != nil {
			return fmt.Errorf("rollout: %w", err)
		}
		if refs = append(refs, r.To); r.From != nil {
			refs = append(refs, *r.From)
		}
	}
	for _, ref := range refs {
		if err := bundle.CheckRun(name, ref); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rollout) check() error {
	if err := errors.Join(checkSteps(r.Steps), r.Rules.check()); err != nil {
		return err
	}
	switch r.State {
	case Running, Paused, Held, RolledBack, Done, Aborted:
	default:
		return fmt.Errorf("state %.80q: there is none of that name", r.State)
	}
	if r.Step < 0 || r.Step > len(r.Steps) {
		return fmt.Errorf("step %d of %d", r.Step, len(r.Steps))
	}
	return nil
}
