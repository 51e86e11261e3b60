package testkit

import (
	"fmt"
	"testing"

	"github.com/hive-spore/hive/broker"
)

// Failover is a master and its replica, and three sentinels that watch them.
type Failover struct {
	Road            broker.Options
	Master, Replica *Redis
}

// StartFailover starts them until the test ends. A master that is gone for a second has
// its replica take its place.
func StartFailover(t testing.TB) *Failover {
	t.Helper()
	return startSentinels(t, "sentinel down-after-milliseconds hive 1000\nsentinel failover-timeout hive 5000\n")
}

// StartSentinels is StartFailover for who kills no master.
func StartSentinels(t testing.TB) broker.Options {
	t.Helper()
	return startSentinels(t, "").Road
}

func startSentinels(t testing.TB, settings string) *Failover {
	t.Helper()
	ports := freePorts(t, 5)
	master, replica, sentinels := ports[0], ports[1], ports[2:]
	f := &Failover{Road: broker.Options{Master: "hive"}}
	f.Master = startFor(t, "", "--port", master, "--repl-diskless-sync-delay", "0")
	f.Replica = startFor(t, "", "--port", replica, "--replicaof", host, master)
	for _, port := range sentinels {
		startFor(t, fmt.Sprintf("sentinel monitor hive %s %s 2\n", host, master)+settings, "--port", port)
		f.Road.Addrs = append(f.Road.Addrs, host+":"+port)
	}
	return f
}
