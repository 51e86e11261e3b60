package broker_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// recordings bounds what is kept of failed attempts: a small one fits.
const recordings = 300

// explorer plays everybody on a road of its own: clients, two nexus, three processes of spores.
// It runs the real scripts, and after each call compares all that stands on the road with what
// stood there before, and with what the call may do.
type explorer struct {
	road *testkit.Still
	wire *broker.Wire
	b    *broker.Broker

	terms   [2]broker.Term // of each nexus, the last
	leading [2]bool        // it believes that it still leads
	seen    [2][]*hive.Record
	spores  [3]process
	born    int // processes so far
	late    []lateCall

	is   *view
	kv   model
	over map[string]int // what became of tasks, counted
	ops  int
}

// lateCall was made, and its answer cut: it may come once more.
type lateCall struct {
	call
	sent []any
	did  bool
}

func newExplorer(alter func(script string) string) *explorer {
	x := &explorer{road: testkit.NewStill()}
	x.wire = &broker.Wire{Dial: x.road.Dial, Alter: alter}
	x.b = broker.DialWire(x.wire, broker.Options{Retention: time.Minute, Recordings: recordings})
	return x
}

func (x *explorer) close() {
	x.b.Close()
	x.road.Close()
}

// begin forgets everything.
func (x *explorer) begin() (err error) {
	x.road.Begin()
	x.late, x.born, x.kv, x.over, x.seen = nil, 0, model{}, map[string]int{}, [2][]*hive.Record{}
	x.terms, x.leading = [2]broker.Term{{Nexus: "n0"}, {Nexus: "n1"}}, [2]bool{}
	for i := range x.spores {
		x.die(op{who: i}, nil)
	}
	x.is, err = look(x.road)
	return err
}

// promise says what must hold afterwards, if the answer says so.
func (c *call) promise(answered bool, holds func(was, is *view) bool) {
	if answered {
		c.promises = append(c.promises, holds)
	}
}

// refusals are what callers may be told.
var refusals = []error{hive.ErrNotLeader, hive.ErrNotFound, hive.ErrFenced, hive.ErrUnregistered, hive.ErrTaken,
	hive.ErrFinal, hive.ErrConflict, hive.ErrEffect}

// step does one operation and judges what it did.
func (x *explorer) step(o op) error {
	x.ops++
	var c call
	var between *view
	var looked error
	switch o.reply {
	case twice:
		x.wire.Again = func() { between, looked = look(x.road) }
	case lost, later:
		x.wire.Lose = true
	}
	x.wire.Sent = nil
	err := plays[o.kind].do(x, o, &c)
	x.wire.Again, x.wire.Lose = nil, false
	cut := o.reply >= lost && (errors.Is(err, hive.ErrUnreachable) || errors.Is(err, io.EOF))
	if known := slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) }); err != nil && !known && !cut {
		return err
	}
	if errors.Is(err, hive.ErrNotLeader) {
		x.leading[c.nexus] = false
	}
	was := x.is
	if x.is, err = look(x.road); err != nil {
		return err
	}
	if cut && o.reply == later && c.kind != "fetch" { // a process has one fetch under way
		x.late = append(x.late, lateCall{c, x.wire.Sent, x.is.moved(was) != ""})
	}
	if between != nil && looked == nil && x.is.moved(between) != "" {
		return fmt.Errorf("the repeat of %s changed %s", o.kind, x.is.moved(between))
	}
	return errors.Join(looked, x.settle(o, &c, was))
}

func (x *explorer) settle(o op, c *call, was *view) error {
	if err := x.is.check(); err != nil {
		return err
	}
	if err := x.judge(c, was, x.is); err != nil {
		return err
	}
	for _, holds := range c.promises {
		if !holds(was, x.is) {
			return fmt.Errorf("what %s was told is not so", o.kind)
		}
	}
	return nil
}

