package e2e

import (
	"strings"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/testkit"
)

// TestForeignValuesUnderLoad: a hand in Redis puts something else in the place of what the
// road keeps while tasks run. The hive goes on, and says so; no task is missed.
func TestForeignValuesUnderLoad(t *testing.T) {
	c := newCluster(t)
	nexus := c.nexus("n1")
	for _, name := range []string{"a", "b"} {
		c.spore(name, "--slots", "2")
	}
	tasks := make([]hive.Task, 200)
	for i := range tasks {
		tasks[i] = guest("sleep 50ms")
		tasks[i].Retries = 100
		tasks[i] = tasks[i].WithDefaults()
	}
	if _, err := c.road.EnqueueMany(t.Context(), tasks, ""); err != nil {
		t.Fatal(err)
	}
	nobody := hive.Task{Skill: hive.SkillRef{Name: "nobody"}}.WithDefaults()
	if _, err := c.road.Enqueue(t.Context(), &nobody, ""); err != nil {
		t.Fatal(err)
	}
	keys := strings.Fields("lead bell nodes act used run ct delay dead sk skgen hb:a db:a n:b own:b in:guest||:0")
	completed := func() (n int) {
		for i := range tasks {
			if r, err := c.road.Status(t.Context(), tasks[i].ID); err == nil && r.State == hive.Completed {
				n++
			}
		}
		return n
	}
	for i, key := range keys {
		await(t, "tasks to go on before "+key, func() (bool, error) { return completed() > i, nil })
		if _, err := testkit.Do(strings.TrimPrefix(c.url, "unix://"), "SET", "{h}:"+key, "x"); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "all tasks", func() (bool, error) { return completed() == len(tasks), nil })
	if r, err := c.road.Status(t.Context(), nobody.ID); err != nil || r.State != hive.Pending {
		t.Errorf("the task of an unknown skill: %+v, %v", r, err)
	}
	nexus.says("met a foreign value")
	nexus.says("mended the road")
}
