package broker_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// How schedules are drawn, and made short when they fail.

// deck has every kind of operation as often as it is to be drawn.
var deck = func() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(plays)) {
		names = append(names, slices.Repeat([]string{name}, plays[name].weight)...)
	}
	return names
}()

// warm is how most schedules begin.
var warm = []op{{kind: "campaign"}, {kind: "register"}, {kind: "register", who: 1}, {kind: "enqueue", more: 7}, {kind: "assign"}}

// draw makes a schedule of a seed.
func draw(seed uint64) []op {
	r := rand.New(rand.NewPCG(seed, 6))
	schedule := make([]op, 20+r.IntN(150))
	begun := 0
	if r.IntN(4) > 0 {
		begun = copy(schedule, warm)
	}
	for i := begun; i < len(schedule); i++ {
		o := op{deck[r.IntN(len(deck))], r.IntN(6), r.IntN(10), r.IntN(10), told}
		if n := r.IntN(20); n < 4 {
			o.reply = []reply{twice, twice, lost, later}[n]
		}
		if o.kind == "pass" && r.IntN(5) > 0 {
			o.what %= 7 // long ones are rare
		}
		schedule[i] = o
	}
	return schedule
}

// shrink drops operations, and makes those that stay plainer, while the schedule still fails.
func (x *explorer) shrink(schedule []op, finish bool) []op {
	for size := len(schedule) / 2; size > 0; {
		before := len(schedule)
		for at := 0; at+size <= len(schedule); {
			rest := slices.Delete(slices.Clone(schedule), at, at+size)
			if failed, err := x.run(rest, finish); err != nil {
				schedule = rest[:min(failed+1, len(rest))]
			} else {
				at += size
			}
		}
		if size > 1 || len(schedule) == before {
			size /= 2
		}
	}
	for i := range schedule {
		for _, plainer := range []func(o *op){func(o *op) { o.reply = told }, func(o *op) { o.who = 0 },
			func(o *op) { o.what = 0 }, func(o *op) { o.more = 0 }, func(o *op) { o.more = min(o.more, 1) }} {
			plain := slices.Clone(schedule)
			if plainer(&plain[i]); plain[i] == schedule[i] {
				continue
			}
			if _, err := x.run(plain, finish); err != nil {
				schedule = plain
			}
		}
	}
	return schedule
}

// found is a schedule that breaks an invariant.
type found struct {
	seed     uint64
	schedule []op
	err      error
}

func (f found) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %v, after\n", f.seed, f.err)
	for _, o := range f.schedule {
		fmt.Fprintf(&b, "\t%v\n", o)
	}
	return b.String()
}

// explore plays schedules from a seed on until more says stop, or one fails: the shortest like it.
func (x *explorer) explore(seed uint64, more func() bool) *found {
	for ; more(); seed++ {
		schedule := draw(seed)
		at, err := x.run(schedule, true)
		if err == nil {
			continue
		}
		finish := at == len(schedule)
		if !finish {
			schedule = schedule[:at+1]
		}
		schedule = x.shrink(schedule, finish)
		if _, short := x.run(schedule, finish); short != nil {
			err = short
		}
		return &found{seed, schedule, err}
	}
	return nil
}
