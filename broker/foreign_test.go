package broker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// TestForeignType: whatever stands under any of our keys, all that actors do, they do.
func TestForeignType(t *testing.T) {
	put := map[string][]string{"string": {"SET", "x"}, "list": {"RPUSH", "x"}, "set": {"SADD", "x"}, "hash": {"HSET", "x", "y"}, "sorted": {"ZADD", "1", "x"}}
	keys := map[string]string{
		"string": "fmt skgen ctlgen rcb ota st:a kv:s.echo:k rl:ls:echo",
		"list":   "bell ctl rcl in:echo||:2 n:a db:a au:a ib:inbox ib:ping",
		"set":    "act nodes own:a",
		"hash":   "lead used run ct sk hb:a ac:a flow cron cronat bl",
		"sorted": "delay dead kx ki:s.echo",
	}
	other := map[string]string{"string": "hash", "list": "string", "set": "string", "hash": "string", "sorted": "set"}
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		o.Lease = time.Nanosecond
		for its, names := range keys {
			for key := range strings.FieldsSeq(names) {
				for _, kind := range []string{its, other[its]} {
					o.Shard = key + " " + kind
					b := testkit.DialTo(t, o)
					c := cast{ctx: t.Context(), nexus: b, spore: b, client: b, dashboard: b}
					words := append([]string{put[kind][0], "{" + o.Shard + "}:" + key}, put[kind][1:]...)
					if _, err := testkit.Do(o.Addrs[0], words...); err != nil {
						t.Fatal(err)
					}
					if err := c.play(); err != nil {
						t.Errorf("%q: %v", words, err)
					}
				}
			}
		}
	})
}

// TestForeignIDs: what stands in lanes and queues and is no task is dropped.
func TestForeignIDs(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.enqueue()
		for _, id := range []string{"", "\xff\xfe", "a b\nc", strings.Repeat("x", 4<<20)} {
			r.do("LPUSH", "in:echo||:2", id)
			lanes, err := r.ActiveLanes(r.ctx())
			if err != nil || len(lanes) != 1 {
				r.t.Errorf("ActiveLanes = %v, %v", lanes, err)
			}
			if got := r.assign("a", 1); got.Moved != 1 || got.Left != 1 {
				r.t.Errorf("Assign = %+v", got)
			}
			if got := r.fetch(s, 1); len(got) > 0 {
				r.t.Errorf("Fetch = %v", got)
			}
		}
		r.assign("a", 1)
		r.complete(s, r.fetch(s, 1)[0])
		stats, err := r.Stats(r.ctx())
		r.check(err)
		if stats.Foreign != 4 || stats.Completed != 1 {
			r.t.Errorf("Stats = %+v", stats)
		}
		r.wantIdle()
		r.recounted("run echo|| 4 0") // of what is no task nobody knows the class
	})
}

// TestForeignLane: a list whose name says nothing is moved aside, unless it has a task that
// says the same.
func TestForeignLane(t *testing.T) {
	onRoads(t, func(r *road) {
		for _, name := range []string{"", "x", "echo||:11", "\xff||:2", "two|bars:1"} {
			r.do("RPUSH", "in:"+name, "x")
			r.do("SADD", "act", name)
			r.mended("act " + name + " 1 0")
			if got := r.do("LLEN", "odd:in:"+name); got != "1" {
				r.t.Errorf("lane %q is not aside", name)
			}
		}
		id := r.enqueue()
		record := r.do("GET", "t:"+id)
		r.do("SET", "t:"+id, strings.Replace(record, "echo||", "echo!!", 1))
		r.do("DEL", "in:echo||:2")
		r.do("SREM", "act", "echo||:2")
		orphans, err := r.Orphans(r.ctx())
		if len(orphans) != 1 || err != nil {
			r.t.Fatalf("Orphans = %v, %v", orphans, err)
		}
		if took, err := r.Adopt(r.ctx(), r.term, orphans[0]); !took || err != nil {
			r.t.Errorf("Adopt = %v, %v", took, err)
		}
		r.mended() // it waits where it belongs, for a version that knows what it is
		if orphans, err := r.Orphans(r.ctx()); len(orphans) > 0 || err != nil {
			r.t.Errorf("Orphans = %v, %v", orphans, err)
		}
	})
}

