package hostfuncs

import (
	"io"
	"strings"

	"github.com/hive-spore/hive"
)

// maxLine bounds the text of one log call in bytes.
const maxLine = 4 << 10

// levels of a log call, by their numbers.
var levels = []string{"debug", "info", "warn", "error"}

var logFunctions = []function{{"log", hive.GrantLog, "IB", log}}

// log is log(level, ptr, len i32) -> i32. It writes one entry to the attempt's
// log: the text that the guest has at ptr, after the name of its level. A
// longer text than maxLine is clipped, one of several lines is not told apart
// from several entries.
//
//	memory  |·····|text|·····|    ->    "info: text\n"
//	              ptr  ptr+len
func log(c *call) int32 {
	level := c.u32(0)
	if level >= uint32(len(levels)) {
		return errInvalid
	}
	text, ok := c.view(1)
	if !ok {
		return errRange
	}
	logEntry(c.Log, levels[level], text)
	return 0
}

// logEntry writes one entry. A log that is full is no error of the guest.
func logEntry(w io.Writer, level string, text []byte) {
	line := hive.Clip(strings.TrimRight(string(text[:min(len(text), maxLine+1)]), "\n"), maxLine)
	_, _ = io.WriteString(w, level+": "+line+"\n")
}
