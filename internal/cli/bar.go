package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// barEvery is how often the bar is drawn at most.
const barEvery = 50 * time.Millisecond

// bar shows how far a run is, on one line of a terminal. Elsewhere it is silent.
type bar struct {
	w       io.Writer
	columns int
	total   int
	failed  int
	begun   time.Time
	drawn   time.Time
}

func newBar(w io.Writer, total int) *bar {
	b := &bar{w: w, columns: width(w), total: total, begun: time.Now()}
	if b.columns > 0 {
		b.draw(0)
	}
	return b
}

// step says that done tasks are over, the last of them failed or not.
func (b *bar) step(done int, failed bool) {
	if failed {
		b.failed++
	}
	if b.columns > 0 && time.Since(b.drawn) >= barEvery {
		b.draw(done)
	}
}

func (b *bar) draw(done int) {
	b.drawn = time.Now()
	text := fmt.Sprintf(" %d/%d, failed %d, %.0f s", done, b.total, b.failed, time.Since(b.begun).Seconds())
	room := min(40, b.columns-len(text)-3)
	line := strings.TrimSpace(text)
	if room > 4 {
		full := 0
		if b.total > 0 {
			full = room * done / b.total
		}
		line = "[" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "]" + text
	}
	fmt.Fprint(b.w, "\r\x1b[K"+line)
}

// clear removes the bar.
func (b *bar) clear() {
	if b.columns > 0 {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
