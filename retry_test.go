package hive_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

func TestBackoff(t *testing.T) {
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
		if got := (hive.Backoff{}).Delay(test.failures, test.random); (got - test.want).Abs() > 1 {
			t.Errorf("Delay(%d, %v) = %v, want %v", test.failures, test.random, got, test.want)
		}
	}
}

func TestBackoffOfATask(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		backoff  hive.Backoff
		failures int
		random   float64
		want     time.Duration
	}{
		{hive.Backoff{Base: 3 * time.Second, Jitter: hive.NoJitter}, 1, 0.9, 3 * time.Second},
		{hive.Backoff{Base: 3 * time.Second, Jitter: hive.NoJitter}, 3, 0, 12 * time.Second},
		{hive.Backoff{Base: 3 * time.Second, Max: 5 * time.Second, Jitter: 1}, 3, 0, 0},
		{hive.Backoff{Base: 3 * time.Second, Max: 5 * time.Second, Jitter: 0.1}, 64, 0.5, 5 * time.Second},
		{hive.Backoff{Base: time.Hour}, 5, 0.5, time.Hour},
		{hive.Backoff{Max: 2 * time.Second}, 9, 0.5, 2 * time.Second},
	} {
		if got := test.backoff.Delay(test.failures, test.random); (got - test.want).Abs() > 1 {
			t.Errorf("%+v.Delay(%d, %v) = %v, want %v", test.backoff, test.failures, test.random, got, test.want)
		}
	}
}

func TestBackoffValidate(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]hive.Backoff{
		"":                                  {Base: time.Second, Max: time.Minute, Jitter: 1},
		"backoff 1ns: want 1ms to 720h0m0s": {Base: 1},
		"backoff-max 721h0m0s: want 1ms to 720h0m0s":      {Max: 721 * time.Hour},
		"backoff-max 1s: want at least the backoff, 1m0s": {Base: time.Minute, Max: time.Second},
		"jitter 1.5: want 0 to 1":                         {Jitter: 1.5},
		"jitter NaN: want 0 to 1":                         {Jitter: math.NaN()},
	} {
		if got := message(b.Validate()); got != want {
			t.Errorf("%+v.Validate() = %q, want %q", b, got, want)
		}
	}
}

func TestBackoffBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 2000).Draw(t, "failures")
		r := rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "random")
		middle, got := (hive.Backoff{}).Delay(n, 0.5), (hive.Backoff{}).Delay(n, r)
		if got < middle/2 || got > middle+middle/2 || got < 500*time.Millisecond || got > 15*time.Minute {
			t.Fatalf("Delay(%d, %v) = %v, want it within half of %v", n, r, got, middle)
		}
		if next := (hive.Backoff{}).Delay(n+1, r); next < got || next > 2*got+1 {
			t.Fatalf("Delay(%d) = %v after %v, want at most twice as much", n+1, next, got)
		}
	})
}
