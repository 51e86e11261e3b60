package foreman

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// reference routes as Route must, one task at a time, looking at everything anew
// for each: no heap, no cursor, nothing kept in order. It says what Route means.
type reference struct {
	passedOver int
	lastAged   hive.Priority
	waiting    func(level hive.Priority) []Lane
	tenants    map[string]string          // by lane
	spent      [levels]map[string]int     // by lane, in the round its tenant is in
	clock      [levels]float64            // how far everybody's share is
	tags       [levels]map[string]float64 // how far that of each tenant is that waits, or is ahead
	gone       [levels]map[string]bool    // tenants that came up in this pass and could not be served
	current    [levels]string             // tenant that has the turn
	given      [levels]int                // tasks in it; 0: nobody has the turn
	drawn      map[*Budget]int            // in the pass
}

func (r *reference) route(lanes []Lane, nodes []hive.Node, now time.Time) []Grant {
	if !slices.ContainsFunc(nodes, func(n hive.Node) bool { return n.Room() > 0 }) {
		return nil // nothing is looked at
	}
	lanes, nodes, r.drawn = slices.Clone(lanes), slices.Clone(nodes), map[*Budget]int{}
	waits := map[string]bool{} // as the pass begins
	for i := range r.spent {
		if r.spent[i] == nil {
			r.spent[i], r.tags[i] = map[string]int{}, map[string]float64{}
		}
		r.given[i], r.gone[i] = 0, map[string]bool{}
	}
	r.waiting = func(level hive.Priority) []Lane {
		return filter(lanes, func(l Lane) bool { return l.Priority == level && waits[l.Name] })
	}
	for _, l := range lanes {
		if l.Count > 0 {
			waits[l.Name] = true
		}
	}
	for level := range r.tags {
		for _, l := range r.waiting(hive.Priority(level)) {
			tag, known := r.tags[level][l.Tenant]
			if !known {
				tag = r.clock[level]
			}
			r.tags[level][l.Tenant] = max(tag, r.clock[level]-quantum/weightOf(l))
		}
	}
	defer r.forget(lanes)
	var decisions []Grant
	if r.tenants == nil {
		r.tenants = map[string]string{}
	}
	for _, l := range lanes {
		r.tenants[l.Name] = l.Tenant
	}
	for {
		able := filter(lanes, func(l Lane) bool {
			return l.Count > 0 && !usedUp(l.Budgets, r.drawn) && bestFor(l, nodes) != nil
		})
		if len(able) == 0 {
			return decisions
		}
		chosen := r.choose(able, now)
		i := slices.IndexFunc(lanes, func(l Lane) bool { return l.Name == chosen.Name })
		n := bestFor(chosen, nodes)
		lanes[i].Count--
		for _, b := range chosen.Budgets {
			r.drawn[b]++
		}
		n.Active++
		r.spent[chosen.Priority][chosen.Name]++
		decisions = append(decisions, Grant{chosen.Name, n.ID, 1})
	}
}

// choose picks one of the lanes that can be served.
func (r *reference) choose(able []Lane, now time.Time) Lane {
	top := slices.MaxFunc(able, func(a, b Lane) int { return int(a.Priority - b.Priority) }).Priority
	r.comeUp(able, top)
	due := filter(able, func(l Lane) bool { return l.Priority < top && now.Sub(l.Oldest) > patience })
	if len(due) > 0 {
		if r.passedOver++; r.passedOver == ageingTurn {
			r.passedOver = 0
			r.lastAged = r.following(due)
			return r.turn(r.share(atLevel(due, r.lastAged)))
		}
	}
	return r.turn(r.share(atLevel(able, top)))
}

// share is those of these lanes of one level whose tenant has the turn.
func (r *reference) share(able []Lane) []Lane {
	level := able[0].Priority
	of := func(tenant string) []Lane {
		return filter(able, func(l Lane) bool { return l.Tenant == tenant })
	}
	if r.given[level] == 0 || r.given[level] == quantum || len(of(r.current[level])) == 0 {
		r.current[level], r.given[level] = slices.MinFunc(able, r.byTag).Tenant, 0
	}
	share := of(r.current[level])
	weights := map[string]float64{}
	for _, l := range r.waiting(level) {
		if !r.gone[level][l.Tenant] {
			weights[l.Tenant] = weightOf(l)
		}
	}
	all := 0.0
	for _, w := range weights {
		all += w
	}
	r.given[level]++
	r.tags[level][r.current[level]] += 1 / weightOf(share[0])
	r.clock[level] += 1 / all
	return share
}