// TestForeignSpore: whoever enters what can be no spore keeps nobody.
func TestForeignSpore(t *testing.T) {
	onRoads(t, func(r *road) {
		r.join("a")
		r.do("SADD", "nodes", "\xff")
		r.do("HSET", "used", "no spore", "9")
		r.mended("nodes no spore 1 0", "nodes \xff 1 0")
		nodes, err := r.Nodes(r.ctx())
		if len(nodes) != 1 || err != nil {
			r.t.Errorf("Nodes = %v, %v", nodes, err)
		}
	})
}

// TestForeignNodes: a spore that lives is listed.
func TestForeignNodes(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		for _, lose := range [][]string{{"DEL", "nodes"}, {"SET", "nodes", "x"}} {
			r.do(lose[0], lose[1], lose[2:]...)
			_, err := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a"}, false)
			r.check(err)
			if nodes, err := r.Nodes(r.ctx()); len(nodes) != 1 || err != nil {
				r.t.Errorf("Nodes = %v, %v", nodes, err)
			}
			r.do("HSET", "hb:a", "report", "\xff{\"slots\": 1e99")
			if nodes, err := r.Nodes(r.ctx()); len(nodes) != 1 || nodes[0].Slots != 0 || err != nil {
				r.t.Errorf("Nodes = %v, %v", nodes, err)
			}
			if bell, err := r.WaitBell(r.ctx(), time.Millisecond); !bell.Nodes || err != nil {
				r.t.Errorf("the bell says %+v, %v", bell, err)
			}
		}
	})
}

// TestForeignTimes: a lead and a lease that end in a year, as far as they say, end.
func TestForeignTimes(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		r.running(s)
		r.do("HSET", "hb:a", "beat", "99999999999999")
		mends, err := r.Mend(r.ctx(), r.term, true)
		if len(mends) != 1 || mends[0].What != "beat" || err != nil {
			r.t.Errorf("Mend = %v, %v", mends, err)
		}
		r.lapse("a", 1)
		for _, until := range []string{"99999999999999", "soon"} {
			r.do("HSET", "lead", "id", "gone", "until", until)
			if _, leader, _, err := r.Campaign(r.ctx(), "nexus", time.Second); leader != "nexus" || err != nil {
				r.t.Errorf("Campaign = %s, %v", leader, err)
			}
		}
	})
}

// TestForeignLead: numbers that nobody counts to keep nobody from leading, or assigning.
func TestForeignLead(t *testing.T) {
	onRoads(t, func(r *road) {
		r.join("a")
		for _, n := range []string{"1e300", "9223372036854775807", "999999999999999", "-1", "", "x"} {
			r.do("HSET", "lead", "epoch", n, "seq", n, "until", n)
			epoch, leader, _, err := r.Campaign(r.ctx(), "nexus", time.Hour)
			if err != nil || leader != "nexus" {
				r.t.Fatalf("%q: Campaign = %s, %v", n, leader, err)
			}
			r.term = broker.Term{Epoch: epoch, Nexus: leader}
			if again, _, _, err := r.Campaign(r.ctx(), "nexus", time.Hour); again != epoch || err != nil {
				r.t.Errorf("%q: the term is %d, and %d now, %v", n, epoch, again, err)
			}
			r.do("HSET", "lead", "seq", n)
			r.enqueue()
			if got := r.assign("a", 1); got.Moved != 1 {
				r.t.Errorf("%q: Assign = %+v", n, got)
			}
		}
	})
}

