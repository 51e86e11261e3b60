// Package hostfuncs is what a sandbox may ask of its host: one file per grant.
//
// A function is offered to every program, and answers "denied" in an attempt
// without its grant. What an attempt is granted, and what its calls act on,
// travels in the context: see [With].
package hostfuncs

import (
	"context"
	"io"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// Error numbers are negative, only ever added to, and listed in docs/abi.md.
const (
	errRange   = -1 // a pointer or length outside of the guest's memory
	errDenied  = -2 // the grant was not given
	errInvalid = -3 // an argument that means nothing
)

// Attempt is what the host functions of one attempt act on.
type Attempt struct {
	Grants []hive.Grant
	Log    io.Writer
	Extism *Extism // of an Extism plugin, else nil
}

func (a Attempt) granted(g hive.Grant) bool { return slices.Contains(a.Grants, g) }

type attemptKey struct{}

// With returns a context whose guest calls belong to the attempt.
func With(ctx context.Context, a Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// granted returns the attempt, and whether it has the grant.
func granted(ctx context.Context, g hive.Grant) (Attempt, bool) {
	a, _ := ctx.Value(attemptKey{}).(Attempt)
	return a, a.granted(g)
}

// Modules returns the functions that the sandbox engine is to offer, by the
// name of the module that guests import them from.
func Modules() map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	return map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder{
		"hive":       addLog,
		extismModule: addExtism,
	}
}

// answer puts a host function's result where the guest finds it.
func answer(stack []uint64, n int32) { stack[0] = uint64(uint32(n)) }

// i32s returns n parameters or results of type i32.
func i32s(n int) []api.ValueType {
	return slices.Repeat([]api.ValueType{api.ValueTypeI32}, n)
}
