package foreman

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"pgregory.net/rapid"
)

// tick is the time between two passes of a simulated hive.
const tick = 100 * time.Millisecond

// sim is a hive of ten spores with ten slots each whose tasks take a second. It
// begins full, one task of each spore ending with every tick, so it can begin 10
// tasks a tick.
type sim struct {
	router  Router
	now     time.Time
	nodes   []hive.Node
	order   []*simLane // as made, so that a run can be repeated
	ends    map[time.Time][]int
	granted int
}

// simLane is a lane with the tasks it really has, and what became of the others.
type simLane struct {
	Lane
	made    []time.Time
	granted int
	longest time.Duration // wait of a task that was granted
}

func newSim() *sim {
	s := &sim{now: now, ends: map[time.Time][]int{}}
	for i := range 10 {
		n := hive.Node{Online: true, Active: 10}
		n.ID, n.Slots = fmt.Sprint("n", i), 10
		n.Skills = []hive.SkillID{{Name: "echo", Version: "1.0.0"}}
		s.nodes = append(s.nodes, n)
		for k := range 10 {
			end := now.Add(time.Duration(k) * tick)
			s.ends[end] = append(s.ends[end], i)
		}
	}
	return s
}

func (s *sim) lane(name string, p hive.Priority) *simLane {
	l := &simLane{Lane: Lane{Name: name, Skill: hive.SkillRef{Name: "echo"}, Priority: p}}
	s.order = append(s.order, l)
	return l
}

func (s *sim) add(l *simLane, n int) {
	for range n {
		l.made = append(l.made, s.now)
	}
}

// pass ends tasks whose second is over, routes, and lets a tick go by.
func (s *sim) pass() {
	for _, n := range s.ends[s.now] {
		s.nodes[n].Active--
	}
	delete(s.ends, s.now)
	byName := map[string]*simLane{}
	var lanes []Lane
	for _, l := range s.order {
		if l.Count = len(l.made); l.Count > 0 {
			l.Oldest = l.made[0]
			lanes = append(lanes, l.Lane)
		}
		byName[l.Name] = l
	}
	for _, g := range s.router.Route(lanes, s.nodes, s.now) {
		s.start(byName[g.Lane], g)
	}
	s.now = s.now.Add(tick)
}

func (s *sim) start(l *simLane, g Grant) {
	node := int(g.Node[1] - '0')
	end := s.now.Add(time.Second)
	for _, made := range l.made[:g.Count] {
		l.longest = max(l.longest, s.now.Sub(made))
		s.ends[end] = append(s.ends[end], node)
	}
	l.made = l.made[g.Count:]
	l.granted += g.Count
	s.granted += g.Count
	s.nodes[node].Active += g.Count
}

// TestOverloadDoesNotStarve loads priority 10 with 120 % for five minutes. Three
// tasks a second of priority 0 are less than the sixteenth it can have.
func TestOverloadDoesNotStarve(t *testing.T) {
	s := newSim()
	top, bottom := s.lane("top", 10), s.lane("bottom", 0)
	for i := range 3000 {
		s.add(top, 12)
		if i%10 < 3 {
			s.add(bottom, 1)
		}
		s.pass()
	}
	if bottom.longest < patience || bottom.longest > patience+time.Second {
		t.Errorf("longest wait of priority 0 is %v, want %v and at most a second", bottom.longest, patience)
	}
	if bottom.granted < 3*(300-31) || bottom.granted+top.granted != s.granted || s.granted != 30000 {
		t.Errorf("%d tasks of priority 0 and %d of priority 10 begun, want 3 and 97 a second", bottom.granted, top.granted)
	}
}

// TestAgeingShares loads every level beyond what it can have. Together those
// below get a sixteenth, in equal parts; before they have aged, nothing.
func TestAgeingShares(t *testing.T) {
	s := newSim()
	top := s.lane("top", 10)
	var below []*simLane
	for p := range hive.Priority(10) {
		below = append(below, s.lane(fmt.Sprint("p", p), p))
		s.add(below[p], 1000)
	}
	s.add(top, 100)
	for range 301 {
		s.add(top, 12)
		s.pass()
	}
	if top.granted != s.granted {
		t.Errorf("%d of %d grants before anything was old went below", s.granted-top.granted, s.granted)
	}
	before := s.granted
	for range 1600 {
		s.add(top, 12)
		s.pass()
	}
	if got := s.granted - before; got != 16000 {
		t.Errorf("%d tasks begun in 160 s, want 16000", got)
	}
	for _, l := range below {
		if l.granted != 100 {
			t.Errorf("%s had %d of 16000 grants, want 100", l.Name, l.granted)
		}
	}
}

// TestMillionDoesNotShutOut puts a trickle beside a lane that is far older. It
// waits for no more than what is left of the other's quantum, pass after pass.
func TestMillionDoesNotShutOut(t *testing.T) {
	s := newSim()
	million, trickle := s.lane("million", 5), s.lane("trickle", 5)
	s.add(million, 100_000)
	for range 1000 {
		s.pass()
		s.add(trickle, 1)
	}
	if million.granted+trickle.granted != s.granted || trickle.granted < 997 {
		t.Errorf("%d grants for the trickle of 1000, %d for the million", trickle.granted, million.granted)
	}
	if trickle.longest > 2*tick {
		t.Errorf("a task of the trickle waited %v, want at most a quantum: %v", trickle.longest, 2*tick)
	}
}

// TestTrickleDoesNotShutOut is the reverse: a lane that never has more than one
// task must not win every pass by looking new each time.
func TestTrickleDoesNotShutOut(t *testing.T) {
	s := newSim()
	for i := range s.nodes {
		s.nodes[i].Draining = i > 0
	}
	s.nodes[0].Slots = 1 // free again at the first second, then every second
	one, many := s.lane("one", 5), s.lane("many", 5)
	for range 3200 {
		if len(one.made) == 0 {
			s.add(one, 1)
		}
		s.add(many, 1)
		s.pass()
	}
	if difference := math.Abs(float64(one.granted - many.granted)); difference > quantum || s.granted != 320 {
		t.Errorf("of %d grants %d went to the lane of one task, %d to its neighbour; want halves", s.granted, one.granted, many.granted)
	}
}

// TestNothingStarves draws loads of 120 % of priority 10 and, on all levels
// below, what fits into a sixteenth: each waits for about 30 s at most.
func TestNothingStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSim()
		top := s.lane("top", 10)
		var below []*simLane
		for _, p := range rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 1, 5, rapid.ID).Draw(t, "levels") {
			below = append(below, s.lane(fmt.Sprint("l", p), hive.Priority(p)))
		}
		every := rapid.IntRange(2, 5).Draw(t, "a task every")
		for i := range 600 {
			s.add(top, 12)
			if i%every == 0 {
				s.add(below[i/every%len(below)], 1)
			}
			s.pass()
		}
		for _, l := range below {
			if l.longest > patience+time.Second {
				t.Fatalf("a task of priority %d waited %v", l.Priority, l.longest)
			}
			if len(l.made) > 0 && s.now.Sub(l.made[0]) > patience+time.Second {
				t.Fatalf("a task of priority %d waits since %v", l.Priority, s.now.Sub(l.made[0]))
			}
		}
	})
}
