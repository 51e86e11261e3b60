package hostfuncs

import (
	"crypto/rand"
	"crypto/sha256"
	"io"
	"math"
	mathrand "math/rand/v2"
	"time"

	"github.com/hive-spore/hive"
)

// World is where an attempt's time and random numbers come from: the host, the
// task or a recording. The functions clock and random read it, and so does the
// engine for those of WASI. It belongs to the goroutine that runs the guest.
type World struct{ a *Attempt }

// World returns the attempt's.
func (a *Attempt) World() World { return World{a} }

// world is what a task's own time and random numbers are made of.
type world struct {
	read   bool      // the clock has been
	ns     int64     // what the clock says next, since 1970
	random io.Reader // nil: not asked for yet
}

// Realtime returns what time it is, in nanoseconds since 1970.
func (w World) Realtime() int64 { return w.a.reading(toldRealtime) }

// Monotonic returns a time that never goes back, in nanoseconds.
func (w World) Monotonic() int64 { return w.a.reading(toldMonotonic) }

// Sleep is told that the guest sleeps for d, and returns for how long it really
// is to.
func (w World) Sleep(d time.Duration) time.Duration {
	a := w.a
	if a.Replay != nil {
		a.Replay.slept(d)
		return 0
	}
	if a.Allow.Clock == hive.SourceTask {
		a.taskTime(d)
	}
	a.tape.number(a.Record, toldSleep, int64(d))
	return d
}

// Read fills p with random bytes. It does not fail.
func (w World) Read(p []byte) (int, error) {
	a := w.a
	if a.Replay != nil {
		a.Replay.random(p)
		return len(p), nil
	}
	if a.Allow.Random == hive.SourceTask {
		if a.world.random == nil {
			a.world.random = TaskRandom(a.Task.ID)
		}
		_, _ = io.ReadFull(a.world.random, p) // a generator has no end
	} else {
		_, _ = rand.Read(p) // as documented it does not fail
	}
	a.tape.random(a.Record, p)
	return len(p), nil
}

// began is when the monotonic clock was zero.
var began = time.Now()

// reading reads a clock.
func (a *Attempt) reading(clock byte) int64 {
	if a.Replay != nil {
		return a.Replay.reading(clock)
	}
	var ns int64
	switch {
	case a.Allow.Clock == hive.SourceTask: // one time for both clocks
		ns = a.taskTime(tick)
	case clock == toldMonotonic:
		ns = int64(time.Since(began))
	default:
		ns = time.Now().UnixNano()
	}
	a.tape.number(a.Record, clock, ns)
	return ns
}

// tick is how far a task's clock moves on when it is read: a guest that waits for
// time to pass sees it pass.
const tick = time.Microsecond

// taskTime reads the clock that tells every attempt of a task the same, which
// begins when the task was made, and moves it on. It ends in the year 2262, as
// nanoseconds do: guests may sleep for as long as they like.
func (a *Attempt) taskTime(d time.Duration) int64 {
	w := &a.world
	if !w.read {
		w.read, w.ns = true, a.Task.Created.UnixNano()
	}
	now := w.ns
	if d = max(0, d); now > math.MaxInt64-int64(d) {
		w.ns = math.MaxInt64
	} else {
		w.ns += int64(d)
	}
	return now
}

// taskRandom tells these numbers from others that a task's id may seed one day.
const taskRandom = "hive: random numbers of task "

// TaskRandom returns random bytes that follow from a task's id, the same in each of
// its attempts. Who knows the id knows them: they are no secret.
func TaskRandom(id string) io.Reader {
	return mathrand.NewChaCha8(sha256.Sum256([]byte(taskRandom + id)))
}
