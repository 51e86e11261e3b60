package spore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime"
)

// errNoSkill says that this spore has no skill a task names (any more).
var errNoSkill = errors.New("no such skill here")

// shelf holds the skills of a spore: what it may run, and what it has prepared.
type shelf struct {
	source *Updater
	engine *runtime.Engine
	tags   hive.Tags
	opts   *Options // what of them is given to skills
	trail  *Trail   // hears of programs that cannot run

	preparing sync.WaitGroup

	mu      sync.Mutex
	skills  []*hive.Skill          // a skill that stays as it is keeps its pointer
	ahead   []*hive.Skill          // what was prepared to be on the shelf next
	cannot  map[*hive.Skill]cannot // of those, what was refused
	refused []hive.Refused
	ready   map[*hive.Skill]*ready
	proven  map[*hive.Skill]bool // that were prepared here once: they are offered
	proved  func()               // is called when there is one more
}

// ready is a skill that is prepared, or being prepared.
type ready struct {
	skill   *hive.Skill
	program *Program
	err     error
	done    chan struct{}

	users int  // who prepares it, and attempts; guarded by the shelf's mu, as is
	off   bool // the shelf: the last user closes it
}

func newShelf(engine *runtime.Engine, tags hive.Tags, o *Options) *shelf {
	return &shelf{engine: engine, tags: tags, opts: o, proved: func() {},
		ready: map[*hive.Skill]*ready{}, cannot: map[*hive.Skill]cannot{}, proven: map[*hive.Skill]bool{}}
}

// refresh reads the list of skills anew. A skill whose manifest requires tags that
// this spore lacks, or asks for grants that it does not give, is left out, so it
// is never placed here. What was prepared of a skill that is gone, or is another now,
// is given up when the attempts that run it are over.
func (s *shelf) refresh() {
	all := s.source.Skills()
	var refused []hive.Refused
	var skills []*hive.Skill
	for i := range all {
		skill := &all[i]
		switch lacks := s.lacking(&skill.Manifest); {
		case !skill.Requires.Matches(s.tags):
		case len(lacks) > 0:
			refused = append(refused, hive.Refused{Skill: skill.ID(), Grants: lacks})
		default:
			skills = append(skills, skill)
		}
	}
	s.put(skills, refused)
}

// put fills the shelf anew.
func (s *shelf) put(skills []*hive.Skill, refused []hive.Refused) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, skill := range skills {
		if known := s.known(skill); known != nil {
			skills[i] = known
		}
	}
	s.skills, s.refused, s.ahead, s.cannot = skills, refused, nil, map[*hive.Skill]cannot{}
	maps.DeleteFunc(s.proven, func(skill *hive.Skill, _ bool) bool { return !slices.Contains(skills, skill) })
	for skill, r := range s.ready {
		if !slices.Contains(skills, skill) {
			delete(s.ready, skill)
			r.off = true
			s.closeUnused(r)
		}
	}
}

// known is the skill as it is on the shelf, or is to be next.
func (s *shelf) known(skill *hive.Skill) *hive.Skill {
	for _, list := range [][]*hive.Skill{s.skills, s.ahead} {
		for _, old := range list {
			if old.ID() == skill.ID() && reflect.DeepEqual(old, skill) {
				return old
			}
		}
	}
	return nil
}

// prepareAhead prepares a skill that is to be on the shelf next, if it may run here: the
// first attempt is not to wait for that, nor is one to begin if it cannot be.
func (s *shelf) prepareAhead(ctx context.Context, skill *hive.Skill, program []byte) error {
	if !skill.Requires.Matches(s.tags) || len(s.lacking(&skill.Manifest)) > 0 {
		return nil
	}
	s.mu.Lock()
	if s.known(skill) == nil {
		s.ahead = append(s.ahead, new(*skill))
	}
	next := s.known(skill)
	if no := s.cannot[next]; time.Now().Before(no.until) {
		s.mu.Unlock()
		return no.err
	}
	r := s.claimed(ctx, next, func(context.Context, string) ([]byte, error) { return program, nil })
	s.mu.Unlock()
	defer s.give(r)
	err := r.await(ctx)
	if _, refused := errors.AsType[*runtime.Refusal](err); refused {
		s.fails(next, err)
	}
	return err
}

