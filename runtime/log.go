package runtime

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

const (
	logCut  = "\n[log cut here]\n"
	logTail = 4 << 10 // bytes of the end of a log that are kept apart
	logLine = 300     // bytes of a log line within a failure's message
)

// Log collects what an attempt says: its standard error and its log calls. It
// keeps the beginning, up to a limit, and marks where it was cut.
type Log struct {
	limit int

	mu   sync.Mutex
	head []byte // at most limit
	cut  bool
	tail []byte // the last logTail bytes: why a program exits is said at the end
}

// NewLog returns a Log of at most limit bytes.
func NewLog(limit int64) *Log { return &Log{limit: int(max(0, limit))} }

// Write keeps what fits. It never fails: a program is not to notice the limit.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fits := min(len(p), l.limit-len(l.head))
	l.head = append(l.head, p[:fits]...)
	l.cut = l.cut || fits < len(p)
	l.tail = append(l.tail, p[max(0, len(p)-logTail):]...)
	l.tail = slices.Delete(l.tail, 0, max(0, len(l.tail)-logTail))
	return len(p), nil
}

// Bytes returns the log, its mark included at most the limit.
func (l *Log) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cut {
		return bytes.Clone(l.head)
	}
	whole := max(0, l.limit-len(logCut))
	return slices.Concat(l.head[:whole], []byte(logCut)[:l.limit-whole])
}

// lastWords returns the line that most likely says why the program ended: the
// last one that is not empty, but for a Go program the reason of its panic,
// which a stack trace follows.
func (l *Log) lastWords() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := ""
	for line := range strings.Lines(string(l.tail)) {
		line = plain(line, logLine)
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
		if line != "" {
			last = line
		}
	}
	return last
}
