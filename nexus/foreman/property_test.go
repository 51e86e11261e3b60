package foreman

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"pgregory.net/rapid"
)

// TestRouteProperties drives a Router through several passes over a hive that
// changes between them, beside the reference.
func TestRouteProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Router
		var ref reference
		kinds := rapid.SliceOfN(genLane, 0, 10).Draw(t, "lanes")
		for pass := range rapid.IntRange(1, 5).Draw(t, "passes") {
			nodes := drawNodes(t)
			lanes := drawLanes(t, kinds)
			nodesBefore, lanesBefore := slices.Clone(nodes), slices.Clone(lanes)
			got := r.Route(lanes, nodes, now)
			if !reflect.DeepEqual(nodes, nodesBefore) || !reflect.DeepEqual(lanes, lanesBefore) {
				t.Fatalf("pass %d: Route changed the caller's slices", pass)
			}
			checkMerged(t, got)
			checkGrants(t, expand(got), lanes, nodes)
			if want := ref.route(lanes, nodes, now); !slices.Equal(expand(got), want) {
				t.Fatalf("pass %d: Route(%v, %v) =\n%v, want\n%v", pass, lanes, nodes, expand(got), want)
			}
		}
	})
}

// checkGrants carries decisions out one by one and checks each against the rules
// that hold whatever the order: what a slip of Route and of the reference alike
// would break.
func checkGrants(t *rapid.T, decisions []Grant, lanes []Lane, nodes []hive.Node) {
	lanes, nodes = slices.Clone(lanes), slices.Clone(nodes)
	drawn := map[*Budget]int{}
	for i, d := range decisions {
		l := &lanes[slices.IndexFunc(lanes, func(l Lane) bool { return l.Name == d.Lane })]
		n := &nodes[slices.IndexFunc(nodes, func(n hive.Node) bool { return n.ID == d.Node })]
		if n.Room() == 0 || !n.Has(l.Skill) || !l.Require.Matches(n.Tags) {
			t.Fatalf("decision %d: %v cannot go to %+v", i, d, n)
		}
		if best := bestFor(*l, nodes); best != n {
			t.Fatalf("decision %d: %v, score %g, but %s has %g", i, d, n.Score(), best.ID, best.Score())
		}
		if l.Count--; l.Count < 0 {
			t.Fatalf("decision %d: %v, but the lane is empty", i, d)
		}
		n.Active++
		if usedUp(l.Budgets, drawn) {
			t.Fatalf("decision %d: %v, but a budget is used up", i, d)
		}
		for _, b := range l.Budgets {
			drawn[b]++
		}
	}
	for _, l := range lanes {
		if n := bestFor(l, nodes); l.Count > 0 && n != nil && !usedUp(l.Budgets, drawn) {
			t.Fatalf("lane %+v was left waiting though %s has room", l, n.ID)
		}
	}
}

func checkMerged(t *rapid.T, grants []Grant) {
	for i := 1; i < len(grants); i++ {
		if a, b := grants[i-1], grants[i]; a.Lane == b.Lane && a.Node == b.Node {
			t.Fatalf("grants %d and %d, %v and %v, are not merged", i-1, i, a, b)
		}
	}
}

// TestSelectBestNodeIsRoute checks that the one rule is the same in both places.
func TestSelectBestNodeIsRoute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, nodes := genLane.Draw(t, "lane"), drawNodes(t)
		l.Count = 1
		n, ok := SelectBestNode(l.Skill, l.Require, nodes)
		grants := new(Router).Route([]Lane{l}, nodes, now)
		if !ok {
			if n != nil || grants != nil {
				t.Fatalf("SelectBestNode(%v, %v, %v) = %v, false; Route = %v", l.Skill, l.Require, nodes, n, grants)
			}
			return
		}
		if n != bestFor(l, nodes) || !slices.Equal(grants, []Grant{{l.Name, n.ID, 1}}) {
			t.Fatalf("SelectBestNode(%v, %v, %v) = %s; Route = %v", l.Skill, l.Require, nodes, n.ID, grants)
		}
	})
}

