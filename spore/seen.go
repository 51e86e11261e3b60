package spore

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hive-spore/hive"
)

const (
	// seenEvery is the time between two reports of what was seen.
	seenEvery = 2 * time.Second
	// seenAgain is after how many of those a report is sent anew that did not change:
	// the road keeps it for a minute.
	seenAgain = 10
)

// seen counts what attempts came to, for the gate of a rollout. The zero value has
// seen nothing.
type seen struct {
	mu     sync.Mutex
	skills map[hive.SkillID]*usedSkill // at most hive.MaxSeenSkills
	clock  int64                       // attempts that were counted: the clock of uses
}

type usedSkill struct {
	hive.SkillSeen
	used int64 // last, by the clock
}

// ended counts an attempt whose outcome the road has.
func (s *seen) ended(out *hive.Outcome) {
	if out.Ran.Digest == "" || out.Failure != nil && !out.Failure.Kind.OfProgram() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	skill := s.skills[out.Ran]
	if skill == nil {
		skill = s.begin(out.Ran)
	}
	s.clock++
	skill.used = s.clock
	skill.Took[hive.TookBucket(out.Elapsed)]++
	switch {
	case out.Failure == nil:
		skill.Completed++
	case out.Failure.Kind == hive.FailTrap:
		skill.Trapped++
		fallthrough
	default:
		skill.Failed++
	}
}

// begin counts a skill from now on, in place of the one that was used least lately
// where there is no room.
func (s *seen) begin(id hive.SkillID) *usedSkill {
	if len(s.skills) >= hive.MaxSeenSkills {
		s.forget(1)
	}
	if s.skills == nil {
		s.skills = map[hive.SkillID]*usedSkill{}
	}
	skill := &usedSkill{SkillSeen: hive.SkillSeen{SkillID: id}}
	s.skills[id] = skill
	return skill
}

// forget gives up the n skills that were used least lately.
func (s *seen) forget(n int) {
	for _, skill := range s.byUse()[:n] {
		delete(s.skills, skill.SkillID)
	}
}

// byUse are the skills, the one that was used last at the end.
func (s *seen) byUse() []*usedSkill {
	list := make([]*usedSkill, 0, len(s.skills))
	for _, skill := range s.skills {
		list = append(list, skill)
	}
	slices.SortFunc(list, func(a, b *usedSkill) int { return cmp.Compare(a.used, b.used) })
	return list
}

// encode returns all that was seen, and how many attempts that are in all. What does
// not fit into a report is forgotten: if it came back later with what it has now, the
// nexus would take that for new.
func (s *seen) encode(incarnation string) (body []byte, ended int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		report := hive.Seen{Incarnation: incarnation, Skills: make([]hive.SkillSeen, 0, len(s.skills))}
		for _, skill := range s.byUse() {
			report.Skills = append(report.Skills, skill.SkillSeen)
		}
		body, err = report.Encode()
		if !errors.Is(err, hive.ErrTooLarge) {
			return body, s.clock, err
		}
		s.forget((len(s.skills) + 7) / 8)
	}
}

func (s *seen) count() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

// tellSeen reports what was seen, at once and whenever it is more. The first report
// has nothing in it: what comes later is told from what was before by it.
func (s *Spore) tellSeen() {
	tick := time.NewTicker(seenEvery)
	defer tick.Stop()
	told, age := int64(-1), 0
	for {
		if age++; s.seen.count() != told || age >= seenAgain {
			if ended, ok := s.reportSeen(); ok {
				told, age = ended, 0
			}
		}
		select {
		case <-tick.C:
		case <-s.life.Done():
			return
		}
	}
}

// reportSeen returns how many attempts the road knows of now.
func (s *Spore) reportSeen() (ended int64, ok bool) {
	body, ended, err := s.seen.encode(s.session.Incarnation)
	if err == nil {
		err = s.road.ReportSeen(s.life, s.session, body)
	}
	s.complain(&s.trouble.seen, "cannot report what was seen", err)
	return ended, err == nil
}

// bundleIDs are the bundle versions that run here.
func (s *Spore) bundleIDs() (ids []hive.BundleID) {
	for _, r := range s.bundles.Running() {
		ids = append(ids, hive.BundleID{Name: r.Bundle, Version: r.Version, Digest: r.Digest})
	}
	return ids
}
