package hive

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTookBounds(t *testing.T) {
	for i := 1; i < TookBuckets; i++ {
		if more := float64(TookBound(i)) / float64(TookBound(i-1)); more < 1.18 || more > 1.2 {
			t.Errorf("bound %d is %v, %.3f times the one before", i, TookBound(i), more)
		}
	}
	if TookBound(0) != time.Microsecond || TookBound(TookBuckets-1) < time.Hour {
		t.Errorf("from %v to %v", TookBound(0), TookBound(TookBuckets-1))
	}
	for d, want := range map[time.Duration]int{-1: 0, 0: 0, 1000: 0, 1001: 1, 2000: 4, 2001: 5, 1 << 62: 127} {
		if got := TookBucket(d); got != want {
			t.Errorf("TookBucket(%d) = %d, want %d", d, got, want)
		}
	}
}

// TestTookQuantile compares with the times themselves: never below, and at most a
// bucket above.
func TestTookQuantile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(1, int64(time.Hour)), 1, 200).Draw(t, "times")
		var took Took
		for _, d := range times {
			took[TookBucket(time.Duration(d))]++
		}
		slices.Sort(times)
		share := rapid.SampledFrom([]float64{0, 0.5, 0.95, 0.99, 1}).Draw(t, "share")
		at := 0
		for float64(at+1) < share*float64(len(times)) {
			at++
		}
		exact, got := time.Duration(times[at]), took.Quantile(share)
		if got < exact || TookBucket(got) != TookBucket(exact) {
			t.Fatalf("Quantile(%v) = %v, want the bound above %v", share, got, exact)
		}
		data, err := json.Marshal(took)
		var back Took
		if err != nil || json.Unmarshal(data, &back) != nil || back != took {
			t.Fatalf("%s reads back as %v", data, back)
		}
	})
	if got := new(Took).Quantile(0.95); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestTookRefuses(t *testing.T) {
	for _, text := range []string{`[1]`, `[1,0]`, `[1,-1]`, `[-1,1]`, `[128,1]`, `[2,1,1,1]`, `[1,1,1,1]`, `[0.5,1]`, `{}`, `"x"`, `[1,281474976710657]`, `[1,99999999999999999999]`} {
		if err := json.Unmarshal([]byte(text), new(Took)); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}
