package preview1

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

// sub is one subscription of a poll.
type sub struct {
	kind    byte
	id      uint32 // descriptor or clock
	timeout uint64
	flags   uint32
}

// event is what a poll made of the subscription with that number.
type event struct {
	sub   uint64
	kind  byte
	errno errno
	bytes uint64
	flags uint16
}

const (
	pollIn, pollOut, pollCount = 0, 8192, 16384
	tooLong                    = math.MaxInt64
)

func (c caller) putSubs(subs []sub) {
	for i, s := range subs {
		c.putSub(uint32(pollIn+i*subscriptionSize), uint32(i+100), s)
	}
}

func (c caller) putSub(at, userdata uint32, s sub) {
	c.put(at, userdata, 0, uint32(s.kind), 0, s.id, 0, uint32(s.timeout), uint32(s.timeout>>32), 0, 0, s.flags, 0)
}

func (c caller) events() (list []event) {
	for i := range c.u32(pollCount) {
		at := pollOut + i*eventSize
		word := c.u32(at + 8)
		list = append(list, event{c.u64(at) - 100, byte(word >> 16), errno(uint16(word)), c.u64(at + 16), uint16(c.u32(at + 24))})
	}
	return list
}

func TestPoll(t *testing.T) {
	const now = wallSec*1e9 + wallNsec
	mono := uint64(monoNsec)
	in, out, bad := event{0, kindRead, 0, 3, 0}, event{0, kindWrite, 0, writable, 0}, event{0, kindRead, badf, 0, 0}
	for name, tt := range map[string]struct {
		subs   []sub
		slept  time.Duration
		events []event
	}{
		"sleep":                 {[]sub{{kindClock, 1, 70, 0}}, 70, []event{{}}},
		"no sleep":              {[]sub{{kindClock, 0, 0, 0}}, 0, []event{{}}},
		"for ever":              {[]sub{{kindClock, 1, math.MaxUint64, 0}}, tooLong, []event{{}}},
		"first of two":          {[]sub{{kindClock, 1, 90, 0}, {kindClock, 0, 70, 0}}, 70, []event{{sub: 1}}},
		"both of two":           {[]sub{{kindClock, 1, 70, 0}, {kindClock, 0, 70, 0}}, 70, []event{{}, {sub: 1}}},
		"until":                 {[]sub{{kindClock, 1, mono + 5, clockAbsolute}}, 5, []event{{}}},
		"until a time of day":   {[]sub{{kindClock, 0, now + 9, clockAbsolute}}, 9, []event{{}}},
		"until what has passed": {[]sub{{kindClock, 0, 5, clockAbsolute}}, 0, []event{{}}},
		"no such clock":         {[]sub{{kindClock, 2, 70, 0}, {kindClock, 1, 70, 0}}, 0, []event{{errno: inval}}},
		"input":                 {[]sub{{kindRead, 0, 0, 0}}, 0, []event{in}},
		"input before a clock":  {[]sub{{kindRead, 0, 0, 0}, {kindClock, 1, 70, 0}}, 0, []event{in}},
		"output":                {[]sub{{kindWrite, 1, 0, 0}}, 0, []event{out}},
		"output as input":       {[]sub{{kindRead, 1, 0, 0}}, 0, []event{bad}},
		"no descriptor":         {[]sub{{kindRead, 3, 0, 0}}, 0, []event{bad}},
		"input as output":       {[]sub{{kindWrite, 0, 0, 0}}, 0, []event{{0, kindWrite, badf, 0, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t, ours, wazero.NewModuleConfig())
			slept := time.Duration(0)
			s := &State{Stdin: []byte("abc"), World: fixed{nil, func(d time.Duration) { slept += d }}}
			c.putSubs(tt.subs)
			c.want(with(s), success, "poll_oneoff", pollIn, pollOut, uint64(len(tt.subs)), pollCount)
			if got := c.events(); !slices.Equal(got, tt.events) || slept != tt.slept {
				t.Errorf("slept %d, events %v, want %d, %v", slept, got, tt.slept, tt.events)
			}
		})
	}
}

func TestPollAtEndOfInput(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	c.putSubs([]sub{{kindRead, 0, 0, 0}})
	c.want(with(&State{}), success, "poll_oneoff", pollIn, pollOut, 1, pollCount)
	if got, want := c.events(), []event{{0, kindRead, 0, 0, hangup}}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestPollRefuses(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	ctx := with(&State{World: fixed{nil, func(time.Duration) { t.Error("slept") }}})
	c.want(ctx, inval, "poll_oneoff", pollIn, pollOut, 0, pollCount)
	c.want(ctx, inval, "poll_oneoff", pollIn, pollOut, maxSubscriptions+1, pollCount)
	c.want(ctx, inval, "poll_oneoff", pollIn, pollOut, 1<<32-1, pollCount)
	c.want(ctx, fault, "poll_oneoff", page-47, pollOut, 1, pollCount)
	c.want(ctx, fault, "poll_oneoff", pollIn, page-31, 1, pollCount)
	c.want(ctx, fault, "poll_oneoff", pollIn, pollOut, 1, page-3)
	for _, s := range []sub{{kind: 3}, {kind: kindClock, flags: 2}} {
		c.putSubs([]sub{{kindClock, 1, 70, 0}, s})
		c.want(ctx, inval, "poll_oneoff", pollIn, pollOut, 2, pollCount)
	}
}

// TestLiveSleep: without a world of the engine's, the guest sleeps until the
// attempt is over at the latest.
func TestLiveSleep(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	c.putSubs([]sub{{kindClock, 1, 1, 0}})
	c.want(with(&State{}), success, "poll_oneoff", pollIn, pollOut, 1, pollCount)
	ctx, cancel := context.WithCancel(with(&State{}))
	cancel()
	c.putSubs([]sub{{kindClock, 1, tooLong, 0}})
	c.want(ctx, success, "poll_oneoff", pollIn, pollOut, 1, pollCount)
}

func TestLiveClocks(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	ctx := with(&State{})
	before := time.Now()
	c.want(ctx, success, "clock_time_get", clockRealtime, 0, 0)
	after := time.Now()
	if got := int64(c.u64(0)); got < before.UnixNano() || got > after.UnixNano() {
		t.Errorf("the time of day is %d, not within %d and %d", got, before.UnixNano(), after.UnixNano())
	}
	c.want(ctx, success, "clock_time_get", clockMonotonic, 0, 0)
	c.want(ctx, success, "clock_time_get", clockMonotonic, 0, 8)
	if a, b := c.u64(0), c.u64(8); a == 0 || b < a {
		t.Errorf("the monotonic clock went from %d to %d", a, b)
	}
}
