package foreman

import (
	"cmp"
	"slices"
	"strings"

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

// level is the lanes of one priority in a pass.
type level struct {
	lanes []waiting // oldest head first
	first int       // lanes before it are done for
	at    int       // lanes before it are done for or have spent their quantum
	anew  bool      // a round began in this pass
}

// round is how many tasks lanes of a level have given in the round that is on:
// what has to outlive a pass. Lanes that gave none are not in it.
type round map[string]int

// maxRound bounds what a round remembers of lanes that come and go. Beyond it,
// lanes that have nothing waiting are forgotten: no more than their place in the
// round is lost.
const maxRound = 1 << 10

// lineUp sorts the lanes that have tasks into their levels.
func (p *pass) lineUp(lanes []Lane, rounds *[levels]round) {
	n := 0
	for i := range lanes {
		if lanes[i].Count > 0 {
			n++
		}
	}
	all := make([]waiting, 0, n)
	for i := range lanes {
		if l := &lanes[i]; l.Count > 0 {
			all = append(all, waiting{Lane: l, left: l.Count, spent: rounds[l.level()][l.Name]})
		}
	}
	slices.SortFunc(all, byTurn)
	for len(all) > 0 {
		at, n := all[0].level(), 1
		for n < len(all) && all[n].level() == at {
			n++
		}
		p.levels[at].lanes, all = all[:n], all[n:]
	}
}

func (l *Lane) level() int {
	return int(min(max(l.Priority, hive.MinPriority), hive.MaxPriority) - hive.MinPriority)
}

// byTurn orders lanes by level, then oldest head first, then by name.
func byTurn(a, b waiting) int {
	if c := cmp.Compare(a.level(), b.level()); c != 0 {
		return c
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
		for ; lv.first < len(lv.lanes); lv.first++ {
			if p.canServe(&lv.lanes[lv.first]) {
				return p.highest
			}
		}
	}
	return -1
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

// turn is the lane of a level whose turn it is, with onlyDue among those that
// have waited too long. There must be one that can be served.
func (p *pass) turn(lv *level, onlyDue bool) *waiting {
	for range 2 { // the rest of this round, then a new one
		for ; lv.at < len(lv.lanes); lv.at++ {
			w := &lv.lanes[lv.at]
			if onlyDue && !w.Oldest.Before(p.due) {
				break
			}
			if w.spent < quantum && p.canServe(w) {
				return w
			}
		}
		lv.newRound(p.seats)
	}
	return nil
}

// newRound gives every lane its quantum again. Lanes known to be done for leave,
// so that rounds among the few that are left stay short.
func (lv *level) newRound(seats []seat) {
	lv.lanes = slices.DeleteFunc(lv.lanes, func(w waiting) bool {
		return w.left == 0 || w.pool != nil && w.pool.best(seats) == nil
	})
	for i := range lv.lanes {
		lv.lanes[i].spent = 0
	}
	lv.first, lv.at, lv.anew = 0, 0, true
}

// keep is the round as a pass over the level has left it.
func (r round) keep(lv *level) round {
	if lv.anew || len(r) > maxRound {
		clear(r)
	}
	for i := range lv.lanes {
		w := &lv.lanes[i]
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
