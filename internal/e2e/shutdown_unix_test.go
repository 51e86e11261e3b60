//go:build unix

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

// holding has a spore of its own hold thirty tasks: twenty run, ten are queued.
func (c *cluster) holding(payload string, more string) (spore *process, ids []string) {
	c.Helper()
	spore = c.spore("a", "--config", c.config("spore = { slots = 20, prefetch = 10"+more+" }"))
	submitter := client.New(c.road, client.Options{})
	c.Cleanup(func() { submitter.Close() })
	tasks := make([]hive.Task, 30)
	for i := range tasks {
		tasks[i] = guest(payload)
	}
	ids, err := submitter.SubmitMany(c.Context(), tasks)
	if err != nil {
		c.Fatal(err)
	}
	c.awaitRunning("a", 20)
	await(c.T, "ten more that are queued", func() (bool, error) {
		active, err := c.road.Active(c.Context())
		return active["a"] == 30, err
	})
	return spore, ids
}

// count says in which state tasks are, and checks that none has failed an attempt.
func (c *cluster) count(ids []string) map[hive.State]int {
	c.Helper()
	states := map[hive.State]int{}
	for _, id := range ids {
		r, err := c.road.Status(c.Context(), id)
		if err != nil {
			c.Fatal(err)
		}
		if states[r.State]++; r.Failures != 0 {
			c.Errorf("%s: %s after %d attempts, %d failures", id, r.State, r.Attempts, r.Failures)
		}
	}
	return states
}

// TestStopsUnderLoad: by each signal that ends a spore it finishes what runs and hands
// back what is queued; what does not end within the grace period is handed back too, and
// so is all when there is a second signal, be it at once. Nothing costs a failure.
func TestStopsUnderLoad(t *testing.T) {
	for name, tt := range map[string]struct {
		payload, grace string
		signals        []syscall.Signal
		finish         bool
	}{
		"SIGTERM":              {"sleep 4s", "", []syscall.Signal{syscall.SIGTERM}, true},
		"SIGINT":               {"sleep 4s", "", []syscall.Signal{syscall.SIGINT}, true},
		"SIGHUP":               {"sleep 4s", "", []syscall.Signal{syscall.SIGHUP}, true},
		"the grace is over":    {"sleep 1h", `, grace = "500ms"`, []syscall.Signal{syscall.SIGTERM}, false},
		"there is no grace":    {"sleep 1h", `, grace = "0s"`, []syscall.Signal{syscall.SIGTERM}, false},
		"two signals at once":  {"sleep 1h", `, grace = "1h"`, []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}, false},
		"two signals at once!": {"spin", `, grace = "1h"`, []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.nexus("n1")
			spore, ids := c.holding(tt.payload, tt.grace)
			began := time.Now()
			for _, s := range tt.signals {
				spore.signal(s)
			}
			spore.ends(0)
			t.Logf("it ended %v after %v", time.Since(began).Round(10*time.Millisecond), tt.signals)
			states := c.count(ids)
			pending, completed := int64(states[hive.Pending]), int64(states[hive.Completed])
			if pending+completed != 30 || tt.finish != (completed >= 20) || !tt.finish && completed > 0 {
				t.Errorf("tasks are %v; what ran is to finish: %v, and all others to be pending", states, tt.finish)
			}
			c.awaitIdle(hive.Stats{Background: pending, Pending: pending, Completed: completed})
			if nodes, err := c.road.Nodes(t.Context()); err != nil || len(nodes) != 0 {
				t.Errorf("spores are %v, %v", nodes, err)
			}
		})
	}
}

