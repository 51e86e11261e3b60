package testkit

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and redis-server and can lose replies.
type Proxy struct {
	Addr   string // what to dial
	target string
	ln     net.Listener
	wg     sync.WaitGroup

	mu    sync.Mutex
	armed bool
	cuts  int
	conns map[net.Conn]bool
}

// StartProxy forwards connections to the unix socket target until the test ends.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: ln.Addr().String(), target: target, ln: ln, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// CutNextReply lets the next request through to the server, then drops its reply
// and the connection with it.
func (p *Proxy) CutNextReply() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = true
}

// Cuts returns how many replies were lost so far.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.track(client, server)
		p.wg.Go(func() { io.Copy(server, client); p.drop(client, server) })
		p.wg.Go(func() { p.replies(client, server); p.drop(client, server) })
	}
}

func (p *Proxy) replies(client, server net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil || p.cut() {
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *Proxy) cut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.armed {
		return false
	}
	p.armed = false
	p.cuts++
	return true
}

func (p *Proxy) track(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
}

func (p *Proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(p.conns, c)
	}
}

func (p *Proxy) close() {
	p.ln.Close()
	p.mu.Lock()
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}
