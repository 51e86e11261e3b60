package runtime

import (
	"fmt"
	"regexp"
	"strings"
)

// Refusal says why a program cannot be a skill: one line a person understands.
// It is about the program and its manifest, so asking again will not help.
type Refusal struct{ Reason string }

// Error returns the reason.
func (r *Refusal) Error() string { return r.Reason }

func refuse(format string, args ...any) error {
	return &Refusal{fmt.Sprintf(format, args...)}
}

func unsupported(feature string) error {
	return refuse("uses %s, which is not supported", feature)
}

var disabledFeature = regexp.MustCompile(`feature "([a-z-]+)" is disabled`)

// invalid translates what wazero has against a module.
func invalid(err error) error {
	if m := disabledFeature.FindStringSubmatch(err.Error()); m != nil {
		return unsupported("the WebAssembly feature " + m[1])
	}
	reason, _, _ := strings.Cut(err.Error(), "\n")
	if strings.HasSuffix(reason, "shared memory requested but threads feature not enabled") {
		return unsupported("shared memory (threads)")
	}
	return refuse("not a valid WebAssembly module: %s", plain(reason, 3*maxName))
}