// TestSporeStopsWithoutRedis: a spore that cannot reach Redis when it is told to stop
// ends all the same, and what it held comes back by its lease.
func TestSporeStopsWithoutRedis(t *testing.T) {
	c, begin := newMortalCluster(t, "--appendonly", "yes", "--appendfsync", "always")
	redis := begin()
	c.dial()
	c.nexus("n1")
	spore, ids := c.holding("sleep 1h", `, grace = "1s"`)
	redis.kill()
	spore.signal(syscall.SIGTERM)
	began := time.Now()
	<-spore.done
	t.Logf("it ended %v after the signal, a second of which is grace: %v", time.Since(began).Round(10*time.Millisecond), spore.cmd.ProcessState)
	if spore.cmd.ProcessState.ExitCode() != 4 {
		t.Errorf("it ended with %v, want 4: the road is unreachable", spore.cmd.ProcessState)
	}
	begin()
	for _, id := range ids {
		c.awaitTask(id, "back", func(r *hive.Record) bool { return r.State == hive.Pending && r.Node == "" })
	}
	if _, err := c.road.CancelMany(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
}

// TestSporeStopsBeforeItRuns: a signal while a spore waits for its name, or prepares its
// skills, ends it, and its registration with it.
func TestSporeStopsBeforeItRuns(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	config := c.config(fmt.Sprintf("spore = { cache_dir = %q }", t.TempDir()))
	preparing := start(t, "", "spore", "--redis", c.url, "--name", "a", "--config", config)
	c.awaitNode("a", "online", func(n *hive.Node) bool { return n.Online })
	preparing.signal(syscall.SIGTERM)
	preparing.ends(0)
	if nodes, err := c.road.Nodes(t.Context()); err != nil || len(nodes) != 0 {
		t.Errorf("spores are %v, %v", nodes, err)
	}
	killed := c.spore("a")
	killed.kill()
	waits := start(t, "", "spore", "--redis", c.url, "--name", "a", "--config", c.config(fmt.Sprintf("spore = { cache_dir = %q }", t.TempDir())))
	waits.signal(syscall.SIGTERM)
	select {
	case <-waits.done:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	if code := waits.cmd.ProcessState.ExitCode(); code != 130 && code != 0 && code != -1 { // -1: before it heard signals
		t.Errorf("it ended with %v", waits.cmd.ProcessState)
	}
}

// TestNexusStopsUnderLoad: the only nexus ends, and nothing is lost with it: what it gave
// to spores is done by them, and the next one goes on.
func TestNexusStopsUnderLoad(t *testing.T) {
	c := newCluster(t)
	first := c.nexus("n1")
	c.spore("a", "--slots", "4")
	load := c.load(20*time.Millisecond, guest(""), func(n int) string { return fmt.Sprint("echo ", n) })
	load.await(20)
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		first.signal(s)
		first.ends(0)
		if leader, err := c.leader(); leader != "" || err != nil {
			t.Errorf("%s leads, %v", leader, err)
		}
		first = c.nexus("n1")
		load.await(20)
	}
	samples := load.stop()
	for _, s := range samples {
		if s.err != nil || s.record.State != hive.Completed || s.record.Attempts != 1 {
			t.Errorf("%s: %v, %+v", s.payload, s.err, s.record)
		}
	}
	c.awaitIdle(hive.Stats{Completed: int64(len(samples))})
}

// TestEmbeddedHiveStops: a hive in one process finishes what runs, or at the second signal
// does not, and leaves no folder.
func TestEmbeddedHiveStops(t *testing.T) {
	t.Parallel()
	makeSkills(t)
	for name, signals := range map[string][]syscall.Signal{
		"finishes": {syscall.SIGTERM},
		"at once":  {syscall.SIGTERM, syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tmp := t.TempDir()
			dev := start(t, "", "env", "TMPDIR="+tmp, "nexus", "dev", skills.guest, "--slots", "20")
			address := regexp.MustCompile(`a hive is running in memory at (redis://\S+): nothing is kept`)
			dev.says("nothing is kept")
			url := address.FindStringSubmatch(dev.out.String())[1]
			payload := "sleep 1s\n"
			if name == "at once" {
				payload = "sleep 1h\n"
			}
			run := start(t, strings.Repeat(payload, 20), "nexus", "run", "guest", "--each", "line", "-", "--redis", url)
			await(t, "running tasks", func() (bool, error) {
				queues := start(t, "", "nexus", "queues", "--redis", url)
				<-queues.done
				return regexp.MustCompile(`(?m)^running +20$`).MatchString(queues.out.String()), nil
			})
			began := time.Now()
			for i, s := range signals {
				if i > 0 {
					dev.says("stopping")
				}
				dev.signal(s)
			}
			dev.ends(0)
			t.Logf("it ended %v after %v", time.Since(began).Round(10*time.Millisecond), signals)
			if left, err := filepath.Glob(filepath.Join(tmp, "*")); err != nil || len(left) > 0 {
				t.Errorf("it leaves %v, %v", left, err)
			}
			if name == "finishes" && !strings.Contains(dev.out.String(), "handed_back=0") {
				t.Errorf("it handed something back")
			}
			_ = run.cmd.Process.Signal(os.Interrupt) // it may have ended already
			<-run.done
		})
	}
}
