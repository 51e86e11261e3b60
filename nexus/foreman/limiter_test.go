package foreman

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func TestLimiter(t *testing.T) {
	l := &limiter{limit: hive.Limit{Rate: 10, Per: time.Second, Burst: 4, Running: 3}}
	at := time.Unix(1000, 0)
	for _, step := range []struct {
		after       time.Duration // from the beginning
		take, holds int
		tokens      int // then
		left        int
		again       time.Duration // when there are two, from the beginning
	}{
		{0, 0, 0, 4, 3, -200 * time.Millisecond},
		{0, 3, 3, 1, 0, 100 * time.Millisecond},
		{0, 1, 2, 0, 0, 200 * time.Millisecond},
		{99 * time.Millisecond, 0, 0, 0, 0, 200 * time.Millisecond},
		{100 * time.Millisecond, 0, 0, 1, 1, 200 * time.Millisecond},
		{100 * time.Millisecond, 1, 0, 0, 0, 300 * time.Millisecond},
		{350 * time.Millisecond, 1, 0, 1, 1, 400 * time.Millisecond},
		{time.Hour, 0, 1, 4, 2, time.Hour - 200*time.Millisecond},
		{time.Hour, 5, 0, -1, 0, time.Hour + 300*time.Millisecond},
	} {
		now := at.Add(step.after)
		if step.take > 0 {
			l.take(step.take, now)
		}
		l.holds = step.holds
		if n, left, again := l.tokens(now), l.left(now), l.when(2, now).Sub(at); n != step.tokens || left != step.left || again != step.again {
			t.Errorf("after %v, %d taken and %d held: %d tokens, %d left, two at %v; want %d, %d, %v",
				step.after, step.take, step.holds, n, left, again, step.tokens, step.left, step.again)
		}
	}
	// A clock that went back, or a bucket that was deeper, leaves an empty one at worst.
	if l.fill(at.Add(time.Hour), at); l.tokens(at) != 0 || l.when(1, at) != at.Add(100*time.Millisecond) {
		t.Errorf("%d tokens, the next at %v", l.tokens(at), l.when(1, at))
	}
}
