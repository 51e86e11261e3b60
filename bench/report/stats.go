package report

import (
	"math"
	"slices"
	"time"
)

// Median is the middle of the values, or the mean of the two in the middle.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Quantile is the smallest of the times that a share q of them do not exceed.
func Quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Latency is the median and the 99th percentile of times, in milliseconds.
func Latency(times []time.Duration) []Figure {
	return []Figure{{"p50 ms", ms(Quantile(times, 0.5))}, {"p99 ms", ms(Quantile(times, 0.99))}}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// spread is how far the rounds of a figure lie apart, as a share of its median.
func (s *Series) spread() float64 {
	if s.Median == 0 {
		return 0
	}
	return (slices.Max(s.Rounds) - slices.Min(s.Rounds)) / s.Median
}
