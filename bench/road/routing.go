package road

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/nexus/foreman"
)

const (
	routeTable      = "Routing alone, without a road: 10,000 spores, 10,000 lanes of which 50 have tasks."
	decisionsColumn = "decisions/s"
	routedSpores    = 10_000
	routedLanes     = 10_000
	activeLanes     = 50
	routedSkills    = 10
)

// shape is who may do what: whether a spore has a skill, and what a lane requires.
type shape struct {
	name  string
	skill func(spore, skill int) bool
	zones []string
}

var shapes = []shape{
	{"all lanes alike", func(int, int) bool { return true }, []string{""}},
	{"every skill everywhere", func(int, int) bool { return true }, []string{"zone=eu", "zone=us", "zone in (eu,us)", "gpu", ""}},
	{"half the skills each", func(n, s int) bool { return (n*2654435761>>8+s)%10 < 5 }, []string{"zone=eu", "zone=us", "zone in (eu,us)", "gpu", ""}},
}

// routing measures how many tasks per second get a spore. A pass begins with spores of
// all loads and more tasks than they have room for.
func (s *suite) routing(sh shape) func(context.Context) error {
	return func(ctx context.Context) error {
		now := time.Now()
		nodes := routed(sh)
		lanes, err := lanesOf(sh, now)
		if err != nil {
			return err
		}
		var router foreman.Router
		decisions, begun := 0, time.Now()
		for time.Since(begun) < s.size.Pass && ctx.Err() == nil {
			for _, g := range router.Route(lanes, nodes, now) {
				decisions += g.Count
			}
		}
		s.report.Add(routeTable, sh.name, report.Figure{Column: decisionsColumn, Value: float64(decisions) / time.Since(begun).Seconds()})
		return ctx.Err()
	}
}

func routed(sh shape) []hive.Node {
	random := rand.New(rand.NewPCG(1, 2))
	nodes := make([]hive.Node, routedSpores)
	for i := range nodes {
		nodes[i] = hive.Node{Online: true, NodeReport: hive.NodeReport{
			ID: fmt.Sprintf("spore-%05d", i), CPU: random.Float64(), Memory: random.Float64(), Slots: 8, Prefetch: 2,
			Tags: hive.Tags{"zone": []string{"eu", "us", "asia"}[i%3], "host": fmt.Sprint(i)},
		}}
		if i%4 == 0 {
			nodes[i].Tags["gpu"] = "true"
		}
		for k := range routedSkills {
			if sh.skill(i, k) {
				nodes[i].Skills = append(nodes[i].Skills, hive.SkillID{Name: fmt.Sprint("skill-", k), Version: "1.0.0", Digest: "sha256:0"})
			}
		}
	}
	return nodes
}

func lanesOf(sh shape, now time.Time) ([]foreman.Lane, error) {
	lanes := make([]foreman.Lane, routedLanes)
	for i := range lanes {
		require, err := hive.ParseSelector(sh.zones[i%len(sh.zones)])
		if err != nil {
			return nil, err
		}
		lanes[i] = foreman.Lane{Name: fmt.Sprint("in:", i), Skill: hive.SkillRef{Name: fmt.Sprint("skill-", i/5%routedSkills), Pin: "1.0.0"},
			Require: require, Priority: hive.Priority(i % 3 * 4), Oldest: now.Add(-time.Duration(i%60) * time.Second)}
	}
	for i := range activeLanes {
		lanes[i*routedLanes/activeLanes+i%(routedLanes/activeLanes)].Count = 20_000
	}
	return lanes, nil
}
