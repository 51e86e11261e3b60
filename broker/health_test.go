package broker_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

func health(t *testing.T, b *broker.Broker) *broker.Health {
	t.Helper()
	h, err := b.Health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// all is what a user is found to be able to do who can do anything.
var all = []string{"CONFIG", "CLIENT LIST", "FLUSHALL", "KEYS", "SHUTDOWN", "keys of other programs"}

// TestHealthOpen: a server as it comes, and one that was thought about.
func TestHealthOpen(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want broker.Health
	}{
		{nil, broker.Health{Policy: "noeviction", Fsync: "everysec"}},
		{[]string{"--appendonly", "yes", "--appendfsync", "always", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"},
			broker.Health{AOF: true, Policy: "allkeys-lru", MaxMemory: 100 << 20, Fsync: "always"}},
	} {
		server, err := testkit.StartRedis(test.args...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Stop)
		h := health(t, testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}}))
		got := broker.Health{AOF: h.AOF, Policy: h.Policy, MaxMemory: h.MaxMemory, Fsync: h.Fsync}
		if got.AOF != test.want.AOF || got.Policy != test.want.Policy || got.MaxMemory != test.want.MaxMemory || got.Fsync != test.want.Fsync {
			t.Errorf("%q: %+v, want %+v", test.args, got, test.want)
		}
		if !h.AOFWell || h.SnapshotAt.IsZero() || !strings.Contains(h.Version, ".") || !h.Local() || h.Addr != server.Addr || h.User != "default" {
			t.Errorf("%q: %+v", test.args, h)
		}
		if !h.Anonymous || h.Encrypted || len(h.Clear) > 0 || !slices.Equal(h.Excess, all) || len(h.Untold) > 0 {
			t.Errorf("%q: %+v", test.args, h)
		}
		if h.Skew.Abs() > h.Uncertainty+time.Second { // one clock
			t.Errorf("%q: the same clock is off by %s", test.args, h.Skew)
		}
	}
}

// TestHealthOfRoles: who may do only what the hive needs is told of the rest that it
// cannot be known, and by whom.
func TestHealthOfRoles(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for role, b := range map[broker.Role]*broker.Broker{
		broker.RoleNexus: s.cast.nexus, broker.RoleSpore: s.cast.spore, broker.RoleClient: s.cast.client, broker.RoleDashboard: s.cast.dashboard,
	} {
		h := health(t, b)
		if h.User != string(role) || len(h.Excess) > 0 || h.Policy != "noeviction" || h.Fsync != "" {
			t.Errorf("%s: %+v", role, h)
		}
		if want := string(role) + " may not run CONFIG|GET"; len(h.Untold) != 1 || h.Untold["config"] != want {
			t.Errorf("%s: not told are %q, want %q", role, h.Untold, want)
		}
	}
	s.allow(broker.RoleClient, []string{"~*", "-@all", "+ping"})
	h := health(t, s.cast.client)
	if len(h.Untold) != 3 || h.Untold["info"] != "client may not run INFO" || h.Untold["time"] == "" || h.Version != "" {
		t.Errorf("who may only ping: %+v", h)
	}
	s.allow(broker.RoleClient, []string{"~*", "+@all", "-@dangerous"})
	if h := health(t, s.cast.client); !slices.Equal(h.Excess, []string{"keys of other programs"}) {
		t.Errorf("all but what is dangerous: too much is %q", h.Excess)
	}
}

func TestHealthEncrypted(t *testing.T) {
	t.Parallel()
	h := health(t, testkit.DialTo(t, testkit.StartTLS(t, "s3cret")))
	if !h.Encrypted || h.Anonymous || len(h.Clear) > 0 || time.Until(h.Expires) > 31*24*time.Hour || time.Until(h.Expires) < 24*time.Hour {
		t.Errorf("%+v", h)
	}
}

// TestHealthInTheClear: a server that others than this machine reach without TLS, also
// beside a port with it.
func TestHealthInTheClear(t *testing.T) {
	t.Parallel()
	_, port, _ := net.SplitHostPort(testkit.FreeAddr(t))
	_, beside, _ := net.SplitHostPort(testkit.FreeAddr(t))
	server, err := testkit.StartRedis("--port", port, "--bind", "0.0.0.0", "--requirepass", "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, a := range addrs {
		if n := a.(*net.IPNet); n.IP.To4() != nil && !n.IP.IsLoopback() {
			want = append(want, net.JoinHostPort(n.IP.String(), port))
		}
	}
	for _, addr := range []string{server.Addr, "127.0.0.1:" + port} {
		h := health(t, testkit.DialTo(t, broker.Options{Addrs: []string{addr}, Password: "s3cret"}))
		if !slices.Equal(h.Clear, want) || h.Anonymous || !h.Local() {
			t.Errorf("at %s: %+v, want it to be in the clear at %q", addr, h, want)
		}
	}
	o := testkit.StartTLS(t, "s3cret", "--port", beside, "--bind", "0.0.0.0")
	if h := health(t, testkit.DialTo(t, o)); len(h.Clear) != len(want) || !h.Encrypted {
		t.Errorf("beside TLS: %+v, want it to be in the clear at %d addresses", h, len(want))
	}
	if len(want) > 0 {
		h := health(t, testkit.DialTo(t, broker.Options{Addrs: want[:1], Password: "s3cret"}))
		if !slices.Equal(h.Clear, want[:1]) || h.Local() {
			t.Errorf("at %s: %+v", want[0], h)
		}
	}
}

// TestHealthElsewhere: behind sentinels and on a Cluster it is of the server that has
// the keys.
func TestHealthElsewhere(t *testing.T) {
	t.Parallel()
	cluster, _ := testkit.StartCluster(t)
	for name, o := range map[string]broker.Options{"sentinel": testkit.StartSentinels(t), "cluster": cluster} {
		h := health(t, testkit.DialTo(t, o))
		if answer, err := testkit.Do(h.Addr, "ROLE"); err != nil {
			t.Errorf("%s: at %s: %q, %v", name, h.Addr, answer, err)
		}
		if name == "sentinel" && slices.Contains(o.Addrs, h.Addr) {
			t.Errorf("%s: %s is a sentinel", name, h.Addr)
		}
		if !h.Anonymous || h.Policy == "" {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestHealthUnreachable(t *testing.T) {
	t.Parallel()
	server, err := testkit.StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	b := testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}})
	server.Kill()
	if h, err := b.Health(t.Context()); !errors.Is(err, hive.ErrUnreachable) {
		t.Errorf("Health = %+v, %v", h, err)
	}
}
