package testkit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/broker"
)

// clusterSlots is how many slots the masters of a Cluster share.
const clusterSlots = 16384

// StartCluster starts a Redis Cluster of three masters until the test ends. args are
// added to their command lines.
func StartCluster(t testing.TB, args ...string) (broker.Options, []*Redis) {
	t.Helper()
	const masters = 3
	ports := freePorts(t, 2*masters)
	port, bus := ports[:masters], ports[masters:]
	var o broker.Options
	nodes := make([]*Redis, masters)
	for i := range nodes {
		nodes[i] = startFor(t, "", append([]string{"--port", port[i], "--bind", host, "--cluster-enabled", "yes", "--cluster-port", bus[i]}, args...)...)
		o.Addrs = append(o.Addrs, host+":"+port[i])
	}
	for i, n := range nodes {
		first, next := clusterSlots*i/masters, clusterSlots*(i+1)/masters
		mustDo(t, n, "CLUSTER", "ADDSLOTSRANGE", fmt.Sprint(first), fmt.Sprint(next-1))
		mustDo(t, n, "CLUSTER", "SET-CONFIG-EPOCH", fmt.Sprint(i+1)) // else they first quarrel about it
		mustDo(t, n, "CLUSTER", "MEET", host, port[0], bus[0])
	}
	awaitCluster(t, nodes)
	return o, nodes
}

func mustDo(t testing.TB, r *Redis, words ...string) string {
	t.Helper()
	answer, err := r.Do(words...)
	if err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	return answer
}

// awaitCluster asks every node until all of them take commands.
func awaitCluster(t testing.TB, nodes []*Redis) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	giveUp := time.After(30 * time.Second)
	for len(nodes) > 0 {
		if strings.Contains(mustDo(t, nodes[0], "CLUSTER", "INFO"), "cluster_state:ok") {
			nodes = nodes[1:]
			continue
		}
		select {
		case <-tick.C:
		case <-giveUp:
			t.Fatal("the cluster does not come up")
		}
	}
}
