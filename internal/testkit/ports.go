package testkit

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// host is where servers listen that must be reached over TCP.
const host = "127.0.0.1"

// The ports handed out lie below those that the system gives to who asks for any.
const (
	firstPort = 12000
	portRange = 20000
)

var (
	portsBegin = rand.Int64N(portRange) // other test binaries begin elsewhere
	portsGiven atomic.Int64
)

// freePorts returns n ports nobody listens at.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	var ports []string
	for range portRange {
		port := strconv.FormatInt(firstPort+(portsBegin+portsGiven.Add(1))%portRange, 10)
		ln, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil {
			continue
		}
		ln.Close()
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	t.Fatalf("no %d free ports", n)
	return nil
}

// startFor starts a server that ends with the test.
func startFor(t testing.TB, sentinel string, args ...string) *Redis {
	t.Helper()
	r, err := start(sentinel, args)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r
}

// FreeAddr returns an address of this machine at which nobody listens.
func FreeAddr(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort(host, freePorts(t, 1)[0])
}
