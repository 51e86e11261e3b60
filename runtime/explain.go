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
func (a *attempt) explain(i *instance, err error) *hive.Failure {
	exit, exited := errors.AsType[*sys.ExitError](err)
	cause := a.ended()
	i.account()
	switch {
	case a.failure != nil:
		return a.failure
	case i.spent > a.fuel: // whether it noticed or ended by itself before it did
		return hive.NewFailure(hive.FailFuel, fmt.Sprintf("used up its fuel of %d", a.fuel))
	case cause != nil: // although it may have ended by itself: a host call may have been cut short
		return a.stopped(cause)
	case err == nil:
		return nil
	case exited:
		return a.exited(i, exit.ExitCode())
	}
	return a.trapped(i, err)
}

// stopped tells why the attempt had to end: its own time, or something outside.
func (a *attempt) stopped(cause error) *hive.Failure {
	switch cause {
	case errTimeout:
		return hive.NewFailure(hive.FailTimeout, fmt.Sprintf("did not finish within %v", a.timeout))
	case context.DeadlineExceeded:
		return hive.NewFailure(hive.FailTimeout, "did not finish before its deadline")
	default:
		return hive.NewFailure(hive.FailHost, cause.Error())
	}
}

func (a *attempt) exited(i *instance, code uint32) *hive.Failure {
	if code == 0 && a.skill.info.Contract != hive.ContractReactor {
		return nil
	}
	message := fmt.Sprintf("exit code %d", int32(code)) // C's exit(-1) is -1 again
	if code == 0 {
		message += " instead of returning from " + i.name
	}
	return hungry(&i.memory, hive.FailExit, a.withMessage(a.withLastWords(message)))
}

func (a *attempt) withLastWords(message string) string {
	if words := a.Log.lastWords(); words != "" {
		return message + ": " + words
	}
	return message
}

// hungry returns a failure of the kind, or of kind memory if the guest did not
// get memory that it asked for: most programs end when that happens.
func hungry(m *memory, kind hive.FailureKind, message string) *hive.Failure {
	if m.wanted > 0 {
		kind = hive.FailMemory
		message = fmt.Sprintf("wanted %s of memory, its limit is %s: %s", size(m.wanted), size(m.limit), message)
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

func (a *attempt) trapped(i *instance, err error) *hive.Failure {
	text, stack, _ := strings.Cut(err.Error(), stackMark)
	if _, after, ok := strings.Cut(text, trapMark); ok {
		text = after
	}
	text, panicked := strings.CutSuffix(text, panicMark)
	switch {
	case strings.HasSuffix(text, overflow):
		text = overflow
	case panicked:
		text = "a host call failed: " + text
	case text == "unreachable":
		text = "unreachable executed"
	}
	if f := a.function(stack); f != "" {
		text += " in " + f
	}
	return hungry(&i.memory, hive.FailTrap, a.withMessage(plain(text, 3*maxName)))
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

// reason is explain for a guest that is being started: why it cannot be.
func (a *attempt) reason(i *instance, err error) error {
	if _, ok := errors.AsType[*Refusal](err); ok {
		return err
	}
	failure := a.explain(i, err)
	switch cause := a.ended(); {
	case cause != nil:
		return cause
	case failure == nil:
		return errors.New("it exits")
	}
	return errors.New(failure.Message)
}
