package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/nexus/ota"
)

// swapVersions are three that all spores come to run, and one that goes back.
var swapVersions = []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"}

// swaps is a cluster of three spores, one of them a canary, and versions of a bundle of
// two skills: crow gives its payload back, and slow is the guest.
type swaps struct {
	*cluster
	editions []*bundle.Bundle
	spans    spans
}

func newSwaps(t *testing.T) *swaps {
	t.Helper()
	makeSkills(t)
	guests := precompile(t, swapVersions...)
	s := &swaps{cluster: newAudited(t)}
	s.nexus("n1")
	for i, version := range swapVersions {
		s.editions = append(s.editions, s.edition("birds", version, map[string][]byte{
			"crow": program(t, skills.cat, "crow "+version), "slow": guests[i]}))
	}
	s.allow(0)
	s.give(s.editions[0])
	for name, tag := range map[string]string{"a": "canary=true", "b": "canary=false", "c": "canary=false"} {
		s.bare(name, s.config(""), "--tags", tag+",spore="+name, "--slots", "8")
	}
	s.awaitAll(3, s.editions[0])
	return s
}

func (s *swaps) allow(n int) { s.spans.allow(s.editions[n], "crow") }
func (s *swaps) end(n int)   { s.spans.end(s.editions[n], "crow") }

// sleepers begin a task on each spore that lasts for longer than a rollout.
func (s *swaps) sleepers(submitter *client.Client) (ids []string) {
	s.Helper()
	for _, name := range []string{"a", "b", "c"} {
		require, err := hive.ParseSelector("spore=" + name)
		if err != nil {
			s.Fatal(err)
		}
		id, err := submitter.Submit(s.Context(), hive.Task{Skill: hive.SkillRef{Name: "slow"}, Payload: []byte("sleep 40s"), Require: require, Priority: 10})
		if err != nil {
			s.Fatal(err)
		}
		s.awaitTask(id, "running", running)
		ids = append(ids, id)
	}
	return ids
}

// awaitCanary waits until the canary runs a version.
func (s *swaps) awaitCanary(n int) {
	s.Helper()
	s.awaitNode("a", "on "+s.editions[n].Version, func(node *hive.Node) bool { return has(node, s.editions[n]) })
}

// TestSwapUnderLoad: with 100 tasks a second three versions roll out and one is rolled
// back. No task fails because of that, none has a second attempt, each is run by a
// version that is allowed meanwhile, and what runs ends on the version it began on.
func TestSwapUnderLoad(t *testing.T) {
	s := newSwaps(t)
	l := s.load(10*time.Millisecond, hive.Task{Skill: hive.SkillRef{Name: "crow"}}, func(n int) string { return fmt.Sprint(n) })
	l.await(100) // the first of them find nothing warm
	l.enter("calm")
	l.await(400)
	crossed, slow := 0, map[int][]string{}
	for n := 1; n <= 3; n++ {
		slow[n-1] = s.sleepers(l.submit)
		l.enter("rollout")
		s.allow(n)
		s.rollOut(s.editions[n], "canary=true,100%")
		s.awaitCanary(n)
		for _, id := range slow[n-1] {
			if r := s.awaitTask(id, "known", func(*hive.Record) bool { return true }); r.State == hive.Running && r.Node == "a" {
				crossed++
			}
		}
		s.awaitRollout("birds", ota.Done, "")
		s.awaitAll(3, s.editions[n])
		s.end(n - 1)
		l.enter("calm")
		l.await(50)
	}
	l.enter("rollout")
	s.allow(4)
	s.rollOut(s.editions[4], "canary=true,100%", "--min-tasks", "1000000")
	await(t, "tasks on the canary's version", func() (bool, error) { return l.ran(s.editions[4].Version) >= 5, nil })
	s.does(0, "rollout", "rollback", "birds")
	s.awaitAll(3, s.editions[3])
	s.end(4)
	l.enter("calm")
	l.await(200)
	samples := l.stop()
	for n, ids := range slow {
		s.endedOn(ids, s.editions[n])
	}
	ran := s.spans.check(t, samples)
	for _, version := range swapVersions {
		if ran[version] == 0 {
			t.Errorf("nothing ran on %s: %v", version, ran)
		}
	}
	if crossed == 0 {
		t.Error("no task ran while the version of its spore changed")
	}
	if said := s.does(0, "audit", "list", "--outcome", "refused"); strings.Count(said, "\n") != 1 {
		t.Errorf("something was refused:\n%s", said)
	}
	report(t, samples)
	t.Logf("tasks by version: %v; %d tasks ran while the version of their spore changed", ran, crossed)
}

