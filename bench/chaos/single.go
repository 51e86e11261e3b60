package chaos

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/hive-spore/hive/broker"
)

// road is the Redis of a run, which the run breaks.
type road interface {
	begin(ctx context.Context) error
	// options are how the programs and the producers reach it, config the same as lines
	// of a hive.toml, and direct how those do who look on.
	options() broker.Options
	config() string
	direct() broker.Options
	// do breaks something of it and mends it again.
	do(ctx context.Context, f Fault) error
	// heal mends all of it.
	heal(ctx context.Context) error
	// windows are when what it had taken may have been lost.
	windows() []Window
	stop()
}

// single is one redis-server that writes each command to disk before it answers, behind
// a network that fails.
type single struct {
	server *server
	proxy  *proxy
}

func newSingle(where folders) *single {
	return &single{server: newServer(where, "redis", filepath.Join(where.dir, "s"), "--appendonly", "yes", "--appendfsync", "always")}
}

func (s *single) begin(ctx context.Context) (err error) {
	if err := s.server.begin(ctx); err != nil {
		return err
	}
	s.proxy, err = startProxy(s.server.addr)
	return err
}

func (s *single) options() broker.Options { return broker.Options{Addrs: []string{s.proxy.addr()}} }
func (s *single) direct() broker.Options  { return broker.Options{Addrs: []string{s.server.addr}} }
func (s *single) windows() []Window       { return nil }
func (s *single) config() string {
	return fmt.Sprintf("[redis]\nurl = \"redis://%s\"\n", s.proxy.addr())
}

func (s *single) do(ctx context.Context, f Fault) error {
	switch f.Kind {
	case StopRedis:
		if err := s.server.shutdown(ctx); err != nil {
			return err
		}
		return s.again(ctx, f)
	case KillRedis:
		s.server.process().Kill()
		return s.again(ctx, f)
	case Latency:
		s.proxy.set(f.For/100+ms*10, 0)
	case LoseReplies:
		s.proxy.set(0, 0.05+float64(f.On)/300)
	case HalfOpen:
		s.proxy.deafen()
	case Cut:
		s.proxy.cut(false)
	case HoldClients:
		return s.server.rdb.ClientPause(ctx, f.For).Err()
	}
	err := rest(ctx, f.For)
	s.calm(f.Kind)
	return err
}

// again begins the server anew after a while.
func (s *single) again(ctx context.Context, f Fault) error {
	if err := rest(ctx, f.For); err != nil {
		return err
	}
	return s.server.begin(ctx)
}

// calm ends what a fault of the network did.
func (s *single) calm(kind Kind) {
	switch kind {
	case Latency, LoseReplies:
		s.proxy.set(0, 0)
	case HalfOpen:
		s.proxy.cut(true)
	}
}

func (s *single) heal(ctx context.Context) error {
	s.proxy.set(0, 0)
	s.proxy.cut(true)
	if s.server.process().Check() != nil {
		return s.server.begin(ctx)
	}
	return nil
}

func (s *single) stop() {
	if s.proxy != nil {
		s.proxy.close()
	}
	s.server.stop()
}
