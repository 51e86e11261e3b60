package broker_test

import (
	"errors"
	"fmt"
	"io"
	"os"
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
	last    [2]time.Time // up to which it believes that the cron was looked after
	spores  [3]process
	born    int // processes so far
	late    []lateCall

	is    *view
	kv    model
	over  map[string]int // what became of tasks, counted
	ops   int
	steps map[string]int // changes of tasks by what made them, of all schedules
}

// lateCall was made, and its answer cut: it may come once more.
type lateCall struct {
	call
	sent []any
	did  bool
}

func newExplorer(alter func(script string) string) *explorer {
	x := &explorer{road: testkit.NewStill(), steps: map[string]int{}}
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
	for i := range tasks {
		if b := taskOf(i).PayloadBlob; !b.None() {
			key := "{h}:b:" + strings.TrimPrefix(b.Digest, "sha256:")
			x.road.Set(key, strings.Repeat("x", int(b.Size)))
			x.road.SetTTL(key, 10*365*24*time.Hour)
		}
	}
	x.late, x.born, x.kv, x.over, x.seen = nil, 0, model{}, map[string]int{}, [2][]*hive.Record{}
	x.last = [2]time.Time{}
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
	hive.ErrFinal, hive.ErrConflict, hive.ErrEffect, hive.ErrHeld}

// step does one operation and judges what it did.
func (x *explorer) step(o op) error {
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
	if x.wire.Sent != nil || o.kind == "pass" {
		x.ops++ // who knows of nothing to do does nothing
	}
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
			op{kind: "register", more: 9}, op{kind: "promote"}, op{kind: "lapse"}, op{kind: "mend"}))
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
		err = x.all(op{kind: "cron"}, op{kind: "unregister", more: 9}, op{kind: "pass", what: 8}, op{kind: "campaign"},
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
var stays = []string{"lead", "fmt", "ct", "dead", "kv:", "ki:", "kx", "rcl", "rcb", "b:"}

func leftOver(v *view) error {
	for key := range v.keys {
		if !slices.ContainsFunc(stays, func(s string) bool { return strings.HasPrefix(key, s) }) {
			return fmt.Errorf("key %s is left over", key)
		}
	}
	return nil
}

// TestExplore plays random schedules on the embedded road: exploreOps operations, or for as long
// as HIVE_EXPLORE says ("5m"), from the seed in HIVE_EXPLORE_SEED on.
func TestExplore(t *testing.T) {
	t.Parallel()
	span, _ := time.ParseDuration(os.Getenv("HIVE_EXPLORE"))
	seed := uint64(1)
	fmt.Sscan(os.Getenv("HIVE_EXPLORE_SEED"), &seed)
	begun := time.Now()
	var ops atomic.Int64
	var failed atomic.Bool
	var explorers [4]*explorer
	var group sync.WaitGroup
	for i := range explorers {
		x, last := newExplorer(nil), 0
		defer x.close()
		explorers[i] = x
		group.Go(func() {
			f := x.explore(seed+uint64(i)<<32, func() bool {
				n := ops.Add(int64(x.ops - last))
				last = x.ops
				return !failed.Load() && (n < exploreOps || time.Since(begun) < span)
			})
			if f != nil && !failed.Swap(true) {
				t.Error(f)
			}
		})
	}
	group.Wait()
	steps := sum(explorers[:])
	t.Logf("%d operations, %v: %v", ops.Load(), time.Since(begun).Round(time.Millisecond), steps)
	for change := range changes {
		if steps[change] == 0 && ops.Load() >= 20_000 && !failed.Load() {
			t.Errorf("no task ever went %s: the explorer sees too little", change)
		}
	}
}

// sum counts the changes that explorers saw, and by what they came.
func sum(explorers []*explorer) map[string]int {
	steps := map[string]int{}
	for _, x := range explorers {
		for step, n := range x.steps {
			steps[step] += n
			steps[step[:2]] += n
		}
	}
	return steps
}
