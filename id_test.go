package hive

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const maxMS = 1<<42 - 1 // in the year 2109

func TestNewID(t *testing.T) {
	t.Parallel()
	last := ""
	for range 1000 {
		id := NewID()
		if len(id) != 22 || CheckID(id) != nil || IDTime(id).IsZero() {
			t.Fatalf("NewID() = %q, want 22 characters that tell the time", id)
		}
		if id <= last {
			t.Fatalf("NewID() = %q after %q, want it to rise", id, last)
		}
		last = id
	}
}

func TestNewIDConcurrently(t *testing.T) {
	t.Parallel()
	const callers, each = 16, 500
	var (
		made [callers][]string
		wg   sync.WaitGroup
	)
	for i := range made {
		wg.Go(func() {
			for range each {
				made[i] = append(made[i], NewID())
			}
		})
	}
	wg.Wait()
	all := slices.Concat(made[:]...)
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != callers*each {
		t.Errorf("%d different ids, want %d", n, callers*each)
	}
	for i, ids := range made {
		if !slices.IsSorted(ids) {
			t.Errorf("the ids of caller %d do not rise", i)
		}
	}
}

// Stored ids must keep meaning what they mean.
func TestEncodeID(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		ms, hi, lo uint64
		want       string
	}{
		{0, 0, 0, "0000000000000000000000"},
		{0, 0, 1, "0000000000000000000001"},
		{0, 0, math.MaxUint64, "000000000fzzzzzzzzzzzz"},
		{0, 1, 0, "000000000g000000000000"},
		{1, 0, 0, "0000000080000000000000"},
		{1700000000000, 5, 0x0123456789abcdef, "cbszjpg02g28t5cy4tqkff"},
		{maxMS, 15, math.MaxUint64, "zzzzzzzzzzzzzzzzzzzzzz"},
	} {
		got := encodeID(test.ms, test.hi, test.lo)
		if got != test.want {
			t.Errorf("encodeID(%d, %d, %#x) = %q, want %q", test.ms, test.hi, test.lo, got, test.want)
		}
		if at := IDTime(got).UnixMilli(); uint64(at) != test.ms {
			t.Errorf("IDTime(%q) = %d ms, want %d", got, at, test.ms)
		}
	}
}

func TestIDsSortByTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func() []uint64 {
			return []uint64{rapid.Uint64Range(0, maxMS).Draw(t, "ms"), rapid.Uint64Range(0, 15).Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}
		}
		a, b := draw(), draw()
		idA, idB := encodeID(a[0], a[1], a[2]), encodeID(b[0], b[1], b[2])
		if strings.Compare(idA, idB) != slices.Compare(a, b) {
			t.Fatalf("ids of %v and %v are %q and %q: wrong order", a, b, idA, idB)
		}
	})
}

// Ids rise whatever the clock does; while it does not run backwards, each tells
// its own millisecond.
func TestIDsRise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s idSource
		last, latest := "", uint64(0)
		for _, ms := range rapid.SliceOf(rapid.Uint64Range(1, 50)).Draw(t, "clock") {
			id := s.next(ms)
			latest = max(latest, ms)
			if id <= last {
				t.Fatalf("next(%d) = %q after %q, want it to rise", ms, id, last)
			}
			if at := IDTime(id).UnixMilli(); uint64(at) != latest {
				t.Fatalf("IDTime(next(%d)) = %d ms, want %d", ms, at, latest)
			}
			last = id
		}
	})
}

func TestIDOverflow(t *testing.T) {
	t.Parallel()
	s := idSource{ms: 7, hi: 3, lo: math.MaxUint64}
	if got, want := s.next(7), encodeID(7, 4, 0); got != want {
		t.Errorf("next after a full low part = %q, want %q", got, want)
	}

	full := encodeID(7, 15, math.MaxUint64)
	s = idSource{ms: 7, hi: 15, lo: math.MaxUint64}
	first, second := s.next(7), s.next(7)
	if !(full < first && first < second) {
		t.Errorf("ids after the last of a millisecond are %q, %q, %q, want them to rise", full, first, second)
	}
	if at := IDTime(first).UnixMilli(); at != 8 {
		t.Errorf("the id after the last of millisecond 7 says %d, want 8", at)
	}
	if third := s.next(8); third <= second {
		t.Errorf("next(8) = %q after %q, want it to rise", third, second)
	}
}

