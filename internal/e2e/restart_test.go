package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
)

// newMortalCluster is newCluster with a redis-server that the test may kill, and
// start anew at the same address by begin. args are added to its command line.
func newMortalCluster(t *testing.T, args ...string) (c *cluster, begin func() *process) {
	t.Helper()
	t.Parallel()
	makeSkills(t)
	dir, err := os.MkdirTemp("", "hive-redis-") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	c = &cluster{T: t, url: "unix://" + socket}
	c.publish()
	begin = func() *process {
		p := start(t, "", "redis-server", append([]string{"--port", "0", "--unixsocket", socket, "--dir", dir, "--save", ""}, args...)...)
		await(t, "redis-server", func() (bool, error) {
			road, err := broker.Dial(t.Context(), broker.Options{Addrs: []string{socket}})
			if err != nil {
				return false, err
			}
			return true, road.Close()
		})
		return p
	}
	return c, begin
}

// dial connects to the road once there is one, and registers the guest.
func (c *cluster) dial() {
	c.Helper()
	c.road = testkit.DialTo(c.T, broker.Options{Addrs: []string{strings.TrimPrefix(c.url, "unix://")}})
	c.pub.RegisterGuest()
}

func TestRedisRestartedEmpty(t *testing.T) {
	c, begin := newMortalCluster(t)
	redis := begin()
	c.dial()
	nexus, spore := c.nexus("n1"), c.spore("a", "--slots", "2")
	lost := start(t, "sleep 1h\nsleep 1h\n", "nexus", "run", "guest", "--each", "line", "-", "--redis", c.url)
	await(t, "running tasks", func() (bool, error) {
		held, err := c.road.Holds(t.Context(), "a")
		return len(held) == 2, err
	})
	held, err := c.road.Holds(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	waiting := []*process{lost}
	for _, command := range []string{"wait", "watch"} {
		waiting = append(waiting, start(t, "", "nexus", command, held[0].ID, "--redis", c.url))
	}
	await(t, "two who wait beside the first", func() (bool, error) {
		n, err := testkit.Do(strings.TrimPrefix(c.url, "unix://"), "SCARD", "{h}:wait:"+held[0].ID)
		return n == "2", err
	})
	redis.kill()
	begin()

	// Who waited for the tasks is told that they are gone.
	for _, p := range waiting {
		p.ends(1)
		if said := p.out.String(); !strings.Contains(said, "the road has forgotten it (was Redis restarted without its data?)") {
			t.Errorf("%s says %q", p.name, said)
		}
	}

	// Nexus and spore come back by themselves, and with them the skills. What the spore
	// ran has no task any more and is stopped.
	c.awaitNode("a", "online with its skills", func(n *hive.Node) bool { return n.Online && len(n.Skills) == 1 && n.Active == 0 })
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	id, err := submitter.Submit(t.Context(), guest("echo again"))
	if err != nil {
		t.Fatal(err)
	}
	if r := c.awaitTask(id, "over", final); r.State != hive.Completed || string(r.Result) != "again" {
		t.Errorf("%s: %q, %v", r.State, r.Result, r.Failure)
	}
	c.awaitIdle(hive.Stats{Completed: 1})
	await(t, "the list of skills", func() (bool, error) {
		known, err := c.road.Skills(t.Context())
		return len(known) == 1, err
	})
	for p, text := range map[*process]string{nexus: "the road has forgotten what was on it", spore: "joining anew"} {
		if said := p.out.String(); strings.Count(said, text) != 1 {
			t.Errorf("%s says %s\nwant once that %s", p.name, said, text)
		}
	}
}

func TestRedisRestartedWithItsData(t *testing.T) {
	c, begin := newMortalCluster(t, "--appendonly", "yes", "--appendfsync", "always")
	redis := begin()
	c.dial()
	c.nexus("n1")
	c.spore("a", "--slots", "2")
	run := start(t, "sleep 1s\necho x\n", "nexus", "run", "guest", "--each", "line", "-", "--redis", c.url, "--priority", "10")
	await(t, "a completed and a running task", func() (bool, error) {
		stats, err := c.road.Stats(t.Context())
		return stats.Completed == 1 && stats.Running == 1, err
	})
	redis.kill()
	begin()
	run.ends(0)
	if said := run.out.String(); !strings.Contains(said, "-:1    slept\n-:2    x\n") || !strings.Contains(said, "completed 2/2, failed 0, ") {
		t.Errorf("it says %q", said)
	}
	c.awaitIdle(hive.Stats{Completed: 2})
}

func TestRunGivesUpOnARoadThatIsGone(t *testing.T) {
	c, begin := newMortalCluster(t)
	redis := begin()
	c.dial()
	c.nexus("n1")
	c.spore("a", "--slots", "1")
	run := start(t, "sleep 1h\n", "nexus", "run", "guest", "--each", "line", "-", "--redis", c.url)
	await(t, "the task", func() (bool, error) {
		stats, err := c.road.Stats(t.Context())
		return stats.Running == 1, err
	})
	redis.kill()
	run.ends(4)
	socket := strings.TrimPrefix(c.url, "unix://")
	gone := "nexus: the road is unreachable: redis at " + socket + ": connect: connection refused: "
	lines := strings.Split(run.out.String(), "\n")
	if lines[0] != gone+"waiting up to 30s for it" || lines[1] != gone+"given up after 30s; what was submitted stays there" || len(lines) != 4 {
		t.Errorf("it says %q", lines)
	}
}
