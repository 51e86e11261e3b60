package foreman

import (
	"container/heap"
	"time"
)

// Lanes that a limit holds back leave the passes of the router, so that they cost others
// nothing, be they thousands. When their limiter has room again it calls some of them, as many
// as there is room for and a few more, as other limits may hold these back and no spore may run
// them: who came first, of each tenant and level. One that is called and gets nothing stands
// behind the others then. Whoever comes while others wait stands behind them, too.

const (
	// gather is for how long tokens are gathered at most before lanes are called for them, unless
	// one takes longer: the road is not looked at for each.
	gather = 50 * time.Millisecond
	// fewMore is how many lanes are called beyond the room that there is.
	fewMore = 16
)

// group is lanes among which nothing but their order says who is first.
type group struct {
	tenant string
	level  int
}

// holdBack reports whether a limit leaves a lane no task, or others wait for what it leaves; it
// keeps the lane then.
func (ls *limits) holdBack(lane *Lane, now time.Time) bool {
	called := lane.called
	lane.called = false
	for _, l := range lane.limiters {
		waits := len(l.held) > 0
		if l.Left = l.left(now); l.Left > 0 && (called || !waits) {
			continue
		}
		if l.held == nil {
			l.held = map[group][]*Lane{}
		}
		g := group{lane.Tenant, lane.level()}
		l.held[g] = append(l.held[g], lane)
		if !waits {
			ls.await(l, now)
		}
		return true
	}
	return false
}

// await has a limiter call its lanes when it has room.
func (ls *limits) await(l *limiter, now time.Time) {
	switch {
	case l.left(now) > 0:
		ls.ready[l] = true
	case l.limit.Running > 0 && l.holds >= l.limit.Running:
		ls.capped[l] = true
	default:
		tokens := max(1, min(int(gather/l.limit.Interval()), l.limit.Depth()/2))
		l.until = l.when(tokens, now)
		heap.Push(&ls.rated, l)
	}
}

// release has lanes come back whose limiters have room.
func (ls *limits) release(f *Foreman, now time.Time) {
	for len(ls.rated) > 0 && !ls.rated[0].until.After(now) {
		ls.ready[heap.Pop(&ls.rated).(*limiter)] = true
	}
	if ls.news {
		ls.news = false
		for l := range ls.capped {
			if l.holds < l.limit.Running {
				delete(ls.capped, l)
				ls.ready[l] = true
			}
		}
	}
	for l := range ls.ready {
		if l.left(now) > 0 {
			f.call(l, now)
		}
		switch {
		case len(l.held) == 0:
			delete(ls.ready, l)
		case l.left(now) <= 0:
			delete(ls.ready, l)
			ls.await(l, now)
		}
	}
}

// call opens some of the lanes that a limiter holds back.
func (f *Foreman) call(l *limiter, now time.Time) {
	room := min(l.left(now), maxGrants) + fewMore
	each := 1 + 4*room/len(l.held)
	for g, lanes := range l.held {
		n := min(each, len(lanes))
		for _, lane := range lanes[:n] {
			if f.lanes[lane.Name] == lane {
				f.open[lane.Name], lane.called = lane, true
			}
		}
		if l.held[g] = lanes[n:]; n == len(lanes) {
			delete(l.held, g)
		}
	}
}

// maxGrants is more than a pass gives of one limiter.
const maxGrants = 1000

// forgetHeld has no limiter hold a lane back.
func (ls *limits) forgetHeld() {
	ls.rated = nil
	clear(ls.capped)
	clear(ls.ready)
	for _, l := range ls.on {
		l.held = nil
	}
}

// next is when lanes are to be called again, by the road's clock; zero: not before something
// rings.
func (ls *limits) next(now time.Time) time.Time {
	if len(ls.ready) > 0 { // those that were called had no use for it
		return now.Add(gather)
	}
	if len(ls.rated) == 0 {
		return time.Time{}
	}
	return ls.rated[0].until
}

// byTime is a heap of limiters, the first that has tokens again first.
type byTime []*limiter

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].until.Before(b[j].until) }
func (b byTime) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *byTime) Push(x any)        { *b = append(*b, x.(*limiter)) }
func (b *byTime) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}
