package hive

import (
	"strings"
	"time"
	"unicode/utf8"
)

// FailureKind says why an attempt failed. The list only grows: kinds are stored.
type FailureKind string

// The kinds of failure.
const (
	FailTrap    FailureKind = "trap"    // the program did something undefined: unreachable, out of bounds, …
	FailExit    FailureKind = "exit"    // it ended with an exit code other than 0
	FailSkill   FailureKind = "skill"   // the skill said that it failed
	FailTimeout FailureKind = "timeout" // it did not end in time
	FailMemory  FailureKind = "memory"  // it wanted more memory than its limit
	FailOutput  FailureKind = "output"  // its result is larger than its limit
	FailInput   FailureKind = "input"   // the payload is not what the skill takes
	FailResult  FailureKind = "result"  // the result is not what the skill promises
	FailLoad    FailureKind = "load"    // the program cannot be run at all
	FailLost    FailureKind = "lost"    // its spore went away with it
	FailHost    FailureKind = "host"    // the spore could not do its part
	FailFuel    FailureKind = "fuel"    // it did more work than its limit

	FailDeadline FailureKind = "deadline" // no attempt: its deadline passed while it waited
)

// Permanent reports whether another attempt would only fail again.
func (k FailureKind) Permanent() bool {
	return k == FailInput || k == FailResult || k == FailLoad
}

// OfProgram reports whether the failure speaks of the program, on what it was given,
// and not of its spore.
func (k FailureKind) OfProgram() bool { return k != FailLost && k != FailHost && k != FailDeadline }

// Failure is why an attempt failed, as data.
type Failure struct {
	Kind    FailureKind `json:"kind"`
	Message string      `json:"message"`
	// Permanent failures are not retried.
	Permanent bool `json:"permanent,omitempty"`
	// RetryAfter is how long the skill asks the next attempt to wait; 0: as the task's
	// Backoff says. No record keeps it.
	RetryAfter time.Duration `json:"-"`
}

// NewFailure returns a Failure whose message is valid UTF-8 of bounded length.
func NewFailure(kind FailureKind, message string) *Failure {
	return &Failure{Kind: kind, Message: Clip(message, MaxMessage), Permanent: kind.Permanent()}
}

// String returns "kind: message".
func (f *Failure) String() string { return string(f.Kind) + ": " + f.Message }

// Clip returns s as valid UTF-8 of at most n bytes, marked with … where cut.
func Clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	mark := "…"
	if n < len(mark) {
		mark = ""
	}
	cut := max(0, n-len(mark))
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + mark
}
