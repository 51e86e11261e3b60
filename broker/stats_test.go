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

func TestTasks(t *testing.T) {
	onRoads(t, func(r *road) {
		want := map[string]bool{}
		for range 20 {
			want[r.enqueue()] = true
		}
		r.check(r.Tasks(r.ctx(), func(rec *hive.Record) bool {
			delete(want, rec.ID)
			return true
		}))
		if len(want) != 0 {
			r.t.Errorf("Tasks left out %v", want)
		}
	})
}
