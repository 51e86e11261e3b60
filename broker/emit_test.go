package broker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func TestEmit(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		inbox := hive.NewID()
		if _, _, err := r.Wait(r.ctx(), inbox, []string{a.Task.ID}); err != nil {
			r.t.Fatal(err)
		}
		part := func(n int, data string) hive.Part { return hive.Part{Attempt: a.Number, Number: n, Data: []byte(data)} }
		r.check(r.Emit(r.ctx(), "a", &a, part(1, "one")))
		r.check(r.Emit(r.ctx(), "a", &a, part(1, "one"))) // a repeat
		r.check(r.Emit(r.ctx(), "a", &a, part(2, "\xfftwo")))
		said := hive.Progress{Attempt: 1, Done: 2, Total: 3, Text: "nearly"}
		r.check(r.Progress(r.ctx(), "a", &a, said))
		if got := r.emitted(a.Task.ID, 0, 0, said); len(got) != 2 || string(got[0].Data) != "one" || string(got[1].Data) != "\xfftwo" || got[1].Number != 2 {
			r.t.Errorf("emitted %+v", got)
		}
		if got := r.emitted(a.Task.ID, 1, 1, said); len(got) != 1 || got[0].Number != 2 {
			r.t.Errorf("emitted after the first: %+v", got)
		}
		told, err := r.ReadInbox(r.ctx(), inbox, time.Second)
		if err != nil || len(told) != 3 || !told[0].Emitted || told[0].ID != a.Task.ID {
			r.t.Errorf("told %+v, %v", told, err)
		}
		// Another attempt: what the first one gave is void, and it gives no more.
		r.fail(s, a, hive.FailTrap)
		r.promoted(1)
		r.assign("a", 1)
		b := r.fetch(s, 1)[0]
		if err := r.Emit(r.ctx(), "a", &a, part(3, "late")); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("Emit of the first attempt = %v", err)
		}
		r.check(r.Emit(r.ctx(), "a", &b, hive.Part{Attempt: 2, Number: 1, Data: []byte("again")}))
		if got := r.emitted(a.Task.ID, 1, 2, said); len(got) != 1 || got[0].Attempt != 2 || string(got[0].Data) != "again" {
			r.t.Errorf("emitted by the second attempt: %+v", got)
		}
		r.complete(s, b)
		if err := r.Emit(r.ctx(), "a", &b, hive.Part{Number: 2}); !errors.Is(err, hive.ErrFenced) {
			r.t.Errorf("Emit after the end = %v", err)
		}
	})
}

func (r *road) emitted(id string, attempt, n int, said hive.Progress) []hive.Part {
	r.t.Helper()
	parts, progress, err := r.Emitted(r.ctx(), id, attempt, n)
	r.check(err)
	if progress == nil || *progress != said {
		r.t.Errorf("progress = %+v, want %+v", progress, said)
	}
	return parts
}
