package spore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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

// Changing is a Source that tells when its list has become another one. Tells that
// nobody has taken yet are one.
type Changing interface {
	Source
	Changed() <-chan struct{}
}

// errNoSkill says that this spore has no skill a task names (any more).
var errNoSkill = errors.New("no such skill here")

// shelf holds the skills of a spore: what it may run, and what it has prepared.
type shelf struct {
	source Source
	engine *runtime.Engine
	tags   hive.Tags
	opts   *Options // what of them is given to skills
	trail  *Trail   // hears of programs that cannot run

	preparing sync.WaitGroup
	reading   sync.Mutex // one list at a time: an older one must not come last

	mu      sync.Mutex
	skills  []*hive.Skill // a skill that stays as it is keeps its pointer
	refused []hive.Refused
	ready   map[*hive.Skill]*ready
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
	source := o.Source
	if source == nil {
		source = o.Road
	}
	return &shelf{source: source, engine: engine, tags: tags, opts: o, ready: map[*hive.Skill]*ready{}}
}

// refresh reads the list of skills anew. A skill whose manifest requires tags that
// this spore lacks, or asks for grants that it does not give, is left out, so it
// is never placed here. What was prepared of a skill that is gone, or is another now,
// is given up when the attempts that run it are over.
func (s *shelf) refresh(ctx context.Context) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	all, err := s.source.Skills(ctx)
	if err != nil {
		return err
	}
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
	return nil
}

// put fills the shelf anew.
func (s *shelf) put(skills []*hive.Skill, refused []hive.Refused) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, skill := range skills {
		if at := slices.IndexFunc(s.skills, func(old *hive.Skill) bool { return old.ID() == skill.ID() && reflect.DeepEqual(old, skill) }); at >= 0 {
			skills[i] = s.skills[at]
		}
	}
	s.skills, s.refused = skills, refused
	for skill, r := range s.ready {
		if !slices.Contains(skills, skill) {
			delete(s.ready, skill)
			r.off = true
			s.closeUnused(r)
		}
	}
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

// ids lists the skills the spore offers.
func (s *shelf) ids() []hive.SkillID {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]hive.SkillID, 0, len(s.skills))
	for _, skill := range s.skills {
		ids = append(ids, skill.ID())
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

// take returns the skill that ref names now, prepared, for use until give. Whoever
// asks first prepares it, others wait for that.
func (s *shelf) take(ctx context.Context, ref hive.SkillRef) (*ready, error) {
	r := s.claim(ctx, ref)
	if r == nil {
		return nil, fmt.Errorf("%s: %w", ref, errNoSkill)
	}
	var err error
	select {
	case <-r.done:
		err = r.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		s.give(r)
		return nil, err
	}
	return r, nil
}

// claim finds a skill, and has it prepared if nobody did. Nil: it is not here.
func (s *shelf) claim(ctx context.Context, ref hive.SkillRef) *ready {
	s.mu.Lock()
	defer s.mu.Unlock()
	skill := s.find(ref)
	if skill == nil {
		return nil
	}
	r := s.ready[skill]
	if r == nil {
		r = &ready{skill: skill, done: make(chan struct{}), users: 1}
		s.ready[skill] = r
		// Others may wait for it: one attempt's end must not end the preparing.
		s.preparing.Go(func() {
			if s.prepare(context.WithoutCancel(ctx), r); r.err != nil {
				s.forget(r) // the next task tries again
				s.trail.Refused(r.skill, r.err)
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
