package foreman

import (
	"container/heap"
	"maps"
	"slices"
)

// Fair share: tenants with tasks of one priority get of the grants what their weights say,
// by weighted fair queueing. Each has a tag, the time by a clock of the level at which it has
// had its share: a grant moves it on by one over its weight, and the clock by one over the
// weights of all that wait. Whose tag is the lowest has the turn. A tenant that had nothing to
// wait for begins at the clock: what it did not use it does not get later. One that waits keeps
// its tag, or it would starve beside others that come and go; but no spore could run its tasks
// for a while, and so it is owed a quantum at most.
//
// In a pass a turn is of quantum grants, as that of a lane is, and for the same reason; but
// it does not outlive the pass, so that where slots are rare tenants alternate.

// book is what has to outlive a pass of the shares of a level.
type book struct {
	clock    float64
	accounts map[string]account // by tenant: those that wait, or are ahead of the clock
}

// account is that of a tenant.
type account struct {
	tag   float64
	round round
}

// share opens a pass for the lanes of one tenant.
func (b *book) share(lanes []waiting) share {
	first := lanes[0].Lane
	s := share{tenant: first.Tenant, weight: float64(max(1, first.Weight)), tag: b.clock, oldest: first.Oldest, lanes: lanes}
	if kept, is := b.accounts[s.tenant]; is {
		s.tag = max(kept.tag, b.clock-quantum/s.weight)
		for i := range lanes {
			lanes[i].spent = kept.round[lanes[i].Name]
		}
	}
	return s
}

// choose is the share of a level that gives the next task: the one that has the turn, or
// else the one with the lowest tag, with onlyDue among those with a lane that is due. There
// must be one.
func (p *pass) choose(lv *level, onlyDue bool) *share {
	if s := lv.current; s != nil && lv.given < quantum && (p.shareIsDue(s) || !onlyDue && p.has(s)) {
		return s
	}
	lv.current, lv.given = nil, 0
	if !onlyDue {
		lv.current = lv.next() // top has seen that it can be served
	} else {
		for i := range lv.shares {
			if s := &lv.shares[i]; p.shareIsDue(s) && (lv.current == nil || s.before(lv.current)) {
				lv.current = s
			}
		}
	}
	return lv.current
}

// charge enters one grant.
func (lv *level) charge(s *share) {
	lv.given++
	s.tag += 1 / s.weight
	lv.clock += 1 / lv.weight
	if s.place >= 0 && lv.line != nil && len(*lv.line) > 1 {
		heap.Fix(lv.line, s.place)
	}
}

// keep enters what a pass over the level has done.
func (b *book) keep(lv *level) {
	if len(lv.shares) > 0 {
		b.clock = lv.clock
	}
	if len(b.accounts) > maxRound {
		maps.DeleteFunc(b.accounts, func(_ string, a account) bool { return a.tag <= b.clock })
	}
	for i := range lv.shares {
		s := &lv.shares[i]
		if s.tag <= b.clock && !s.waits() {
			delete(b.accounts, s.tenant)
			continue
		}
		if b.accounts == nil {
			b.accounts = map[string]account{}
		}
		b.accounts[s.tenant] = account{s.tag, b.accounts[s.tenant].round.keep(s)}
	}
}

// waits reports whether the share has tasks that were not granted.
func (s *share) waits() bool {
	return s.left || slices.ContainsFunc(s.lanes, func(w waiting) bool { return w.left > 0 })
}

func (s *share) before(other *share) bool {
	switch {
	case s.tag != other.tag:
		return s.tag < other.tag
	case !s.oldest.Equal(other.oldest):
		return s.oldest.Before(other.oldest)
	}
	return s.tenant < other.tenant
}

// line is a heap of shares, the lowest tag first.
type line []*share

func (l line) Len() int           { return len(l) }
func (l line) Less(i, j int) bool { return l[i].before(l[j]) }
func (l line) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].place, l[j].place = i, j
}
func (l *line) Push(x any) { *l = append(*l, x.(*share)) }
func (l *line) Pop() any {
	last := (*l)[len(*l)-1]
	*l, last.place = (*l)[:len(*l)-1], -1
	return last
}
