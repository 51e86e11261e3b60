package spore

import (
	"context"

	"github.com/hive-spore/hive"
)

// Compile has a spore prepare a skill whose program comes from read.
func (s *Spore) Compile(skill *hive.Skill, read func(context.Context, string) ([]byte, error)) {
	s.shelf.mu.Lock()
	defer s.shelf.mu.Unlock()
	s.shelf.claimed(context.Background(), skill, read)
}

// Bundles is where the spore's skills come from.
func (s *Spore) Bundles() *Updater { return s.bundles }

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
