package spore

import (
	"context"

	"github.com/hive-spore/hive"
)

// SetSource replaces where a spore's skills come from.
func (s *Spore) SetSource(source Source) { s.shelf.source = source }

// Forget has a spore lose sight of an attempt, as if it had never begun or were
// over. It reports whether the spore saw it.
func (s *Spore) Forget(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, held := s.held[id]
	delete(s.held, id)
	return held
}

// Program is what attempts of a skill run that begin now.
func (s *Spore) Program(ctx context.Context, ref hive.SkillRef) (*Program, error) {
	r, err := s.shelf.take(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer s.shelf.give(r)
	return r.program, nil
}

// Look has a spore look at the commands that the road keeps.
func (s *Spore) Look() { s.control.look() }

// Judged is how many envelopes are remembered.
func (s *Spore) Judged() int {
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	return len(s.control.judged.of)
}
