package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive/bench/rig"
)

// server is a redis-server or a sentinel that can be killed and begun anew.
type server struct {
	name string
	dir  string   // its data stay there
	addr string   // host:port or unix socket
	args []string // always the same ones
	rdb  *redis.Client

	mu sync.Mutex
	p  *rig.Process
}

// folders are where servers keep their data, and what they said if anybody wants it.
type folders struct{ dir, logs string }

// lookerOn is the name of our own connections.
const lookerOn = "looker-on"

// newServer is one that is not running yet. args stand before all others.
func newServer(where folders, name, addr string, args ...string) *server {
	s := &server{name: name, dir: filepath.Join(where.dir, name), addr: addr}
	s.args = append(args, "--dir", s.dir, "--save", "", "--daemonize", "no")
	if where.logs != "" {
		s.args = append(s.args, "--logfile", filepath.Join(where.logs, name+".log"))
	}
	o := &redis.Options{Addr: addr, ClientName: lookerOn, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ReadTimeout: time.Second, ContextTimeoutEnabled: true}
	if host, port, err := net.SplitHostPort(addr); err == nil {
		s.args = append(s.args, "--bind", host, "--port", port)
	} else {
		o.Network = "unix"
		s.args = append(s.args, "--port", "0", "--unixsocket", addr)
	}
	s.rdb = redis.NewClient(o)
	return s
}

// begin starts the server and waits until it answers and has read its data. One that ends
// at once is begun again: somebody else may have had its port for a moment.
func (s *server) begin(ctx context.Context, args ...string) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	ended := error(nil) // why the last one did
	err := await(ctx, s.name+" to answer", func() (bool, error) {
		p := s.process()
		if p == nil || p.Check() != nil {
			var err error
			if p, err = rig.LaunchRedis(append(slices.Clone(s.args), args...)...); err != nil {
				return false, err
			}
			s.mu.Lock()
			s.p = p
			s.mu.Unlock()
		}
		err := s.rdb.Ping(ctx).Err()
		ended = cmp.Or(p.Check(), ended)
		return err == nil, nil
	})
	if err != nil {
		return errors.Join(err, ended)
	}
	return nil
}

func (s *server) process() *rig.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.p
}

// shutdown ends the server as its package does.
func (s *server) shutdown(context.Context) error {
	p := s.process()
	err := p.Signal(syscall.SIGTERM)
	<-p.Ended()
	return err
}

// stop ends the server for good.
func (s *server) stop() {
	if p := s.process(); p != nil {
		p.Kill()
	}
	s.rdb.Close()
}

// info is one field of INFO.
func (s *server) info(ctx context.Context, section, field string) (string, error) {
	text, err := s.rdb.Info(ctx, section).Result()
	for line := range strings.Lines(text) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), ":"); name == field {
			return value, err
		}
	}
	return "", err
}

// await polls until something holds or cannot any more.
func await(ctx context.Context, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("waited in vain for "+what))
	defer cancel()
	for {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		if err := rest(ctx, 10*ms); err != nil {
			return err
		}
	}
}

// patience is how long what must come may take.
const patience = 90 * time.Second

// rest waits for some time, or until the context ends.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// freeAddress is one of this machine at which nobody listens. It lies below those that
// the system gives to who asks for any: a server that is down for a while gets it back.
func freeAddress() (string, error) {
	for range 1000 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(12000+rand.IntN(20000)))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no free port")
}

// freeAddresses are n of them.
func freeAddresses(n int) (all []string, err error) {
	seen := map[string]bool{}
	for len(all) < n {
		addr, err := freeAddress()
		if err != nil {
			return nil, fmt.Errorf("addresses: %w", err)
		}
		if !seen[addr] {
			seen[addr] = true
			all = append(all, addr)
		}
	}
	return all, nil
}
