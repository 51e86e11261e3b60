package spore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime"
)

// Source is where a spore's skills come from.
type Source interface {
	// Skills lists every skill the spore may run, newest version of a name first.
	Skills(ctx context.Context) ([]hive.Skill, error)
	// Program returns the bytes of a skill's program. The spore checks them
	// against the digest.
	Program(ctx context.Context, digest string) ([]byte, error)
}

// errNoSkill says that this spore has no skill a task names (any more).
var errNoSkill = errors.New("no such skill here")

// shelf holds the skills of a spore: what it may run, and what it has prepared.
type shelf struct {
	source Source
	engine *runtime.Engine
	tags   hive.Tags
	opts   *Options // what of them is given to skills

	preparing sync.WaitGroup

	mu      sync.Mutex
	skills  []hive.Skill
	refused []hive.Refused
	ready   map[string]*ready // by digest and version
}

// ready is a skill that is prepared, or being prepared.
type ready struct {
	skill   hive.Skill
	program *Program
	err     error
	done    chan struct{}
}

func newShelf(engine *runtime.Engine, tags hive.Tags, o *Options) *shelf {
	return &shelf{source: o.Road, engine: engine, tags: tags, opts: o, ready: map[string]*ready{}}
}

// refresh reads the list of skills anew. A skill whose manifest requires tags that
// this spore lacks, or asks for grants that it does not give, is left out, so it
// is never placed here.
func (s *shelf) refresh(ctx context.Context) error {
	all, err := s.source.Skills(ctx)
	if err != nil {
		return err
	}
	var refused []hive.Refused
	skills := all[:0]
	for _, skill := range all {
		switch lacks := s.lacking(&skill.Manifest); {
		case !skill.Requires.Matches(s.tags):
		case len(lacks) > 0:
			refused = append(refused, hive.Refused{Skill: skill.ID(), Grants: lacks})
		default:
			skills = append(skills, skill)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skills, s.refused = skills, refused
	return nil
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

// ids lists the skills the spore offers.
func (s *shelf) ids() []hive.SkillID {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]hive.SkillID, 0, len(s.skills))
	for i := range s.skills {
		ids = append(ids, s.skills[i].ID())
	}
	return ids
}

// newest lists the newest version of each skill.
func (s *shelf) newest() []hive.SkillRef {
	var refs []hive.SkillRef
	for _, id := range s.ids() {
		if len(refs) == 0 || refs[len(refs)-1].Name != id.Name {
			refs = append(refs, hive.SkillRef{Name: id.Name, Pin: id.Version})
		}
	}
	return refs
}

// take returns the skill that ref names now, prepared. Whoever asks first
// prepares it, others wait for that.
func (s *shelf) take(ctx context.Context, ref hive.SkillRef) (*ready, error) {
	s.mu.Lock()
	skill, found := s.find(ref)
	if !found {
		s.mu.Unlock()
		return nil, fmt.Errorf("%s: %w", ref, errNoSkill)
	}
	key := skill.ID().String() + " " + skill.Digest
	r, started := s.ready[key]
	if !started {
		r = &ready{skill: skill, done: make(chan struct{})}
		s.ready[key] = r
	}
	s.mu.Unlock()
	if !started {
		// Others may wait for it: one attempt's end must not end the preparing.
		s.preparing.Go(func() {
			defer close(r.done)
			if s.prepare(context.WithoutCancel(ctx), r); r.err != nil {
				s.forget(key) // the next task tries again
			}
		})
	}
	select {
	case <-r.done:
		return r, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// close waits for what is being prepared: the engine, closed before, ends that.
func (s *shelf) close() error {
	s.preparing.Wait()
	return nil
}

func (s *shelf) find(ref hive.SkillRef) (hive.Skill, bool) {
	for i := range s.skills {
		if sk := &s.skills[i]; ref.Matches(sk.Name, sk.Version, sk.Digest) {
			return *sk, true
		}
	}
	return hive.Skill{}, false
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

func (s *shelf) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ready, key)
}

func (s *shelf) prepare(ctx context.Context, r *ready) {
	program, err := s.source.Program(ctx, r.skill.Digest)
	if err != nil {
		r.err = err
		return
	}
	if got := runtime.Digest(program); got != r.skill.Digest {
		r.err = fmt.Errorf("the program of %s is not the one that was registered: digest %s, want %s", r.skill.ID(), got, r.skill.Digest)
		return
	}
	if r.program, r.err = Prepare(ctx, s.engine, program, &r.skill.Manifest); r.err != nil {
		return
	}
	s.opts.Log.Info("skill ready", "skill", r.skill.ID().String(), "digest", r.skill.Digest)
}
