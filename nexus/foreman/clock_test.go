package foreman

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// What a silent spore holds is back a second after its lease at the latest: that it is
// silent is seen before the lease ends, and from then on it is looked at more often than
// every half of a second, which leaves the other half for the calls. Its last beat was
// before it died.
func TestSilentSporesAreSeenInTime(t *testing.T) {
	if hive.OfflineAfter+watchEvery >= hive.Lease || 2*silentEvery > time.Second {
		t.Errorf("silent after %v, looked at every %v and %v: tasks are not back a second after a lease of %v",
			hive.OfflineAfter, watchEvery, silentEvery, hive.Lease)
	}
}

// Redis' clock says what is overdue, whatever this machine's says.
func TestAnotherClock(t *testing.T) {
	for _, wrong := range []time.Duration{0, time.Hour, -time.Hour} {
		road := time.Now().Add(wrong)
		n := hive.Node{Beat: road, Online: true}
		n.ID, n.Slots, n.Skills = "a", 1, []hive.SkillID{{Name: "echo", Version: "1.0.0"}}
		r := &hive.Record{Task: hive.Task{Timeout: time.Minute}, Started: road.Add(-time.Minute)}
		if !overdue(&n, r) {
			t.Errorf("by a clock %v off, an attempt a minute old is not overdue", wrong)
		}
		if r.Started = road.Add(-59 * time.Second); overdue(&n, r) {
			t.Errorf("by a clock %v off, an attempt 59 s old is overdue", wrong)
		}
	}
}