// endedOn checks that tasks completed by the first attempt and the slow skill of a bundle.
func (s *swaps) endedOn(ids []string, b *bundle.Bundle) {
	s.Helper()
	for _, id := range ids {
		r := s.awaitTask(id, "over", final)
		if r.State != hive.Completed || r.Attempts != 1 || r.Failures != 0 || r.Ran.Digest != digestIn(b, "slow") {
			s.Errorf("what ran meanwhile: %s after %d attempts, %d failures by %v: %v", r.State, r.Attempts, r.Failures, r.Ran, r.Failure)
		}
	}
}

// TestSwapAtTheFullRate: three versions roll out while spores have as much to do as they
// can; all tasks complete by the first attempt and a version that is allowed meanwhile.
func TestSwapAtTheFullRate(t *testing.T) {
	s := newSwaps(t)
	submitter := client.New(s.road, client.Options{})
	defer submitter.Close()
	over, done := make(chan struct{}), make(chan []sample)
	go func() { done <- s.flood(submitter, over) }()
	for n := 1; n <= 3; n++ {
		s.allow(n)
		s.rollOut(s.editions[n], "canary=true,100%")
		s.awaitRollout("birds", ota.Done, "")
		s.awaitAll(3, s.editions[n])
		s.end(n - 1)
	}
	close(over)
	samples := <-done
	ran := s.spans.check(t, samples)
	for _, version := range swapVersions[:4] {
		if ran[version] == 0 {
			t.Errorf("nothing ran on %s: %v", version, ran)
		}
	}
	t.Logf("%d tasks, by version: %v", len(samples), ran)
}

// flood has spores work on as many tasks as manyTasks, and on as many again until the
// swaps are over.
func (s *swaps) flood(submitter *client.Client, over chan struct{}) (samples []sample) {
	payloads := make([][]byte, manyTasks)
	for i := range payloads {
		payloads[i] = fmt.Append(nil, i)
	}
	for {
		records, err := submitter.Map(s.Context(), client.MapOptions{Task: hive.Task{Skill: hive.SkillRef{Name: "crow"}}}, payloads)
		for i, r := range records {
			samples = append(samples, sample{payload: string(payloads[i]), record: r, err: err})
		}
		select {
		case <-over:
			return samples
		default:
		}
	}
}

// TestPinnedTaskOfAVersionThatGoes: tasks that name a version and are queued at a spore
// when that version goes are handed back, and complete when it is there again. It costs
// them no failure.
func TestPinnedTaskOfAVersionThatGoes(t *testing.T) {
	c := newAudited(t)
	c.nexus("n1")
	guests := precompile(t, "1.0.0")
	first := c.edition("birds", "1.0.0", map[string][]byte{"crow": program(t, skills.cat, "1"), "slow": guests[0]})
	c.give(first)
	c.bare("a", c.config("spore = { slots = 1, prefetch = 4 }"))
	c.awaitAll(1, first)
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	submit := func(skill, pin, payload string) string {
		id, err := submitter.Submit(t.Context(), hive.Task{Skill: hive.SkillRef{Name: skill, Pin: pin}, Payload: []byte(payload)})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	slow := submit("slow", "", "sleep 2s")
	c.awaitTask(slow, "running", running)
	var pinned []string
	for range 3 {
		pinned = append(pinned, submit("crow", "1.0.0", "x"))
	}
	await(t, "queued tasks", func() (bool, error) {
		stats, err := c.road.Stats(t.Context())
		return stats.Assigned == 3, err
	})
	second := c.edition("birds", "2.0.0", map[string][]byte{"crow": program(t, skills.cat, "2")})
	c.give(second)
	c.awaitAll(1, second)
	if r := c.awaitTask(slow, "over", final); r.State != hive.Completed || r.Attempts != 1 || r.Ran != first.Skills[1].ID() {
		t.Errorf("what ran meanwhile: %+v", r)
	}
	await(t, "tasks that wait for their version", func() (bool, error) {
		stats, err := c.road.Stats(t.Context())
		return stats.Pending == 3 && stats.Running == 0, err
	})
	if ran := c.runs(submitter, "crow"); ran != second.Skills[0].ID() {
		t.Errorf("%v ran, want %v", ran, second.Skills[0].ID())
	}
	c.does(0, "rollout", "pin", "birds@1.0.0")
	for _, id := range pinned {
		if r := c.awaitTask(id, "over", final); r.State != hive.Completed || r.Failures != 0 || r.Ran != first.Skills[0].ID() {
			t.Errorf("%s after %d failures by %v: %v", r.State, r.Failures, r.Ran, r.Failure)
		} else {
			t.Logf("completed by attempt %d", r.Attempts)
		}
	}
}
