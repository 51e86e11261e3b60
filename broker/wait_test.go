package broker_test

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func TestWait(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		inbox := "client"
		told := echo("")
		r.put(r.Enqueue(r.ctx(), &told, inbox))
		r.assign("a", 1)
		first := r.fetch(s, 1)[0]
		second := r.running(s)
		over, unknown, err := r.Wait(r.ctx(), inbox, []string{second.Task.ID, "unknown"})
		if len(over) != 0 || len(unknown) != 1 || err != nil {
			r.t.Fatalf("Wait = %v, %v, %v", over, unknown, err)
		}
		r.complete(s, first)
		r.fail(s, second, hive.FailInput)
		states := map[string]hive.State{}
		for len(states) < 2 {
			got, err := r.ReadInbox(r.ctx(), inbox, 5*time.Second)
			r.check(err)
			for _, n := range got {
				states[n.ID] = n.Record.State
			}
		}
		if states[first.Task.ID] != hive.Completed || states[second.Task.ID] != hive.Failed {
			r.t.Errorf("told %v", states)
		}
		over, _, err = r.Wait(r.ctx(), inbox, []string{first.Task.ID})
		if len(over) != 1 || err != nil || string(over[0].Result) != "done" {
			r.t.Errorf("Wait for a finished task = %v, %v", over, err)
		}
	})
}
