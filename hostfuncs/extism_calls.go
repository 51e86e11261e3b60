package hostfuncs

import (
	"context"

	"github.com/hive-spore/hive"
)

const (
	// maxVars bounds the variables of an attempt in bytes, names and a fixed
	// cost per variable included; both are Extism's defaults.
	maxVars = 1 << 20
	varCost = 48
)

func extismAlloc(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.alloc(stack[0])
}
func extismFree(_ context.Context, a *Attempt, stack []uint64) { a.Extism.memory.release(stack[0]) }
func extismLength(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.lengthOf(stack[0])
}

func extismLoad8(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.load8(stack[0])
}
func extismLoad64(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.load64(stack[0])
}
func extismStore8(_ context.Context, a *Attempt, stack []uint64) {
	a.Extism.memory.store8(stack[0], byte(stack[1]))
}
func extismStore64(_ context.Context, a *Attempt, stack []uint64) {
	a.Extism.memory.store64(stack[0], stack[1])
}

func extismReset(_ context.Context, a *Attempt, _ []uint64) { a.Extism.memory.reset() }
func extismMemoryBytes(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.length
}

func extismInputLength(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.input.length
}
func extismInputOffset(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.input.offset
}

func extismInputLoad8(_ context.Context, a *Attempt, stack []uint64) {
	m := &a.Extism.memory
	offset := stack[0]
	stack[0] = 0
	if offset < m.input.length {
		stack[0] = m.load8(m.input.offset + offset)
	}
}

func extismInputLoad64(_ context.Context, a *Attempt, stack []uint64) {
	m := &a.Extism.memory
	offset := stack[0]
	stack[0] = 0
	if offset < m.input.length && m.input.length-offset >= 8 {
		stack[0] = m.load64(m.input.offset + offset)
	}
}

// extismInputSet is input_set(offset, length i64). Like output_set and
// error_set it ignores what is out of bounds.
func extismInputSet(_ context.Context, a *Attempt, stack []uint64) {
	if m := &a.Extism.memory; m.contains(stack[0], stack[1]) {
		m.input = span{stack[0], stack[1]}
	}
}

func extismOutputSet(_ context.Context, a *Attempt, stack []uint64) {
	if m := &a.Extism.memory; m.contains(stack[0], stack[1]) {
		m.output = span{stack[0], stack[1]}
	}
}

func extismOutputLength(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.output.length
}
func extismOutputOffset(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.output.offset
}

// extismErrorSet is error_set(offset i64): the block there says why the entry
// function fails; 0 takes that back.
func extismErrorSet(_ context.Context, a *Attempt, stack []uint64) {
	if m := &a.Extism.memory; stack[0] == 0 || m.contains(stack[0], 0) {
		m.failure = stack[0]
	}
}

func extismErrorGet(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = a.Extism.memory.failure
}

// sizeOf returns the length of a block that a call was given: 0 for offset 0,
// which is how PDKs pass nothing. Any other offset that is no block ends the
// guest.
func (e *Extism) sizeOf(call string, offset uint64) uint64 {
	n := e.memory.lengthOf(offset)
	if n == 0 && offset != 0 {
		fail("%s: no block of memory at %d", call, offset)
	}
	return n
}

// take returns what a block holds and frees it, as Extism's host does with
// blocks that are handed to it. A text beyond limit is clipped to limit+1.
func (e *Extism) take(call string, offset, limit uint64) []byte {
	data := e.memory.read(offset, min(e.sizeOf(call, offset), limit+1))
	e.memory.release(offset)
	return data
}

// extismConfigGet is config_get(key i64) -> i64: a new block with the value,
// or 0 if there is none or it is empty.
func extismConfigGet(_ context.Context, a *Attempt, stack []uint64) {
	e := a.Extism
	stack[0] = e.memory.put([]byte(e.config[string(e.take("config_get", stack[0], maxVars))]))
}

// extismVarGet is var_get(key i64) -> i64, see config_get.
func extismVarGet(_ context.Context, a *Attempt, stack []uint64) {
	e := a.Extism
	stack[0] = e.memory.put(e.vars[string(e.take("var_get", stack[0], maxVars))])
}

// extismVarSet is var_set(key, value i64): it keeps the value until the end of
// the attempt, or with value 0 forgets the key.
func extismVarSet(_ context.Context, a *Attempt, stack []uint64) {
	e := a.Extism
	key := string(e.take("var_set", stack[0], maxVars))
	size := e.varBytes
	if old, ok := e.vars[key]; ok {
		size -= varCost + len(key) + len(old)
	}
	if stack[1] == 0 {
		delete(e.vars, key)
		e.varBytes = size
		return
	}
	size += varCost + len(key) + int(min(e.sizeOf("var_set", stack[1]), maxVars))
	if size > maxVars {
		fail("var_set: variables of more than %d bytes", maxVars)
	}
	if e.vars == nil {
		e.vars = map[string][]byte{}
	}
	e.vars[key] = e.take("var_set", stack[1], maxVars)
	e.varBytes = size
}

// extismLogLevel is get_log_level() -> i32: everything (0) or nothing.
func extismLogLevel(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = logOff
	if a.granted(hive.GrantLog) {
		stack[0] = 0
	}
}

// extismLog returns log_LEVEL(text i64), which without the grant does nothing:
// plugins may log whether or not somebody listens.
func extismLog(level string) extismCall {
	return func(_ context.Context, a *Attempt, stack []uint64) {
		if !a.granted(hive.GrantLog) {
			a.Extism.memory.release(stack[0])
			return
		}
		logEntry(a.Log, level, a.Extism.take("log_"+level, stack[0], maxLine))
	}
}
