package bundle

import (
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"syscall"
	"unicode"

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
	ReasonBadSignature = "bad_signature" // too few signatures of trusted keys
	ReasonTooLarge     = "too_large"     // more bytes than are ever taken
	ReasonUnparsable   = "unparsable"    // not what its name says it is
	ReasonMissing      = "missing"       // it is not there
	ReasonNoSpace      = "no_space"      // the disk is full
	ReasonDisk         = "disk"          // the disk failed in another way
	ReasonInvalid      = "invalid"       // what the caller asked for cannot be
)

// sentences complete "NAME …" and end in what to do where that is known.
var sentences = map[string]string{
	ReasonExpired:      "has expired: is this clock right?",
	ReasonFuture:       "is from the future: is this clock right?",
	ReasonRollback:     "is older than what was seen before",
	ReasonReplayed:     "was seen before",
	ReasonOtherTarget:  "is for other spores",
	ReasonBadSignature: "is not signed by enough of the trusted keys",
	ReasonTooLarge:     "is larger than it may be",
	ReasonUnparsable:   "cannot be read",
	ReasonMissing:      "is not there",
	ReasonNoSpace:      "cannot be written: the disk is full",
	ReasonDisk:         "cannot be read or written",
	ReasonInvalid:      "cannot be",
}

// Error is a refusal: what was refused, and why.
type Error struct {
	Reason string // one of the reasons above
	What   string
	Err    error // more about it; may be nil
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
