package hostfuncs

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/hive-spore/hive"
)

var clockFunctions = []function{{"clock", hive.GrantClock, "", clock}}

// clock is clock() -> i32: it answers what time it is, as nanoseconds since 1970.
//
//	answer  |n₀|n₁|n₂|n₃|n₄|n₅|n₆|n₇|    little-endian
func clock(c *call) int32 {
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	return c.reply(binary.LittleEndian.AppendUint64(nil, uint64(now().UnixNano())))
}

// tick is how far a TaskTime moves on when it is read: a guest that waits for
// time to pass sees it pass.
const tick = time.Microsecond

// TaskTime is a clock that tells every attempt of a task the same. It belongs to
// the goroutine that runs the guest.
type TaskTime struct{ ns int64 } // since 1970

// TaskClock returns the clock of a task that was made at created: its first reading.
func TaskClock(created time.Time) *TaskTime { return &TaskTime{created.UnixNano()} }

// Now reads the clock. It is what Attempt.Now is to be.
func (t *TaskTime) Now() time.Time {
	now := time.Unix(0, t.ns).UTC()
	t.Sleep(tick)
	return now
}

// Sleep moves the clock on, by nothing if d is negative. It ends in the year 2262,
// as nanoseconds do: guests may sleep for as long as they like.
func (t *TaskTime) Sleep(d time.Duration) {
	d = max(0, d)
	if t.ns > math.MaxInt64-int64(d) {
		t.ns = math.MaxInt64
		return
	}
	t.ns += int64(d)
}
