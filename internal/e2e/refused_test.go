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

// fullRoad is a hive whose Redis may have no memory left.
type fullRoad struct {
	*linked
	submitter *client.Client
}

func (f *fullRoad) submit(task hive.Task, require string) string {
	f.Helper()
	var err error
	if task.Require, err = hive.ParseSelector(require); err != nil {
		f.Fatal(err)
	}
	task.Retries = 1
	id, err := f.submitter.Submit(f.Context(), task)
	if err != nil {
		f.Fatal(err)
	}
	return id
}

// runs submits a task that goes on for so long, and waits until it runs.
func (f *fullRoad) runs(long, require string) string {
	f.Helper()
	id := f.submit(guest("sleep "+long), require)
	f.awaitTask(id, "running", running)
	return id
}

// over waits until a task is in a state, by so many attempts of which so many failed.
func (f *fullRoad) over(id string, state hive.State, attempts, failures int) {
	f.Helper()
	r := f.awaitTask(id, string(state), func(r *hive.Record) bool { return r.State == state })
	if r.Attempts != attempts || r.Failures != failures {
		f.Errorf("%s: %d attempts, %d failures, want %d, %d", id, r.Attempts, r.Failures, attempts, failures)
	}
}

// nexusDoes runs a command to its end.
func (f *fullRoad) nexusDoes(code int, args ...string) (said string) {
	f.Helper()
	p := start(f.T, "", "nexus", append(args, "--redis", f.url)...)
	p.ends(code)
	return p.out.String()
}

// TestFullRedis: without memory Redis takes no new task, which is said in a line. What
// is there goes on to its end, whatever that is; nothing is lost, and when there is
// memory again all is as before. Effects wait for it.
func TestFullRedis(t *testing.T) {
	f := &fullRoad{linked: newLinked(t)}
	f.pub.RegisterGuest()
	f.submitter = client.New(f.road, client.Options{})
	defer f.submitter.Close()
	tally, url := f.tallyServer()
	nexus, spore := f.nexus("n1"), f.spore("a", "--slots", "2", "--config", f.config("spore = { http_private = [\"127.0.0.1/32\"] }"))
	f.awaitNode("a", "ready to tally", func(n *hive.Node) bool { return n.Has(tally) })
	lost, leaving := f.spore("b", "--slots", "1", "--tags", "zone=b"), f.spore("c", "--slots", "1", "--tags", "zone=c")
	taken, handed := f.runs("1h", "zone=b"), f.runs("1h", "zone=c")
	cancelled, slept := f.runs("1h", "!zone"), f.runs("3s", "!zone")
	failing := f.submit(guest("exit 3"), "!zone")
	var queued []string
	for range 10 {
		queued = append(queued, f.submit(guest("echo x"), "!zone"))
	}
	counts := f.submit(hive.Task{Skill: tally, Payload: []byte(url)}, "!zone")

	f.do("CONFIG", "SET", "maxmemory", "1")
	want := "nexus: enqueue: the road is full: redis at " + f.link.Addr + " has no memory left (maxmemory)\n" +
		"nexus: hint: raise maxmemory of Redis, or keep what is over for less time (queue.retention); what is on the road goes on\n"
	if said := f.nexusDoes(1, "submit", "guest", "--payload", "echo x"); said != want {
		t.Errorf("who submits is told %q, want %q", said, want)
	}
	f.nexusDoes(0, "cancel", cancelled)
	lost.kill()
	leaving.signal(syscall.SIGTERM)
	leaving.says("draining")
	leaving.signal(syscall.SIGTERM)
	leaving.ends(0)
	f.over(handed, hive.Pending, 1, 0)
	f.over(taken, hive.Pending, 1, 1)
	f.over(slept, hive.Completed, 1, 0)
	f.over(failing, hive.Failed, 2, 2)
	for _, id := range queued {
		f.over(id, hive.Completed, 1, 0)
	}
	f.over(cancelled, hive.Cancelled, 1, 0)
	spore.says("outcome not recorded yet")
	f.over(counts, hive.Running, 1, 0)

	f.do("CONFIG", "SET", "maxmemory", "0")
	f.nexusDoes(0, "cancel", taken)
	f.nexusDoes(0, "cancel", handed)
	f.nexusDoes(0, "submit", "guest", "--payload", "echo x", "--wait")
	f.over(counts, hive.Completed, 1, 0)
	f.over(hive.DerivedID(counts, 0), hive.Completed, 1, 0)
	f.checkTally([]string{counts})
	f.awaitIdle(hive.Stats{Completed: 14, Failed: 1, Cancelled: 3})
	for _, p := range []*process{nexus, spore} {
		if said := p.out.String(); strings.Count(said, "the road is full") > 2 {
			t.Errorf("%s says %s", p.name, said)
		}
	}
}
