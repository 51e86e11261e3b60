package broker_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

func TestEnqueue(t *testing.T) {
	onRoads(t, func(r *road) {
		id := r.enqueue()
		rec := r.want(id, hive.Pending, 0, 0)
		if string(rec.Payload) != "payload of "+id && string(rec.Payload) != "payload of " {
			r.t.Errorf("payload = %q", rec.Payload)
		}
		if rec.Timeout != hive.DefaultTimeout || rec.Retries != hive.DefaultRetries || rec.Skill.Name != "echo" {
			r.t.Errorf("record = %+v", rec.Task)
		}
		if age := time.Since(rec.Created); age < -time.Minute || age > time.Minute {
			r.t.Errorf("created %v ago", age)
		}
		again := echo(id)
		r.put(r.Enqueue(r.ctx(), &again, ""))
		r.wantStats(hive.Stats{Background: 1, Pending: 1})
		lanes, err := r.ActiveLanes(r.ctx())
		r.check(err)
		if len(lanes) != 1 || lanes[0].Name != "echo||:2" || lanes[0].Count != 1 || lanes[0].Head != id {
			r.t.Errorf("lanes = %+v", lanes)
		}
		bell, err := r.WaitBell(r.ctx(), time.Second)
		r.check(err)
		if len(bell.Lanes) != 1 || bell.Lanes[0] != (broker.LaneBell{Name: "echo||:2", Count: 1, Head: id}) {
			r.t.Errorf("bell = %+v", bell)
		}
	})
}

func TestEnqueueMany(t *testing.T) {
	onRoads(t, func(r *road) {
		var tasks []hive.Task
		for i := range 1300 {
			task := echo("")
			task.Priority = hive.Priority(i % 11)
			tasks = append(tasks, task)
		}
		ids, err := r.EnqueueMany(r.ctx(), tasks, "")
		if len(ids) != len(tasks) || ids[7] != tasks[7].ID || err != nil {
			r.t.Fatalf("EnqueueMany = %d ids, the eighth %s, %v", len(ids), ids[7], err)
		}
		if again, err := r.EnqueueMany(r.ctx(), tasks, ""); !slices.Equal(again, ids) || err != nil {
			r.t.Fatalf("EnqueueMany again = %d ids, %v", len(again), err)
		}
		r.wantStats(hive.Stats{High: 708, Background: 592, Pending: 1300})
		lanes, err := r.ActiveLanes(r.ctx())
		r.check(err)
		if len(lanes) != 11 {
			r.t.Errorf("%d lanes, want 11", len(lanes))
		}
	})
}

func TestEnqueueRefuses(t *testing.T) {
	t.Parallel()
	b := testkit.Dial(t)
	for _, test := range []struct {
		name   string
		mutate func(*hive.Task)
		want   error
	}{
		{"payload", func(t *hive.Task) { t.Payload = make([]byte, hive.MaxPayload+1) }, hive.ErrTooLarge},
		{"parents", func(t *hive.Task) { t.Parents = []string{"x"} }, hive.ErrNotSupported},
	} {
		task := echo("")
		test.mutate(&task)
		if _, err := b.Enqueue(t.Context(), &task, ""); !errors.Is(err, test.want) {
			t.Errorf("%s: Enqueue = %v, want %v", test.name, err, test.want)
		}
		if _, err := b.Status(t.Context(), task.ID); !errors.Is(err, hive.ErrNotFound) {
			t.Errorf("%s: Status = %v, want not found", test.name, err)
		}
	}
}
