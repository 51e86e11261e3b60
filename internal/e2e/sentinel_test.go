package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive/broker"
)

// freeAddress is an address of this machine that nobody listens at now. Sentinels
// know no unix sockets.
func freeAddress(t *testing.T) (host, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// Master and sentinels have passwords of their own.
func TestSentinelPassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, format string, args ...any) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	host, port := freeAddress(t)
	start(t, "", "redis-server", "--port", port, "--bind", host, "--dir", dir, "--save", "", "--requirepass", "of-master")
	await(t, "the master", func() (bool, error) {
		road, err := broker.Dial(t.Context(), broker.Options{Addrs: []string{host + ":" + port}, Password: "of-master"})
		if err != nil {
			return false, err
		}
		return true, road.Close()
	})
	_, sentinel := freeAddress(t)
	start(t, "", "redis-server", write("sentinel.conf", "port %s\nbind %s\ndir %s\nrequirepass of-sentinel\n"+
		"sentinel monitor road %s %s 1\nsentinel auth-pass road of-master\n", sentinel, host, dir, host, port), "--sentinel")
	write("master", "of-master\n")
	write("sentinel", "of-sentinel\n")
	config := fmt.Sprintf("[redis]\naddrs = [%q]\nsentinel_master = \"road\"\npassword_file = \"master\"\n", host+":"+sentinel)
	without := write("without.toml", "%s", config)
	with := write("with.toml", "%s%s", config, "sentinel_password_file = \"sentinel\"\n")

	await(t, "the road", func() (bool, error) {
		nodes := start(t, "", "nexus", "nodes", "--config", with)
		<-nodes.done
		return nodes.cmd.ProcessState.ExitCode() == 0, nil
	})
	nodes := start(t, "", "nexus", "nodes", "--config", without)
	nodes.ends(4)
	if said := nodes.out.String(); !strings.Contains(said, "\nnexus: hint: the sentinels have a password of their own: REDIS_SENTINEL_PASSWORD or redis.sentinel_password_file\n") {
		t.Errorf("it says %q", said)
	}
}
