package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Health is what can be known of the server that holds the road's keys without
// changing anything. A user with few rights is told less: that is in Untold, and no
// error.
type Health struct {
	User string // who is asked as
	Addr string // host:port, or the path of a unix socket

	Version     string
	AOF         bool      // every write goes to a log
	AOFWell     bool      // the last one did
	SnapshotAt  time.Time // the last one, or when the server began
	Policy      string    // what gives way when memory is full
	MaxMemory   int64     // bytes; 0: no bound
	Fsync       string    // appendfsync
	Skew        time.Duration
	Uncertainty time.Duration // of Skew: how long the answer took, halved

	Anonymous bool      // who says no password is let in
	Encrypted bool      // by TLS, with a certificate that was verified
	Expires   time.Time // of that certificate, or the first of its chain that does
	Clear     []string  // addresses off this machine's own ones at which the server talks without TLS
	// Excess names what the user may do and no program of the hive needs.
	Excess []string

	Untold map[string]string // why nothing is known of "info", "config" or "time"
}

// Health looks at the server. It asks nothing that changes it or that it works on for
// long; what the user may not ask shows in the server's ACL LOG.
func (b *Broker) Health(ctx context.Context) (*Health, error) {
	node, err := b.home(ctx)
	if err != nil {
		return nil, b.wrap("find the server", err)
	}
	h := &Health{Untold: map[string]string{}}
	if h.Addr, err = b.homeAddr(ctx, node); err != nil {
		return nil, b.wrap("find the server", err)
	}
	h.User = cmp.Or(b.opts.Username, "default")
	port := 0
	for _, ask := range []func() error{
		func() (err error) { port, err = h.askInfo(ctx, node); return err },
		func() error { return h.askConfig(ctx, node) },
		func() error { return h.askTime(ctx, node) },
		func() error { return h.tryRights(ctx, node, b.keys.prefix) },
		func() error { return h.knock(ctx, b.opts.TLS, port) },
	} {
		if err := ask(); err != nil {
			return nil, b.wrap("look at the server", err)
		}
	}
	return h, nil
}

// asked takes the server's refusal of a question as what it is: no error.
func (h *Health) asked(what string, err error) (told bool, _ error) {
	if err == nil {
		return true, nil
	}
	if isForbidden(err) {
		h.Untold[what] = forbidden(h.User, what, err)
		return false, nil
	}
	if said, ok := errors.AsType[redis.Error](err); ok && !isNetwork(err) {
		h.Untold[what] = fmt.Sprintf("the server does not say: %.120s", said.Error())
		return false, nil
	}
	return false, err
}

// home is the server that holds the shard's keys.
func (b *Broker) home(ctx context.Context) (redis.UniversalClient, error) {
	if cluster, ok := b.rdb.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, b.keys.prefix)
	}
	return b.rdb, nil
}

// homeAddr is where it is.
func (b *Broker) homeAddr(ctx context.Context, node redis.UniversalClient) (addr string, err error) {
	if b.opts.Master == "" {
		if client, ok := node.(*redis.Client); ok {
			return client.Options().Addr, nil
		}
		return b.opts.Addrs[0], nil
	}
	for _, sentinel := range b.opts.Addrs {
		s := redis.NewSentinelClient(&redis.Options{Addr: sentinel, TLSConfig: b.opts.TLS, DialTimeout: knockWithin, DisableIdentity: true,
			Username: b.opts.SentinelUsername, Password: b.opts.SentinelPassword})
		var at []string
		at, err = s.GetMasterAddrByName(ctx, b.opts.Master).Result()
		err = errors.Join(err, s.Close())
		if err == nil && len(at) == 2 {
			return net.JoinHostPort(at[0], at[1]), nil
		}
	}
	return "", err
}

// askInfo returns the port at which the server talks TCP, without TLS if it does that
// anywhere; 0: at none.
func (h *Health) askInfo(ctx context.Context, node redis.UniversalClient) (port int, err error) {
	text, err := node.Info(ctx, "server", "persistence", "memory").Result()
	if told, err := h.asked("info", err); !told {
		return 0, err
	}
	info := readInfo(text)
	h.Version, h.Policy = info["redis_version"], info["maxmemory_policy"]
	h.AOF, h.AOFWell = info["aof_enabled"] == "1", info["aof_last_write_status"] == "ok"
	h.MaxMemory, _ = strconv.ParseInt(info["maxmemory"], 10, 64)
	if at, _ := strconv.ParseInt(info["rdb_last_save_time"], 10, 64); at > 0 {
		h.SnapshotAt = time.Unix(at, 0)
	}
	port, _ = strconv.Atoi(info["tcp_port"])
	return port, nil
}

func (h *Health) askConfig(ctx context.Context, node redis.UniversalClient) error {
	config, err := node.ConfigGet(ctx, "appendfsync").Result()
	told, err := h.asked("config", err)
	if told {
		h.Fsync = config["appendfsync"]
		h.Excess = append(h.Excess, "CONFIG")
	}
	return err
}

// askTime holds the server's clock against this machine's.
func (h *Health) askTime(ctx context.Context, node redis.UniversalClient) error {
	before := time.Now()
	there, err := node.Time(ctx).Result()
	took := time.Since(before)
	told, err := h.asked("time", err)
	if told {
		h.Skew, h.Uncertainty = there.Sub(before.Add(took/2)).Round(time.Millisecond), took/2
	}
	return err
}

// tryRights asks for what only an administrator needs, of what does no harm: a dry run
// of commands if the user may ask for one, a look at the clients, and a key that is none
// of the hive's.
func (h *Health) tryRights(ctx context.Context, node redis.UniversalClient, prefix string) error {
	who, err := node.Do(ctx, "ACL", "WHOAMI").Text()
	if told, err := h.asked("whoami", err); err != nil {
		return err
	} else if told {
		h.User = who
	}
	found := map[string]bool{}
	for what, command := range map[string][]any{
		"FLUSHALL":               {"ACL", "DRYRUN", h.User, "FLUSHALL"},
		"KEYS":                   {"ACL", "DRYRUN", h.User, "KEYS", "*"},
		"SHUTDOWN":               {"ACL", "DRYRUN", h.User, "SHUTDOWN"},
		"CLIENT LIST":            {"CLIENT", "LIST", "TYPE", "master"},
		"keys of other programs": {"GET", strings.Trim(prefix, ":") + "-is-not-its-prefix"},
	} {
		answer, err := node.Do(ctx, command...).Text()
		if errors.Is(err, redis.Nil) {
			err = nil
		}
		if told, err := h.asked(what, err); err != nil {
			return err
		} else if told {
			found[what] = command[0] != "ACL" || answer == "OK"
		}
		delete(h.Untold, what) // what is forbidden is as it should be
	}
	delete(h.Untold, "whoami")
	maps.DeleteFunc(found, func(_ string, may bool) bool { return !may })
	h.Excess = append(h.Excess, slices.Sorted(maps.Keys(found))...)
	return nil
}
