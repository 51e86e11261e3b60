package foreman

import "time"

// Ageing: strict priority alone would let a hive that is overloaded from above
// starve what is below for ever. So of sixteen grants one goes to a level that the
// others pass over and whose oldest head has waited longer than patience. A
// sixteenth is all that the levels above give up: if several levels below have
// waited too long, those take turns.
//
// Oldest task first, whatever its level, would not do: under overload the tasks
// of the top level are old too.
//
// How old a head is, is read from its id, which the submitter's clock made. Its
// record knows by Redis' clock, but that would cost a read per lane and grant. So
// tasks of a submitter whose clock is ahead age that much later, and those of one
// whose clock is behind, or with ids of their own making, at once; what either
// gains or loses is no more than the sixteenth, and its place in a round.
//
// Grants made while no passed-over level could use the room left are not
// counted. Else a level that needs a rare spore could always find it taken when
// the sixteenth comes.
const (
	patience   = 30 * time.Second
	ageingTurn = 16
)

// nextAged is the level below top that has the next ageing turn: of those that
// are due, the first one down from last, the level that had the turn before. It
// is -1 if none is due.
func (p *pass) nextAged(top, last int) int {
	for i := 1; i <= levels; i++ {
		n := (last - i + levels) % levels
		if n < top && p.isDue(&p.levels[n]) {
			return n
		}
	}
	return -1
}

// isDue reports whether a lane that can be served has waited too long.
func (p *pass) isDue(lv *level) bool {
	for ; lv.due < len(lv.shares); lv.due++ {
		s := &lv.shares[lv.due]
		if !s.oldest.Before(p.due) {
			return false // the rest is younger still
		}
		if p.shareIsDue(s) {
			return true
		}
	}
	return false
}

// shareIsDue is isDue for the lanes of a share. A lane's second task counts as old as
// its first: Route knows no better, and the next pass will.
func (p *pass) shareIsDue(s *share) bool {
	for ; s.first < len(s.lanes); s.first++ {
		w := &s.lanes[s.first]
		if !w.Oldest.Before(p.due) {
			return false // the rest is younger still, and its pools need not be built
		}
		if p.canServe(w) {
			return true
		}
	}
	return false
}