// byTag orders lanes of one level by whose turn it is.
func (r *reference) byTag(a, b Lane) int {
	tags := r.tags[a.Priority]
	return cmp.Or(cmp.Compare(tags[a.Tenant], tags[b.Tenant]), r.oldest(a).Compare(r.oldest(b)), strings.Compare(a.Tenant, b.Tenant))
}

// oldest is the oldest head of the tenant's lanes as the pass began.
func (r *reference) oldest(l Lane) time.Time {
	mine := filter(r.waiting(l.Priority), func(o Lane) bool { return o.Tenant == l.Tenant })
	return slices.MinFunc(mine, func(a, b Lane) int { return a.Oldest.Compare(b.Oldest) }).Oldest
}

// comeUp notes who comes up before the first that can be served.
func (r *reference) comeUp(able []Lane, top hive.Priority) {
	first := slices.MinFunc(atLevel(able, top), r.byTag)
	for _, l := range r.waiting(top) {
		if r.byTag(l, first) < 0 && l.Tenant != first.Tenant {
			r.gone[top][l.Tenant] = true
		}
	}
}

// forget drops tenants that have nothing waiting and are not ahead.
func (r *reference) forget(lanes []Lane) {
	for level := range r.tags {
		for _, l := range r.waiting(hive.Priority(level)) {
			left := slices.ContainsFunc(lanes, func(o Lane) bool {
				return int(o.Priority) == level && o.Tenant == l.Tenant && o.Count > 0
			})
			if tag, known := r.tags[level][l.Tenant]; known && !left && tag <= r.clock[level] {
				delete(r.tags[level], l.Tenant)
				r.newRound(level, l.Tenant)
			}
		}
	}
}

// newRound has nobody of a tenant's lanes have spent anything.
func (r *reference) newRound(level int, tenant string) {
	for name := range r.spent[level] {
		if r.tenants[name] == tenant {
			delete(r.spent[level], name)
		}
	}
}

// usedUp reports whether one of the budgets is used up.
func usedUp(budgets []*Budget, drawn map[*Budget]int) bool {
	return slices.ContainsFunc(budgets, func(b *Budget) bool { return drawn[b] >= b.Left })
}

func weightOf(l Lane) float64 { return float64(max(1, l.Weight)) }

// following is the level of a due lane that comes next when levels count down
// from the one that was last, round and round.
func (r *reference) following(due []Lane) hive.Priority {
	for n := r.lastAged - 1; ; n-- {
		if n < hive.MinPriority {
			n = hive.MaxPriority
		}
		if len(atLevel(due, n)) > 0 {
			return n
		}
	}
}

// turn is the oldest of these lanes of one tenant that has not spent its quantum.
// If all have, a round begins for the tenant.
func (r *reference) turn(able []Lane) Lane {
	spent := r.spent[able[0].Priority]
	left := filter(able, func(l Lane) bool { return spent[l.Name] < quantum })
	if len(left) == 0 {
		r.newRound(int(able[0].Priority), able[0].Tenant)
		left = able
	}
	return slices.MinFunc(left, func(a, b Lane) int {
		if c := a.Oldest.Compare(b.Oldest); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
}

// bestFor is the node in nodes that gets the lane's next task, nil if none can.
func bestFor(l Lane, nodes []hive.Node) *hive.Node {
	var best *hive.Node
	for i := range nodes {
		n := &nodes[i]
		switch {
		case !n.Online, n.Draining, n.Active >= n.Slots+n.Prefetch, !n.Has(l.Skill), !l.Require.Matches(n.Tags):
		case best == nil, !n.Busy() && best.Busy():
			best = n
		case n.Busy() && !best.Busy():
		case n.Score() < best.Score():
			best = n
		case n.Score() > best.Score(), n.Active > best.Active:
		case n.Active < best.Active, n.ID < best.ID:
			best = n
		}
	}
	return best
}

func atLevel(lanes []Lane, p hive.Priority) []Lane {
	return filter(lanes, func(l Lane) bool { return l.Priority == p })
}

func filter(lanes []Lane, keep func(Lane) bool) []Lane {
	var out []Lane
	for _, l := range lanes {
		if keep(l) {
			out = append(out, l)
		}
	}
	return out
}

// expand writes grants as decisions of one task each.
func expand(grants []Grant) []Grant {
	var out []Grant
	for _, g := range grants {
		for range g.Count {
			out = append(out, Grant{g.Lane, g.Node, 1})
		}
	}
	return out
}
