package testkit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
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

// Do sends one command of words without blanks and returns its answer: a line or
// one text.
func (r *Redis) Do(words ...string) (string, error) {
	conn, err := net.Dial("unix", r.Addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s\r\n", strings.Join(words, " "))
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, line := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case '-':
		return "", errors.New(line)
	case '$':
		n, err := strconv.Atoi(line)
		if err != nil {
			return "", err
		}
		body := make([]byte, max(0, n))
		_, err = io.ReadFull(in, body)
		return string(body), err
	}
	return line, nil
}
