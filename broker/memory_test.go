package broker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// TestOutOfMemory: a full redis takes no new tasks, but what is on the road goes on.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	server, err := testkit.StartRedis("--maxmemory", "4mb", "--maxmemory-policy", "noeviction")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	r := newRoad(t, broker.Options{Addrs: []string{server.Addr}})
	s := r.join("a")
	r.enqueue()
	r.enqueue()
	r.assign("a", 1)
	a := r.fetch(s, 1)[0]
	for { // fill it up
		big := echo("")
		big.Payload = make([]byte, 200_000)
		if err := r.Enqueue(r.ctx(), &big, ""); err != nil {
			if !strings.Contains(err.Error(), "OOM") {
				t.Fatalf("Enqueue on a full redis = %v", err)
			}
			break
		}
	}
	if _, err := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a"}, false); err != nil {
		t.Errorf("Heartbeat = %v", err)
	}
	if _, leader, _, err := r.Campaign(r.ctx(), "nexus", time.Hour); leader != "nexus" || err != nil {
		t.Errorf("Campaign = %q, %v", leader, err)
	}
	r.complete(s, a)
	r.assign("a", 1)
	if b := r.fetch(s, 1); len(b) != 1 {
		t.Errorf("Fetch = %v, want the second task", b)
	} else if got := r.fail(s, b[0], hive.FailTrap); got != hive.Scheduled {
		t.Errorf("Fail = %s", got)
	}
}
