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
	line    line    // those that can be served, as far as is known
	current *share  // the one that has the turn
	given   int     // tasks in its turn
	clock   float64 // see book
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
	for len(all) > 0 {
		at, n := all[0].level(), 1
		for n < len(all) && all[n].level() == at {
			n++
		}
		p.levels[at].lineUp(all[:n], &books[at])
		all = all[n:]
	}
}

// lineUp sorts the lanes of a level, which are in the order of byTurn, into its shares.
func (lv *level) lineUp(lanes []waiting, b *book) {
	tenants := 1
	for i := 1; i < len(lanes); i++ {
		if lanes[i].Tenant != lanes[i-1].Tenant {
			tenants++
		}
	}
	lv.clock, lv.shares = b.clock, make([]share, 0, tenants)
	for len(lanes) > 0 {
		n := 1
		for n < len(lanes) && lanes[n].Tenant == lanes[0].Tenant {
			n++
		}
		lv.shares = append(lv.shares, b.share(lanes[:n]))
		lanes = lanes[n:]
	}
	slices.SortStableFunc(lv.shares, func(a, b share) int { return a.oldest.Compare(b.oldest) })
	lv.line = make(line, tenants)
	for i := range lv.shares {
		lv.shares[i].place, lv.line[i] = i, &lv.shares[i]
	}
	heap.Init(&lv.line)
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
		line := &p.levels[p.highest].line
		for ; len(*line) > 0; heap.Pop(line) {
			if p.has((*line)[0]) {
				return p.highest
			}
		}
	}
	return -1
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

// canServe reports whether the lane has a task left and a node for it.
func (p *pass) canServe(w *waiting) bool {
	if w.left == 0 {
		return false
	}
	if w.pool == nil {
		w.pool = p.pools.of(w.Lane, p.seats)
	}
	return w.pool.best(p.seats) != nil
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
		s.newRound(p.seats)
	}
	return nil
}

// newRound gives every lane its quantum again. Lanes known to be done for leave,
// so that rounds among the few that are left stay short.
func (s *share) newRound(seats []seat) {
	s.lanes = slices.DeleteFunc(s.lanes, func(w waiting) bool {
		return w.left == 0 || w.pool != nil && w.pool.best(seats) == nil
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
