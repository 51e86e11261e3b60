package hostfuncs

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// Emitter takes what an attempt tells before its end.
type Emitter interface {
	Emit(ctx context.Context, number int, data []byte) error
	Progress(ctx context.Context, p hive.Progress) error
}

var emitFunctions = []function{
	{"emit", hive.GrantEmit, "B", emit},
	{"progress", hive.GrantProgress, "IIB", progress},
}

// emitted is what an attempt has told so far.
type emitted struct {
	parts, bytes int
	said         time.Time // when it last said how far it is
}

// errNobody answers where nothing takes what is emitted.
var errNobody = errors.New("nobody takes what is emitted here")

// emit is emit(ptr, len i32) -> i32: it gives a part of the result to whoever
// watches the task. It counts if the attempt completes.
func emit(c *call) int32 {
	data, ok := c.view(0)
	switch {
	case !ok:
		return errRange
	case len(data) > hive.MaxPart:
		return errInvalid
	case c.emitted.parts == hive.MaxParts || c.emitted.bytes+len(data) > hive.MaxPartBytes:
		return errFull
	case c.Emitter == nil:
		return c.unavailable(errNobody)
	}
	if err := c.Emitter.Emit(c.ctx, c.emitted.parts+1, slices.Clone(data)); err != nil {
		return c.unavailable(errAway)
	}
	c.emitted.parts++
	c.emitted.bytes += len(data)
	return 0
}

// progressEvery is how often the road is told how far an attempt is. What is
// said more often is dropped, but for the end.
const progressEvery = 100 * time.Millisecond

// progress is progress(done, total, ptr, len i32) -> i32: it says how far the
// attempt is, in place of what it said before.
func progress(c *call) int32 {
	text, ok := c.view(2)
	switch {
	case !ok:
		return errRange
	case len(text) > hive.MaxProgressText || !utf8.Valid(text):
		return errInvalid
	case c.Emitter == nil:
		return c.unavailable(errNobody)
	}
	p := hive.Progress{Attempt: c.Task.Attempt, Done: c.u32(0), Total: c.u32(1), Text: string(text)}
	if now := time.Now(); now.Sub(c.emitted.said) >= progressEvery || p.Done == p.Total {
		c.emitted.said = now
		if err := c.Emitter.Progress(c.ctx, p); err != nil {
			return c.unavailable(errAway)
		}
	}
	return 0
}
