package preview1

import (
	"context"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// Clocks by their numbers. Those of CPU time, 2 and 3, were removed from
// preview 1, and wazero does not have them either.
const (
	clockRealtime  = 0
	clockMonotonic = 1
)

// clockResGet is clock_res_get(id, resolution *u64): what a clock can tell
// apart, in ns; the numbers are those of wazero.
func clockResGet(_ context.Context, _ *State, mem api.Memory, p []uint64) errno {
	switch uint32(p[0]) {
	case clockRealtime:
		return put64(mem, p[1], uint64(time.Microsecond))
	case clockMonotonic:
		return put64(mem, p[1], uint64(time.Nanosecond))
	}
	return inval
}

// clockTimeGet is clock_time_get(id, precision u64, time *u64): the clock's
// time in ns. The precision asked for is ignored: the best is as cheap.
func clockTimeGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	now, ok := s.now(uint32(p[0]))
	if !ok {
		return inval
	}
	return put64(mem, p[2], uint64(now))
}

// now returns the time of a clock in ns, or false if there is no such clock.
func (s *State) now(clock uint32) (int64, bool) {
	switch clock {
	case clockRealtime:
		return s.world().Realtime(), true
	case clockMonotonic:
		return s.world().Monotonic(), true
	}
	return 0, false
}
