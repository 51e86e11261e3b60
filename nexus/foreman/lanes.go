package foreman

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// levels is how many priorities there are.
const levels = int(hive.MaxPriority-hive.MinPriority) + 1

// quantum is how many tasks a lane may give before the next lane of its level
// has its turn. So a lane of a million tasks does not shut out its neighbours,
// and yet the broker, which pays for every lane it touches, touches few.
const quantum = 16

// waiting is a lane in a pass.
type waiting struct {
	*Lane
	left  int   // tasks not yet granted
	spent int   // of its quantum in this round
	pool  *pool // seats that can run its tasks; nil until asked for
}

// level is the lanes of one priority in a pass, by tenant.
type level struct {
	shares  []share // those whose lane waits longest first
	due     int     // shares before it have no lane that is due
	line    *line   // those that can be served, as far as is known; nil: there is one share
	gone    bool    // and that cannot be
	current *share  // the one that has the turn
	given   int     // tasks in its turn
	clock   float64 // see book
	weight  float64 // of the shares that can be served, as far as is known
}

// share is a tenant at a level in a pass.
type share struct {
	tenant string
	weight float64
	tag    float64   // see book
	oldest time.Time // the head that has waited longest, as the pass began
	place  int       // in the line; -1: it cannot be served any more
	lanes  []waiting // oldest head first
	first  int       // lanes before it are done for
	at     int       // lanes before it are done for or have spent their quantum
	anew   bool      // a round began in this pass
	left   bool      // a lane that is not among them any more waits on
}

// round is how many tasks the lanes of a share have given in the round that is on:
// what has to outlive a pass. Lanes that gave none are not in it.
type round map[string]int

// maxRound bounds what a round remembers of lanes that come and go. Beyond it,
// lanes that have nothing waiting are forgotten: no more than their place in the
// round is lost.
const maxRound = 1 << 10

// lineUp sorts the lanes that have tasks into their levels.
func (p *pass) lineUp(lanes []Lane, books *[levels]book) {
	n := 0
	for i := range lanes {
		if lanes[i].Count > 0 {
			n++
		}
	}
	all := make([]waiting, 0, n)
	for i := range lanes {
		if l := &lanes[i]; l.Count > 0 {
			all = append(all, waiting{Lane: l, left: l.Count})
		}
	}
	slices.SortFunc(all, byTurn)
	n = 0
	for i := range all {
		if i == 0 || !all[i].shares(all[i-1]) {
			n++
		}
	}
	shares := make([]share, 0, n)
	for len(all) > 0 {
		at, n := all[0].level(), 1
		for n < len(all) && all[n].shares(all[0]) {
			n++
		}
		shares = append(shares, books[at].share(all[:n]))
		all = all[n:]
		if len(all) == 0 || all[0].level() != at {
			p.levels[at].open(shares, &books[at])
			shares = shares[len(shares):]
		}
	}
}

// shares reports whether two lanes are of one share.
func (w waiting) shares(other waiting) bool {
	return w.level() == other.level() && w.Tenant == other.Tenant
}

// open begins a pass over the shares of a level.
func (lv *level) open(shares []share, b *book) {
	lv.clock, lv.shares = b.clock, shares
	for i := range shares {
		lv.weight += shares[i].weight
	}
	if len(shares) == 1 {
		return
	}
	slices.SortStableFunc(shares, func(a, b share) int { return a.oldest.Compare(b.oldest) })
	l := make(line, len(shares))
	for i := range shares {
		shares[i].place, l[i] = i, &shares[i]
	}
	heap.Init(&l)
	lv.line = &l
}

func (l *Lane) level() int {
	return int(min(max(l.Priority, hive.MinPriority), hive.MaxPriority) - hive.MinPriority)
}

// byTurn orders lanes by level, then by tenant, then oldest head first, then by name.
func byTurn(a, b waiting) int {
	if c := cmp.Compare(a.level(), b.level()); c != 0 {
		return c
	}
	if a.Tenant != b.Tenant {
		return strings.Compare(a.Tenant, b.Tenant)
	}
	if c := a.Oldest.Compare(b.Oldest); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// top is the highest level that can be served, -1 if none can.
func (p *pass) top() int {
	for ; p.highest >= 0; p.highest-- {
		lv := &p.levels[p.highest]
		for s := lv.next(); s != nil; s = lv.next() {
			if p.has(s) {
				return p.highest
			}
			lv.drop()
		}
	}
	return -1
}

// next is the share with the lowest tag, nil if none is left.
func (lv *level) next() *share {
	switch {
	case lv.line == nil && len(lv.shares) == 1 && !lv.gone:
		return &lv.shares[0]
	case lv.line != nil && len(*lv.line) > 0:
		return (*lv.line)[0]
	}
	return nil
}

// drop forgets that share: it cannot be served any more.
func (lv *level) drop() {
	if lv.line == nil {
		lv.gone = true
		return
	}
	lv.weight -= heap.Pop(lv.line).(*share).weight
}

// has reports whether a share has a lane that can be served.
func (p *pass) has(s *share) bool {
	for ; s.first < len(s.lanes); s.first++ {
		if p.canServe(&s.lanes[s.first]) {
			return true
		}
	}
	return false
}

// canServe reports whether the lane may give a task and has a node for it.
func (p *pass) canServe(w *waiting) bool {
	if !p.mayGive(w) {
		return false
	}
	if w.pool == nil {
		w.pool = p.pools.of(w.Lane, p.seats)
	}
	return w.pool.best(p.seats) != nil
}

// mayGive reports whether the lane has a task left, and budgets for it.
func (p *pass) mayGive(w *waiting) bool {
	for _, b := range w.Budgets {
		if p.drawn[b] >= b.Left {
			return false
		}
	}
	return w.left > 0
}

// turn is the lane of a share whose turn it is, with onlyDue among those that
// have waited too long. There must be one that can be served.
func (p *pass) turn(s *share, onlyDue bool) *waiting {
	for range 2 { // the rest of this round, then a new one
		for ; s.at < len(s.lanes); s.at++ {
			w := &s.lanes[s.at]
			if onlyDue && !w.Oldest.Before(p.due) {
				break
			}
			if w.spent < quantum && p.canServe(w) {
				return w
			}
		}
		s.newRound(p)
	}
	return nil
}

// newRound gives every lane its quantum again. Lanes known to be done for leave,
// so that rounds among the few that are left stay short.
func (s *share) newRound(p *pass) {
	s.lanes = slices.DeleteFunc(s.lanes, func(w waiting) bool {
		gone := !p.mayGive(&w) || w.pool != nil && w.pool.best(p.seats) == nil
		s.left = s.left || gone && w.left > 0
		return gone
	})
	for i := range s.lanes {
		s.lanes[i].spent = 0
	}
	s.first, s.at, s.anew = 0, 0, true
}

// keep is the round as a pass over the share has left it.
func (r round) keep(s *share) round {
	if s.anew || len(r) > maxRound {
		clear(r)
	}
	for i := range s.lanes {
		w := &s.lanes[i]
		if w.spent == 0 {
			continue
		}
		if r == nil {
			r = round{}
		}
		r[w.Name] = w.spent
	}
	return r
}
