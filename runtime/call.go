package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/hive-spore/hive"
)

// Call is one attempt's part of a call.
type Call struct {
	Payload []byte
	Log     *Log              // nil: one of the manifest's limit
	Timeout time.Duration     // 0: none beside the manifest's and that of ctx
	Args    []string          // after those of the manifest
	Env     map[string]string // over that of the manifest
	Mounts  []Mount
	Plugin  Plugin // what an Extism plugin speaks to; nil for all others
	World   World  // where WASI's time and random numbers come from; nil: the machine
}

// World is where an attempt's time and random numbers come from. The goroutine
// that runs the guest uses it.
type World interface {
	Realtime() int64  // ns since 1970
	Monotonic() int64 // ns, never less than before
	io.Reader         // of random bytes

	// Sleep is told that the guest sleeps for d, and returns for how long it really
	// is to.
	Sleep(d time.Duration) time.Duration
}

// Plugin is the host's side of one call of an Extism plugin: it holds the result.
type Plugin interface {
	// ResultSize returns the number of bytes of the result.
	ResultSize() int64
	// Finish returns the result of an entry that returned code, or why it failed.
	Finish(code int32) (result []byte, failure string)
	// Message returns what the plugin said of its error, if anything.
	Message() string
}

// Mount shows a directory of the host to the guest, which can only read it and
// cannot leave it.
type Mount struct{ Host, Guest string }

// Call runs one attempt. It neither panics nor returns errors: failure is data.
// If ctx ends for another reason than a deadline, the failure is of kind host
// and tells the context's cause.
func (s *Skill) Call(ctx context.Context, c Call) hive.Outcome {
	if c.Timeout < 0 { // its time is over, which is not the same as none
		c.Timeout = 1
	}
	a := s.attempt(ctx, c, shorter(c.Timeout, s.info.Limits.Time))
	out := hive.Outcome{
		Failure: a.run(),
		Log:     a.Log.Bytes(),
		Ran:     s.id,
	}
	if out.Failure == nil {
		out.Result = a.result.bytes
	}
	a.receipt.BytesIn, a.receipt.BytesOut = int64(len(c.Payload)), int64(len(out.Result))
	out.Receipt = a.receipt
	out.Elapsed = time.Since(a.began)
	a.free()
	return out
}

// run keeps the attempt registered with its engine and finds it an instance.
func (a *attempt) run() (failure *hive.Failure) {
	defer func() {
		if r := recover(); r != nil {
			failure = hive.NewFailure(hive.FailHost, fmt.Sprintf("the sandbox panicked: %v", r))
		}
		a.over()
	}()
	lane, err := a.skill.hold()
	if err != nil {
		return hive.NewFailure(hive.FailHost, err.Error())
	}
	defer a.skill.drop(lane)
	if err := a.Context.Err(); err != nil {
		return a.stopped(context.Cause(a.Context))
	}
	i, err := a.skill.get(a)
	if _, ok := errors.AsType[*Refusal](err); ok {
		return hive.NewFailure(hive.FailLoad, "cannot be started: "+err.Error())
	}
	if err != nil {
		return hive.NewFailure(hive.FailHost, "cannot make a sandbox: "+plain(err.Error(), 3*maxName))
	}
	clean := false
	defer func() { a.skill.put(i, clean) }()
	failure = a.in(i)
	clean = true // otherwise it panicked: what became of the instance is not known
	return failure
}

// in runs the attempt in an instance.
func (a *attempt) in(i *instance) *hive.Failure {
	a.meter.begin()
	a.enter(i)
	defer func() { // also when a host function of others panics as it unwinds
		a.leave()
		a.meter.pause()
		// Of files the kernel writes to memory, by ways it may not count as the guest's faults.
		i.touched = i.touched || a.skill.foreign || len(a.Mounts) > 0 || a.meter.blind || a.meter.used.faults != 0
		a.receipt.CPU = a.meter.cpu(time.Since(a.began))
		a.receipt.Fuel = int64(i.spent)
		a.receipt.PeakMemory = int64(i.memory.peak)
	}()
	return a.guest(i)
}

func (a *attempt) guest(i *instance) *hive.Failure {
	if !i.ready {
		if err := i.begin(a, a.skill.program.prepared, a.skill.info.Contract); err != nil {
			return a.explain(i, err)
		}
	}
	return a.invoke(i)
}

// invoke calls the entry as the contract says.
func (a *attempt) invoke(i *instance) *hive.Failure {
	code, err := i.call(a, uint64(uint32(len(a.Payload))))
	if failure := a.explain(i, err); failure != nil {
		return failure
	}
	switch a.skill.info.Contract {
	case hive.ContractExtism:
		return a.finish(int32(uint32(code)))
	case hive.ContractReactor:
		return a.answered(int32(uint32(code)))
	}
	return nil
}

// get returns an instance for the attempt.
func (s *Skill) get(a *attempt) (*instance, error) {
	if err := a.mount(); err != nil {
		return nil, err
	}
	if s.snapshot == nil || !s.fits(a) {
		return s.single(a)
	}
	if i := s.pool.take(); i != nil {
		return i, nil
	}
	return s.next(a)
}

// put takes an instance back after an attempt, and closes it unless it can be
// what it was again.
func (s *Skill) put(i *instance, clean bool) {
	kept := false
	defer func() {
		if !kept {
			s.pool.discard(i)
		}
	}()
	// A host function of others may have closed the module.
	kept = i.snapshot != nil && clean && !i.module.IsClosed() && i.restore()
	if kept {
		s.pool.put(i)
	}
}

// fits reports whether the snapshot is one for the attempt: a reactor read its
// arguments, and learned which directories it has, before the snapshot was
// taken. So may a command with a start section have; others do so in the attempt.
func (s *Skill) fits(a *attempt) bool {
	own := len(a.Args) == 0 && len(a.Env) == 0 && len(a.Mounts) == 0
	return own || s.info.Contract == hive.ContractCommand && !s.program.prepared.Start
}

// single returns an instance for this attempt alone, not started yet.
func (s *Skill) single(a *attempt) (*instance, error) {
	i, err := s.instantiate(a, heap{})
	if err != nil { // only the program itself can be why
		return nil, refuse("%s", plain(err.Error(), 3*maxName))
	}
	return i, nil
}

// environ returns variables as K=V, in the order of their names; those in over
// win.
func environ(env, over map[string]string) []string {
	all := maps.Clone(env)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, over)
	var list []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, key+"="+all[key])
	}
	return list
}
