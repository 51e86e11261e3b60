package spore

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime"
)

// A skill is offered when it was prepared here once. New ones are before they are on the
// shelf; those that a spore has on disk when it starts, by warm: the first tasks of one
// whose code has to be compiled anew are not to pay for that with their failures.

const (
	// cannotFor is how long a program that cannot run is not compiled again, however
	// often somebody says that there is something new.
	cannotFor = time.Minute
	// failedFor is that of one that was not prepared for another reason, the first time;
	// each time it is twice as long.
	failedFor = 5 * time.Second
)

type cannot struct {
	err   error
	until time.Time
	long  time.Duration
}

// fails notes that a skill cannot be prepared for some time, which it returns.
func (s *shelf) fails(skill *hive.Skill, err error) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	long := min(max(failedFor, 2*s.cannot[skill].long), cannotFor)
	if _, refused := errors.AsType[*runtime.Refusal](err); refused {
		long = cannotFor
	}
	s.cannot[skill] = cannot{err, time.Now().Add(long), long}
	return long
}

// prove notes that a skill can run here.
func (s *shelf) prove(skill *hive.Skill) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.proven[skill] {
		s.proven[skill] = true
		s.proved()
	}
}

// ids lists the skills the spore offers.
func (s *shelf) ids() []hive.SkillID {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]hive.SkillID, 0, len(s.skills))
	for _, skill := range s.skills {
		if s.proven[skill] {
			ids = append(ids, skill.ID())
		}
	}
	return ids
}

// preparingNow lists the skills that are to be offered when they are prepared.
func (s *shelf) preparingNow() (ids []hive.SkillID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, skill := range slices.Concat(s.skills, s.ahead) {
		if s.ready[skill] != nil && !s.proven[skill] {
			ids = append(ids, skill.ID())
		}
	}
	return ids
}

// unproven is a skill on the shelf that is not offered yet and may be prepared now; nil:
// none, until so much later.
func (s *shelf) unproven(now time.Time) (next *hive.Skill, later time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	later = cannotFor
	for _, skill := range s.skills {
		if s.proven[skill] {
			continue
		}
		wait := s.cannot[skill].until.Sub(now)
		if wait <= 0 {
			return skill, 0
		}
		later = min(later, wait)
	}
	return nil, later
}

// warm prepares what is on the shelf and not offered yet.
func (s *Spore) warm() {
	for s.life.Err() == nil {
		skill, later := s.shelf.unproven(time.Now())
		if skill != nil {
			s.prove(skill)
			continue
		}
		select {
		case <-s.stock:
		case <-time.After(later):
		case <-s.life.Done():
		}
	}
}

// prove prepares a skill, or notes why it cannot be.
func (s *Spore) prove(skill *hive.Skill) {
	id := skill.ID()
	r, err := s.shelf.take(s.life, hive.SkillRef{Name: id.Name, Pin: id.Version})
	if err == nil {
		s.shelf.give(r)
		if r.skill != skill { // a newer one has its place
			err = fmt.Errorf("%s: %w", id, errNoSkill)
		}
	}
	if err == nil || s.life.Err() != nil {
		return
	}
	again := s.shelf.fails(skill, err)
	if !errors.Is(err, errNoSkill) {
		s.opts.Log.Warn("cannot prepare skill", "skill", id.String(), "again_in", again, "error", err)
	}
}
