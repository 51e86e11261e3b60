package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
)

// linked is a cluster whose programs reach Redis through a proxy; the test does not.
type linked struct {
	*cluster
	server *testkit.Redis
	link   *testkit.Proxy
}

func newLinked(t *testing.T) *linked {
	t.Helper()
	c, server := newServed(t)
	l := &linked{c, server, testkit.StartProxy(t, server.Addr)}
	l.url = "redis://" + l.link.Addr
	return l
}

// do sends the server a command.
func (l *linked) do(words ...string) {
	l.Helper()
	if _, err := l.server.Do(words...); err != nil {
		l.Fatalf("%v: %v", words, err)
	}
}

// harm does to the link what a bad network does, until the end.
func (l *linked) harm() (end func()) {
	ctx, cancel := context.WithCancel(l.Context())
	var harming sync.WaitGroup
	harming.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				l.link.LoseEvery(0)
				return
			case <-tick.C:
			}
			l.link.Delay(rand.N(100 * time.Millisecond))
			l.link.LoseEvery(20 + rand.N(20))
			if n%5 == 0 {
				l.link.CutAll()
			}
		}
	})
	end = func() {
		cancel()
		harming.Wait()
	}
	l.Cleanup(end)
	return end
}

// TestBadLink: replies come late, some are lost, and all connections are cut again and
// again, those of who submits as well. All tasks and what they do are there once.
func TestBadLink(t *testing.T) {
	l := newLinked(t)
	tally, url := l.tallyServer()
	programs := []*process{l.nexus("n1"), l.tallySpore(1), l.tallySpore(2)}
	end := l.harm()
	direct := l.road
	l.road = testkit.DialTo(t, broker.Options{Addrs: []string{l.link.Addr}})
	ids := l.submitTallies(tally, url, 200)
	l.road = direct
	l.awaitTallied(len(ids))
	end()
	attempts := l.checkTally(ids)
	t.Logf("%d tasks took %d attempts; %d replies were lost", len(ids), attempts, l.link.Cuts())
	if l.link.Cuts() == 0 {
		t.Error("no reply was lost")
	}
	l.awaitIdle(hive.Stats{Completed: int64(2 * len(ids))})
	for _, p := range programs {
		if said := p.out.String(); strings.Count(said, "level=WARN") > 30 {
			t.Errorf("%s says %s", p.name, said)
		}
	}
}

// TestHalfOpenLink: the connections that stand are forgotten by the network, and nobody
// is told. The programs find it out and go on by new ones; what runs keeps its lease.
func TestHalfOpenLink(t *testing.T) {
	l := newLinked(t)
	l.pub.RegisterGuest()
	nexus, spore := l.nexus("n1"), l.spore("a", "--slots", "2")
	submitter := client.New(l.road, client.Options{})
	defer submitter.Close()
	id, err := submitter.Submit(t.Context(), guest("sleep 8s"))
	if err != nil {
		t.Fatal(err)
	}
	l.awaitTask(id, "running", running)
	waiting := start(t, "", "nexus", "wait", id, "--redis", l.url)
	await(t, "somebody waiting", func() (bool, error) {
		answer, err := l.server.Do("EXISTS", "{h}:wait:"+id)
		return answer == "1", err
	})
	l.link.Freeze()
	l.link.Thaw()
	r := l.awaitTask(id, "over", final)
	if r.State != hive.Completed || r.Attempts != 1 || string(r.Result) != "slept" {
		t.Errorf("%s after %d attempts: %q, %v", r.State, r.Attempts, r.Result, r.Failure)
	}
	waiting.ends(0)
	if said := waiting.out.String(); said != "slept" {
		t.Errorf("who waits is told %q", said)
	}
	l.awaitIdle(hive.Stats{Completed: 1})
	for _, p := range []*process{nexus, spore} {
		t.Logf("%s says\n%s", p.name, &p.out)
	}
}

