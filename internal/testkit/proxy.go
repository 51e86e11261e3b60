package testkit

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy stands between clients and redis-server and does to their connections what
// networks do: it loses replies, delays them, and ends or forgets connections.
type Proxy struct {
	Addr   string // what to dial
	target string
	ln     net.Listener
	wg     sync.WaitGroup

	mu     sync.Mutex
	armed  bool
	every  int // of so many replies one is lost; 0: none
	count  int // replies, for that
	cuts   int
	delay  time.Duration
	frozen bool // new connections are silent
	links  map[*link]bool
}

// link is one connection, in two parts.
type link struct {
	client, server net.Conn
	silent         bool // what comes is swallowed; guarded by Proxy.mu
}

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

// StartProxy forwards connections to target, HOST:PORT or the path of a unix socket,
// until the test ends.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	ln, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: ln.Addr().String(), target: target, ln: ln, links: map[*link]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// CutNextReply lets the next request through to the server, then drops its reply
// and the connection with it.
func (p *Proxy) CutNextReply() { p.set(func() { p.armed = true }) }

// LoseEvery does that to every nth reply; 0: to none.
func (p *Proxy) LoseEvery(n int) { p.set(func() { p.every = n }) }

// Delay has all replies come so much later.
func (p *Proxy) Delay(d time.Duration) { p.set(func() { p.delay = d }) }

// CutAll ends all connections.
func (p *Proxy) CutAll() {
	p.set(func() {
		for l := range p.links {
			l.close()
		}
	})
}

// Freeze leaves all connections half open, those that stand for good and new ones until
// Thaw: what is sent is swallowed, nothing comes, and nobody is told.
func (p *Proxy) Freeze() {
	p.set(func() {
		p.frozen = true
		for l := range p.links {
			l.silent = true
		}
	})
}

// Thaw lets new connections through.
func (p *Proxy) Thaw() { p.set(func() { p.frozen = false }) }

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// Cuts returns how many replies were lost so far.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

func (p *Proxy) accept() {
	network := "tcp"
	if strings.Contains(p.target, "/") {
		network = "unix"
	}
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(network, p.target)
		if err != nil {
			client.Close()
			continue
		}
		l := &link{client: client, server: server}
		p.set(func() {
			l.silent = p.frozen
			p.links[l] = true
		})
		p.wg.Go(func() { p.forward(l, client, server, false); p.drop(l) })
		p.wg.Go(func() { p.forward(l, server, client, true); p.drop(l) })
	}
}

// forward copies one direction until either end is closed, or a reply is to be lost.
func (p *Proxy) forward(l *link, from, to net.Conn, replies bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		silent, lose, delay := p.fate(l, replies)
		if lose {
			return
		}
		if silent {
			continue
		}
		time.Sleep(delay)
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// fate says what happens to what was read.
func (p *Proxy) fate(l *link, reply bool) (silent, lose bool, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.silent || !reply {
		return l.silent, false, 0
	}
	p.count++
	if lose = p.armed || p.every > 0 && p.count%p.every == 0; lose {
		p.armed = false
		p.cuts++
	}
	return false, lose, p.delay
}

func (p *Proxy) drop(l *link) {
	p.set(func() {
		l.close()
		delete(p.links, l)
	})
}

func (p *Proxy) close() {
	p.ln.Close()
	p.CutAll()
	p.wg.Wait()
}
