package broker_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// tell tells the numbers from first on, before end.
func (r *road) tell(node string, first, end int) {
	r.t.Helper()
	var entries [][]byte
	for i := first; i < end; i++ {
		entries = append(entries, []byte(strconv.Itoa(i)))
	}
	r.check(r.Tell(r.ctx(), node, entries))
}

// told expects these numbers, and so many that gave way.
func (r *road) told(node string, most, first, end int, dropped int64) broker.Entries {
	r.t.Helper()
	told, err := r.Told(r.ctx(), node, most)
	r.check(err)
	ok := len(told.Raw) == end-first && told.Dropped == dropped
	for i, e := range told.Raw {
		ok = ok && string(e) == strconv.Itoa(first+i)
	}
	if !ok {
		r.t.Fatalf("Told = %q, dropped %d, want %d to %d, dropped %d", told.Raw, told.Dropped, first, end, dropped)
	}
	return told
}

func (r *road) heard(node string, told broker.Entries) {
	r.t.Helper()
	r.check(r.Heard(r.ctx(), node, told))
}

func TestTell(t *testing.T) {
	onRoads(t, func(r *road) {
		r.told("a", 10, 0, 0, 0)
		r.tell("a", 0, 5)
		r.tell("b", 100, 101)
		first := r.told("a", 3, 0, 3, 0)
		r.told("a", 3, 0, 3, 0) // they stay
		r.heard("a", first)
		r.heard("a", first) // a repeat
		rest := r.told("a", 10, 3, 5, 0)
		r.tell("a", 5, 6)
		r.heard("a", rest)
		r.heard("a", first) // one that comes late
		r.told("a", 10, 5, 6, 0)
		r.told("b", 10, 100, 101, 0)
		if err := r.Tell(r.ctx(), "a", [][]byte{make([]byte, broker.MaxEntry+1)}); !errors.Is(err, hive.ErrTooLarge) {
			t.Errorf("Tell of a large entry = %v", err)
		}
		if err := r.Tell(r.ctx(), "a", make([][]byte, broker.MaxTold+1)); !errors.Is(err, hive.ErrTooLarge) {
			t.Errorf("Tell of many entries = %v", err)
		}
		r.check(r.Tell(r.ctx(), "a", nil))
		r.told("a", 10, 5, 6, 0)
	})
}

// Of too many the oldest give way and are counted; whoever was reading them takes
// away no others.
func TestTellTooMuch(t *testing.T) {
	onRoads(t, func(r *road) {
		r.tell("a", 0, 10)
		reading := r.told("a", 10, 0, 10, 0)
		r.tell("a", 10, 10+broker.MaxTold)
		half := r.told("a", 5, 10, 15, 10)
		r.heard("a", reading)
		r.told("a", 5, 10, 15, 10)
		r.heard("a", half)
		r.told("a", 5, 15, 20, 0)
		r.tell("a", 10+broker.MaxTold, 16+broker.MaxTold)
		r.told("a", 2, 16, 18, 1)
		r.told("a", 2*broker.MaxTold, 16, 16+broker.MaxTold, 1)
	})
}

func TestTellers(t *testing.T) {
	onRoads(t, func(r *road) {
		want := func(all bool, names ...string) {
			t.Helper()
			got, err := r.Tellers(r.ctx(), all)
			r.check(err)
			if !slices.Equal(got, names) {
				r.t.Errorf("Tellers(%v) = %q, want %q", all, got, names)
			}
		}
		want(false)
		want(true)
		r.join("a")
		r.join("quiet")
		r.tell("gone", 0, 1)
		r.tell("a", 0, 1)
		want(false, "a")
		want(true, "a", "gone")
		r.heard("a", r.told("a", 9, 0, 1, 0))
		want(false)
		want(true, "gone")
	})
}

// What a stolen spore writes past the scripts harms none but itself.
func TestTellForeign(t *testing.T) {
	onRoads(t, func(r *road) {
		r.join("a")
		r.join("b")
		r.tell("b", 0, 1)
		r.do("RPUSH", "au:a", strings.Repeat("x", broker.MaxEntry+1), "1")
		r.do("HSET", "ac:a", "first", "many", "dropped", "99999999999999999999", "said", "-")
		told, err := r.Told(r.ctx(), "a", 9)
		r.check(err)
		if len(told.Raw) != 2 || len(told.Raw[0]) != 0 || string(told.Raw[1]) != "1" || told.First != 0 {
			r.t.Errorf("Told = %.200v", fmt.Sprint(told))
		}
		r.do("DEL", "au:a")
		r.do("SET", "au:a", "x")
		if told, err := r.Told(r.ctx(), "a", 9); err != nil || len(told.Raw) > 0 {
			r.t.Errorf("Told = %q, %v, want nothing", told.Raw, err)
		}
		got, err := r.Tellers(r.ctx(), false)
		if err != nil || !slices.Equal(got, []string{"b"}) {
			r.t.Errorf("Tellers = %q, %v, want b", got, err)
		}
		r.heard("b", r.told("b", 9, 0, 1, 0))
	})
}
