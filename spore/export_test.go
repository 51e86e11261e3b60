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

// Play has a spore that was not started run attempts of one skill, until stop is called.
func (s *Spore) Play(ctx context.Context, skill *hive.Skill, program []byte) (stop func()) {
	s.life, s.endLife = context.WithCancelCause(ctx)
	s.attempts, s.endRuns = context.WithCancelCause(ctx)
	s.shelf.put([]*hive.Skill{skill}, nil)
	s.Compile(skill, func(context.Context, string) ([]byte, error) { return program, nil })
	for range s.opts.Slots {
		s.runs.Go(s.slot)
	}
	return func() {
		close(s.begun)
		s.endRuns(errReleased)
		s.runs.Wait()
		s.endLife(errReleased)
	}
}

// RunAll runs attempts, all at once, to their recorded outcomes.
func (s *Spore) RunAll(attempts []hive.Attempt) {
	for _, a := range attempts {
		<-s.slots
		s.begin(a)
	}
	for range s.opts.Slots {
		<-s.slots
	}
	for range s.opts.Slots {
		s.slots <- struct{}{}
	}
}

// RunUnrecorded is one attempt without the road.
func (s *Spore) RunUnrecorded(ctx context.Context, a *hive.Attempt) (hive.Outcome, error) {
	skill, err := s.shelf.take(ctx, a.Task.Skill)
	if err != nil {
		return hive.Outcome{}, err
	}
	defer s.shelf.give(skill)
	out := s.call(ctx, a, skill)
	s.metrics.ended(a.Task.Skill.Name, &out)
	s.seen.ended(&out)
	return out, nil
}
