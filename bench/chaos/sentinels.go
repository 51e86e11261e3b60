package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive/broker"
)

// masterName is what sentinels call the master.
const masterName = "hive"

// sentineled is a master, a replica and three sentinels that have them change places.
type sentineled struct {
	servers   []*server // two
	sentinels []*server
	marker    *marker
	stopMark  context.CancelFunc
	marking   sync.WaitGroup
	hurt      sync.Mutex // held by who hurts a server
}

func newSentineled(where folders) (*sentineled, error) {
	addrs, err := freeAddresses(5)
	if err != nil {
		return nil, err
	}
	s := &sentineled{}
	for i, addr := range addrs[:2] {
		s.servers = append(s.servers, newServer(where, fmt.Sprintf("redis%d", i+1), addr,
			"--appendonly", "yes", "--appendfsync", "everysec", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"))
	}
	host, port, _ := net.SplitHostPort(addrs[0])
	for i, addr := range addrs[2:] {
		name := fmt.Sprintf("sentinel%d", i+1)
		file := filepath.Join(where.dir, name+".conf") // they rewrite it
		text := fmt.Sprintf("sentinel monitor %s %s %s 2\nsentinel down-after-milliseconds %s 2000\nsentinel failover-timeout %s 3000\n",
			masterName, host, port, masterName, masterName)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
		s.sentinels = append(s.sentinels, newServer(where, name, addr, file, "--sentinel"))
	}
	s.marker = newMarker(s)
	return s, nil
}

func (s *sentineled) begin(ctx context.Context) error {
	if err := s.servers[0].begin(ctx); err != nil {
		return err
	}
	if err := s.beginReplica(ctx, s.servers[1], s.servers[0].addr); err != nil {
		return err
	}
	for _, sentinel := range s.sentinels {
		if err := sentinel.begin(ctx); err != nil {
			return err
		}
	}
	err := await(ctx, "the sentinels to know each other", func() (bool, error) {
		for _, sentinel := range s.sentinels {
			known := redis.NewSliceCmd(ctx, "sentinel", "sentinels", masterName)
			if sentinel.rdb.Process(ctx, known) != nil || len(known.Val()) != len(s.sentinels)-1 {
				return false, nil
			}
		}
		return true, nil
	})
	ctx, s.stopMark = context.WithCancel(context.WithoutCancel(ctx))
	s.marking.Go(func() { s.marker.run(ctx) })
	return err
}

// beginReplica starts a server as the replica of another and waits until it has all.
func (s *sentineled) beginReplica(ctx context.Context, replica *server, master string) error {
	host, port, _ := net.SplitHostPort(master)
	if err := replica.begin(ctx, "--replicaof", host, port); err != nil {
		return err
	}
	return s.awaitSynced(ctx)
}

// awaitSynced waits until one server is the replica of the other and has what it has.
func (s *sentineled) awaitSynced(ctx context.Context) error {
	return await(ctx, "the replica to have what the master has", func() (bool, error) {
		for _, server := range s.servers {
			if up, err := server.info(ctx, "replication", "master_link_status"); err == nil && up == "up" {
				return true, nil
			}
		}
		return false, nil
	})
}

func (s *sentineled) options() broker.Options {
	o := broker.Options{Master: masterName}
	for _, sentinel := range s.sentinels {
		o.Addrs = append(o.Addrs, sentinel.addr)
	}
	return o
}

func (s *sentineled) direct() broker.Options { return s.options() }
func (s *sentineled) windows() []Window      { return s.marker.windows() }
func (s *sentineled) config() string {
	return fmt.Sprintf("[redis]\naddrs = [\"%s\"]\nsentinel_master = %q\n", strings.Join(s.options().Addrs, `", "`), masterName)
}

// master is the address that the sentinels give; most of them, should they differ.
func (s *sentineled) master(ctx context.Context) string {
	votes := map[string]int{}
	for _, sentinel := range s.sentinels {
		said := redis.NewStringSliceCmd(ctx, "sentinel", "get-master-addr-by-name", masterName)
		if sentinel.rdb.Process(ctx, said) == nil && len(said.Val()) == 2 {
			addr := net.JoinHostPort(said.Val()[0], said.Val()[1])
			if votes[addr]++; votes[addr] == 2 {
				return addr
			}
		}
	}
	return ""
}

// pair is the server that is the master now, and the other.
func (s *sentineled) pair(ctx context.Context) (master, replica *server, err error) {
	err = await(ctx, "a master", func() (bool, error) {
		switch s.master(ctx) {
		case s.servers[0].addr:
			master, replica = s.servers[0], s.servers[1]
		case s.servers[1].addr:
			master, replica = s.servers[1], s.servers[0]
		}
		return master != nil, nil
	})
	return master, replica, err
}

func (s *sentineled) do(ctx context.Context, f Fault) error {
	if f.Kind == KillSentinel {
		return s.killSentinel(ctx, f)
	}
	if f.Kind != Cut && f.Kind != HoldClients {
		if !s.hurt.TryLock() { // a failover takes longer on a slow machine
			return errHurt
		}
		defer s.hurt.Unlock()
		if err := s.awaitSynced(ctx); err != nil { // what is not replicated at all is no window
			return err
		}
	}
	master, replica, err := s.pair(ctx)
	if err != nil {
		return err
	}
	switch f.Kind {
	case KillMaster:
		return s.killMaster(ctx, f.For, master, replica)
	case KillAhead:
		if err := s.cutOff(ctx, f.For, master, replica); err != nil {
			return errors.Join(err, replica.process().Resume())
		}
		return s.killMaster(ctx, 0, master, replica)
	case KillReplica:
		replica.process().Kill()
		if err := rest(ctx, f.For); err != nil {
			return err
		}
		return s.beginReplica(ctx, replica, master.addr)
	case PauseMaster:
		return s.pause(ctx, f, master)
	case PauseReplica:
		return s.pause(ctx, f, replica)
	case Cut:
		return master.rdb.Do(ctx, "CLIENT", "KILL", "TYPE", "normal").Err()
	case HoldClients:
		return master.rdb.ClientPause(ctx, f.For).Err()
	}
	return nil
}

// cutOff has the master go on for some time of which its replica hears nothing.
func (s *sentineled) cutOff(ctx context.Context, d time.Duration, master, replica *server) error {
	if err := replica.process().Pause(); err != nil {
		return err
	}
	err := master.rdb.Do(ctx, "CLIENT", "KILL", "TYPE", "replica").Err()
	return errors.Join(err, rest(ctx, d))
}

// killMaster kills the master. When the other has its place, it comes back as a replica
// after a while.
func (s *sentineled) killMaster(ctx context.Context, d time.Duration, master, replica *server) error {
	master.process().Kill()
	if err := replica.process().Resume(); err != nil {
		return err
	}
	err := await(ctx, "the replica to be promoted", func() (bool, error) { return s.master(ctx) == replica.addr, nil })
	if err != nil {
		return err
	}
	if err := rest(ctx, d); err != nil {
		return err
	}
	return s.beginReplica(ctx, master, replica.addr)
}

func (s *sentineled) pause(ctx context.Context, f Fault, server *server) error {
	if err := server.process().Pause(); err != nil {
		return err
	}
	if err := rest(ctx, f.For); err != nil {
		return err
	}
	if err := server.process().Resume(); err != nil {
		return err
	}
	return s.awaitSynced(ctx)
}

func (s *sentineled) killSentinel(ctx context.Context, f Fault) error {
	sentinel := s.sentinels[f.On%len(s.sentinels)]
	sentinel.process().Kill()
	if err := rest(ctx, f.For); err != nil {
		return err
	}
	return sentinel.begin(ctx)
}

func (s *sentineled) heal(ctx context.Context) error {
	for _, server := range append(s.sentinels, s.servers...) {
		if err := server.process().Resume(); err != nil {
			return err
		}
	}
	for _, sentinel := range s.sentinels {
		if sentinel.process().Check() != nil {
			if err := sentinel.begin(ctx); err != nil {
				return err
			}
		}
	}
	master, replica, err := s.pair(ctx)
	if err != nil {
		return err
	}
	if replica.process().Check() != nil {
		err = s.beginReplica(ctx, replica, master.addr)
	}
	if err == nil {
		err = s.awaitSynced(ctx)
	}
	return err
}

func (s *sentineled) stop() {
	if s.stopMark != nil {
		s.stopMark()
		s.marking.Wait()
	}
	for _, server := range append(s.sentinels, s.servers...) {
		server.stop()
	}
}
