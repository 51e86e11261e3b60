// Package foreman decides which spore gets which waiting task, and runs the
// loop that carries those decisions out.
package foreman

import (
	"time"

	"github.com/hive-spore/hive"
)

// Lane is a list of waiting tasks that are alike for routing.
type Lane struct {
	Name     string // the broker's name of the lane; opaque here
	Skill    hive.SkillRef
	Require  hive.Selector
	Tenant   string
	Key      string
	Priority hive.Priority // outside 0..10: the nearer end
	Weight   int           // of its tenant; below 1: 1
	Count    int           // tasks known to wait
	Oldest   time.Time     // when the head task was made; zero: longer ago than any other
	Budgets  []*Budget     // each may be that of several lanes

	limiters []*limiter // whose budgets those are
	called   bool       // by one that has room: it does not wait behind others in this pass
}

// Budget bounds the tasks that lanes give in one pass, together.
type Budget struct{ Left int }

// Grant moves Count tasks from the head of a lane to a spore.
type Grant struct {
	Lane  string
	Node  string
	Count int
}

// Router keeps the little that one pass must remember for the next: the ageing
// turns, what tenants have had, and the rounds among lanes. Without it, passes of
// one task each, which is what a busy hive has, would never come to the sixteenth.
// The zero value is ready. A Router serves one goroutine at a time.
type Router struct {
	passedOver int // grants since the last ageing turn that passed over a level due for one
	lastAged   int // level that had the last ageing turn
	books      [levels]book
}

// Route hands out the tasks of lanes to nodes, one decision after the other,
// and returns the decisions in that order, adjacent equal ones as one Grant.
//
// A higher priority goes first, but for the ageing turns; of one priority, tenants
// share by their weights, and the lanes of a tenant take turns, oldest head first; a
// task goes to the node with the lowest score
// (see SelectBestNode), which counts it as active at once. A lane none of whose
// nodes has room is passed over. Route depends on its arguments and earlier
// passes only, changes neither slice, and keeps neither. It does not depend on
// their order either, but nodes in order of id are cheapest.
func (r *Router) Route(lanes []Lane, nodes []hive.Node, now time.Time) []Grant {
	p := pass{due: now.Add(-patience), highest: levels - 1}
	p.takeSeats(nodes)
	if p.room == 0 {
		return nil
	}
	p.lineUp(lanes, &r.books)
	for p.room > 0 && r.next(&p) {
	}
	for i := range r.books {
		r.books[i].keep(&p.levels[i])
	}
	return p.grants
}

// next grants one task; false if none can be.
func (r *Router) next(p *pass) bool {
	top := p.top()
	if top < 0 {
		return false
	}
	if aged := p.nextAged(top, r.lastAged); aged >= 0 {
		if r.passedOver++; r.passedOver == ageingTurn {
			r.passedOver, r.lastAged = 0, aged
			p.serve(&p.levels[aged], true)
			return true
		}
	}
	p.serve(&p.levels[top], false)
	return true
}

// serve grants a task of a level that has one, with onlyDue one that has waited too long.
func (p *pass) serve(lv *level, onlyDue bool) {
	s := p.choose(lv, onlyDue)
	p.give(p.turn(s, onlyDue))
	lv.charge(s)
}

// pass is one call of Route. Room only shrinks in it, so a lane that cannot be
// served is done for until the next pass.
type pass struct {
	seats   []seat // nodes with room, by id
	room    int    // of all seats
	pools   pools
	levels  [levels]level
	highest int       // no level above it can be served
	due     time.Time // a head made before it has waited too long
	drawn   map[*Budget]int
	grants  []Grant
}

// give grants the head task of a lane to the best of its seats.
func (p *pass) give(w *waiting) {
	s := w.pool.best(p.seats)
	s.active++
	s.room--
	s.now = s.entry(s.now.place())
	p.room--
	w.left--
	w.spent++
	for _, b := range w.Budgets {
		if p.drawn == nil {
			p.drawn = map[*Budget]int{}
		}
		p.drawn[b]++
	}
	if n := len(p.grants); n > 0 && p.grants[n-1].Lane == w.Name && p.grants[n-1].Node == s.node.ID {
		p.grants[n-1].Count++
		return
	}
	p.grants = append(p.grants, Grant{w.Name, s.node.ID, 1})
}
