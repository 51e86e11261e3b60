package foreman

import (
	"math"
	"math/bits"

	"github.com/hive-spore/hive"
)

// pools finds the pool of a lane. Lanes whose tasks can run on the same seats
// share one, whatever they ask for: where every spore has every skill, one pool
// serves all.
type pools struct {
	skills map[hive.SkillRef]set
	tags   map[string]set // by the selector's text
	pools  map[string]*pool
	both   set // scratch
}

// set holds one bit per seat. Bytes, so that a set can be the key of a map.
type set []byte

// of returns the lane's pool, building what is not there yet.
func (ps *pools) of(l *Lane, seats []seat) *pool {
	in := ps.offering(l.Skill, seats)
	if len(l.Require) > 0 {
		in = ps.and(in, ps.tagged(l.Require, seats))
	}
	found, ok := ps.pools[string(in)]
	if !ok {
		if ps.pools == nil {
			ps.pools = map[string]*pool{}
		}
		found = newPool(in, seats)
		ps.pools[string(in)] = found
	}
	return found
}

func (ps *pools) offering(ref hive.SkillRef, seats []seat) set {
	in, ok := ps.skills[ref]
	if !ok {
		if ps.skills == nil {
			ps.skills = map[hive.SkillRef]set{}
		}
		in = newSet(seats, func(n *hive.Node) bool { return n.Has(ref) })
		ps.skills[ref] = in
	}
	return in
}

func (ps *pools) tagged(require hive.Selector, seats []seat) set {
	text := require.String()
	in, ok := ps.tags[text]
	if !ok {
		if ps.tags == nil {
			ps.tags = map[string]set{}
		}
		in = newSet(seats, func(n *hive.Node) bool { return require.Matches(n.Tags) })
		ps.tags[text] = in
	}
	return in
}

// and is valid until it is called again.
func (ps *pools) and(a, b set) set {
	ps.both = ps.both[:0]
	for i := range a {
		ps.both = append(ps.both, a[i]&b[i])
	}
	return ps.both
}

func newSet(seats []seat, has func(*hive.Node) bool) set {
	in := make(set, (len(seats)+7)/8)
	for i := range seats {
		if has(seats[i].node) {
			in[i/8] |= 1 << (i % 8)
		}
	}
	return in
}

// pool is a min-heap of the seats some lanes can use, best first. Seats belong
// to many pools, so an entry may be out of date; but a seat's score only rises in
// a pass, so an old entry is a lower bound, and it is enough to correct it when
// it comes to the top.
type pool struct{ heap []entry }

// entry is a seat as it was when last looked at: a number of 128 bits that is
// smaller for a better seat. A heap compares keys that no branch predictor can
// guess: comparing without branches takes a third off a large pass.
type entry struct {
	score uint64 // in an order of unsigned numbers
	ties  uint64 // active tasks, then the seat's place
}

func (s *seat) entry(place int) entry {
	// The bits of positive numbers are in their order. The top one, their sign, says
	// that every slot is taken.
	score := math.Float64bits(max(0, hive.LoadScore(s.node.CPU, s.node.Memory, s.active)))
	if s.active >= s.node.Slots {
		score |= 1 << 63
	}
	return entry{score, uint64(uint32(s.active)^1<<31)<<32 | uint64(uint32(place))}
}

// place is where the entry's seat stands.
func (e entry) place() int { return int(uint32(e.ties)) }

// before is 1 if e is the better one, else 0.
func (e entry) before(f entry) int {
	_, borrow := bits.Sub64(e.ties, f.ties, 0)
	_, borrow = bits.Sub64(e.score, f.score, borrow)
	return int(borrow)
}

func newPool(in set, seats []seat) *pool {
	pl := &pool{}
	for i := range seats {
		if in[i/8]&(1<<(i%8)) != 0 && seats[i].room > 0 {
			pl.heap = append(pl.heap, seats[i].now)
		}
	}
	for i := len(pl.heap)/2 - 1; i >= 0; i-- {
		pl.sink(i, pl.heap[i])
	}
	return pl
}

// best is the seat that gets the pool's next task, nil if all are full.
func (pl *pool) best(seats []seat) *seat {
	for len(pl.heap) > 0 {
		s := &seats[pl.heap[0].place()]
		if s.room > 0 && pl.heap[0] == s.now {
			return s
		}
		if s.room > 0 {
			pl.sink(0, s.now)
			continue
		}
		last := pl.heap[len(pl.heap)-1]
		pl.heap = pl.heap[:len(pl.heap)-1]
		if len(pl.heap) > 0 {
			pl.sink(0, last)
		}
	}
	return nil
}

// sink puts e in the place of the entry at i, or below where it belongs.
func (pl *pool) sink(i int, e entry) {
	h := pl.heap
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if right := child + 1; right < len(h) {
			child += h[right].before(h[child])
		}
		if h[child].before(e) == 0 {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = e
}
