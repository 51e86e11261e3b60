package broker_test

import (
	"errors"
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
		if _, err := r.Enqueue(r.ctx(), &big, ""); err != nil {
			if !errors.Is(err, hive.ErrFull) || !strings.HasSuffix(err.Error(), " has no memory left (maxmemory)") {
				t.Fatalf("Enqueue on a full redis = %v", err)
			}
			break
		}
	}
	if _, err := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a"}, false); err != nil {
		t.Errorf("Heartbeat = %v", err)
	}
	r.do("DEL", "fmt") // as on a road of before there was one
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

// TestCommitOutOfMemory: a full redis does no effects that need room, none by
// half, and all of them once there is room.
func TestCommitOutOfMemory(t *testing.T) {
	t.Parallel()
	server, err := testkit.StartRedis("--maxmemory-policy", "noeviction")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	r := newRoad(t, broker.Options{Addrs: []string{server.Addr}})
	s := r.join("a")
	r.given(set("held", "v"))
	a, emptying, late := r.running(s), r.running(s), r.running(s)
	if n, err := r.Release(r.ctx(), "a", late); n != 1 || err != nil {
		t.Fatalf("Release = %d, %v", n, err)
	}
	full := func(bytes string) {
		_, err := server.Do("CONFIG", "SET", "maxmemory", bytes)
		r.check(err)
	}
	full("1")
	spawning := withKV(del("held"))
	spawning.Effects.Spawn = []hive.Task{echo("child")}
	for name, o := range map[string]*hive.Outcome{
		"set": withKV(set("k", "v")), "add": withKV(expect("held", "v"), del("held"), add("n", 1)), "spawn": spawning,
	} {
		if err := r.Complete(r.ctx(), "a", &a, o); !errors.Is(err, hive.ErrFull) {
			t.Errorf("Complete with %s on a full redis = %v", name, err)
		}
		r.want(a.Task.ID, hive.Running, 1, 0)
		r.wantKV("held", "v", "k", none, "n", none)
	}
	if _, err := r.Status(r.ctx(), "child"); !errors.Is(err, hive.ErrNotFound) {
		t.Errorf("Status of the child = %v", err)
	}
	if err := r.commit(late, set("k", "v")); !errors.Is(err, hive.ErrFenced) {
		t.Errorf("late Complete = %v", err)
	}
	if err := r.commit(emptying, absent("held")); !errors.Is(err, hive.ErrConflict) {
		t.Errorf("Complete with a conflict = %v", err)
	}
	emptying.Number++
	r.check(r.commit(emptying, expect("held", "v"), del("held")))
	r.wantKV("held", none)
	full("0")
	r.check(r.Complete(r.ctx(), "a", &a, spawning))
	r.want("child", hive.Pending, 0, 0)
}
