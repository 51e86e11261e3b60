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
	errRange       = -1 // a pointer or length outside of the guest's memory
	errDenied      = -2 // the grant was not given, or not for this
	errInvalid     = -3 // an argument that means nothing
	errAbsent      = -4 // there is no such thing
	errFull        = -5 // more than an attempt may ask for
	errUnavailable = -6 // the host could not do it now; the answer says why
)

// Attempt is what the host functions of one attempt act on. It belongs to the
// goroutine that runs the guest.
type Attempt struct {
	Grants  []hive.Grant
	Allow   hive.Allow
	Log     io.Writer
	Task    Task
	Skill   hive.SkillID
	KV      KV      // what keys hold that the attempt did not write
	Emitter Emitter // nil: nobody listens
	Extism  *Extism // of an Extism plugin, else nil

	HTTP    *HTTP   // nil: no requests are made
	Secrets Secrets // nil: none are kept
	Files   *Files  // nil: no folders are given

	Record int     // bytes of what the attempt is told that are kept, see Recording; 0: nothing is
	Replay *Replay // what answers in place of the host

	tape    tape
	world   world
	secrets secrets // that the attempt has read, see Redact
	effects effects
	emitted emitted
	answer  []byte // what the last call answered beside its number
	denied  map[string]int
}

func (a *Attempt) granted(g hive.Grant) bool { return a != nil && slices.Contains(a.Grants, g) }

// Denied returns how often calls were denied, by function.
func (a *Attempt) Denied() map[string]int { return a.denied }

type attemptKey struct{}

// With returns a context whose guest calls belong to the attempt.
func With(ctx context.Context, a *Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// module is the one that reactors import from. The engine adds the functions
// every reactor has.
const module = "hive"

// Modules returns the functions that the sandbox engine is to offer, by the
// name of the module that guests import them from. They keep nothing that they
// were called with.
func Modules() map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	return map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder{
		module:       add,
		extismModule: addExtism,
	}
}

// function is one of module hive.
type function struct {
	name   string
	grant  hive.Grant // "": none is needed
	params string     // one letter each, see valueTypes; the result is i32
	call   func(*call) int32
}

// GrantOf returns the grant that a function needs; "" for none, and for no function.
func GrantOf(name string) hive.Grant {
	if name == extismHTTP {
		return hive.GrantHTTP
	}
	for _, f := range functions {
		if f.name == name {
			return f.grant
		}
	}
	return ""
}

// recorded reports whether it answers with what only the host knows. Clock and random
// numbers are recorded where they come from.
func (f *function) recorded() bool {
	return !slices.Contains([]string{"answer_read", "log", "clock", "random"}, f.name)
}

// functions lists them all, file by file.
var functions = slices.Concat(answerFunctions, logFunctions, taskFunctions, kvFunctions, spawnFunctions, emitFunctions,
	httpFunctions, secretFunctions, fileFunctions, clockFunctions, randomFunctions)

// add adds them to the module.
func add(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	for _, f := range functions {
		b = b.NewFunctionBuilder().
			WithGoModuleFunction(f.handler(), valueTypes(f.params), valueTypes("I")).Export(f.name)
	}
	return b
}

// call is one call of a function: its parameters, and what it acts on.
type call struct {
	*Attempt
	ctx    context.Context // ends with the attempt
	memory api.Memory      // nil: the guest has none
	params []uint64
}

// handler is the door of every function: grants are looked at here.
func (f function) handler() api.GoModuleFunc {
	recorded := f.recorded()
	return func(ctx context.Context, m api.Module, stack []uint64) {
		a, _ := ctx.Value(attemptKey{}).(*Attempt)
		if a != nil && f.name != "answer_read" {
			a.answer = nil
		}
		if f.grant != "" && !a.granted(f.grant) || a == nil {
			a.deny(f.name)
			answer(stack, errDenied)
			return
		}
		c := call{a, ctx, m.Memory(), stack}
		var n int32
		if recorded {
			n = c.tell(f.name, f.params, f.call)
		} else {
			n = f.call(&c)
		}
		if n == errDenied { // the grant is there, but not for this
			a.deny(f.name)
		}
		answer(stack, n)
	}
}

// deny counts a denied call. The first one of a function is logged.
func (a *Attempt) deny(name string) {
	if a == nil {
		return
	}
	if a.denied == nil {
		a.denied = map[string]int{}
	}
	if a.denied[name]++; a.denied[name] == 1 && a.Log != nil {
		logEntry(a.Log, "warn", []byte(name+" is denied"))
	}
}

// u32 returns parameter n.
func (c *call) u32(n int) uint32 { return uint32(c.params[n]) }

// view returns the bytes that parameters n and n+1, ptr and len, name. They are
// the guest's memory: not to be kept.
func (c *call) view(n int) ([]byte, bool) {
	ptr, size := c.u32(n), c.u32(n+1)
	if c.memory == nil {
		return nil, false
	}
	return c.memory.Read(ptr, size)
}

// text returns a copy of the bytes that parameters n and n+1 name, at most most of
// them, or an error number.
func (c *call) text(n, most int) (string, int32) {
	b, ok := c.view(n)
	switch {
	case !ok:
		return "", errRange
	case len(b) > most:
		return "", errInvalid
	}
	return string(b), 0
}

// reply leaves an answer to be read, and returns its length.
func (c *call) reply(b []byte) int32 {
	c.answer = b
	return int32(len(b))
}

// unavailable is the reply to a call that the host could not serve.
func (c *call) unavailable(err error) int32 {
	c.answer = []byte(hive.Clip(err.Error(), hive.MaxMessage))
	return errUnavailable
}

var answerFunctions = []function{{"answer_read", "", "OI", answerRead}}

// answerRead is answer_read(ptr, len, offset i32) -> i32: it copies up to len
// bytes of what the last call answered, beginning at offset, to ptr and returns
// how many. Calls with an answer return its length.
//
//	answer  |········|=========|······|
//	        0        offset
//	memory      |····|=========|···|
//	                 ptr           ptr+len
func answerRead(c *call) int32 {
	to, ok := c.view(0)
	if !ok {
		return errRange
	}
	return int32(copy(to, c.answer[min(int(c.u32(2)), len(c.answer)):]))
}

// answer puts a host function's result where the guest finds it.
func answer(stack []uint64, n int32) { stack[0] = uint64(uint32(n)) }
