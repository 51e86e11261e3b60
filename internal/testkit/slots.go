package testkit

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
)

// ClusterHome returns the master of a Cluster that StartCluster started which holds the
// keys of a shard, by its place among the masters.
func ClusterHome(t testing.TB, nodes []*Redis, shard string) (home int, slot string) {
	t.Helper()
	slot = mustDo(t, nodes[0], "CLUSTER", "KEYSLOT", shard)
	n, err := strconv.Atoi(slot)
	if err != nil {
		t.Fatal(err)
	}
	for home = range nodes {
		if n < clusterSlots*(home+1)/len(nodes) {
			break
		}
	}
	return home, slot
}

// MoveSlot moves a slot and its keys from one master of a Cluster to another, as
// redis-cli does. between is called when half of it is done.
func MoveSlot(t testing.TB, nodes []*Redis, addrs []string, slot string, from, to int, between func()) {
	t.Helper()
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = mustDo(t, n, "CLUSTER", "MYID")
	}
	mustDo(t, nodes[to], "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[from])
	mustDo(t, nodes[from], "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[to])
	toHost, toPort, err := net.SplitHostPort(addrs[to])
	if err != nil {
		t.Fatal(err)
	}
	count := func() int {
		n, err := strconv.Atoi(mustDo(t, nodes[from], "CLUSTER", "COUNTKEYSINSLOT", slot))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for half := count() / 2; count() > 0; {
		keys := strings.Split(mustDo(t, nodes[from], "CLUSTER", "GETKEYSINSLOT", slot, "10"), "\n")
		mustDo(t, nodes[from], append([]string{"MIGRATE", toHost, toPort, "", "0", "5000", "KEYS"}, keys...)...)
		if between != nil && count() <= half {
			between()
			between = nil
		}
	}
	var errs []error
	for _, i := range []int{to, from, 3 - from - to} { // of three
		if _, err := nodes[i].Do("CLUSTER", "SETSLOT", slot, "NODE", ids[to]); err != nil {
			errs = append(errs, fmt.Errorf("node %d: %w", i, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
