package ota

import (
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// Bounds of what is believed of a spore.
const (
	// maxRate is the most tasks a second that a spore can have ended.
	maxRate = 1_000_000
	// lateBy is how much older what a report tells of may be than the one before it.
	lateBy = 5 * time.Second
	// goneFor is how long a spore is remembered that is not listed any more. Its last
	// report is on the road for a minute.
	goneFor = 2 * time.Minute
)

// sides are the versions of a rollout that something belongs to.
type sides uint8

const (
	oldSide sides = 1 << iota
	newSide
)

// Watch sees what the two versions of a rollout do: it takes what all spores report,
// time and again, and adds up what is new. It does not believe a spore everything: a
// count that goes back, or is beyond what a machine can do, adds nothing.
type Watch struct {
	from, to hive.BundleID
	skills   map[hive.SkillID]sides

	step    stretch
	looked  time.Time // last; zero: never yet
	spores  map[string]*sighting
	old, is hive.SkillSeen // what both versions did since the step began
}

// stretch is what a window may at most be of.
type stretch struct {
	step    int
	stepped int64 // Unix ns
}

// sighting is what is known of a spore.
type sighting struct {
	incarnation string // of its last report; empty: there was none
	skills      map[hive.SkillID]*hive.SkillSeen
	taken       time.Time // when that changed
	listed      time.Time // last
	fresh       bool      // it began after the step, and has not reported: all that it tells is new

	runs  sides // which versions it ran when the counts changed last
	mixed bool  // since when it ran others
}

// NewWatch watches a rollout from a version, nil if there is none, to the next.
func NewWatch(from, to *bundle.Bundle) *Watch {
	w := &Watch{to: idOf(to), skills: map[hive.SkillID]sides{}, spores: map[string]*sighting{}}
	if from != nil {
		w.from = idOf(from)
		w.own(from, oldSide)
	}
	w.own(to, newSide)
	return w
}

func idOf(b *bundle.Bundle) hive.BundleID {
	return hive.BundleID{Name: b.Name, Version: b.Version, Digest: b.Digest()}
}

func (w *Watch) own(b *bundle.Bundle, side sides) {
	for i := range b.Skills {
		w.skills[b.Skills[i].ID()] |= side
	}
}

// Of reports whether a rollout is the one that is watched.
func (w *Watch) Of(r *Rollout) bool {
	from := ""
	if r.From != nil {
		from = r.From.Digest
	}
	return w.from.Digest == from && w.to.Digest == r.To.Digest
}

// Look takes what the spores report now, and returns what was seen since the rollout's
// step began or was resumed, or since the first look if that was later.
func (w *Watch) Look(r *Rollout, nodes []hive.Node, reports map[string]*hive.Seen, now time.Time) Window {
	step := stretch{r.Step, r.Stepped.UnixNano()}
	counts := !w.looked.IsZero() && step == w.step
	if !counts {
		w.step, w.old, w.is = step, hive.SkillSeen{}, hive.SkillSeen{}
	}
	var old, is int
	for i := range nodes {
		n := &nodes[i]
		runs := w.runs(n.Bundles)
		if n.Online && runs == oldSide { // who runs both has the old one pinned
			old++
		}
		if n.Online && runs&newSide != 0 {
			is++
		}
		w.take(w.sight(n.ID, runs, counts, now), runs, reports[n.ID], counts, now)
	}
	for id, s := range w.spores {
		if now.Sub(s.listed) > goneFor {
			delete(w.spores, id)
		}
	}
	w.looked = now
	return Window{Old: seenOf(&w.old, old), New: seenOf(&w.is, is)}
}

// runs are the versions among those that a spore reports.
func (w *Watch) runs(bundles []hive.BundleID) (runs sides) {
	for _, b := range bundles {
		switch b {
		case w.from:
			runs |= oldSide
		case w.to:
			runs |= newSide
		}
	}
	return runs
}

// sight finds what is known of a spore that is listed now.
func (w *Watch) sight(id string, runs sides, counts bool, now time.Time) *sighting {
	s := w.spores[id]
	if s == nil {
		s = &sighting{taken: w.looked, fresh: true, runs: runs}
		w.spores[id] = s
	}
	s.listed, s.fresh, s.mixed = now, s.fresh && counts, s.mixed || runs != s.runs
	return s
}

// take adds what a spore reports beyond what it reported before.
func (w *Watch) take(s *sighting, runs sides, report *hive.Seen, counts bool, now time.Time) {
	if report == nil {
		return
	}
	before := s.skills
	if report.Incarnation != s.incarnation {
		counts = counts && (s.fresh || s.incarnation != "")
		before = nil
	}
	known, changed := map[hive.SkillID]*hive.SkillSeen{}, before == nil
	left := int64((max(now.Sub(s.taken), 0) + lateBy).Seconds() * maxRate)
	for i := range report.Skills {
		skill := &report.Skills[i]
		side := w.skills[skill.SkillID]
		if side == 0 {
			continue
		}
		known[skill.SkillID] = skill
		more, ok := beyond(before[skill.SkillID], skill)
		changed = changed || more.Completed+more.Failed != 0
		if !ok || !counts {
			continue
		}
		if left -= more.Completed + more.Failed; left >= 0 {
			w.add(side, s, &more)
		}
	}
	s.incarnation, s.skills, s.fresh = report.Incarnation, known, false
	if changed {
		s.taken, s.runs, s.mixed = now, runs, false
	}
}

// add counts what a spore did for one version: the only one that has the skill, or the
// only one that the spore ran all the while.
func (w *Watch) add(side sides, s *sighting, more *hive.SkillSeen) {
	if side == oldSide|newSide && !s.mixed {
		side = s.runs
	}
	sum := &w.old
	switch side {
	case oldSide:
	case newSide:
		sum = &w.is
	default:
		return
	}
	sum.Completed += more.Completed
	sum.Failed += more.Failed
	sum.Trapped += more.Trapped
	for i, n := range more.Took {
		sum.Took[i] += n
	}
}

// beyond is what was counted after before; false if something is less than it was, or
// traps are more than failures. Without before all was.
func beyond(before, now *hive.SkillSeen) (more hive.SkillSeen, ok bool) {
	if before == nil {
		return *now, true
	}
	more.Completed, more.Failed, more.Trapped = now.Completed-before.Completed, now.Failed-before.Failed, now.Trapped-before.Trapped
	ok = more.Completed >= 0 && more.Failed >= 0 && more.Trapped >= 0 && more.Trapped <= more.Failed
	for i := range now.Took {
		more.Took[i] = now.Took[i] - before.Took[i]
		ok = ok && more.Took[i] >= 0
	}
	return more, ok
}

func seenOf(s *hive.SkillSeen, spores int) Seen {
	return Seen{Tasks: int(s.Completed + s.Failed), Errors: int(s.Failed), Traps: int(s.Trapped), P95: s.Took.Quantile(0.95), Spores: spores}
}
