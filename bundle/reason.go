package bundle

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"syscall"
	"unicode"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/hive-spore/hive"
)

// Reasons why something was refused, one word each, for programs, audit records
// and metrics to go by. The list only grows.
const (
	ReasonExpired      = "expired"       // signed, but no longer valid
	ReasonFuture       = "future"        // signed later than it is here
	ReasonRollback     = "rollback"      // older than what was seen before
	ReasonReplayed     = "replayed"      // seen before
	ReasonOtherTarget  = "other_target"  // for other spores
	ReasonMismatch     = "mismatch"      // versions that do not belong together
	ReasonBadSignature = "bad_signature" // too few signatures of trusted keys
	ReasonBadHash      = "bad_hash"      // other bytes, or fewer, than were signed for
	ReasonTooLarge     = "too_large"     // more bytes than were signed for or are ever taken
	ReasonTooSlow      = "too_slow"      // slower than the least rate
	ReasonUnparsable   = "unparsable"    // not what its name says it is
	ReasonMissing      = "missing"       // it is not there
	ReasonNotListed    = "not_listed"    // no target of this name
	ReasonHostRefused  = "host_refused"  // not an allowed host
	ReasonUnreachable  = "unreachable"   // no answer, or not a useful one
	ReasonClock        = "clock"         // this machine's clock went back
	ReasonNoSpace      = "no_space"      // the disk is full
	ReasonDisk         = "disk"          // the disk failed in another way
	ReasonBusy         = "busy"          // somebody else is publishing
	ReasonConflict     = "conflict"      // published before, with other bytes
	ReasonRateLimited  = "rate_limited"  // updated too short a time ago
	ReasonNotAdmitted  = "not_admitted"  // a program that cannot run here
	ReasonStopped      = "stopped"       // the caller's context ended
	ReasonInvalid      = "invalid"       // what the caller asked for cannot be
	ReasonNoKeys       = "no_keys"       // no keys of the nexus are known and valid
)

// sentences complete "NAME …" and end in what to do where that is known.
var sentences = map[string]string{
	ReasonExpired:      "has expired: is this clock right, and are newer ones being signed?",
	ReasonFuture:       "is from the future: is this clock right?",
	ReasonRollback:     "is older than what was seen before",
	ReasonReplayed:     "was seen before",
	ReasonOtherTarget:  "is for other spores",
	ReasonMismatch:     "is not the version that was signed for: files of different states are mixed",
	ReasonBadSignature: "is not signed by enough of the trusted keys",
	ReasonBadHash:      "does not hold the bytes that were signed for",
	ReasonTooLarge:     "is larger than it may be",
	ReasonTooSlow:      "comes too slowly",
	ReasonUnparsable:   "cannot be read",
	ReasonMissing:      "is not there",
	ReasonNotListed:    "is not among the signed targets",
	ReasonHostRefused:  "is not at an allowed host",
	ReasonUnreachable:  "cannot be fetched",
	ReasonClock:        "is behind a time that was seen before: set this machine's clock",
	ReasonNoSpace:      "cannot be written: the disk is full",
	ReasonDisk:         "cannot be read or written",
	ReasonBusy:         "is being changed by somebody else: nothing was changed, try again",
	ReasonConflict:     "is published already and differs: choose another version",
	ReasonRateLimited:  "was updated too short a time ago",
	ReasonNotAdmitted:  "cannot run here",
	ReasonStopped:      "was being fetched when it was stopped",
	ReasonInvalid:      "cannot be",
	ReasonNoKeys:       "cannot be checked: no keys of the nexus are known",
}

// Error is a refusal: what was refused, and why.
type Error struct {
	Reason string // one of the reasons above
	What   string // a file of the repository or of the state, or a target
	Err    error  // more about it; may be nil
}

// Error returns one line.
func (e *Error) Error() string {
	text := e.What + " " + sentences[e.Reason]
	if e.Err != nil {
		text += ": " + printable(e.Err.Error())
	}
	return text
}

// Unwrap returns what more is known.
func (e *Error) Unwrap() error { return e.Err }

// Reason returns why err was refused, or "" where err is nil or no Error.
func Reason(err error) string {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func refuse(reason, what string, err error) error { return &Error{reason, what, err} }

// printable keeps what others wrote from steering a terminal or filling a log.
func printable(s string) string {
	return hive.Clip(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s), 300)
}

// because gives an error of the TUF library its reason.
func because(what string, err error) error {
	switch {
	case err == nil || Reason(err) != "":
		return err
	case errors.Is(err, &metadata.ErrExpiredMetadata{}):
		return refuse(ReasonExpired, what, nil)
	case errors.Is(err, &metadata.ErrBadVersionNumber{}):
		return refuse(ReasonMismatch, what, err)
	case errors.Is(err, &metadata.ErrUnsignedMetadata{}):
		return refuse(ReasonBadSignature, what, err)
	case errors.Is(err, &metadata.ErrLengthOrHashMismatch{}):
		return refuse(ReasonBadHash, what, err)
	}
	return refuse(ReasonUnparsable, what, err)
}

// windowsDiskFull is what Windows says instead of ENOSPC (ERROR_DISK_FULL).
const windowsDiskFull = syscall.Errno(112)

// diskError gives an error of the file system its reason.
func diskError(what string, err error) error {
	switch {
	case err == nil || Reason(err) != "":
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT),
		runtime.GOOS == "windows" && errors.Is(err, windowsDiskFull):
		return refuse(ReasonNoSpace, what, nil)
	case errors.Is(err, fs.ErrNotExist):
		return refuse(ReasonMissing, what, nil)
	}
	return refuse(ReasonDisk, what, err)
}

// netError gives an error of a transfer its reason. The context's cause knows more
// than what net/http makes of it.
func netError(ctx context.Context, what string, err error) error {
	var known *Error
	switch cause := context.Cause(ctx); {
	case errors.As(err, &known):
		return known
	case errors.Is(cause, errSlow):
		return refuse(ReasonTooSlow, what, nil)
	case cause != nil:
		return refuse(ReasonStopped, what, cause)
	}
	return refuse(ReasonUnreachable, what, err)
}
