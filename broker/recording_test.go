package broker_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// recorded fails a new task and has the road keep a recording of n bytes.
func (r *road) recorded(s *broker.Session, n int) string {
	r.t.Helper()
	a := r.running(s)
	out := failure(hive.FailInput)
	out.Recording = bytes.Repeat([]byte{byte(n)}, n)
	if state, err := r.Fail(r.ctx(), s.Node, &a, out, 0); err != nil || state != hive.Failed {
		r.t.Fatalf("Fail = %s, %v", state, err)
	}
	return a.Task.ID
}

func TestRecording(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		id := r.recorded(s, 100)
		rec := r.want(id, hive.Failed, 1, 1)
		if rec.Recorded != 1 || rec.Recording != nil {
			r.t.Errorf("the record says %d, %q", rec.Recorded, rec.Recording)
		}
		if b, err := r.Recording(r.ctx(), id, 1); len(b) != 100 || err != nil {
			r.t.Errorf("Recording = %d bytes, %v", len(b), err)
		}
		if _, err := r.Recording(r.ctx(), id, 2); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("Recording of another attempt = %v", err)
		}
		plain := r.running(s)
		r.fail(s, plain, hive.FailInput)
		if rec := r.want(plain.Task.ID, hive.Failed, 1, 1); rec.Recorded != 0 {
			r.t.Errorf("a recording is said to be there: %d", rec.Recorded)
		}
	})
}

// TestRecordingsGiveWay: all together they have a bound, and the oldest go.
func TestRecordingsGiveWay(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		o.Recordings = 3 * (300 + 160) // what a recording takes beside its bytes
		r := newRoad(t, o)
		s := r.join("a")
		var ids []string
		for range 5 {
			ids = append(ids, r.recorded(s, 300))
		}
		for i, id := range ids {
			_, err := r.Recording(r.ctx(), id, 1)
			if gone := errors.Is(err, hive.ErrNotFound); gone != (i < 2) || err != nil && !gone {
				r.t.Errorf("recording %d: %v", i, err)
			}
		}
		large := r.recorded(s, 2000) // more than all may have: it goes as well
		if _, err := r.Recording(r.ctx(), large, 1); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("a recording beyond the bound: %v", err)
		}
		last := r.recorded(s, 1000)
		if _, err := r.Recording(r.ctx(), last, 1); err != nil {
			r.t.Errorf("after that none is kept: %v", err)
		}
		for _, foreign := range [][2]string{{"rcb", "text"}, {"rcl", "text"}} {
			r.do("SET", foreign[0], foreign[1])
			id := r.recorded(s, 100)
			if _, err := r.Recording(r.ctx(), id, 1); err != nil {
				r.t.Errorf("with a foreign %s: %v", foreign[0], err)
			}
		}
	})
}
