package hive

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"
)

// TookBuckets is how many buckets a Took has.
const TookBuckets = 128

// Took counts how long something took. Bucket i is of what took longer than
// TookBound(i-1) and not longer than TookBound(i); the last is of all that took
// longer than the one before.
//
// Its JSON names the buckets that are not empty: [bucket, count, bucket, count, …].
type Took [TookBuckets]int64

// tookBounds go from 1 µs to an hour. Each is 2^(1/4), or 19 %, above the one before.
var tookBounds = func() (bounds [TookBuckets]time.Duration) {
	for i := range bounds {
		bounds[i] = time.Duration(math.Round(float64(time.Microsecond) * math.Exp2(float64(i)/4)))
	}
	return bounds
}()

// TookBound is the most that bucket i stands for.
func TookBound(i int) time.Duration { return tookBounds[i] }

// TookBucket is the bucket of what took d.
func TookBucket(d time.Duration) int {
	i, _ := slices.BinarySearch(tookBounds[:], d)
	return min(i, TookBuckets-1)
}

// Sum is how many are counted.
func (t *Took) Sum() (n int64) {
	for _, count := range t {
		n += count
	}
	return n
}

// Quantile is the time that a share of those counted, 0 to 1, did not exceed, rounded
// up to the bound of a bucket; 0 if none are counted.
func (t *Took) Quantile(share float64) time.Duration {
	rank := max(1, int64(math.Ceil(share*float64(t.Sum()))))
	for i, count := range t {
		if rank -= count; rank <= 0 {
			return tookBounds[i]
		}
	}
	return 0
}

// MarshalJSON writes the buckets that are not empty.
func (t Took) MarshalJSON() ([]byte, error) {
	pairs := []int64{}
	for i, count := range t {
		if count != 0 {
			pairs = append(pairs, int64(i), count)
		}
	}
	return json.Marshal(pairs)
}

var errTook = errors.New("took: want pairs of a bucket and a count, in the order of the buckets")

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Took) UnmarshalJSON(data []byte) error {
	var pairs []int64
	if err := json.Unmarshal(data, &pairs); err != nil || len(pairs)%2 != 0 {
		return errTook
	}
	*t = Took{}
	last := int64(-1)
	for i := 0; i < len(pairs); i += 2 {
		bucket, count := pairs[i], pairs[i+1]
		if bucket <= last || bucket >= TookBuckets || count < 1 || count > maxCount {
			return errTook
		}
		t[bucket], last = count, bucket
	}
	return nil
}
