package runtime

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/tetratelabs/wazero/sys"

	"github.com/hive-spore/hive"
)

// explain turns how the guest ended, as wazero tells it, into a failure, or
// into none.
func (a *attempt) explain(ctx context.Context, err error) *hive.Failure {
	exit, exited := errors.AsType[*sys.ExitError](err)
	switch {
	case a.failure != nil:
		return a.failure
	case err == nil:
		return nil
	case !exited:
		return a.trapped(err)
	case ctx.Err() != nil && byContext(exit.ExitCode()):
		return a.ended(ctx)
	}
	return a.exited(exit.ExitCode())
}

// byContext reports whether code may be wazero's for an ended context. A guest
// can exit with the same one: C's exit(-1) does.
func byContext(code uint32) bool {
	return code == sys.ExitCodeContextCanceled || code == sys.ExitCodeDeadlineExceeded
}

// ended tells why ctx is over: the attempt's own time, or something outside.
func (a *attempt) ended(ctx context.Context) *hive.Failure {
	switch cause := context.Cause(ctx); cause {
	case errTimeout:
		return hive.NewFailure(hive.FailTimeout, fmt.Sprintf("did not finish within %v", a.timeout))
	case context.DeadlineExceeded:
		return hive.NewFailure(hive.FailTimeout, "did not finish before its deadline")
	default:
		return hive.NewFailure(hive.FailHost, cause.Error())
	}
}

func (a *attempt) exited(code uint32) *hive.Failure {
	reactor := a.skill.info.Contract == hive.ContractReactor
	if code == 0 && !reactor {
		return nil
	}
	message := fmt.Sprintf("exit code %d", int32(code)) // C's exit(-1) is -1 again
	if code == 0 {
		message += " instead of returning from " + exportRun
	}
	return a.hungry(hive.FailExit, a.withLastWords(message))
}

func (a *attempt) withLastWords(message string) string {
	if words := a.Log.lastWords(); words != "" {
		return message + ": " + words
	}
	return message
}

// hungry returns a failure of the kind, or of kind memory if the attempt did
// not get memory that it asked for: most programs end when that happens.
func (a *attempt) hungry(kind hive.FailureKind, message string) *hive.Failure {
	if a.memory.wanted > 0 {
		kind = hive.FailMemory
		message = fmt.Sprintf("wanted %s of memory, its limit is %s: %s",
			size(a.memory.wanted), size(a.memory.limit), message)
	}
	return hive.NewFailure(kind, message)
}

// wazero's texts: "wasm error: REASON" for a trap, "REASON (recovered by
// wazero)" for a panic of a host function, which a guest brings about by
// arguments nobody thought of; then a stack, innermost frame first. A stack
// that overflowed is not told.
const (
	trapMark  = "wasm error: "
	panicMark = " (recovered by wazero)"
	stackMark = "\nwasm stack trace:\n"
	overflow  = "stack overflow"
)

func (a *attempt) trapped(err error) *hive.Failure {
	text, stack, hasStack := strings.Cut(err.Error(), stackMark)
	if _, after, ok := strings.Cut(text, trapMark); ok {
		text = after
	}
	text, panicked := strings.CutSuffix(text, panicMark)
	switch {
	case strings.HasSuffix(text, overflow):
		text = overflow
	case !hasStack:
		return hive.NewFailure(hive.FailLoad, "cannot be started: "+plain(text, 3*maxName))
	case panicked:
		text = "a host call failed: " + text
	case text == "unreachable":
		text = "unreachable executed"
	}
	if f := a.function(stack); f != "" {
		text += " in " + f
	}
	return a.hungry(hive.FailTrap, plain(text, 3*maxName))
}

// types matches what follows a function's name in a stack: "(i32,i32) i32".
var types = regexp.MustCompile(`\([a-z0-9,]*\)( [a-z0-9]+| \([a-z0-9,]*\))?$`)

// function returns the function whose frame is the innermost, by its name in
// the name section or by its number: "$12".
func (a *attempt) function(stack string) string {
	frame, _, _ := strings.Cut(strings.TrimSpace(stack), "\n")
	frame = types.ReplaceAllString(frame, "")
	return plain(strings.TrimPrefix(frame, a.skill.program.code.Name()+"."), maxName)
}
