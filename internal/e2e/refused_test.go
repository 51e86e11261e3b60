package e2e

import (
	"strings"
	"syscall"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

// says waits until a program has said so.
func (p *process) says(text string) {
	p.t.Helper()
	await(p.t, p.name+" saying "+text, func() (bool, error) { return strings.Contains(p.out.String(), text), nil })
}

// TestReplica: a server that became a replica is no road. Who comes is told in one line
// what to do, and who is there goes on when it is a master again.
func TestReplica(t *testing.T) {
	l := newLinked(t)
	l.pub.RegisterGuest()
	programs := []*process{l.nexus("n1"), l.spore("a", "--slots", "2")}
	waits := start(t, "", "nexus", "submit", "guest", "--payload", "sleep 1s", "--wait", "--redis", l.url)
	await(t, "the task", func() (bool, error) {
		stats, err := l.road.Stats(t.Context())
		return stats.Running == 1, err
	})
	l.do("REPLICAOF", "127.0.0.1", "1")
	await(t, "the end of the lead, which one that comes would wait for", func() (bool, error) {
		leader, err := l.leader()
		return leader == "", err
	})
	want := ": the road is unreachable: redis at " + l.link.Addr + " is a replica that takes no writes: name its master, or the sentinels and redis.sentinel_master\n"
	for _, p := range []*process{
		start(t, "", "nexus", "submit", "guest", "--payload", "echo x", "--redis", l.url),
		start(t, "", "spore", "--redis", l.url, "--name", "b", "--config", l.config("")),
		l.nexus("n2"),
	} {
		p.ends(4)
		program, _, _ := strings.Cut(p.name, " ")
		if said := p.out.String(); said != program+want {
			t.Errorf("%s says %q, want %q", p.name, said, program+want)
		}
	}
	for _, p := range programs {
		p.says("is a replica that takes no writes")
	}
	waits.says("is a replica that takes no writes")
	l.do("REPLICAOF", "NO", "ONE")
	waits.ends(0)
	if said := waits.out.String(); !strings.HasSuffix(said, "slept") {
		t.Errorf("who waits is told %q", said)
	}
	for _, p := range programs {
		p.toldOfTheRoad(1)
	}
	after := start(t, "", "nexus", "submit", "guest", "--payload", "echo x", "--wait", "--redis", l.url)
	after.ends(0)
	l.awaitIdle(hive.Stats{Completed: 2})
}

// TestFullRedis: without memory Redis takes no new task, which is said in a line. What
// is there goes on to its end, whatever that is; nothing is lost, and when there is
// memory again all is as before.
func TestFullRedis(t *testing.T) {
	l := newLinked(t)
	l.pub.RegisterGuest()
	l.nexus("n1")
	l.spore("a", "--slots", "2")
	lost, leaving := l.spore("b", "--slots", "1", "--tags", "zone=b"), l.spore("c", "--slots", "1", "--tags", "zone=c")
	submitter := client.New(l.road, client.Options{})
	defer submitter.Close()
	submit := func(payload, require string, retries int) string {
		task := guest(payload)
		task.Retries = retries
		var err error
		if task.Require, err = hive.ParseSelector(require); err != nil {
			t.Fatal(err)
		}
		id, err := submitter.Submit(t.Context(), task)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	taken, handed := submit("sleep 1h", "zone=b", 1), submit("sleep 1h", "zone=c", 1)
	l.awaitTask(taken, "running", running)
	l.awaitTask(handed, "running", running)
	cancelled, slept := submit("sleep 1h", "!zone", 1), submit("sleep 3s", "!zone", 1)
	l.awaitTask(cancelled, "running", running)
	l.awaitTask(slept, "running", running)
	failing := submit("exit 3", "!zone", 1)
	var queued []string
	for range 10 {
		queued = append(queued, submit("echo x", "!zone", 1))
	}

	l.do("CONFIG", "SET", "maxmemory", "1")
	refused := start(t, "", "nexus", "submit", "guest", "--payload", "echo x", "--redis", l.url)
	refused.ends(1)
	if said, want := refused.out.String(), "nexus: enqueue: the road is full: redis at "+l.link.Addr+" has no memory left (maxmemory)\n"+
		"nexus: hint: raise maxmemory of Redis, or keep what is over for less time (queue.retention); what is on the road goes on\n"; said != want {
		t.Errorf("who submits is told %q, want %q", said, want)
	}
	start(t, "", "nexus", "cancel", cancelled, "--redis", l.url).ends(0)
	lost.kill()
	leaving.signal(syscall.SIGTERM)
	leaving.says("draining")
	leaving.signal(syscall.SIGTERM)
	leaving.ends(0)
	over := func(id string, state hive.State, attempts, failures int) {
		t.Helper()
		r := l.awaitTask(id, string(state), func(r *hive.Record) bool { return r.State == state })
		if r.Attempts != attempts || r.Failures != failures {
			t.Errorf("%s: %d attempts, %d failures, want %d, %d", id, r.Attempts, r.Failures, attempts, failures)
		}
	}
	over(handed, hive.Pending, 1, 0)
	over(taken, hive.Pending, 1, 1)
	over(slept, hive.Completed, 1, 0)
	over(failing, hive.Failed, 2, 2)
	for _, id := range queued {
		over(id, hive.Completed, 1, 0)
	}
	over(cancelled, hive.Cancelled, 1, 0)
	l.awaitIdle(hive.Stats{Background: 2, Pending: 2, Completed: 11, Failed: 1, Cancelled: 1})

	l.do("CONFIG", "SET", "maxmemory", "0")
	start(t, "", "nexus", "cancel", taken, "--redis", l.url).ends(0)
	start(t, "", "nexus", "cancel", handed, "--redis", l.url).ends(0)
	start(t, "", "nexus", "submit", "guest", "--payload", "echo x", "--wait", "--redis", l.url).ends(0)
	l.awaitIdle(hive.Stats{Completed: 12, Failed: 1, Cancelled: 3})
}