// TestForeignValuesUnderACL: where a user may not move a value aside, nothing is torn, and
// the nexus that leads does it.
func TestForeignValuesUnderACL(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := s.cast
	c.ctx = ctx
	c.begins()
	c.do("cancel past what is no doorbell", func() error {
		a := c.running()
		s.do("DEL", "{h}:db:a")
		s.do("SET", "{h}:db:a", "x")
		was, err := c.client.Cancel(ctx, a.Task.ID)
		return check(err, was == hive.Running)
	})
	id := c.submits()
	c.do("assign past it", func() error {
		done, err := c.nexus.Assign(ctx, &c.term, []broker.Grant{{Lane: "echo||:2", Node: "a", Count: 1}})
		return check(err, len(done) == 1 && done[0].Moved == 1)
	})
	s.do("DEL", "{h}:in:echo||:2")
	s.do("SET", "{h}:in:echo||:2", "x")
	if _, err := c.spore.HandBack(ctx, c.s); err == nil || errors.Is(err, hive.ErrUnreachable) {
		t.Errorf("HandBack into what is no lane = %v", err)
	}
	c.do("mend", func() error { _, err := c.nexus.Mend(ctx, c.term, true); return err })
	c.do("hand back", func() error {
		n, err := c.spore.HandBack(ctx, c.s)
		return check(err, n == 1)
	})
	c.do("be there again", func() error {
		r, err := c.client.Status(ctx, id)
		return check(err, r != nil && r.State == hive.Pending)
	})
	c.do("recount", func() error {
		mends, err := c.nexus.Recount(ctx, c.term)
		return check(err, len(mends) == 0)
	})
	if c.err != nil {
		t.Error(c.err)
	}
}

// TestOtherFormat: who speaks of records in another way than the road stays outside, and
// who finds records of another version there leaves them alone.
func TestOtherFormat(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		if got := r.do("GET", "fmt"); got != "1" {
			r.t.Errorf("the road is of format %q", got)
		}
		for format, want := range map[string]string{"2": "update this program", "0": "does not know any more"} {
			r.do("SET", "fmt", format)
			key := "t:" + a.Task.ID
			whole := r.do("GET", key)
			r.do("SET", key, format+whole[1:])
			task := echo("")
			_, _, _, errLead := r.Campaign(r.ctx(), "other", time.Second)
			for what, err := range map[string]error{
				"Enqueue":  second(r.Enqueue(r.ctx(), &task, "")),
				"Register": r.Register(r.ctx(), &broker.Session{Node: "b", Incarnation: hive.NewID()}, &hive.NodeReport{ID: "b"}),
				"Campaign": errLead,
			} {
				if err == nil || !strings.Contains(err.Error(), want) {
					r.t.Errorf("%s on a road of format %s = %v", what, format, err)
				}
			}
			if err := r.Complete(r.ctx(), "a", &a, &hive.Outcome{}); !errors.Is(err, hive.ErrFenced) {
				r.t.Errorf("Complete = %v", err)
			}
			_, _, errFetch := r.Fetch(r.ctx(), s, 1)
			_, errBack := r.HandBack(r.ctx(), s)
			_, errLeave := r.Unregister(r.ctx(), s)
			_, errBeat := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a"}, false)
			for what, err := range map[string]error{"Fetch": errFetch, "HandBack": errBack, "Unregister": errLeave, "Heartbeat": errBeat} {
				if err == nil || !strings.Contains(err.Error(), want) {
					r.t.Errorf("%s on a road of format %s = %v", what, format, err)
				}
			}
			_, errMend := r.Mend(r.ctx(), r.term, true)
			_, errReclaim := r.Reclaim(r.ctx(), r.term, "a")
			for what, err := range map[string]error{"Mend": errMend, "Reclaim": errReclaim} {
				if !errors.Is(err, hive.ErrNotLeader) {
					r.t.Errorf("%s on a road of format %s = %v", what, format, err)
				}
			}
			if got := r.do("GET", key); got != format+whole[1:] {
				r.t.Error("a record of another version was touched")
			}
			r.do("SET", key, whole)
		}
		r.do("SET", "fmt", "nonsense")
		_, _, _, err := r.Campaign(r.ctx(), "nexus", time.Hour)
		r.check(err)
		r.complete(s, a)
		r.join("b")
		if got := r.do("GET", "fmt"); got != "1" {
			r.t.Errorf("the road is of format %q", got)
		}
	})
}
