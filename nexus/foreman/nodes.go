package foreman

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/hive-spore/hive"
)

// SelectBestNode returns the node that gets the next task of a skill with these
// requirements, a pointer into nodes, or false if none can take it. Of the nodes
// that are online, not draining, have room, every required tag and the skill, it
// is the one with the lowest score; of equal ones the one with fewer active
// tasks, then the one with the smaller id.
func SelectBestNode(skill hive.SkillRef, require hive.Selector, nodes []hive.Node) (*hive.Node, bool) {
	var best *hive.Node
	for i := range nodes {
		n := &nodes[i]
		if n.Room() > 0 && canRun(n, skill, require) && (best == nil || byLoad(n, best) < 0) {
			best = n
		}
	}
	return best, best != nil
}

func canRun(n *hive.Node, skill hive.SkillRef, require hive.Selector) bool {
	return require.Matches(n.Tags) && n.Has(skill)
}

func byLoad(a, b *hive.Node) int {
	return cmp.Or(cmp.Compare(a.Score(), b.Score()), cmp.Compare(a.Active, b.Active), strings.Compare(a.ID, b.ID))
}

// seat is a node with room in a pass, with what changes as the pass hands out.
type seat struct {
	node   *hive.Node
	active int
	room   int
	now    entry
}

// seat takes up the nodes that have room. In order of id, so that a seat's place
// breaks ties.
func (p *pass) seat(nodes []hive.Node) {
	p.seats = make([]seat, 0, len(nodes))
	for i := range nodes {
		if room := nodes[i].Room(); room > 0 {
			p.seats = append(p.seats, seat{node: &nodes[i], active: nodes[i].Active, room: room})
			p.room += room
		}
	}
	slices.SortFunc(p.seats, func(a, b seat) int { return strings.Compare(a.node.ID, b.node.ID) })
	for i := range p.seats {
		p.seats[i].now = p.seats[i].entry(i)
	}
}

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
// guess, so comparing without branches is worth a factor of two.
type entry struct {
	score uint64 // in an order of unsigned numbers
	ties  uint64 // active tasks, then the seat's place
}

func (s *seat) entry(place int) entry {
	score := math.Float64bits(hive.LoadScore(s.node.CPU, s.node.Memory, s.active))
	if score>>63 == 0 {
		score |= 1 << 63
	} else {
		score = ^score
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
