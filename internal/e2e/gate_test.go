package e2e

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// gate stands between one program and redis-server. It shuts at the first request that
// has some words in it: from then on nothing passes, either way, and nothing is lost.
// What was asked is done when it opens again.
type gate struct {
	url   string
	shuts chan struct{} // closed when it has shut

	mu   sync.Mutex
	at   [][]byte      // nil: it does not shut (any more)
	shut chan struct{} // closed: it is open
}

// newGate stands before a server's unix socket until the test ends.
func newGate(t *testing.T, socket string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{url: "redis://" + l.Addr().String(), shuts: make(chan struct{}), shut: make(chan struct{})}
	close(g.shut)
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", socket)
			if err != nil {
				client.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, client, server)
			mu.Unlock()
			all.Go(func() { g.pass(server, client, true); server.(*net.UnixConn).CloseWrite() })
			all.Go(func() { g.pass(client, server, false); client.Close() })
		}
	})
	t.Cleanup(func() {
		g.open()
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return g
}

// shutAt has it shut at the next request with all of these words.
func (g *gate) shutAt(words ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range words {
		g.at = append(g.at, []byte(w))
	}
}

// open lets all pass.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.shut:
	default:
		close(g.shut)
	}
}

func (g *gate) pass(to io.Writer, from io.Reader, requests bool) {
	buf := make([]byte, 256<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		<-g.look(buf[:n], requests)
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// look shuts the gate if it is time, and returns what to wait for.
func (g *gate) look(data []byte, request bool) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	hit := request && g.at != nil
	for _, words := range g.at {
		hit = hit && bytes.Contains(data, words)
	}
	if hit {
		g.at, g.shut = nil, make(chan struct{})
		close(g.shuts)
	}
	return g.shut
}
