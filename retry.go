package hive

import "time"

// Waiting before a retry doubles from retryBase with every failure, up to
// retryMax.
const (
	retryBase = time.Second
	retryMax  = 10 * time.Minute
)

// RetryDelay is how long a task waits after its nth failure (from 1): an
// exponential backoff with jitter. random is in [0, 1) and spreads the delay
// over ±50 %, so tasks that failed together do not come back together.
func RetryDelay(failures int, random float64) time.Duration {
	delay := retryMax
	if failures <= 10 {
		delay = retryBase << (max(1, failures) - 1)
	}
	return time.Duration((0.5 + random) * float64(delay))
}
