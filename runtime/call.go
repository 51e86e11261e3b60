package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/hive-spore/hive"
)

// errTimeout ends an attempt that used up its own time.
var errTimeout = errors.New("out of time")

// Call is one attempt's part of a call.
type Call struct {
	Payload []byte
	Log     *Log              // nil: one of the manifest's limit
	Timeout time.Duration     // 0: none beside the manifest's and that of ctx
	Args    []string          // after those of the manifest
	Env     map[string]string // over that of the manifest
	Mounts  []Mount
}

// Mount shows a directory of the host to the guest, which can only read it and
// cannot leave it.
type Mount struct{ Host, Guest string }

// attempt is the state of one call. Only the goroutine that runs the guest
// touches it, host functions included.
type attempt struct {
	Call
	skill   *Skill
	timeout time.Duration
	memory  memory
	result  output
	failure *hive.Failure // set by the host function that stopped the guest

	message   string // set by the guest: why it failed
	permanent bool
}

// attemptKey is where host functions find their attempt in the context.
type attemptKey struct{}

func attemptOf(ctx context.Context) *attempt { return ctx.Value(attemptKey{}).(*attempt) }

// Call runs one attempt. It neither panics nor returns errors: failure is data.
// If ctx ends for another reason than a deadline, the failure is of kind host
// and tells the context's cause.
func (s *Skill) Call(ctx context.Context, c Call) hive.Outcome {
	started := time.Now()
	if c.Log == nil {
		c.Log = NewLog(s.info.Limits.Log)
	}
	a := &attempt{
		Call:    c,
		skill:   s,
		timeout: shorter(c.Timeout, s.info.Limits.Time),
		memory:  memory{limit: uint64(s.info.Limits.Memory)},
	}
	a.result = output{a, s.info.Limits.Output, nil}
	out := hive.Outcome{
		Failure: a.run(ctx),
		Log:     c.Log.Bytes(),
		Ran:     hive.SkillID{Name: s.manifest.Name, Version: s.manifest.Version, Digest: s.info.Digest},
	}
	if out.Failure == nil {
		out.Result = a.result.bytes
	}
	out.Elapsed = time.Since(started)
	return out
}

// shorter returns the shorter of two times, of which zero means none.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// run bounds the attempt in time and keeps it registered with its engine.
func (a *attempt) run(ctx context.Context) (failure *hive.Failure) {
	defer func() {
		if r := recover(); r != nil {
			failure = hive.NewFailure(hive.FailHost, fmt.Sprintf("the sandbox panicked: %v", r))
		}
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := a.skill.engine.begin(a, cancel); err != nil {
		return hive.NewFailure(hive.FailHost, err.Error())
	}
	defer a.skill.engine.end(a)
	if a.timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, a.timeout, errTimeout)
		defer stop()
	}
	if ctx.Err() != nil {
		return a.ended(ctx)
	}
	return a.start(context.WithValue(ctx, attemptKey{}, a))
}

// start makes the instance and runs it.
func (a *attempt) start(ctx context.Context) *hive.Failure {
	config, release, err := a.config(ctx)
	if err != nil {
		return hive.NewFailure(hive.FailHost, err.Error())
	}
	defer release()
	ctx = experimental.WithMemoryAllocator(ctx, &a.memory)
	p := a.skill.program
	instance, err := p.runtime.InstantiateModule(ctx, p.code, config)
	if err != nil {
		return a.explain(ctx, err)
	}
	defer instance.Close(ctx)
	if a.skill.info.Contract == hive.ContractReactor {
		return a.react(ctx, instance)
	}
	return a.command(ctx, instance)
}

func (a *attempt) command(ctx context.Context, instance api.Module) *hive.Failure {
	_, err := instance.ExportedFunction(exportStart).Call(ctx)
	return a.explain(ctx, err)
}

// stop ends the guest from within a host function. It does not return.
func (a *attempt) stop(kind hive.FailureKind, message string) {
	a.failure = hive.NewFailure(kind, message)
	panic(sys.NewExitError(sys.ExitCodeContextCanceled)) // wazero unwinds the guest
}

// output collects the result, up to its limit.
type output struct {
	attempt *attempt
	limit   int64
	bytes   []byte
}

// Write appends to the result. It does not return if that becomes too large.
func (o *output) Write(p []byte) (int, error) {
	if total := int64(len(o.bytes)) + int64(len(p)); total > o.limit {
		o.attempt.stop(hive.FailOutput,
			fmt.Sprintf("wrote a result of %d bytes or more, its limit is %d", total, o.limit))
	}
	o.bytes = append(o.bytes, p...)
	return len(p), nil
}
