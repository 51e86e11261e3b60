package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

// TestCronWhileLeadersDie: a task each second, each once, while whoever leads is killed: none
// is missed and none is made twice.
func TestCronWhileLeadersDie(t *testing.T) {
	c := newCluster(t)
	nexus := map[string]*process{}
	begin := func(n int) {
		name := fmt.Sprint("n", n)
		nexus[name] = c.nexus(name)
	}
	begin(0)
	begin(1)
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	if err := submitter.AddCron(t.Context(), &hive.Cron{Name: "tick", Schedule: "@every 1s", CatchUp: hive.CatchUpAll,
		Task: hive.Task{Skill: hive.SkillRef{Name: "nobody"}}}, false); err != nil {
		t.Fatal(err)
	}
	last := func() time.Time {
		crons, err := c.road.Crons(t.Context())
		if err != nil || len(crons) != 1 {
			t.Fatalf("Crons = %v, %v", crons, err)
		}
		return crons[0].Last.Truncate(time.Second)
	}
	first := last()
	made := func() (n int) {
		if err := c.road.Tasks(t.Context(), func(*hive.Record) bool { n++; return true }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for kill := range 3 {
		before := made()
		await(t, "three ticks more", func() (bool, error) { return made() >= before+3, nil })
		leader, err := c.leader()
		if err != nil || nexus[leader] == nil {
			t.Fatalf("%q leads, %v", leader, err)
		}
		nexus[leader].kill()
		delete(nexus, leader)
		begin(kill + 2)
	}
	before := made()
	await(t, "three ticks more", func() (bool, error) { return made() >= before+3, nil })
	for _, p := range nexus {
		p.kill()
	}
	if n, want := made(), int(last().Sub(first)/time.Second); n != want {
		t.Errorf("%d tasks were made from %v to %v, want %d", n, first, last(), want)
	}
}