// TestStopOnASilentRoad: who is told to stop does not wait for a server that answers
// nothing and is not gone.
func TestStopOnASilentRoad(t *testing.T) {
	l := newLinked(t)
	l.pub.RegisterGuest()
	nexus, spore := l.nexus("n1"), l.spore("a", "--slots", "1", "--config", l.config("spore = { grace = \"1s\" }"))
	submitter := client.New(l.road, client.Options{})
	defer submitter.Close()
	id, err := submitter.Submit(t.Context(), guest("sleep 1h"))
	if err != nil {
		t.Fatal(err)
	}
	l.awaitTask(id, "running", running)
	l.link.Freeze()
	for _, p := range []*process{nexus, spore} {
		p.signal(syscall.SIGTERM)
	}
	told := time.Now()
	for _, p := range []*process{nexus, spore} {
		p.ends(4)
		t.Logf("%s ended within %v", p.name, time.Since(told))
		said := p.out.String()
		if !strings.HasSuffix(said, ": the road is unreachable: redis at "+l.link.Addr+": closed before it answered\n") || strings.Count(said, "unreachable") > 3 {
			t.Errorf("%s says %s", p.name, said)
		}
	}
}

// TestSlowClient: who asks for much and reads nothing, and a spore whose link is slow,
// keep nobody else.
func TestSlowClient(t *testing.T) {
	l := newLinked(t)
	l.pub.RegisterGuest()
	slow := l.spore("slow", "--slots", "2")
	l.url = "unix://" + l.server.Addr
	l.nexus("n1")
	l.spore("quick", "--slots", "2")
	l.link.Delay(300 * time.Millisecond)
	l.do("SET", "large", strings.Repeat("x", 1<<20))
	deaf, err := testkit.Connect(l.server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	for range 100 {
		deaf.Send("GET", "large")
	}
	tasks := make([]hive.Task, 200)
	for i := range tasks {
		tasks[i] = guest(fmt.Sprintf("echo %d", i))
	}
	submitter := client.New(l.road, client.Options{})
	defer submitter.Close()
	ids, err := submitter.SubmitMany(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	part := map[string]int{}
	for i, id := range ids {
		r := l.awaitTask(id, "over", final)
		part[r.Node]++
		if r.State != hive.Completed || string(r.Result) != fmt.Sprint(i) || r.Attempts != 1 {
			t.Errorf("%s: %s after %d attempts: %q, %v", id, r.State, r.Attempts, r.Result, r.Failure)
		}
	}
	if part["slow"] == 0 || part["quick"] < part["slow"] {
		t.Errorf("the spores' parts are %v, want less of the slow one, and some", part)
	}
	l.awaitIdle(hive.Stats{Completed: int64(len(ids))})
	if said := slow.out.String(); strings.Contains(said, "level=WARN") {
		t.Errorf("the slow spore says %s", said)
	}
}

// TestLostCommands: a spore obeys also what it did not hear, because its subscription
// was half open, or was ended by the server for what it did not take.
func TestLostCommands(t *testing.T) {
	l := newLinked(t)
	l.pub.RegisterGuest()
	l.nexus("n1")
	l.spore("a")
	tell := func(command string) {
		p := start(t, "", "nexus", "broadcast", command, "--redis", "unix://"+l.server.Addr, "--keys", l.pub.Keys)
		<-p.done // it is told of no answer, or of one
	}
	subscribers := func(n string) {
		await(t, n+" subscribers", func() (bool, error) {
			clients, err := l.server.Do("CLIENT", "LIST", "TYPE", "pubsub")
			return fmt.Sprint(strings.Count(clients, "\n")) == n, err
		})
	}
	subscribers("1")
	l.link.Freeze()
	tell("DRAIN")
	l.link.Thaw()
	l.awaitNode("a", "draining", func(n *hive.Node) bool { return n.Draining })

	l.do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1 0 0")
	l.do("PUBLISH", "hive:broadcast", strings.Repeat("x", 1<<20))
	tell("RESUME")
	l.awaitNode("a", "not draining", func(n *hive.Node) bool { return !n.Draining })
	for range 3 {
		l.do("CLIENT", "KILL", "TYPE", "pubsub")
	}
	tell("DRAIN")
	l.awaitNode("a", "draining", func(n *hive.Node) bool { return n.Draining })
}
