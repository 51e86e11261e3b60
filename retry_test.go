package hive_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

func TestRetryDelay(t *testing.T) {
	t.Parallel()
	almost1 := math.Nextafter(1, 0)
	for _, test := range []struct {
		failures int
		random   float64
		want     time.Duration
	}{
		{1, 0.5, time.Second},
		{1, 0, 500 * time.Millisecond},
		{1, almost1, 1500*time.Millisecond - 1},
		{2, 0.5, 2 * time.Second},
		{3, 0.5, 4 * time.Second},
		{9, 0.5, 256 * time.Second},
		{10, 0.5, 512 * time.Second},
		{11, 0.5, 10 * time.Minute},
		{11, 0, 5 * time.Minute},
		{1000, 0.5, 10 * time.Minute},
		{math.MaxInt, 0.5, 10 * time.Minute},
		{0, 0.5, time.Second},
		{-1, 0.5, time.Second},
		{math.MinInt, 0.5, time.Second},
	} {
		// One nanosecond of rounding is of no interest.
		if got := hive.RetryDelay(test.failures, test.random); (got - test.want).Abs() > 1 {
			t.Errorf("RetryDelay(%d, %v) = %v, want %v", test.failures, test.random, got, test.want)
		}
	}
}

func TestRetryDelayBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 2000).Draw(t, "failures")
		r := rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "random")
		middle, got := hive.RetryDelay(n, 0.5), hive.RetryDelay(n, r)
		if got < middle/2 || got > middle+middle/2 || got < 500*time.Millisecond || got > 15*time.Minute {
			t.Fatalf("RetryDelay(%d, %v) = %v, want it within half of %v", n, r, got, middle)
		}
		if next := hive.RetryDelay(n+1, r); next < got || next > 2*got+1 {
			t.Fatalf("RetryDelay(%d) = %v after %v, want at most twice as much", n+1, next, got)
		}
	})
}
