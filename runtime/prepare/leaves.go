package prepare

import "slices"

// leaves are the functions that neither call nor loop nor cost more than
// slack. They count no fuel: whoever calls one pays for it, and a call of one
// is as good as no call. A leaf the host calls is free.
type leaves struct {
	cost   []int64 // of each function of the module, noLeaf if it pays for itself
	byType []int64 // the most of those of a type
}

const noLeaf = -1

// findLeaves walks all functions a first time. It also finds the helpers they
// need, whose indices must be known before one is called.
func (m *module) findLeaves() (*leaves, error) {
	l := &leaves{slices.Repeat([]int64{noLeaf}, len(m.bodies)), make([]int64, len(m.types))}
	w := walk{m: m, leaves: l}
	for i := range m.bodies {
		w.function(i)
		if w.r.err != nil {
			return nil, w.r.err
		}
		if !w.calls && w.loops == 0 && len(w.points) == 1 && w.points[0].cost <= slack {
			l.cost[i] = w.points[0].cost
		}
	}
	m.byType(l)
	return l, nil
}

// byType fills in what a call through a table costs at most.
func (m *module) byType(l *leaves) {
	most := map[funcType]int64{}
	for i, cost := range l.cost {
		t := m.types[m.funcs[int(m.imported)+i]]
		most[t] = max(most[t], cost)
	}
	for i, t := range m.types {
		l.byType[i] = most[t]
	}
}
