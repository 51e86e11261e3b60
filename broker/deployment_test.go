package broker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// TestDeployments takes a task all the way on every kind of server a road can be.
func TestDeployments(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) broker.Options{
		"sentinel": func(t *testing.T) broker.Options { return testkit.StartSentinels(t) },
		"tls":      func(t *testing.T) broker.Options { return testkit.StartTLS(t, "s3cret") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			allTheWay(newRoad(t, start(t)))
		})
	}
}

func TestDeploymentOnCluster(t *testing.T) {
	t.Parallel()
	o, nodes := testkit.StartCluster(t)
	r := newRoad(t, o)
	allTheWay(r)

	// Who is online, and for how long a task runs, is told by one clock: that of the
	// node that stamps the beats.
	for range 10 {
		_, err := r.Nodes(r.ctx())
		r.check(err)
		_, err = r.Zombies(r.ctx(), 0)
		r.check(err)
	}
	asked := 0
	for _, n := range nodes {
		stats, err := n.Do("INFO", "commandstats")
		r.check(err)
		if strings.Contains(stats, "cmdstat_time:") {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("%d nodes were asked for the time, want the one that holds the shard", asked)
	}

	// So is what the server did, by the counters of that node.
	first := meter(t, r.Broker)
	for range 10 {
		if m := meter(t, r.Broker); m.Run != first.Run || m.Commands <= first.Commands {
			t.Fatalf("%+v after %+v", m, first)
		}
	}

	// The keys of one shard live on one node: at most one of the three can serve it.
	refused := 0
	for _, addr := range o.Addrs {
		b := testkit.DialTo(t, broker.Options{Addrs: []string{addr}})
		if _, err := b.Stats(t.Context()); err != nil {
			refused++
			if !errors.Is(err, hive.ErrUnreachable) || !strings.Contains(err.Error(), "is one node of a Cluster: name several of them") {
				t.Errorf("Stats by one node = %v", err)
			}
		}
	}
	if refused != len(o.Addrs)-1 {
		t.Errorf("%d of %d nodes refused", refused, len(o.Addrs))
	}
}

func allTheWay(r *road) {
	s := r.join("a")
	id, waits := r.enqueue(), r.enqueue()
	r.assign("a", 1)
	a := r.fetch(s, 1)
	if len(a) != 1 || a[0].Task.ID != id {
		r.t.Fatalf("Fetch = %v, want task %s", a, id)
	}
	if over, unknown, err := r.Wait(r.ctx(), "client", []string{id}); len(over)+len(unknown) > 0 || err != nil {
		r.t.Fatalf("Wait = %v, %v, %v", over, unknown, err)
	}
	nodes, err := r.Nodes(r.ctx())
	if len(nodes) != 1 || !nodes[0].Online || nodes[0].Active != 1 || err != nil {
		r.t.Errorf("Nodes = %+v, %v", nodes, err)
	}
	if zombies, err := r.Zombies(r.ctx(), -time.Minute); len(zombies) != 1 || err != nil {
		r.t.Errorf("Zombies = %v, %v", zombies, err)
	}
	r.complete(s, a[0])
	told, err := r.ReadInbox(r.ctx(), "client", 5*time.Second)
	if len(told) != 1 || told[0].ID != id || err != nil {
		r.t.Errorf("ReadInbox = %v, %v", told, err)
	}
	r.want(id, hive.Completed, 1, 0)
	r.want(waits, hive.Pending, 0, 0)
	r.wantStats(hive.Stats{Background: 1, Pending: 1, Completed: 1})
	seen := 0
	r.check(r.Tasks(r.ctx(), func(*hive.Record) bool { seen++; return true }))
	if seen != 2 {
		r.t.Errorf("Tasks = %d of them, want 2", seen)
	}
}

// TestRolesOnCluster: on a Cluster the ACL's users may also name what its scripts do.
func TestRolesOnCluster(t *testing.T) {
	t.Parallel()
	o, nodes := testkit.StartCluster(t)
	for _, n := range nodes {
		user := append([]string{"ACL", "SETUSER", "nexus", "on", ">pw"}, broker.RoleNexus.Rules(o, "")...)
		if _, err := n.Do(user...); err != nil {
			t.Fatal(err)
		}
	}
	o.Username, o.Password = "nexus", "pw"
	newRoad(t, o) // as a leader, by a script
}
