package chaos

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Window is when the road took what it lost again when another master took over.
type Window struct{ From, To time.Time }

// Has reports whether what was heard of at a time may be lost.
func (w Window) Has(t time.Time) bool { return t.After(w.From) && !t.After(w.To) }

// marker measures the windows. It writes the time to the master all the while. A master
// hands its commands on in order: whoever takes over has all that the one before took
// until the last time that the new one has, and the window begins there. It ends when
// nobody writes to the one before any more.
type marker struct {
	road *sentineled
	addr string // of the master that is written to

	settling sync.WaitGroup
	mu       sync.Mutex
	found    []Window
}

func newMarker(road *sentineled) *marker { return &marker{road: road} }

// markEvery is how often the time is written: so exactly is a window known.
const markEvery = 2 * ms

// markKey is none of the hive's.
const markKey = "chaos:mark"

func (m *marker) windows() []Window {
	m.settling.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Window(nil), m.found...)
}

func (m *marker) run(ctx context.Context) {
	defer m.settling.Wait()
	asked := time.Time{}
	for ctx.Err() == nil {
		err := errors.New("nobody is known")
		if s := m.server(m.addr); s != nil {
			err = s.rdb.Set(ctx, markKey, time.Now().UnixNano(), 0).Err()
		}
		if err != nil || time.Since(asked) > 50*ms {
			asked = time.Now()
			if addr := m.road.master(ctx); addr != "" && addr != m.addr {
				m.follow(ctx, addr)
			}
		}
		if rest(ctx, markEvery) != nil {
			return
		}
	}
}

// follow reads the last mark of a new master before it has another one of it.
func (m *marker) follow(ctx context.Context, addr string) {
	s := m.server(addr)
	if s == nil {
		return
	}
	if role, err := s.info(ctx, "replication", "role"); err != nil || role != "master" {
		return
	}
	last, err := s.rdb.Get(ctx, markKey).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return
	}
	before := m.addr
	m.addr = addr
	if before == "" {
		return
	}
	ns, _ := strconv.ParseInt(last, 10, 64) // no mark: all may be lost
	m.mu.Lock()
	defer m.mu.Unlock()
	i := len(m.found)
	m.found = append(m.found, Window{time.Unix(0, ns), time.Now()})
	m.settling.Go(func() { m.settle(ctx, i, m.server(before)) })
}

// settle ends a window when nobody can be told anything by the master of before: a paused
// one goes on to take tasks when it goes on, until its clients have left it.
func (m *marker) settle(ctx context.Context, i int, before *server) {
	for !left(ctx, before) && rest(ctx, 10*ms) == nil {
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.found[i].To = time.Now()
}

// left reports whether a server is dead, a replica, or has no client but sentinels.
func left(ctx context.Context, s *server) bool {
	role, err := s.info(ctx, "replication", "role")
	if err != nil {
		return s.process().Check() != nil
	}
	clients, err := s.rdb.Do(ctx, "CLIENT", "LIST", "TYPE", "normal").Text()
	for client := range strings.Lines(clients) {
		if !strings.Contains(client, " name=sentinel") && !strings.Contains(client, " name="+lookerOn) {
			return role == "slave"
		}
	}
	return err == nil
}

func (m *marker) server(addr string) *server {
	for _, s := range m.road.servers {
		if s.addr == addr {
			return s
		}
	}
	return nil
}
