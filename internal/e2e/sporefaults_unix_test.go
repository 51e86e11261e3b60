//go:build unix

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

// TestSporeKilledUnderLoad: what a spore held that died is back when its lease is over.
// What ran has lost an attempt, what was queued nothing.
func TestSporeKilledUnderLoad(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	config := c.config("spore = { slots = 6, prefetch = 4 }")
	victim := c.spore("a", "--config", config)
	c.spore("b", "--config", config)
	load := c.load(25*time.Millisecond, guest(""), func(n int) string { return fmt.Sprintf("sleep %dms", 200+n%7*50) })
	load.await(100)
	await(t, "tasks that run and are queued", func() (bool, error) {
		active, err := c.road.Active(t.Context())
		return active["a"] > 3, err
	})
	victim.kill()
	died := time.Now()
	held, err := c.road.Holds(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	active, err := c.road.Active(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	await(t, "its tasks being back", func() (bool, error) {
		now, err := c.road.Active(t.Context())
		return err == nil && now["a"] == 0, err
	})
	t.Logf("%d that ran and %d that were given to it since were back %v after its death", len(held), active["a"]-len(held), time.Since(died).Round(10*time.Millisecond))
	load.await(20)
	failures, samples := 0, load.stop()
	for _, s := range samples {
		r := s.record
		if s.err != nil || r.State != hive.Completed || r.Attempts != 1+r.Failures {
			t.Errorf("%s: %v, %+v", s.payload, s.err, r)
			continue
		}
		failures += r.Failures
	}
	if failures != len(held) {
		t.Errorf("%d attempts were lost, want those %d that ran", failures, len(held))
	}
	c.awaitIdle(hive.Stats{Completed: int64(len(samples))})
}

// TestFrozenSpore: a spore that was frozen past its lease has nothing to say about what it
// ran. It stops that, registers anew, and goes on with all its slots.
func TestFrozenSpore(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	const slots = 8
	frozen := c.spore("a", "--slots", fmt.Sprint(slots))
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	submit := func(n int, payload string) (ids []string) {
		for range n {
			id, err := submitter.Submit(t.Context(), guest(payload))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		return ids
	}
	short, long := submit(slots-2, "sleep 4s"), submit(2, "sleep 1h")
	c.awaitRunning("a", slots)
	frozen.signal(syscall.SIGSTOP)
	other := c.spore("b", "--slots", fmt.Sprint(slots))
	for _, id := range short {
		c.awaitTask(id, "completed by another", func(r *hive.Record) bool { return r.State == hive.Completed && r.Node == "b" })
	}
	frozen.signal(syscall.SIGCONT)
	frozen.says("joining anew")
	ended := func(how string) int { return strings.Count(frozen.out.String(), how) }
	await(t, "the end of what it ran", func() (bool, error) {
		return ended(`msg="outcome refused"`)+ended(`msg="attempt stopped"`) == slots, nil
	})
	t.Logf("of %d attempts %d came with an outcome that was refused, %d were stopped", slots, ended(`msg="outcome refused"`), ended(`msg="attempt stopped"`))
	for _, id := range short {
		if r := c.completed(id); r.Node != "b" || r.Attempts != 2 || r.Failures != 1 {
			t.Errorf("completed by %s, %d attempts, %d failures", r.Node, r.Attempts, r.Failures)
		}
	}
	if n, err := c.road.CancelMany(t.Context(), long); n != len(long) || err != nil {
		t.Errorf("%d cancelled, %v", n, err)
	}
	other.signal(syscall.SIGTERM)
	other.ends(0)
	again := submit(slots, "sleep 2s")
	c.awaitRunning("a", slots)
	for _, id := range again {
		if r := c.awaitTask(id, "over", final); r.State != hive.Completed || r.Attempts != 1 {
			t.Errorf("%s after %d attempts", r.State, r.Attempts)
		}
	}
	c.awaitIdle(hive.Stats{Completed: int64(len(short) + slots), Cancelled: int64(len(long))})
}

// awaitRunning waits until a spore runs so many tasks.
func (c *cluster) awaitRunning(spore string, n int) {
	c.Helper()
	await(c.T, fmt.Sprint(spore, " running ", n, " tasks"), func() (bool, error) {
		held, err := c.road.Holds(c.Context(), spore)
		return len(held) == n, err
	})
}

// TestDelayedOutcome: an outcome reaches Redis when another has completed the task. It is
// refused, and the spore is told.
func TestDelayedOutcome(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	g := newGate(t, c.socket())
	late := start(t, "", "spore", "--redis", g.url, "--name", "late", "--config", c.config(""))
	c.awaitNode("late", "online with the guest", func(n *hive.Node) bool { return n.Online && n.Has(hive.SkillRef{Name: "guest"}) })
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	for _, word := range []string{"first", "second"} { // at the second Redis knows the script
		if word == "second" {
			g.shutAt("evalsha", "second-word")
		}
		id, err := submitter.Submit(t.Context(), guest("echo "+word+"-word"))
		if err != nil {
			t.Fatal(err)
		}
		if word == "first" {
			c.awaitTask(id, "over", final)
			continue
		}
		<-g.shuts
		c.spore("b")
		r := c.awaitTask(id, "over", final)
		g.open()
		late.says(`msg="outcome refused"`)
		late.says("joining anew")
		if now := c.completed(id); r.Node != "b" || now.Node != "b" || now.Attempts != 2 || now.Failures != 1 {
			t.Errorf("completed by %s, then %s, %d attempts, %d failures", r.Node, now.Node, now.Attempts, now.Failures)
		}
	}
	c.awaitNode("late", "online again", func(n *hive.Node) bool { return n.Online })
	c.awaitIdle(hive.Stats{Completed: 2})
}
