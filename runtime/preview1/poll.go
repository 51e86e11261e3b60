package preview1

import (
	"context"
	"math"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// maxSubscriptions bounds one poll_oneoff. There are few descriptors and two
// clocks to wait for.
const maxSubscriptions = 1024

// Sizes of what poll_oneoff reads and writes, in bytes.
const (
	subscriptionSize = 48
	eventSize        = 32
)

// Kinds of subscriptions and of the events that answer them.
const (
	kindClock = 0
	kindRead  = 1
	kindWrite = 2
)

const (
	clockAbsolute = 1       // flag: the timeout is a time, not a duration
	hangup        = 1       // flag: nothing will ever be left to read
	writable      = 1 << 16 // bytes that an output takes without blocking: any number
)

// pollOneoff is poll_oneoff(in, out, n, events *u32): it waits for the first
// of n subscriptions and writes an event for each that has come true.
//
//	in   |userdata|kind|····|clock|····|timeout|precision|flags|····|
//	     0        8         16         24      32        40         48
//	     |userdata|kind|····|fd   |·································|
//
//	out  |userdata|errno|kind|····|bytes|flags|····|
//	     0        8     10        16    24         32
//
// A stream or file is always ready, at its end too: to sleep takes
// subscriptions of clocks alone.
func pollOneoff(ctx context.Context, s *State, mem api.Memory, p []uint64) errno {
	n := uint64(uint32(p[2]))
	if n == 0 || n > maxSubscriptions {
		return inval
	}
	in, ok := view(mem, p[0], n*subscriptionSize)
	if !ok {
		return fault
	}
	out, ok := view(mem, p[1], n*eventSize)
	if !ok {
		return fault
	}
	if _, ok := view(mem, p[3], 4); !ok {
		return fault
	}
	now := times{s.world().Realtime(), s.world().Monotonic()}
	wait, e := now.first(in)
	if e != success {
		return e
	}
	if wait > 0 {
		s.world().Sleep(ctx, wait)
	}
	events := uint32(0)
	for ; len(in) > 0; in = in[subscriptionSize:] {
		if d, e := now.wait(in); e == success && d <= wait {
			s.event(out, in)
			out = out[eventSize:]
			events++
		}
	}
	return put32(mem, p[3], events)
}

// times is when a poll began, by each clock in ns.
type times struct{ realtime, monotonic int64 }

// first returns how long after now the first of the subscriptions comes true.
func (now times) first(in []byte) (time.Duration, errno) {
	soonest := time.Duration(math.MaxInt64)
	for ; len(in) > 0; in = in[subscriptionSize:] {
		d, e := now.wait(in)
		if e != success {
			return 0, e
		}
		soonest = min(soonest, d)
	}
	return soonest, success
}

// wait returns how long after now the subscription comes true, or an errno
// for what is no subscription.
func (now times) wait(sub []byte) (time.Duration, errno) {
	switch sub[8] {
	case kindRead, kindWrite:
		return 0, success // true at once, or wrong at once
	case kindClock:
	default:
		return 0, inval
	}
	timeout, flags := le.Uint64(sub[24:]), le.Uint16(sub[40:])
	if flags&^clockAbsolute != 0 {
		return 0, inval
	}
	began := int64(0)
	switch clock := le.Uint32(sub[16:]); {
	case clock != clockRealtime && clock != clockMonotonic:
		return 0, success // wrong at once, see event
	case flags&clockAbsolute == 0:
	case clock == clockRealtime:
		began = now.realtime
	default:
		began = now.monotonic
	}
	end := int64(min(timeout, math.MaxInt64))
	if began < 0 && end > math.MaxInt64+began {
		return math.MaxInt64, success
	}
	return time.Duration(max(0, end-began)), success
}

// event writes what the subscription has come to. The two may overlap.
func (s *State) event(out, sub []byte) {
	userdata, kind := le.Uint64(sub), sub[8]
	e, bytes, flags := success, uint64(0), uint16(0)
	switch id := uint64(le.Uint32(sub[16:])); {
	case kind == kindClock:
		if id != clockRealtime && id != clockMonotonic {
			e = inval
		}
	case kind == kindRead && s.at(id) == stdin:
		if bytes = uint64(len(s.left())); bytes == 0 {
			flags = hangup
		}
	case kind == kindRead && s.at(id) == regular:
		bytes = s.entry(id).file.left()
	case kind == kindWrite && s.writer(s.at(id)) != nil:
		bytes = writable
	default:
		e = badf
	}
	clear(out[:eventSize])
	le.PutUint64(out, userdata)
	le.PutUint16(out[8:], uint16(e))
	out[10] = kind
	le.PutUint64(out[16:], bytes)
	le.PutUint16(out[24:], flags)
}
