package e2e

import (
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// hiveOnCluster is a hive that has begun on 300 tasks on a Cluster of three masters.
func hiveOnCluster(t *testing.T, args ...string) (c *cluster, o broker.Options, nodes []*testkit.Redis, ids []string, programs []*process) {
	t.Helper()
	t.Parallel()
	o, nodes = testkit.StartCluster(t, args...)
	c = newClusterAt(t, o)
	tally, url := c.tallyServer()
	programs = []*process{c.nexus("n1"), c.tallySpore(1), c.tallySpore(2)}
	ids = c.submitTallies(tally, url, 300)
	await(t, "some tasks over, some not", func() (bool, error) {
		stats, err := c.road.Stats(t.Context())
		return stats.Completed > 50, err
	})
	return c, o, nodes, ids, programs
}

// endsWell checks that all tasks end, what they do is done once, and the programs say
// little.
func (c *cluster) endsWell(ids []string, programs []*process) {
	c.Helper()
	c.awaitTallied(len(ids))
	c.checkTally(ids)
	c.awaitIdle(hive.Stats{Completed: int64(2 * len(ids))})
	for _, p := range programs {
		p.toldOfTheRoad(2)
	}
}

// TestClusterMasterRestarts: the master that holds the road is killed under load, and
// comes back with what it had written.
func TestClusterMasterRestarts(t *testing.T) {
	c, _, nodes, ids, programs := hiveOnCluster(t, "--appendonly", "yes", "--appendfsync", "always")
	home, _ := testkit.ClusterHome(t, nodes, "h")
	nodes[home].Kill()
	for _, p := range programs {
		p.says("the road is lost")
	}
	if err := nodes[home].Restart(); err != nil {
		t.Fatal(err)
	}
	c.endsWell(ids, programs)
}

// TestClusterSlotMoves: under load the slot that holds the road is moved to another
// master. While it is in two places no script runs in either.
func TestClusterSlotMoves(t *testing.T) {
	c, o, nodes, ids, programs := hiveOnCluster(t)
	home, slot := testkit.ClusterHome(t, nodes, "h")
	testkit.MoveSlot(t, nodes, o.Addrs, slot, home, (home+1)%len(nodes), func() {
		for _, p := range programs {
			p.says("is moving our keys to another master of the Cluster")
		}
	})
	c.endsWell(ids, programs)
}
