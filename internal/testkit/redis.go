// Package testkit starts the real things tests run against.
package testkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/embedded"
	"github.com/hive-spore/hive/spore"
)

// shared is the one redis-server of a test binary, on a private unix socket.
var shared struct {
	once   sync.Once
	server *Redis
	err    error
}

var shards atomic.Int64

// Main runs a package's tests and ends the shared redis-server after them. As a
// child of a test that compiles a skill, it does that.
func Main(m *testing.M, check func() error) {
	if len(os.Args) == 2 && os.Args[1] == admit {
		if err := spore.Admit(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if shared.server != nil {
		shared.server.Stop()
	}
	if code == 0 {
		if err := check(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// Options returns a fresh shard on the shared redis-server.
func Options(t testing.TB) broker.Options {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = StartRedis() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	shard := fmt.Sprintf("t%d", shards.Add(1))
	return broker.Options{Addrs: []string{shared.server.Addr}, Shard: shard, Channel: shard + ":broadcast"}
}

// Dial returns a broker on a fresh shard of the shared redis-server.
func Dial(t testing.TB) *broker.Broker { return DialTo(t, Options(t)) }

// DialTo returns a broker that is closed with the test.
func DialTo(t testing.TB, o broker.Options) *broker.Broker {
	t.Helper()
	b, err := broker.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// Roads runs a test on every kind of road: redis-server and the embedded one.
func Roads(t *testing.T, test func(t *testing.T, o broker.Options)) {
	t.Helper()
	t.Parallel()
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, Options(t))
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		road, err := embedded.StartRoad("", false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(road.Close)
		test(t, road.Options())
	})
}

// Redis is a redis-server child process.
type Redis struct {
	Addr string // path of its unix socket
	dir  string
	cmd  *exec.Cmd
	done chan error
}

// StartRedis starts a redis-server on a unix socket in a directory of its own and
// waits until it answers. args are added to its command line.
func StartRedis(args ...string) (*Redis, error) { return start("", args) }

// start makes the server a sentinel if there is a configuration for one: sentinels
// rewrite their file.
func start(sentinel string, args []string) (*Redis, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("%w (install Debian's package redis-server, or run scripts/test)", err)
	}
	dir, err := os.MkdirTemp("", "hive-redis-")
	if err != nil {
		return nil, err
	}
	r := &Redis{Addr: filepath.Join(dir, "s"), dir: dir, done: make(chan error, 1)}
	args = append([]string{"--port", "0", "--unixsocket", r.Addr, "--dir", dir,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"}, args...)
	if sentinel != "" {
		file := filepath.Join(dir, "sentinel.conf")
		if err := os.WriteFile(file, []byte(sentinel), 0o600); err != nil {
			os.RemoveAll(dir)
			return nil, err
		}
		args = append([]string{file, "--sentinel"}, args...)
	}
	r.cmd = exec.Command(path, args...)
	if err := r.cmd.Start(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	go func() { r.done <- r.cmd.Wait() }()
	if err := r.await(); err != nil {
		r.Stop()
		return nil, err
	}
	return r, nil
}

// await dials the server until it answers, be it that it wants a password.
func (r *Redis) await() error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	giveUp := time.After(10 * time.Second)
	for {
		b, err := broker.Dial(context.Background(), broker.Options{Addrs: []string{r.Addr}})
		if err == nil {
			return b.Close()
		}
		if strings.Contains(err.Error(), "password") {
			return nil
		}
		select {
		case <-tick.C:
		case err := <-r.done:
			r.done <- err
			return fmt.Errorf("redis-server ended at once: %v", err)
		case <-giveUp:
			return fmt.Errorf("redis-server does not answer: %w", err)
		}
	}
}

// Kill ends the server as kill -9 does.
func (r *Redis) Kill() {
	r.cmd.Process.Kill()
	<-r.done
	r.done <- nil
}

// Stop ends the server and removes its directory.
func (r *Redis) Stop() {
	r.Kill()
	os.RemoveAll(r.dir)
}
