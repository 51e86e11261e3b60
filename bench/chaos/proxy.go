package chaos

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// proxy stands between the programs and redis-server, and is the network that fails.
type proxy struct {
	listener net.Listener
	target   string // unix socket
	running  sync.WaitGroup

	mu      sync.Mutex
	links   map[*link]bool
	latency time.Duration // of replies
	lose    float64       // the share of replies that is lost, with their connection
	closed  bool
}

// link is one connection through the proxy.
type link struct {
	client, server net.Conn
	deaf           bool // what is sent goes nowhere, either way; guarded by proxy.mu
}

func startProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, links: map[*link]bool{}}
	p.running.Go(p.accept)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.target)
		if err != nil {
			client.Close()
			continue
		}
		l := &link{client: client, server: server}
		if !p.enter(l) {
			continue
		}
		p.running.Go(func() { p.carry(l, client, server, false) })
		p.running.Go(func() { p.carry(l, server, client, true) })
	}
}

func (p *proxy) enter(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.close()
		return false
	}
	p.links[l] = true
	return true
}

// carry copies one way until either side ends.
func (p *proxy) carry(l *link, from, to net.Conn, replies bool) {
	defer p.drop(l)
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		deaf, lost, late := p.fate(l, replies)
		if lost {
			return
		}
		if deaf {
			continue
		}
		if late > 0 {
			time.Sleep(late)
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// fate is what becomes of some bytes.
func (p *proxy) fate(l *link, replies bool) (deaf, lost bool, late time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !replies {
		return l.deaf, false, 0
	}
	return l.deaf, rand.Float64() < p.lose, p.latency
}

func (p *proxy) drop(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.close()
	delete(p.links, l)
}

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

// set says how replies fare from now on.
func (p *proxy) set(latency time.Duration, lose float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency, p.lose = latency, lose
}

// deafen leaves the connections of now open, and has nothing pass through them.
func (p *proxy) deafen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.deaf = true
	}
}

// cut ends the connections of now; only the deaf ones if it is to spare the others.
func (p *proxy) cut(onlyDeaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		if l.deaf || !onlyDeaf {
			l.close() // its two carriers take it out
		}
	}
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.listener.Close()
	p.cut(false)
	p.running.Wait()
}
