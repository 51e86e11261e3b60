package broker_test

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func TestZombies(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		if got, err := r.Zombies(r.ctx(), time.Hour); len(got) != 0 || err != nil {
			r.t.Errorf("Zombies = %v, %v", got, err)
		}
		got, err := r.Zombies(r.ctx(), -time.Second)
		if len(got) != 1 || got[0].ID != a.Task.ID || got[0].Node != "a" || err != nil {
			r.t.Errorf("Zombies = %v, %v", got, err)
		}
	})
}

// TestTasks: what lists many tasks reads neither payloads nor results.
func TestTasks(t *testing.T) {
	onRoads(t, func(r *road) {
		want := map[string]bool{}
		for range 1200 {
			want[r.enqueue()] = true
		}
		s := r.join("a")
		r.assign("a", 3)
		got := r.fetch(s, 3)
		r.complete(s, got[0])
		r.fail(s, got[1], hive.FailInput)
		seen := map[string]*hive.Record{}
		r.check(r.Tasks(r.ctx(), func(rec *hive.Record) bool {
			delete(want, rec.ID)
			seen[rec.ID] = rec
			if len(rec.Payload)+len(rec.Result) > 0 {
				r.t.Errorf("%s task with payload %q, result %q", rec.State, rec.Payload, rec.Result)
			}
			return true
		}))
		if len(want) != 0 {
			r.t.Errorf("Tasks left out %v", want)
		}
		if done := seen[got[0].Task.ID]; done == nil || done.State != hive.Completed || done.Skill.Name != "echo" {
			r.t.Errorf("completed task = %+v", done)
		}
		if failed := seen[got[1].Task.ID]; failed == nil || failed.Failure == nil || failed.Failure.Kind != hive.FailInput {
			r.t.Errorf("failed task = %+v", failed)
		}
		held, err := r.Holds(r.ctx(), "a")
		if err != nil || len(held) != 1 || held[0].ID != got[2].Task.ID || held[0].Timeout != hive.DefaultTimeout ||
			held[0].Started.IsZero() || len(held[0].Payload) > 0 {
			r.t.Errorf("Holds = %+v, %v", held, err)
		}
	})
}

// TestPlace: how many are before a task is told of the first and the last 10,000.
func TestPlace(t *testing.T) {
	onRoads(t, func(r *road) {
		const n = 20_100
		tasks := make([]hive.Task, n)
		for i := range tasks {
			tasks[i] = echo("")
		}
		_, err := r.EnqueueMany(r.ctx(), tasks, "")
		r.check(err)
		for at, want := range map[int]int{0: 0, 9_999: 9_999, 10_050: 10_000, 10_100: 10_100, n - 1: n - 1} {
			rec, err := r.Status(r.ctx(), tasks[at].ID)
			r.check(err)
			if got, err := r.Place(r.ctx(), rec); got != want || err != nil {
				r.t.Errorf("Place of task %d = %d, %v, want %d", at, got, err, want)
			}
		}
	})
}