// closeUnused closes what is off the shelf when its last user, who may be the one
// that prepared it, has gone.
func (s *shelf) closeUnused(r *ready) {
	if r.off && r.users == 0 && r.err == nil {
		if err := r.program.Close(context.Background()); err != nil {
			s.opts.Log.Warn("cannot give the program up", "skill", r.skill.ID().String(), "error", err)
		}
	}
}

// lacking returns those of the grants that are not given here, or not for all that
// they are asked for.
func (s *shelf) lacking(m *hive.Manifest) (lacks []hive.Grant) {
	for _, g := range m.Grants {
		if !slices.Contains(s.opts.Grants, g) || !s.has(g, &m.Allow) {
			lacks = append(lacks, g)
		}
	}
	return lacks
}

// has reports whether all secrets and folders are here that a manifest names.
func (s *shelf) has(g hive.Grant, a *hive.Allow) bool {
	switch g {
	case hive.GrantSecrets:
		return !slices.ContainsFunc(a.Secrets, func(name string) bool {
			if s.opts.Secrets == nil {
				return true
			}
			_, ok := s.opts.Secrets(name)
			return !ok
		})
	case hive.GrantFiles:
		return !slices.ContainsFunc(a.Files, func(name string) bool {
			_, ok := s.opts.Files[name]
			return !ok
		})
	}
	return true
}

// refusals lists the skills that are left out for their grants.
func (s *shelf) refusals() []hive.Refused {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// take returns the skill that ref names now, prepared, for use until give. Whoever
// asks first prepares it, others wait for that.
func (s *shelf) take(ctx context.Context, ref hive.SkillRef) (*ready, error) {
	r := s.claim(ctx, ref)
	if r == nil {
		return nil, fmt.Errorf("%s: %w", ref, errNoSkill)
	}
	if err := r.await(ctx); err != nil {
		s.give(r)
		return nil, err
	}
	return r, nil
}

// await returns when a skill is prepared, or why it is not.
func (r *ready) await(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// claim finds a skill, and has it prepared if nobody did. Nil: it is not here.
func (s *shelf) claim(ctx context.Context, ref hive.SkillRef) *ready {
	s.mu.Lock()
	defer s.mu.Unlock()
	skill := s.find(ref)
	if skill == nil {
		return nil
	}
	return s.claimed(ctx, skill, s.source.Program)
}

// claimed is what is ready of a skill, or will be, for one more user.
func (s *shelf) claimed(ctx context.Context, skill *hive.Skill, program func(context.Context, string) ([]byte, error)) *ready {
	r := s.ready[skill]
	if r == nil {
		r = &ready{skill: skill, done: make(chan struct{}), users: 1}
		s.ready[skill] = r
		// Others may wait for it: one attempt's end must not end the preparing.
		s.preparing.Go(func() {
			if s.prepare(context.WithoutCancel(ctx), r, program); r.err != nil {
				s.forget(r) // the next task tries again
				s.trail.Refused(r.skill, r.err)
			} else {
				s.prove(skill)
			}
			close(r.done)
			s.give(r)
		})
	}
	r.users++
	return r
}

// give ends a use.
func (s *shelf) give(r *ready) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.users--
	s.closeUnused(r)
}

// close waits for what is being prepared: the engine, closed before, ends that.
func (s *shelf) close() error {
	s.preparing.Wait()
	return nil
}

func (s *shelf) find(ref hive.SkillRef) *hive.Skill {
	for _, sk := range s.skills {
		if ref.Matches(sk.Name, sk.Version, sk.Digest) {
			return sk
		}
	}
	return nil
}

// prepared lists the skills that are ready.
func (s *shelf) prepared() (all []*ready) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.ready {
		select {
		case <-r.done:
			if r.err == nil {
				all = append(all, r)
			}
		default:
		}
	}
	return all
}

func (s *shelf) forget(r *ready) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready[r.skill] == r {
		delete(s.ready, r.skill)
	}
}

func (s *shelf) prepare(ctx context.Context, r *ready, read func(context.Context, string) ([]byte, error)) {
	program, err := read(ctx, r.skill.Digest)
	if err != nil {
		r.err = err
		return
	}
	if got := runtime.Digest(program); got != r.skill.Digest {
		r.err = fmt.Errorf("the program of %s is not the one that was signed for: digest %s, want %s", r.skill.ID(), got, r.skill.Digest)
		return
	}
	if r.program, r.err = Prepare(ctx, s.engine, program, &r.skill.Manifest); r.err != nil {
		return
	}
	s.opts.Log.Info("skill ready", "skill", r.skill.ID().String(), "digest", r.skill.Digest)
}
