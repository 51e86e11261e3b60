package hostfuncs

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// reads returns what a guest's clock says.
func (g *grantee) reads() time.Time {
	g.Helper()
	n, text := g.asks("clock")
	if n != 8 {
		g.Fatalf("clock() = %d", n)
	}
	return time.Unix(0, int64(binary.LittleEndian.Uint64([]byte(text)))).UTC()
}

func TestClock(t *testing.T) {
	g := newGrantee(t, &Attempt{})
	before := time.Now()
	if now := g.reads(); now.Before(before.Round(0)) || now.After(time.Now()) {
		t.Errorf("at %v it is %v", before, now)
	}
	created := time.Date(2026, 11, 27, 1, 2, 3, 4, time.FixedZone("elsewhere", 3600))
	g.Task.Created, g.Allow.Clock = created, hive.SourceTask
	for n := range 3 {
		if now, want := g.reads(), created.Add(time.Duration(n)*time.Microsecond); !now.Equal(want) {
			t.Errorf("reading %d is %v, want %v", n, now, want)
		}
	}
	g.World().Sleep(time.Hour)
	g.World().Sleep(-2 * time.Hour)
	if now, want := g.reads(), created.Add(time.Hour+3*time.Microsecond); !now.Equal(want) {
		t.Errorf("after an hour it is %v, want %v", now, want)
	}
}

// FuzzTaskTime: the clock never goes back, however long a guest sleeps.
func FuzzTaskTime(f *testing.F) {
	f.Add(int64(0), int64(1), int64(2))
	f.Add(int64(math.MaxInt64-1), int64(math.MaxInt64), int64(math.MinInt64))
	g := newGrantee(f, &Attempt{})
	f.Fuzz(func(t *testing.T, created, first, second int64) {
		g.TB = t
		g.Attempt = &Attempt{Grants: hive.Grants, Task: Task{Created: time.Unix(0, created)}, Allow: hive.Allow{Clock: hive.SourceTask}}
		last := time.Unix(0, created).UTC()
		for _, d := range []int64{0, first, second, first} {
			g.World().Sleep(time.Duration(d))
			now := g.reads()
			if now.Before(last) {
				t.Fatalf("after %v comes %v", last, now)
			}
			last = now
		}
	})
}
