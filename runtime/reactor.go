package runtime

import (
	"context"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// errRange answers a pointer or length outside of the guest's memory. Error
// numbers are negative, only ever added to, and listed in docs/abi.md.
const errRange = -1

// flagPermanent in fail says that another attempt would only fail again. From afterBit on
// the flags are seconds that the next attempt is to wait; 0: as the task says.
const (
	flagPermanent = 1
	afterBit      = 8
)

// addHive adds the functions every reactor has. Guest pointers are hostile.
func addHive(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	for _, f := range []struct {
		name            string
		call            api.GoModuleFunc
		params, results int
	}{
		{"input_read", inputRead, 3, 1},
		{"output_write", outputWrite, 2, 1},
		{"fail", fail, 3, 0},
	} {
		b = b.NewFunctionBuilder().
			WithGoModuleFunction(f.call, i32s(f.params), i32s(f.results)).Export(f.name)
	}
	return b
}

// answered turns what hive_run returned into a failure, or into none.
func (a *attempt) answered(code int32) *hive.Failure {
	if code == 0 {
		return nil
	}
	if a.message == "" {
		a.message = a.withLastWords(fmt.Sprintf("%s returned %d", exportRun, code))
	}
	failure := hive.NewFailure(hive.FailSkill, a.message)
	failure.Permanent, failure.RetryAfter = a.permanent, a.retryAfter
	return failure
}

// inputRead is input_read(ptr, len, offset i32) -> i32: it copies up to len
// bytes of the payload, beginning at offset, to ptr and returns how many.
//
//	payload  |········|=========|······|
//	         0        offset
//	memory       |····|=========|···|
//	                  ptr           ptr+len
func inputRead(ctx context.Context, m api.Module, stack []uint64) {
	ptr, n, offset := uint32(stack[0]), uint32(stack[1]), uint32(stack[2])
	to, ok := m.Memory().Read(ptr, n)
	if !ok {
		answer(stack, errRange)
		return
	}
	a := attemptOf(ctx)
	rest := a.Payload[min(uint64(offset), uint64(len(a.Payload))):]
	a.copied(min(len(to), len(rest)))
	answer(stack, int32(copy(to, rest)))
}

// lookAfter is how many bytes host functions copy for a guest before they look
// whether to stop: some ms of work. In a slice of fuel there is room for hundreds
// of calls.
const lookAfter = 4 << 20

// copied ends the guest if it is to end, now and then.
func (a *attempt) copied(n int) {
	if a.moved += n; a.moved >= lookAfter {
		a.moved = 0
		if a.ended() != nil {
			unwind()
		}
	}
}

// outputWrite is output_write(ptr, len i32) -> i32: it appends len bytes at ptr
// to the result. Beyond the limit of the result the attempt ends.
func outputWrite(ctx context.Context, m api.Module, stack []uint64) {
	from, ok := m.Memory().Read(uint32(stack[0]), uint32(stack[1]))
	if !ok {
		answer(stack, errRange)
		return
	}
	a := attemptOf(ctx)
	a.copied(len(from))
	_, _ = a.result.Write(from)
	answer(stack, 0)
}

// fail is fail(ptr, len, flags i32): it says why hive_run will not return 0.
func fail(ctx context.Context, m api.Module, stack []uint64) {
	a := attemptOf(ctx)
	a.message = "failed for a reason that lies outside of its memory"
	if text, ok := m.Memory().Read(uint32(stack[0]), uint32(stack[1])); ok {
		a.message = string(text[:min(len(text), hive.MaxMessage+1)]) // NewFailure clips it
	}
	flags := uint32(stack[2])
	a.permanent = flags&flagPermanent != 0
	a.retryAfter = min(time.Duration(flags>>afterBit)*time.Second, hive.MaxDelay)
}

// answer puts a host function's result where the guest finds it.
func answer(stack []uint64, n int32) { stack[0] = uint64(uint32(n)) }
