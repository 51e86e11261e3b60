package hostfuncs

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// extismModule is the module that plugins for Extism (extism.org) import from.
const extismModule = "extism:host/env"

// Extism is what an Extism plugin sees of its host in one attempt: a memory
// beside the guest's own that is reached by offset only, the input and the
// output in it, an error message, variables and configuration. It belongs to
// the goroutine that runs the guest.
type Extism struct {
	memory   extismMemory
	config   map[string]string
	vars     map[string][]byte
	response extismResponse
	// varBytes is the size of vars, counted as maxVars wants it.
	varBytes int
}

// ExtismOptions say what an attempt of a plugin begins with.
type ExtismOptions struct {
	Payload   []byte            // the input; it is copied
	Config    map[string]string // for config_get; it is only read
	MaxMemory int64             // bytes the plugin may allocate beside its input; 0: hive.DefaultMemory
}

// extisms are those that nobody uses any more, all zeros. They are large: made
// anew for every attempt they would be most of the garbage of a small one.
var extisms = sync.Pool{New: func() any { return new(Extism) }}

// Free gives the state up after its attempt. Nobody may use it any more.
func (e *Extism) Free() {
	*e = Extism{}
	extisms.Put(e)
}

// NewExtism returns the state that one attempt begins with.
func NewExtism(o ExtismOptions) *Extism {
	if o.MaxMemory <= 0 {
		o.MaxMemory = hive.DefaultMemory
	}
	e := extisms.Get().(*Extism)
	e.config = o.Config
	e.memory.init(uint64(o.MaxMemory), uint64(len(o.Payload)))
	if offset := e.memory.put(o.Payload); offset != 0 {
		e.memory.input = span{offset, uint64(len(o.Payload))}
	}
	return e
}

// ResultSize returns how many bytes [Extism.Finish] would return as result.
func (e *Extism) ResultSize() int64 { return int64(e.memory.output.length) }

// Finish says how the attempt ended whose entry function returned code: with a
// result, or with a failure that is not empty. As in Extism, an error message
// that was set fails the attempt whatever the code is.
func (e *Extism) Finish(code int32) (result []byte, failure string) {
	if message := e.Message(); message != "" {
		return nil, message
	}
	if code != 0 {
		return nil, fmt.Sprintf("returned %d", code)
	}
	output := e.memory.output
	return e.memory.read(output.offset, output.length), ""
}

// Message returns the error message that the plugin set last, clipped to
// hive.MaxMessage bytes, or nothing. It explains a plugin that did not return.
func (e *Extism) Message() string {
	offset := e.memory.failure
	n := min(e.memory.lengthOf(offset), hive.MaxMessage+1)
	return hive.Clip(string(e.memory.read(offset, n)), hive.MaxMessage)
}

// fault ends a guest that called the host in a way that has no answer. The
// sandbox reports it as a trap, with this text.
type fault string

func (f fault) Error() string { return string(f) }

func fail(format string, args ...any) { panic(fault(fmt.Sprintf(format, args...))) }

// extismCall is one function of the module. Its parameters are on the stack,
// its result goes to stack[0].
type extismCall func(ctx context.Context, a *Attempt, stack []uint64)

// extismFunctions are the functions of the module and their types. Offsets are
// i64. All names that Extism's own host has are here, although no PDK imports
// reset, input_set, output_length, output_offset, error_get and memory_bytes.
var extismFunctions = []struct {
	name, params, result string
	call                 extismCall
}{
	{"alloc", "L", "L", extismAlloc},
	{"free", "L", "", extismFree},
	{"length", "L", "L", extismLength},
	{"length_unsafe", "L", "L", extismLength},
	{"load_u8", "L", "I", extismLoad8},
	{"load_u64", "L", "L", extismLoad64},
	{"store_u8", "LI", "", extismStore8},
	{"store_u64", "LL", "", extismStore64},
	{"reset", "", "", extismReset},
	{"memory_bytes", "", "L", extismMemoryBytes},
	{"input_length", "", "L", extismInputLength},
	{"input_offset", "", "L", extismInputOffset},
	{"input_load_u8", "L", "I", extismInputLoad8},
	{"input_load_u64", "L", "L", extismInputLoad64},
	{"input_set", "LL", "", extismInputSet},
	{"output_set", "LL", "", extismOutputSet},
	{"output_length", "", "L", extismOutputLength},
	{"output_offset", "", "L", extismOutputOffset},
	{"error_set", "L", "", extismErrorSet},
	{"error_get", "", "L", extismErrorGet},
	{"config_get", "L", "L", extismConfigGet},
	{"var_get", "L", "L", extismVarGet},
	{"var_set", "LL", "", extismVarSet},
	{extismHTTP, "LL", "L", extismHTTPRequest},
	{"http_status_code", "", "I", extismHTTPStatus},
	{"http_headers", "", "L", extismHTTPHeaders},
	{"get_log_level", "", "I", extismLogLevel},
	{"log_trace", "L", "", extismLog("trace")},
	{"log_debug", "L", "", extismLog("debug")},
	{"log_info", "L", "", extismLog("info")},
	{"log_warn", "L", "", extismLog("warn")},
	{"log_error", "L", "", extismLog("error")},
}

func addExtism(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	for _, f := range extismFunctions {
		b = b.NewFunctionBuilder().
			WithGoFunction(inAttempt(f.call), valueTypes(f.params), valueTypes(f.result)).Export(f.name)
	}
	return b
}

// inAttempt returns a host function that finds the plugin's state.
func inAttempt(call extismCall) api.GoFunc {
	return func(ctx context.Context, stack []uint64) {
		a, _ := ctx.Value(attemptKey{}).(*Attempt)
		if a == nil || a.Extism == nil {
			fail("%s is for Extism plugins only", extismModule)
		}
		call(ctx, a, stack)
	}
}

// valueTypes reads a letter per parameter: I is i32, L is i64; B is two of i32,
// where bytes are and how many, and O the same of memory to fill.
func valueTypes(letters string) (types []api.ValueType) {
	for _, letter := range letters {
		switch letter {
		case 'I':
			types = append(types, api.ValueTypeI32)
		case 'L':
			types = append(types, api.ValueTypeI64)
		default:
			types = append(types, api.ValueTypeI32, api.ValueTypeI32)
		}
	}
	return types
}

// logOff is the level of a log that takes nothing.
const logOff = math.MaxInt32
