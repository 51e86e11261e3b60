package runtime

import (
	goruntime "runtime"
	"time"
)

// usage is what a thread took from the kernel.
type usage struct {
	cpu    time.Duration
	faults int64 // pages it was given, or a copy of
}

// meter measures what the guest of one attempt takes. It has a thread to itself
// for that, but while it waits: the kernel keeps accounts of threads.
type meter struct {
	used   usage  // until the thread was last given back
	since  usage  // of the thread, when the guest got it
	lane   *tally // of the thread; nil: it has none
	waited time.Duration
	blind  bool // it ran for some time on a thread that others used as well
}

// guestThreads counts those that guests have to themselves. Go ends a process
// that has 10,000, so when there are many, further guests share.
var guestThreads [lanes]tally

// maxThreads is how many guests have threads to themselves, in each lane.
const maxThreads = 2048 / lanes

// ownThread counts a thread in the caller's lane, which it returns; nil if there is
// none to be had.
func ownThread() *tally {
	if !threadsKnown {
		return nil
	}
	lane := &guestThreads[here()]
	if lane.Add(1) > maxThreads {
		lane.Add(-1)
		return nil
	}
	return lane
}

// begin measures from here on.
func (m *meter) begin() {
	if m.lane = ownThread(); m.lane == nil {
		m.blind = true
		return
	}
	goruntime.LockOSThread()
	m.since = threadUsage()
}

// pause measures no further, and gives the thread back.
func (m *meter) pause() {
	if m.lane == nil {
		return
	}
	now := threadUsage()
	m.used.cpu += now.cpu - m.since.cpu
	m.used.faults += now.faults - m.since.faults
	goruntime.UnlockOSThread()
	m.lane.Add(-1)
	m.lane = nil
}

// wait calls f, which waits for something that is not the guest's work.
func (m *meter) wait(f func()) {
	began := time.Now()
	m.pause()
	defer func() {
		m.waited += time.Since(began)
		m.begin()
	}()
	f()
}

// coarse is what the kernel's account of a thread does not tell apart: it is kept
// by the tick.
const coarse = 5 * time.Millisecond

// cpu returns the processor time the guest took, of all that passed. What
// cannot be known is the time that it did not wait.
func (m *meter) cpu(passed time.Duration) time.Duration {
	switch awake := passed - m.waited; {
	case m.blind:
		return awake
	case m.used.cpu < coarse:
		return min(coarse, awake)
	}
	return m.used.cpu
}
