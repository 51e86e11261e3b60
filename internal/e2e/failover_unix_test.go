//go:build unix

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
)

// lead is a term as it stands on the road.
type lead struct{ epoch, nexus, assigned string }

// lead reads who leads, and the number of that term's last assign.
func (c *cluster) lead() (l lead) {
	c.Helper()
	for field, to := range map[string]*string{"epoch": &l.epoch, "id": &l.nexus, "seq": &l.assigned} {
		var err error
		if *to, err = testkit.Do(c.socket(), "HGET", "{h}:lead", field); err != nil {
			c.Fatal(err)
		}
	}
	l.nexus, _, _ = strings.Cut(l.nexus, "/")
	return l
}

func (c *cluster) socket() string { return strings.TrimPrefix(c.url, "unix://") }

// awaitAssigning waits until a term after an epoch has assigned, and returns it.
func (c *cluster) awaitAssigning(after string) (l lead) {
	c.Helper()
	await(c.T, "a leader that assigns", func() (bool, error) {
		l = c.lead()
		return l.epoch != after && l.epoch != "" && l.assigned != "0", nil
	})
	return l
}

// TestLeaderFallsUnderLoad: a leader that ends hands over, one that is killed or frozen is
// followed when its lease is over; no task notices.
func TestLeaderFallsUnderLoad(t *testing.T) {
	c := newCluster(t)
	nexus := map[string]*process{}
	for _, name := range []string{"n1", "n2", "n3", "n4"} {
		nexus[name] = c.nexus(name)
	}
	c.spore("a", "--slots", "4")
	load := c.load(20*time.Millisecond, guest(""), func(n int) string { return fmt.Sprint("echo ", n) })
	for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGSTOP, syscall.SIGKILL} {
		was := c.awaitAssigning("")
		load.await(10)
		began := time.Now()
		nexus[was.nexus].signal(how)
		now := c.awaitAssigning(was.epoch)
		t.Logf("after %v to the leader another assigned within %v", how, time.Since(began).Round(time.Millisecond))
		if now.nexus == was.nexus {
			t.Errorf("%s leads again", now.nexus)
		}
		switch how {
		case syscall.SIGTERM:
			nexus[was.nexus].ends(0)
		case syscall.SIGSTOP:
			nexus[was.nexus].signal(syscall.SIGCONT)
			nexus[was.nexus].says(`msg="lost the lead"`)
		}
		load.await(10)
	}
	samples := load.stop()
	for _, s := range samples {
		if s.err != nil || s.record.State != hive.Completed || s.record.Attempts != 1 || "echo "+string(s.record.Result) != s.payload {
			t.Errorf("%s: %v, %+v", s.payload, s.err, s.record)
		}
	}
	c.awaitIdle(hive.Stats{Completed: int64(len(samples))})
}

const (
	rounds    = 6
	freezeFor = 1500 * time.Millisecond // and up to twice that: some terms end by it, some do not
)

// TestFrozenLeadersDoNothingTwice: leaders are frozen for times about their lease and go
// on, a spore dies, and tasks that fail come back by promotion. Each task has exactly the
// attempts that its failures explain, and the counters are those of the records.
func TestFrozenLeadersDoNothingTwice(t *testing.T) {
	c := newCluster(t)
	nexus := map[string]*process{"n1": c.nexus("n1"), "n2": c.nexus("n2")}
	first := c.spore("a", "--slots", "4")
	c.spore("b", "--slots", "4")
	task := guest("")
	task.Retries = 2
	load := c.load(30*time.Millisecond, task, func(n int) string {
		return []string{"exit 3", "sleep 200ms", fmt.Sprint("echo ", n)}[n%3]
	})
	begun := c.awaitAssigning("")
	for i := range rounds {
		if i == rounds/2 {
			await(t, "running tasks", func() (bool, error) {
				held, err := c.road.Holds(t.Context(), "a")
				return len(held) > 0, err
			})
			first.kill()
		}
		victim := nexus[c.awaitAssigning("").nexus]
		victim.signal(syscall.SIGSTOP)
		<-time.After(freezeFor + rand.N(freezeFor))
		victim.signal(syscall.SIGCONT)
		load.await(10)
	}
	var completed, failed int64
	lost := 0
	var longest time.Duration
	for _, s := range load.stop() {
		r := s.record
		switch {
		case s.err != nil:
			t.Errorf("%s: %v", s.payload, s.err)
			continue
		case r.State == hive.Completed && s.payload != "exit 3" && r.Attempts == 1+r.Failures:
			completed++
			lost += r.Failures
			longest = max(longest, s.ended.Sub(s.due))
		case r.State == hive.Failed && s.payload == "exit 3" && r.Attempts == 3 && r.Failures == 3:
			failed++
		default:
			t.Errorf("%s: %s after %d attempts, %d failures: %v", s.payload, r.State, r.Attempts, r.Failures, r.Failure)
		}
	}
	c.awaitIdle(hive.Stats{Completed: completed, Failed: failed})
	now := c.lead()
	t.Logf("from epoch %s to %s: %d tasks completed, of which %d lost an attempt, %d failed; the longest took %v", begun.epoch, now.epoch, completed, lost, failed, longest)
	if now.epoch == begun.epoch {
		t.Error("no leader was followed")
	}
}

// TestDelayedAssign: what a leader decided reaches Redis when another leads. It moves
// nothing, though the task that it would have moved waits.
func TestDelayedAssign(t *testing.T) {
	c := newCluster(t)
	g := newGate(t, c.socket())
	old := start(t, "", "nexus", "serve", "--redis", g.url, "--config", c.config("nexus = { name = \"old\" }"))
	c.spore("a", "--config", c.config("spore = { slots = 1, prefetch = 0 }"))
	old.says("leading")
	c.nexus("new")
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	submit := func(payload string) string {
		id, err := submitter.Submit(t.Context(), guest(payload))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	c.awaitTask(submit("echo x"), "over", final) // redis knows the script: from now on it is called by its hash
	was := c.lead()
	g.shutAt("evalsha", was.epoch+" old/", "guest||:")
	long, next := submit("sleep 1h"), submit("echo next")
	<-g.shuts
	c.awaitTask(long, "running", running)
	now := c.lead()
	if now.nexus != "new" || now.epoch == was.epoch {
		t.Fatalf("it runs in %+v", now)
	}
	g.open()
	old.says(`msg="lost the lead"`)
	c.mustHold("a", 1)
	c.awaitTask(next, "waiting", func(r *hive.Record) bool { return r.State == hive.Pending && r.Node == "" })
	if _, err := c.road.Cancel(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	if r := c.awaitTask(next, "over", final); r.State != hive.Completed || r.Attempts != 1 {
		t.Errorf("%s after %d attempts", r.State, r.Attempts)
	}
	c.awaitIdle(hive.Stats{Completed: 2, Cancelled: 1})
}

// mustHold checks how many tasks a spore holds: queued for it, and running.
func (c *cluster) mustHold(spore string, want int) {
	c.Helper()
	active, err := c.road.Active(c.Context())
	if err != nil || active[spore] != want {
		c.Errorf("%s holds %d tasks, %v, want %d", spore, active[spore], err, want)
	}
}
