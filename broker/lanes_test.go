package broker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// TestHashedLaneWithoutHead: a lane whose name is a hash tells what it holds even
// when the record of its head is gone.
func TestHashedLaneWithoutHead(t *testing.T) {
	onRoads(t, func(r *road) {
		require, err := hive.ParseSelector("zone=" + strings.Repeat("a", 60) + ",gpu=" + strings.Repeat("b", 40))
		r.check(err)
		hashed := func(t *hive.Task) { t.Require = require }
		head := r.enqueue(hashed)
		for range 150 {
			r.do("DEL", "t:"+r.enqueue(hashed))
		}
		last := r.enqueue(hashed)
		bell, err := r.WaitBell(r.ctx(), time.Second)
		r.check(err)
		r.do("DEL", "t:"+head)

		lane, err := r.Lane(r.ctx(), bell.Lanes[0].Name, head)
		if err != nil || lane.Require.String() != require.String() || lane.Skill.Name != "echo" {
			r.t.Errorf("Lane = %+v, %v", lane, err)
		}
		lanes, err := r.ActiveLanes(r.ctx())
		if err != nil || len(lanes) != 1 || lanes[0].Count != 152 || lanes[0].Require.String() != require.String() {
			r.t.Errorf("ActiveLanes = %+v, %v", lanes, err)
		}
		r.do("DEL", "t:"+last)
		if lane, err := r.Lane(r.ctx(), bell.Lanes[0].Name, head); err == nil {
			r.t.Errorf("Lane of tasks that are all gone = %+v", lane)
		}
	})
}