// Few values of everything, so that ties, misses and full spores are common.
var (
	genLoad  = rapid.SampledFrom([]float64{0, 0, 0.075, 0.1, 0.5, 1})
	genTags  = rapid.SampledFrom([]hive.Tags{nil, {"gpu": "true"}, {"zone": "eu"}, {"gpu": "true", "zone": "us"}})
	genSkill = rapid.SampledFrom([]hive.SkillID{{Name: "a", Version: "1.0.0", Digest: "sha256:1"}, {Name: "a", Version: "1.1.0", Digest: "sha256:2"}, {Name: "b", Version: "1.0.0", Digest: "sha256:3"}})
	genRef   = rapid.SampledFrom([]hive.SkillRef{{Name: "a"}, {Name: "a", Pin: "1.0.0"}, {Name: "a", Pin: "sha256:2"}, {Name: "b"}, {Name: "none"}})
	genAge   = rapid.SampledFrom([]time.Duration{0, time.Second, 29 * time.Second, patience, patience + 1, time.Minute, time.Hour})

	genNode = rapid.Custom(func(t *rapid.T) hive.Node {
		var n hive.Node
		n.CPU, n.Memory = genLoad.Draw(t, "cpu"), genLoad.Draw(t, "memory")
		n.Slots, n.Prefetch = rapid.IntRange(0, 12).Draw(t, "slots"), rapid.IntRange(0, 2).Draw(t, "prefetch")
		n.Active = rapid.IntRange(0, 6).Draw(t, "active")
		n.Tags, n.Skills = genTags.Draw(t, "tags"), rapid.SliceOfN(genSkill, 0, 3).Draw(t, "skills")
		n.Online, n.Draining = rapid.IntRange(0, 9).Draw(t, "online") > 0, rapid.IntRange(0, 9).Draw(t, "draining") == 9
		return n
	})
	genLane = rapid.Custom(func(t *rapid.T) Lane {
		sel, err := hive.ParseSelector(rapid.SampledFrom([]string{"", "", "gpu", "zone=eu", "gpu=true,zone in (eu,us)", "!gpu"}).Draw(t, "require"))
		if err != nil {
			t.Fatal(err)
		}
		return Lane{Skill: genRef.Draw(t, "skill"), Require: sel, Priority: rapid.SampledFrom([]hive.Priority{0, 3, 4, 10}).Draw(t, "priority"),
			Tenant: rapid.SampledFrom([]string{"", "", "x", "y"}).Draw(t, "tenant")}
	})
)

// drawNodes returns nodes in any order.
func drawNodes(t *rapid.T) []hive.Node {
	nodes := rapid.SliceOfN(genNode, 0, 20).Draw(t, "nodes")
	for i := range nodes {
		nodes[i].ID = fmt.Sprint("n", i)
	}
	return rapid.Permutation(nodes).Draw(t, "order of nodes")
}

// drawLanes returns some of the lanes, with as many tasks as a pass may find.
func drawLanes(t *rapid.T, kinds []Lane) []Lane {
	var lanes []Lane
	budgets := []*Budget{{rapid.IntRange(0, 5).Draw(t, "budget")}, {rapid.IntRange(0, 40).Draw(t, "budget")}}
	for i, l := range kinds {
		l.Budgets = budgets[rapid.SampledFrom([]int{0, 1, 2, 2, 2}).Draw(t, "first of the budgets"):]
		l.Name, l.Weight = fmt.Sprint("l", i), map[string]int{"x": 2, "y": 7}[l.Tenant]
		l.Oldest = now.Add(-genAge.Draw(t, "age"))
		l.Count = rapid.IntRange(0, 60).Draw(t, "count")
		if rapid.IntRange(0, 9).Draw(t, "there") > 0 {
			lanes = append(lanes, l)
		}
	}
	return rapid.Permutation(lanes).Draw(t, "order of lanes")
}
