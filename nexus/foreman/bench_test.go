package foreman

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// BenchmarkRoute10kSpores10kLanes routes passes that hand out 100,000 tasks of
// 50 lanes, every one of another skill and selector, over spores of all loads.
func BenchmarkRoute10kSpores10kLanes(b *testing.B) {
	zones := []string{"zone=eu", "zone=us", "zone in (eu,us)", "gpu", ""}
	for _, shape := range []struct {
		name  string
		skill func(spore, skill int) bool
		zone  func(lane int) string
	}{
		{"all lanes alike", func(int, int) bool { return true }, func(int) string { return "" }},
		{"every skill everywhere", func(int, int) bool { return true }, func(i int) string { return zones[i%len(zones)] }},
		{"half the skills each", func(n, s int) bool { return (n*2654435761>>8+s)%10 < 5 }, func(i int) string { return zones[i%len(zones)] }},
	} {
		b.Run(shape.name, func(b *testing.B) {
			benchmarkRoute(b, benchNodes(10000, 8, 2, shape.skill), benchLanes(b, 10000, 50, shape.zone))
		})
	}
}

// BenchmarkRouteSmall is the pass of a quiet hive: one task, three spores.
func BenchmarkRouteSmall(b *testing.B) {
	all := func(int, int) bool { return true }
	lanes := benchLanes(b, 1, 1, func(int) string { return "" })
	lanes[0].Count = 1
	benchmarkRoute(b, benchNodes(3, 8, 2, all), lanes)
}

// BenchmarkRouteOneOf10kSpores is the pass of a quiet hive that is large.
func BenchmarkRouteOneOf10kSpores(b *testing.B) {
	all := func(int, int) bool { return true }
	lanes := benchLanes(b, 1, 1, func(int) string { return "" })
	lanes[0].Count = 1
	benchmarkRoute(b, benchNodes(10000, 8, 2, all), lanes)
}

func benchmarkRoute(b *testing.B, nodes []hive.Node, lanes []Lane) {
	b.ReportAllocs()
	var r Router
	decisions := 0
	for b.Loop() {
		for _, g := range r.Route(lanes, nodes, now) {
			decisions += g.Count
		}
	}
	b.ReportMetric(float64(decisions)/b.Elapsed().Seconds(), "decisions/s")
}

func benchNodes(n, slots, prefetch int, has func(spore, skill int) bool) []hive.Node {
	random := rand.New(rand.NewPCG(1, 2))
	nodes := make([]hive.Node, n)
	for i := range nodes {
		nodes[i] = hive.Node{Online: true, NodeReport: hive.NodeReport{
			ID: fmt.Sprintf("spore-%05d", i), CPU: random.Float64(), Memory: random.Float64(),
			Slots: slots, Prefetch: prefetch,
			Tags: hive.Tags{"zone": []string{"eu", "us", "asia"}[i%3], "host": fmt.Sprint(i)},
		}}
		if i%4 == 0 {
			nodes[i].Tags["gpu"] = "true"
		}
		for s := range 10 {
			if has(i, s) {
				nodes[i].Skills = append(nodes[i].Skills, hive.SkillID{Name: fmt.Sprint("skill-", s), Version: "1.0.0", Digest: "sha256:0"})
			}
		}
	}
	return nodes
}

func benchLanes(b testing.TB, n, active int, zone func(lane int) string) []Lane {
	lanes := make([]Lane, n)
	for i := range lanes {
		require, err := hive.ParseSelector(zone(i))
		if err != nil {
			b.Fatal(err)
		}
		lanes[i] = Lane{
			Name: fmt.Sprint("in:", i), Skill: hive.SkillRef{Name: fmt.Sprint("skill-", i/5%10), Pin: "1.0.0"},
			Require: require, Priority: hive.Priority(i % 3 * 4), Oldest: now.Add(-time.Duration(i%60) * time.Second),
		}
	}
	for i := range active {
		lanes[i*n/active+i%(n/active)].Count = 20000
	}
	return lanes
}

// BenchmarkCollect joins the grants of a pass over many lanes.
func BenchmarkCollect(b *testing.B) {
	all := func(int, int) bool { return true }
	var r Router
	grants := r.Route(benchLanes(b, 50, 50, func(int) string { return "" }), benchNodes(100, 8, 2, all), now)
	b.ReportAllocs()
	for b.Loop() {
		collect(slices.Clone(grants))
	}
}