func TestReseedLeavesRoom(t *testing.T) {
	t.Parallel()
	var s idSource
	seen := map[uint64]bool{}
	for range 1000 {
		s.reseed()
		if s.hi > 7 {
			t.Fatalf("reseed: top bits %04b, want the first free", s.hi)
		}
		seen[s.lo] = true
	}
	if len(seen) != 1000 {
		t.Errorf("1000 seeds are only %d different ones", len(seen))
	}
}

func TestIDTime(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1700000000123)
	id := encodeID(uint64(at.UnixMilli()), 2, 42)
	for _, test := range []struct {
		id   string
		want time.Time
	}{
		{id, at},
		{id + "-3", at},
		{id + "-3-reduce", at},
		{"", time.Time{}},
		{"nightly-report", time.Time{}},
		{id[:21], time.Time{}},
		{id + "3", time.Time{}},
		{"da39a3ee5e6b4b0d3255bfef95601890afd80709", time.Time{}}, // somebody's SHA-1
		{strings.ToUpper(id), time.Time{}},
		{"u" + id[1:], time.Time{}}, // u, i, l and o are not digits
	} {
		if got := IDTime(test.id); !got.Equal(test.want) {
			t.Errorf("IDTime(%q) = %v, want %v", test.id, got, test.want)
		}
	}
}

func TestCheckID(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ id, want string }{
		{"a", ""},
		{"nightly-report-7", ""},
		{strings.Repeat("x", 64), ""},
		{"", `task id "": want 1 to 64 characters`},
		{strings.Repeat("x", 65), `task id "` + strings.Repeat("x", 65) + `": want 1 to 64 characters`},
		{strings.Repeat("x", 1<<20), `task id "` + strings.Repeat("x", 80) + `": want 1 to 64 characters`},
		{"Report", `task id "Report": 'R' is not one of a-z, 0-9 and '-'`},
		{"a b", `task id "a b": ' ' is not one of a-z, 0-9 and '-'`},
		{"a\n", `task id "a\n": '\n' is not one of a-z, 0-9 and '-'`},
		{"café", `task id "café": 'é' is not one of a-z, 0-9 and '-'`},
		{"a{b}", `task id "a{b}": '{' is not one of a-z, 0-9 and '-'`},
	} {
		got := ""
		if err := CheckID(test.id); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("CheckID(%.80q) = %q, want %q", test.id, got, test.want)
		}
	}
}

func FuzzCheckID(f *testing.F) {
	for _, s := range []string{"", "a", "nightly-report", "café", "\xff", strings.Repeat("a", 65), encodeID(1700000000000, 1, 2)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		plain := id != "" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
		if err := CheckID(id); (err == nil) != plain {
			t.Fatalf("CheckID(%q) = %v", id, err)
		}
	})
}

func FuzzIDTime(f *testing.F) {
	id := encodeID(1700000000123, 2, 42)
	for _, s := range []string{"", id, id + "-3", id + "3", id[:21], strings.ToUpper(id), "zzzzzzzzzzzzzzzzzzzzzz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		at := IDTime(id)
		if at.IsZero() {
			return
		}
		// The first eight characters are the first 40 bits of the milliseconds.
		if again := encodeID(uint64(at.UnixMilli()), 0, 0); again[:8] != id[:8] || CheckID(id[:22]) != nil {
			t.Fatalf("IDTime(%q) = %v, whose ids begin with %q", id, at, again[:8])
		}
	})
}

func TestBatchID(t *testing.T) {
	t.Parallel()
	a, b := SkillRef{Name: "a"}, SkillRef{Name: "b"}
	id := BatchID("nightly", a, []byte("x"))
	if id != BatchID("nightly", a, []byte("x")) || CheckID(id) != nil || !strings.HasPrefix(id, "nightly-") || !IDTime(id).IsZero() {
		t.Errorf("BatchID = %q, of %v", id, IDTime(id))
	}
	for _, other := range []string{BatchID("nightly", a, []byte("y")), BatchID("nightly", b, []byte("x")), BatchID("daily", a, []byte("x"))} {
		if other[strings.IndexByte(other, '-'):] == id[strings.IndexByte(id, '-'):] {
			t.Errorf("%q and %q are alike", id, other)
		}
	}
	for _, name := range []string{"", "-a", "A", "a b", strings.Repeat("a", 21)} {
		if CheckBatch(name) == nil {
			t.Errorf("CheckBatch(%q) = nil", name)
		}
	}
	if err := CheckBatch(strings.Repeat("a", 20)); err != nil {
		t.Error(err)
	}
}
