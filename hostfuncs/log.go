package hostfuncs

import (
	"context"
	"io"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// maxLine bounds the text of one log call in bytes.
const maxLine = 4 << 10

// levels of a log call, by their numbers.
var levels = []string{"debug", "info", "warn", "error"}

func addLog(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	return b.NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(log), i32s(3), i32s(1)).Export("log")
}

// log is log(level, ptr, len i32) -> i32. It writes one entry to the attempt's
// log: the text that the guest has at ptr, after the name of its level. A
// longer text than maxLine is clipped, one of several lines is not told apart
// from several entries.
//
//	memory  |·····|text|·····|    ->    "info: text\n"
//	              ptr  ptr+len
func log(ctx context.Context, m api.Module, stack []uint64) {
	level, ptr, n := uint32(stack[0]), uint32(stack[1]), uint32(stack[2])
	a, ok := granted(ctx, hive.GrantLog)
	if !ok {
		answer(stack, errDenied)
		return
	}
	if level >= uint32(len(levels)) {
		answer(stack, errInvalid)
		return
	}
	text, ok := m.Memory().Read(ptr, n)
	if !ok {
		answer(stack, errRange)
		return
	}
	logEntry(a.Log, levels[level], text)
	answer(stack, 0)
}

// logEntry writes one entry. A log that is full is no error of the guest.
func logEntry(w io.Writer, level string, text []byte) {
	line := hive.Clip(strings.TrimRight(string(text[:min(len(text), maxLine+1)]), "\n"), maxLine)
	_, _ = io.WriteString(w, level+": "+line+"\n")
}
