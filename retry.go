package hive

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Backoff is how long a task waits after a failure: Base after the first, twice as long
// after each further one, at most Max, and each time up to Jitter of that more or less.
type Backoff struct {
	Base   time.Duration // 0: a second
	Max    time.Duration // 0: ten minutes, or Base if that is longer
	Jitter float64       // 0: a half; NoJitter: none; at most 1
}

// NoJitter as a Backoff's Jitter has all tasks wait the same.
const NoJitter = -1

const (
	defaultBase   = time.Second
	defaultMax    = 10 * time.Minute
	defaultJitter = 0.5
	// MaxDelay is the longest a failed attempt may put off the next one.
	MaxDelay = 30 * 24 * time.Hour
)

// Validate reports everything that is wrong with the backoff.
func (b Backoff) Validate() error {
	var errs []error
	bound := func(name string, d time.Duration) {
		if d != 0 && (d < time.Millisecond || d > MaxDelay) {
			errs = append(errs, fmt.Errorf("%s %v: want 1ms to %v", name, d, MaxDelay))
		}
	}
	bound("backoff", b.Base)
	bound("backoff-max", b.Max)
	if b.Max != 0 && b.Max < b.Base {
		errs = append(errs, fmt.Errorf("backoff-max %v: want at least the backoff, %v", b.Max, b.Base))
	}
	if b.Jitter != NoJitter && !(b.Jitter >= 0 && b.Jitter <= 1) {
		errs = append(errs, fmt.Errorf("jitter %v: want 0 to 1", b.Jitter))
	}
	return errors.Join(errs...)
}

// Delay is how long a task waits after its nth failure (from 1). random is in [0, 1) and
// spreads the delay by the jitter, so tasks that failed together do not come back together.
func (b Backoff) Delay(failures int, random float64) time.Duration {
	if b.Base == 0 {
		b.Base = defaultBase
	}
	if b.Max == 0 {
		b.Max = max(defaultMax, b.Base)
	}
	switch b.Jitter {
	case 0:
		b.Jitter = defaultJitter
	case NoJitter:
		b.Jitter = 0
	}
	delay := min(float64(b.Max), math.Ldexp(float64(b.Base), min(max(1, failures), 64)-1))
	return time.Duration((1 - b.Jitter + 2*b.Jitter*random) * delay)
}
