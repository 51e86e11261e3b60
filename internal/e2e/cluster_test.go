package e2e

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

func TestManyTasksOnThreeSpores(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	for _, name := range []string{"a", "b", "c"} {
		c.spore(name, "--slots", "4")
	}
	cat := c.register("cat", skills.cat)
	payloads := make([][]byte, manyTasks)
	for i := range payloads {
		payloads[i] = fmt.Append(nil, i)
	}
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	records, err := submitter.Map(t.Context(), client.MapOptions{Task: hive.Task{Skill: cat}}, payloads)
	if err != nil {
		t.Fatal(err)
	}
	part := map[string]int{}
	for i, r := range records {
		part[r.Node]++
		if r.State != hive.Completed || string(r.Result) != fmt.Sprint(i) {
			t.Errorf("task %d: %s: %q, %v", i, r.State, r.Result, r.Failure)
		}
	}
	if len(part) != 3 || part["a"]+part["b"]+part["c"] != manyTasks {
		t.Errorf("the spores' parts are %v, want all of a, b and c", part)
	}
	c.awaitIdle(hive.Stats{Completed: manyTasks})
}

func TestKilledSporeLosesNoTask(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	first := c.spore("first")
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	id, err := submitter.Submit(t.Context(), guest("sleep 1s"))
	if err != nil {
		t.Fatal(err)
	}
	c.awaitTask(id, "running", running)
	first.kill()
	c.spore("second")
	r := c.awaitTask(id, "on its second attempt", func(r *hive.Record) bool { return r.Attempts == 2 })

	// The first attempt was slow, not dead: its outcome comes late.
	late := hive.Attempt{Task: r.Task, Number: 1}
	refuse := func() {
		if err := c.road.Complete(t.Context(), "first", &late, &hive.Outcome{Result: []byte("late")}); !errors.Is(err, hive.ErrFenced) {
			t.Errorf("late completion = %v, want %v", err, hive.ErrFenced)
		}
	}
	refuse()
	r = c.awaitTask(id, "over", final)
	refuse()
	if r.State != hive.Completed || r.Node != "second" || r.Attempts != 2 || r.Failures != 1 || string(r.Result) != "slept" {
		t.Errorf("%s on %s after %d attempts, %d failures: %q", r.State, r.Node, r.Attempts, r.Failures, r.Result)
	}
	c.awaitIdle(hive.Stats{Completed: 1})
}

func TestStoppedSporeFinishesWhatRuns(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	stopped, other := c.spore("stopped", "--slots", "2"), c.spore("other", "--slots", "2")
	tasks := make([]hive.Task, 40)
	for i := range tasks {
		tasks[i] = guest("sleep 50ms")
	}
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	ids, err := submitter.SubmitMany(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "a task in every slot", func() (bool, error) {
		held, err := c.road.Holds(t.Context(), "stopped")
		return len(held) == 2, err
	})
	stopped.signal(syscall.SIGTERM)
	stopped.ends(0)
	part := map[string]int{}
	for _, id := range ids {
		r := c.awaitTask(id, "over", final)
		part[r.Node]++
		if r.State != hive.Completed || r.Failures != 0 || r.Attempts != 1 {
			t.Errorf("%s: %s after %d attempts, %d failures: %v", id, r.State, r.Attempts, r.Failures, r.Failure)
		}
	}
	if part["stopped"] == 0 || part["other"] == 0 {
		t.Errorf("the spores' parts are %v, want some of both", part)
	}
	other.signal(syscall.SIGTERM)
	other.ends(0)
	c.awaitIdle(hive.Stats{Completed: int64(len(ids))})
}

func TestSecondSignalHandsBackAtOnce(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	spore := c.spore("a")
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	id, err := submitter.Submit(t.Context(), guest("sleep 1h"))
	if err != nil {
		t.Fatal(err)
	}
	c.awaitTask(id, "running", running)
	spore.signal(syscall.SIGTERM)
	c.awaitNode("a", "draining", func(n *hive.Node) bool { return n.Draining })
	if r := c.awaitTask(id, "known", func(*hive.Record) bool { return true }); r.State != hive.Running {
		t.Errorf("after the first signal the task is %s, want running", r.State)
	}
	spore.signal(syscall.SIGTERM)
	spore.ends(0)
	r := c.awaitTask(id, "handed back", func(r *hive.Record) bool { return r.State == hive.Pending })
	if r.Failures != 0 || r.Attempts != 1 {
		t.Errorf("%d attempts, %d failures, want 1, 0", r.Attempts, r.Failures)
	}
	c.awaitIdle(hive.Stats{Background: 1, Pending: 1})
}

// A configured 0 is no default: no task is held beyond the slots, and none may go on
// after the first signal.
func TestNoPrefetchAndNoGrace(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	spore := c.spore("a", "--config", c.config("spore = { slots = 1, prefetch = 0, grace = \"0s\" }"))
	c.awaitNode("a", "without prefetch", func(n *hive.Node) bool { return n.Slots == 1 && n.Prefetch == 0 })
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	id, err := submitter.Submit(t.Context(), guest("sleep 20s"))
	if err != nil {
		t.Fatal(err)
	}
	c.awaitTask(id, "running", running)
	spore.signal(syscall.SIGTERM)
	spore.ends(0)
	if r := c.awaitTask(id, "known", func(*hive.Record) bool { return true }); r.State != hive.Pending || r.Failures != 0 {
		t.Errorf("the task is %s, %d failures, want pending, 0: it got time to end", r.State, r.Failures)
	}
}

func TestKilledLeaderIsFollowed(t *testing.T) {
	c := newCluster(t)
	nexuses := map[string]*process{"n1": c.nexus("n1"), "n2": c.nexus("n2")}
	c.spore("a", "--slots", "2")
	var leader string
	await(t, "a leader", func() (ok bool, err error) {
		leader, err = c.leader()
		return leader != "", err
	})
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	tasks := make([]hive.Task, 40)
	for i := range tasks {
		tasks[i] = guest("sleep 50ms")
	}
	ids, err := submitter.SubmitMany(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	c.awaitTask(ids[0], "over", final)
	nexuses[leader].kill()
	for _, id := range ids {
		if r := c.awaitTask(id, "over", final); r.State != hive.Completed || r.Attempts != 1 {
			t.Errorf("%s: %s after %d attempts: %v", id, r.State, r.Attempts, r.Failure)
		}
	}
	await(t, "the lead of the other nexus", func() (bool, error) {
		next, err := c.leader()
		return next != leader && nexuses[next] != nil, err
	})
	c.awaitIdle(hive.Stats{Completed: int64(len(ids))})
}