// run plays a schedule from the beginning, and finishes it if it is to. failed is the operation
// that an error came from.
func (x *explorer) run(schedule []op, finish bool) (failed int, err error) {
	if err := x.begin(); err != nil {
		return 0, err
	}
	for i, o := range schedule {
		if err := x.step(o); err != nil {
			return i, err
		}
	}
	if finish {
		err = x.finish()
	}
	return len(schedule), err
}

// finish has a new spore do all that is left: every task must be over, and no key be left.
func (x *explorer) finish() error {
	x.late = nil
	err := x.all(op{kind: "die"})
	for range 6 {
		err = errors.Join(err, x.all(op{kind: "pass", what: 5}, op{kind: "campaign"}, op{kind: "reclaim"}, op{kind: "reclaim", what: 1},
			op{kind: "register", more: 9}, op{kind: "promote"}, op{kind: "mend"}))
		for i := 0; err == nil && len(x.is.lanes)+len(x.is.queues) > 0 && i < 2*tasks; i++ {
			err = x.all(op{kind: "assign", what: i, more: 12}, op{kind: "fetch", what: 2, more: 9},
				op{kind: "complete"}, op{kind: "complete"}, op{kind: "complete"})
		}
		if err != nil || len(x.is.delay)+len(x.is.own) == 0 {
			break
		}
	}
	for id, e := range x.is.tasks {
		if err == nil && (!e.over() || e.tombstone()) {
			err = fmt.Errorf("%s is %s for ever", id, e.State)
		}
	}
	if err == nil {
		err = x.all(op{kind: "unregister", more: 9}, op{kind: "pass", what: 8}, op{kind: "campaign"},
			op{kind: "reclaim"}, op{kind: "reclaim", what: 1}, op{kind: "pass", what: 9})
	}
	if err != nil {
		return fmt.Errorf("at the end, %w", err)
	}
	return leftOver(x.is)
}

// all does operations up to the first that breaks something.
func (x *explorer) all(ops ...op) error {
	for _, o := range ops {
		if err := x.step(o); err != nil {
			return fmt.Errorf("%v %w", o, err)
		}
	}
	return nil
}

// stays are the keys that a road keeps when everything is over.
var stays = []string{"lead", "ct", "dead", "kv:", "ki:", "kx", "rcl", "rcb"}

func leftOver(v *view) error {
	for key := range v.keys {
		if !slices.ContainsFunc(stays, func(s string) bool { return strings.HasPrefix(key, s) }) {
			return fmt.Errorf("key %s is left over", key)
		}
	}
	return nil
}

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
			func(o *op) { o.what = 0 }, func(o *op) { o.more = 0 }, func(o *op) { o.more = 1 }} {
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
func (x *explorer) explore(seed uint64, more func() bool) (uint64, *found) {
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
		return seed, &found{seed, schedule, err}
	}
	return seed, nil
}

// TestExplore plays random schedules on the embedded road: 20,000 operations, or for as long as
// HIVE_EXPLORE says ("5m"), from the seed in HIVE_EXPLORE_SEED on.
func TestExplore(t *testing.T) {
	t.Parallel()
	span, _ := time.ParseDuration(os.Getenv("HIVE_EXPLORE"))
	seed := uint64(1)
	fmt.Sscan(os.Getenv("HIVE_EXPLORE_SEED"), &seed)
	begun := time.Now()
	var ops, schedules atomic.Int64
	var failed atomic.Bool
	var group sync.WaitGroup
	for i := range uint64(runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			x := newExplorer(nil)
			defer x.close()
			last := 0
			_, f := x.explore(seed+i<<32, func() bool {
				n := ops.Add(int64(x.ops - last))
				last = x.ops
				schedules.Add(1)
				return !failed.Load() && (n < 20_000 || time.Since(begun) < span)
			})
			if f != nil && !failed.Swap(true) {
				t.Error(f)
			}
		})
	}
	group.Wait()
	t.Logf("%d operations in %d schedules, %v", ops.Load(), schedules.Load(), time.Since(begun).Round(time.Millisecond))
}
