package runtime

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/sys"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime/preview1"
)

// errTimeout ends an attempt that used up its own time.
var errTimeout = errors.New("out of time")

// attempt is the state of one call, and the context of its guest's host calls:
// one that is done when the attempt is to end, for whatever reason.
type attempt struct {
	work
	seen atomic.Bool // the watcher's
	mu   sync.Mutex
	ending
}

// work is the part that only the goroutine that runs the guest touches, host
// functions included.
type work struct {
	context.Context // the caller's
	Call
	skill    *Skill
	began    time.Time
	timeout  time.Duration
	timedOut error // the cause of an end by timeout
	fuel     uint64
	result   output
	own      Log             // if the caller gave none
	state    preview1.State  // wasi refers to it
	wasi     *preview1.State // nil until the guest first asks
	receipt  hive.Receipt
	meter    meter
	failure  *hive.Failure // set by the host function that stopped the guest

	message    string // set by the guest: why it failed
	permanent  bool
	retryAfter time.Duration
	spoke      bool // it called a function of Extism
	moved      int  // bytes copied by host functions since they last looked
}

// ending is the part that mu guards.
type ending struct {
	runs    *instance     // while its guest may run
	done    chan struct{} // made when somebody asks
	cause   error         // why it is to end
	closed  bool          // it did end
	watched bool
	timer   *time.Timer
	stop    func() bool // stops listening to the caller's context
}

// attempt returns one that has not begun. It must be over in the end.
func (s *Skill) attempt(ctx context.Context, c Call, timeout time.Duration) *attempt {
	a := s.engine.attempts.Get().(*attempt)
	a.mu.Lock() // the watcher may still have it in its hands, from before
	a.ending = ending{}
	a.work = work{
		Context: ctx, Call: c, skill: s,
		timeout:  timeout,
		timedOut: errTimeout,
		fuel:     math.MaxInt64,
		began:    time.Now(),
		result:   output{a, s.info.Limits.Output, nil},
	}
	a.mu.Unlock()
	a.seen.Store(false)
	if limit := s.info.Limits.Fuel; limit > 0 {
		a.fuel = uint64(limit)
	}
	if c.Log == nil {
		a.own.limit = int(s.info.Limits.Log)
		a.Log = &a.own
	}
	if a.timeout > 0 && a.timeout < 10*lookEvery {
		a.watch()
	}
	return a
}

// free lets another call have the attempt, which saves most of the garbage of a
// small one. It must be over, and nobody else may know it: host functions of
// others may have kept it as their context, and those who wait for its end may
// come late.
func (a *attempt) free() {
	if !a.skill.foreign && !a.watched && a.done == nil {
		s := a.skill.engine
		a.work = work{} // holds nothing of the caller's
		s.attempts.Put(a)
	}
}

// shorter returns the shorter of two times, of which zero means none.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// preview1 returns what preview 1 tells the guest.
func (a *attempt) preview1() *preview1.State {
	s := a.skill
	w := &a.state
	*w = preview1.State{Args: s.args, Env: s.env, Stdout: a.Log, Stderr: a.Log, World: world{a}}
	if len(a.Args) > 0 {
		w.Args = slices.Concat(s.args, a.Args)
	}
	if len(a.Env) > 0 {
		w.Env = environ(s.manifest.Env, a.Env)
	}
	if s.info.Contract == hive.ContractCommand {
		w.Stdin, w.Stdout = a.Payload, &a.result
	}
	return w
}

// attemptKey is where host functions find their attempt in the context.
type attemptKey struct{}

func attemptOf(ctx context.Context) *attempt { return ctx.Value(attemptKey{}).(*attempt) }

// Value implements context.Context.
func (a *attempt) Value(key any) any {
	if key == (attemptKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// Done implements context.Context.
func (a *attempt) Done() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done == nil {
		a.done = make(chan struct{})
		if a.cause != nil {
			close(a.done)
		}
	}
	return a.done
}

// Err implements context.Context.
func (a *attempt) Err() error {
	if a.ended() != nil {
		return context.Canceled
	}
	return nil
}

func (a *attempt) ended() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cause
}

// end has the attempt end: its host calls by Done, its guest at the end of its
// slice of fuel. Only the first cause counts, and none after it is over.
func (a *attempt) end(cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cause != nil || a.closed {
		return
	}
	a.cause = cause
	if a.done != nil {
		close(a.done)
	}
	if a.runs != nil {
		a.runs.kill.Set(1)
	}
}

// enter lets end reach the guest of an instance.
func (a *attempt) enter(i *instance) {
	i.give(a.fuel)
	a.mu.Lock()
	a.runs = i
	if a.cause != nil {
		i.kill.Set(1)
	}
	a.mu.Unlock()
	i.runs.Store(a)
	if a.skill.engine.closed.Load() { // it may have looked before we were there to see
		a.end(errClosed)
	}
	a.skill.engine.watch.begun()
}

// leave is the end of that.
func (a *attempt) leave() {
	a.mu.Lock()
	i := a.runs
	i.kill.Set(0)
	a.runs = nil
	a.mu.Unlock()
	i.runs.Store(nil)
	i.account()
}

// over releases what the attempt holds.
func (a *attempt) over() {
	a.mu.Lock()
	a.closed = true // nobody sets the others any more
	a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
	if a.stop != nil {
		a.stop()
	}
	if len(a.Mounts) > 0 && a.wasi != nil {
		a.wasi.Close()
	}
}

// world is what WASI tells of time and chance: what the call's World says, if it
// has one.
type world struct{ *attempt }

// Realtime implements preview1.World.
func (w world) Realtime() int64 {
	if w.World != nil {
		return w.World.Realtime()
	}
	return time.Now().UnixNano()
}

// began is when the monotonic clock was zero.
var began = time.Now()

// Monotonic implements preview1.World.
func (w world) Monotonic() int64 {
	if w.World != nil {
		return w.World.Monotonic()
	}
	return int64(time.Since(began))
}

// Read implements preview1.World.
func (w world) Read(p []byte) (int, error) {
	if w.World != nil {
		return w.World.Read(p)
	}
	return rand.Read(p)
}

// Sleep implements preview1.World.
func (w world) Sleep(_ context.Context, d time.Duration) {
	if w.World != nil {
		d = w.World.Sleep(d)
	}
	if d > 0 {
		w.sleep(d)
	}
}

// sleep is a guest's sleep. When the attempt ends first it does not return: the
// guest would go on as if it had slept, and could finish before it is stopped.
func (a *attempt) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	a.meter.wait(func() {
		select {
		case <-timer.C:
		case <-a.Done():
			unwind()
		}
	})
}

// abort ends the guest from within a host function. It does not return.
func (a *attempt) abort(why *hive.Failure) {
	a.failure = why
	unwind()
}

// unwind has wazero end the guest from within a host function. It does not return.
func unwind() { panic(sys.NewExitError(sys.ExitCodeContextCanceled)) }

// output collects the result, up to its limit.
type output struct {
	attempt *attempt
	limit   int64
	bytes   []byte
}

// Write appends to the result. It does not return if that becomes too large.
func (o *output) Write(p []byte) (int, error) {
	if total := int64(len(o.bytes)) + int64(len(p)); total > o.limit {
		o.attempt.abort(tooLarge(total, o.limit))
	}
	o.bytes = append(o.bytes, p...)
	return len(p), nil
}

func tooLarge(result, limit int64) *hive.Failure {
	return hive.NewFailure(hive.FailOutput,
		fmt.Sprintf("wrote a result of %d bytes or more, its limit is %d", result, limit))
}
