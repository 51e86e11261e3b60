package broker_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

func TestRegister(t *testing.T) {
	onRoads(t, func(r *road) {
		old := r.join("a")
		r.check(r.Register(r.ctx(), old, &hive.NodeReport{ID: "a"})) // a repeat is a success
		a := r.running(old)
		next := &broker.Session{Node: "a", Incarnation: "next"}
		err := r.Register(r.ctx(), next, &hive.NodeReport{ID: "a"})
		for errors.Is(err, hive.ErrTaken) { // until the lease of the first has ended
			err = r.Register(r.ctx(), next, &hive.NodeReport{ID: "a"})
		}
		r.check(err)
		r.want(a.Task.ID, hive.Pending, 1, 1)
		r.wantIdle()
		r.assign("a", 1)
		if got := r.fetch(next, 1); len(got) != 1 || got[0].Number != 2 {
			r.t.Errorf("Fetch = %v", got)
		}
	})
}

func TestHeartbeat(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		pulse, err := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a", Slots: 7, CPU: 0.5, Tags: hive.Tags{"zone": "eu"}}, false)
		r.check(err)
		if !pulse.Holds[a.Task.ID] || len(pulse.Holds) != 1 {
			r.t.Errorf("pulse = %+v", pulse)
		}
		nodes, err := r.Nodes(r.ctx())
		r.check(err)
		if len(nodes) != 1 || nodes[0].Slots != 7 || nodes[0].Active != 1 || !nodes[0].Online || nodes[0].Tags["zone"] != "eu" {
			r.t.Errorf("Nodes = %+v", nodes)
		}
	})
}

func TestUnregister(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		queued := r.enqueue()
		r.assign("a", 1)
		if n, err := r.Unregister(r.ctx(), s); n != 2 || err != nil {
			r.t.Fatalf("Unregister = %d, %v", n, err)
		}
		if n, err := r.Unregister(r.ctx(), s); n != 0 || err != nil {
			r.t.Fatalf("Unregister again = %d, %v", n, err)
		}
		r.want(a.Task.ID, hive.Pending, 1, 0)
		r.want(queued, hive.Pending, 0, 0)
		r.wantIdle()
		if nodes, _ := r.Nodes(r.ctx()); len(nodes) != 0 {
			r.t.Errorf("Nodes = %v, want none", nodes)
		}
	})
}

// A spore may write anything of any size into its heartbeat, and anybody into nodes.
func TestNodesHostile(t *testing.T) {
	onRoads(t, func(r *road) {
		r.join("a")
		r.join("huge")
		r.join("list")
		rdb := rawRedis(r.t, r.opts)
		huge := `{"id":"huge","slots":5,"tags":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`
		r.check(rdb.HSet(r.ctx(), shardKey(r.opts, "hb:huge"), "report", huge, "beat", strings.Repeat("9", 1<<20)).Err())
		r.check(rdb.Del(r.ctx(), shardKey(r.opts, "hb:list")).Err())
		r.check(rdb.RPush(r.ctx(), shardKey(r.opts, "hb:list"), "x").Err())
		r.check(rdb.SAdd(r.ctx(), shardKey(r.opts, "nodes"), strings.Repeat("y", 1<<20), "no name").Err())
		nodes, err := r.Nodes(r.ctx())
		r.check(err)
		if len(nodes) != 3 || !nodes[0].Online {
			r.t.Fatalf("%d nodes, want a, huge and list, a online", len(nodes))
		}
		for _, n := range nodes[1:] {
			if n.Online || n.Slots != 0 || len(n.Tags) != 0 {
				r.t.Errorf("node %s is online %v with %d slots and %d tags, want nothing of it taken", n.ID, n.Online, n.Slots, len(n.Tags))
			}
		}
	})
}
