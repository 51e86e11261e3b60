package testkit

import (
	"fmt"
	"testing"

	"github.com/hive-spore/hive/broker"
)

// StartSentinels starts a master, its replica and three sentinels that watch them,
// until the test ends.
func StartSentinels(t testing.TB) broker.Options {
	t.Helper()
	ports := freePorts(t, 5)
	master, replica, sentinels := ports[0], ports[1], ports[2:]
	startFor(t, "", "--port", master)
	startFor(t, "", "--port", replica, "--replicaof", host, master)
	o := broker.Options{Master: "hive"}
	for _, port := range sentinels {
		startFor(t, fmt.Sprintf("sentinel monitor %s %s %s 2\n", o.Master, host, master), "--port", port)
		o.Addrs = append(o.Addrs, host+":"+port)
	}
	return o
}
