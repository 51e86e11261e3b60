package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

const (
	// killEvery is how often a spore dies.
	killEvery = time.Second
	// maxKills is after how many deaths the tasks are given up.
	maxKills = 600
)

// TestEffectsHappenOnceWhileSporesDie: every second one of three spores is killed and
// another takes its place. Tasks lose attempts by it, some after what they did over
// HTTP; of their keys and children none is missing and none is there twice.
func TestEffectsHappenOnceWhileSporesDie(t *testing.T) {
	c := newEmptyCluster(t)
	var told atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	t.Cleanup(server.Close)
	tally := c.publishTally(strings.TrimPrefix(server.URL, "http://"))
	c.nexus("n1")
	spores := make([]*process, 3)
	for i := range spores {
		spores[i] = c.tallySpore(i)
	}

	tasks := make([]hive.Task, manyTasks)
	for i := range tasks {
		tasks[i] = hive.Task{Skill: tally, Payload: []byte(server.URL), Retries: 100}
	}
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	ids, err := submitter.SubmitMany(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	kills := c.killUntilTallied(spores)
	c.awaitIdle(hive.Stats{Completed: 2 * manyTasks})
	attempts := c.checkTally(ids)
	t.Logf("%d spores were killed; %d tasks had %d attempts and sent %d requests", kills, manyTasks, attempts, told.Load())
	if attempts <= manyTasks || told.Load() <= manyTasks {
		t.Errorf("%d attempts sent %d requests, want more than %d of each: no death hurt", attempts, told.Load(), manyTasks)
	}
}

// killUntilTallied has the spores die in turn, each time one of them, and others take
// their places, until all tasks are completed. It returns how many died.
func (c *cluster) killUntilTallied(spores []*process) (kills int) {
	c.Helper()
	tick := time.NewTicker(killEvery)
	defer tick.Stop()
	for ; !c.tallied(); kills++ {
		if kills == maxKills {
			c.Fatalf("the tasks are not over after %d deaths", kills)
		}
		<-tick.C
		victim := kills % len(spores)
		spores[victim].kill()
		spores[victim] = c.tallySpore(len(spores) + kills)
	}
	return kills
}

// checkTally compares what the keys hold with the tasks, and each task's child with
// the id that it must have. It returns how many attempts the tasks took.
func (c *cluster) checkTally(ids []string) (attempts int) {
	c.Helper()
	for _, key := range []string{"parents", "children"} {
		value, _, err := c.road.KV().Get(c.Context(), hive.KVSpace("tally", ""), key)
		if string(value) != strconv.Itoa(len(ids)) || err != nil {
			c.Errorf("%s = %s, %v, want %d", key, value, err, len(ids))
		}
	}
	for _, id := range ids {
		parent, child := c.completed(id), c.completed(hive.DerivedID(id, 0))
		attempts += parent.Attempts
		if string(parent.Result) != child.ID {
			c.Errorf("task %s spawned %s, want %s", id, parent.Result, child.ID)
		}
	}
	return attempts
}

// publishTally registers the skill that counts, allowed to tell a server.
func (c *cluster) publishTally(server string) hive.SkillRef {
	c.Helper()
	return c.register("tally", skills.tally, func(m *hive.Manifest) {
		m.Grants = []hive.Grant{hive.GrantKV, hive.GrantHTTP, hive.GrantSpawn}
		m.Allow = hive.Allow{HTTP: []string{server}, Spawn: []string{"tally"}}
	})
}

// tallySpore starts the nth spore, which may speak to servers of this machine, and
// waits until it has the skill ready: who dies before that only wastes failures.
func (c *cluster) tallySpore(n int) *process {
	c.Helper()
	config := c.config("spore = { slots = 8, http_private = [\"127.0.0.1/32\"] }")
	p := start(c.T, "", "spore", append(c.where(), "--name", fmt.Sprintf("s%d", n), "--config", config)...)
	await(c.T, p.name+" having the skill ready", func() (bool, error) {
		return strings.Contains(p.out.String(), `msg="skill ready" skill=tally@1.0.0`), nil
	})
	return p
}

// tallied reports whether all tasks and their children are completed. None may fail.
func (c *cluster) tallied() bool {
	c.Helper()
	stats, err := c.road.Stats(c.Context())
	if err != nil || stats.Failed > 0 {
		c.Fatalf("stats are %+v, %v, want none failed", stats, err)
	}
	return stats.Completed >= 2*manyTasks
}

// completed returns the record of a task that must be completed.
func (c *cluster) completed(id string) *hive.Record {
	c.Helper()
	r, err := c.road.Status(c.Context(), id)
	if err != nil || r.State != hive.Completed {
		c.Fatalf("task %s: %+v, %v, want it completed", id, r, err)
	}
	return r
}
