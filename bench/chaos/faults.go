package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// What is measured.
const (
	killBack    = "a spore killed -9: all that it ran is taken from it"
	pauseBack   = "a spore paused past its lease: likewise"
	leaderKill  = "the leader killed -9: another leads"
	leaderPause = "the leader paused: another leads"
	windowLong  = "what was not replicated: from the last that was to the last that may not be"
)

// do breaks something and mends it again.
func (s *stage) do(ctx context.Context, f Fault) error {
	switch f.Kind {
	case KillSpore, PauseSpore, StopSpore:
		return s.hurtSpore(ctx, f, s.spores[f.On-1])
	case KillLeader, PauseLeader, StopLeader, KillOther:
		return s.hurtNexus(ctx, f)
	}
	return s.road.do(ctx, f)
}

func (s *stage) hurtSpore(ctx context.Context, f Fault, p *program) error {
	p.hurt.Lock()
	defer p.hurt.Unlock()
	return s.hurt(ctx, f, p, func() { s.measureBack(ctx, f.Kind, p.name) })
}

// hurt ends or pauses a program and has it go on after a while.
func (s *stage) hurt(ctx context.Context, f Fault, p *program, measure func()) error {
	switch f.Kind {
	case PauseSpore, PauseLeader:
		if err := p.process().Pause(); err != nil {
			return err
		}
		measure()
		if err := rest(ctx, f.For); err != nil {
			return err
		}
		return p.process().Resume()
	case StopSpore, StopLeader:
		if err := p.terminate(ctx); err != nil {
			return err
		}
	default:
		p.kill()
		measure()
	}
	if err := rest(ctx, f.For); err != nil {
		return err
	}
	return p.begin()
}

// measureBack measures, beside what goes on, how long a spore that was killed keeps
// what it ran.
func (s *stage) measureBack(ctx context.Context, kind Kind, name string) {
	what := map[Kind]string{KillSpore: killBack, PauseSpore: pauseBack}[kind]
	begun := time.Now()
	held, err := s.look.Holds(ctx, name)
	if err != nil || len(held) == 0 {
		return
	}
	attempts := map[string]int{}
	for _, r := range held {
		attempts[r.ID] = r.Attempts
	}
	s.measuring.Go(func() {
		err := await(ctx, "the tasks of "+name, func() (bool, error) {
			held, err := s.look.Holds(ctx, name)
			for _, r := range held {
				if attempts[r.ID] == r.Attempts {
					return false, nil
				}
			}
			return err == nil, nil
		})
		if err == nil {
			s.span(what, time.Since(begun))
		}
	})
}

// hurtNexus hurts the one that leads, or the other.
func (s *stage) hurtNexus(ctx context.Context, f Fault) error {
	s.nexusHurt.Lock()
	defer s.nexusHurt.Unlock()
	leader := ""
	err := await(ctx, "a leader", func() (ok bool, err error) {
		leader, err = s.look.Leader(ctx)
		return err == nil && leader != "", nil
	})
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(leader, "/") // what follows is another each time it begins
	for _, p := range s.nexuses {
		if (p.name == name) != (f.Kind == KillOther) {
			return s.hurt(ctx, f, p, func() { s.measureLead(ctx, f.Kind, leader) })
		}
	}
	return fmt.Errorf("%s leads, which is none of ours", leader)
}

// takeover is how long another leader is waited for. One that was paused while Redis was away
// may lead on, and nobody follows it.
const takeover = 20 * time.Second

// measureLead measures, beside what goes on, how long it takes until another leads.
func (s *stage) measureLead(ctx context.Context, kind Kind, before string) {
	begun := time.Now()
	what := map[Kind]string{KillLeader: leaderKill, PauseLeader: leaderPause}[kind]
	if what == "" {
		return
	}
	s.measuring.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, takeover)
		defer cancel()
		err := await(ctx, "another leader", func() (bool, error) {
			now, err := s.look.Leader(ctx)
			return err == nil && now != "" && now != before, nil
		})
		if err == nil {
			s.span(what, time.Since(begun))
		}
	})
}
