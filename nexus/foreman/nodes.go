package foreman

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hive-spore/hive"
)

// SelectBestNode returns the node that gets the next task of a skill with these
// requirements, a pointer into nodes, or false if none can take it. Of the nodes
// that are online, not draining, have room, every required tag and the skill, it
// is the one with the lowest score, one with a free slot before one that would
// only queue the task; of equal ones the one with fewer active tasks, then the
// one with the smaller id.
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
	if a.Busy() != b.Busy() {
		if a.Busy() {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(a.Score(), b.Score()), cmp.Compare(a.Active, b.Active), strings.Compare(a.ID, b.ID))
}

// seat is a node with room in a pass, with what changes as the pass hands out.
type seat struct {
	node   *hive.Node
	active int
	room   int
	now    entry
}

// takeSeats takes up the nodes that have room. In order of id, so that a seat's place
// breaks ties.
func (p *pass) takeSeats(nodes []hive.Node) {
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
