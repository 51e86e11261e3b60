package broker_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// call is what an operation asked of the road: by it the change of the road is judged.
type call struct {
	kind     string
	term     broker.Term // of a leader's call
	nexus    int         // the same leader
	session  broker.Session
	attempts []hive.Attempt             // that an outcome was given for, or a release
	effects  []hive.Effects             // one for each of them
	final    bool                       // a permanent failure
	timeout  time.Duration              // after which it expires; how long time passed; until it is tried again
	since    time.Time                  // up to which a cron is believed to have been looked after,
	until    time.Time                  // and up to which it is then
	once     bool                       // a repeat does nothing, even much later
	done     bool                       // this is such a repeat
	promises []func(was, is *view) bool // what the answer says
}

// changes says which call may take a task from one state to another; '-' is no record.
var changes = map[string][]string{
	"-p": {"enqueue", "commit", "due"}, "-s": {"enqueue"}, "pr": {"fetch"}, "rc": {"commit"}, "rr": {"commit"},
	"rs": {"fail"}, "rf": {"fail", "reclaim", "register", "expire"},
	"rp": {"release", "unregister", "reclaim", "register", "expire"},
	"sf": {"lapse"}, "pf": {"lapse", "fetch"},
	"sp": {"promote"}, "fp": {"retry"},
	"px": {"cancel"}, "rx": {"cancel"}, "sx": {"cancel"},
	"c-": {"pass", "forget"}, "f-": {"pass", "forget"}, "x-": {"pass", "forget"},
}

// moves are the calls that take a pending task to another place.
var moves = []string{"assign", "hand back", "unregister", "reclaim", "register"}

var leaders = []string{"assign", "promote", "lapse", "reclaim", "expire", "mend", "adopt", "due"}

// judge finds what a call did and should not have, or did not and should have.
func (x *explorer) judge(c *call, was, is *view) error {
	if slices.Contains(leaders, c.kind) && (c.term.Epoch != was.epoch || c.term.Nexus != was.leader) {
		if key := is.moved(was); key != "" {
			return fmt.Errorf("deposed %s of epoch %d changed %s in epoch %d", c.term.Nexus, c.term.Epoch, key, was.epoch)
		}
	}
	if key := is.moved(was); key != "" && c.done {
		return fmt.Errorf("the late repeat of %s changed %s", c.kind, key)
	}
	if err := judgeLead(c, was, is); err != nil {
		return err
	}
	done, err := x.effects(c, was, is)
	if err != nil {
		return err
	}
	ids := maps.Clone(was.tasks)
	maps.Copy(ids, is.tasks)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if err := x.judgeTask(c, id, was, is, done); err != nil {
			return err
		}
	}
	return x.judgeCounts(is)
}

// judgeLead: nobody takes the lead before it ends, and every leader has an epoch of its own.
func judgeLead(c *call, was, is *view) error {
	same := was.epoch == is.epoch && was.leader == is.leader
	switch {
	case c.kind != "campaign" && (!same || was.until != is.until):
		return errors.New("the lead changed")
	case !same && (is.epoch <= was.epoch || was.until > was.now.UnixMilli()):
		return fmt.Errorf("epoch %d of %s, which lasts until %d, became epoch %d of %s at %d",
			was.epoch, was.leader, was.until, is.epoch, is.leader, was.now.UnixMilli())
	}
	return nil
}

// judgeTask judges what became of one task.
func (x *explorer) judgeTask(c *call, id string, was, is *view, done map[string]bool) error {
	old, there := was.tasks[id]
	now, here := is.tasks[id]
	from, to := old.letter(), now.letter()
	step := string([]byte{from, to})
	if from == to && old.Attempts == now.Attempts {
		return x.judgeStay(c, id, was, is)
	}
	x.ended(step)
	x.steps[step+" "+c.kind]++
	err := judgeStep(c, step, old, now, was)
	if err == nil && step == "-p" && c.kind == "commit" && !done[id] {
		err = errors.New("nobody's effect")
	}
	if err == nil && c.kind == "due" && (was.crons[cronName] != int(c.since.UnixMilli()) || is.crons[cronName] != int(c.until.UnixMilli())) {
		err = fmt.Errorf("it was looked after up to %d, and is up to %d", was.crons[cronName], is.crons[cronName])
	}
	if err != nil {
		return fmt.Errorf("%s went %s by %s: %w", id, step, c.kind, err)
	}
	if there && here && (old.Priority != now.Priority || old.Retries != now.Retries || old.class != now.class || !old.Created.Equal(now.Created)) {
		return fmt.Errorf("%s became another task by %s", id, c.kind)
	}
	want := taskOf(int(id[1] - '0'))
	if here && (to != 'c' && to != 'x' && string(now.Payload) != string(want.Payload) || now.PayloadBlob != want.PayloadBlob) {
		return fmt.Errorf("the payload of %s is %q, %v", id, now.Payload, now.PayloadBlob)
	}
	return x.judgeNotices(step, id, was, is)
}

// judgeStay: a task that goes on as it was is not changed, and moves by few calls only.
func (x *explorer) judgeStay(c *call, id string, was, is *view) error {
	old, now := was.tasks[id], is.tasks[id]
	tomb := old.tombstone() && !now.tombstone() && old.over()
	flag := c.kind == "wait" && !old.over()
	if old.raw != now.raw && !(tomb || flag) || old.raw[4:] != now.raw[4:] {
		return fmt.Errorf("%s, which is %s, was changed by %s", id, now.State, c.kind)
	}
	before, after := was.at[id], is.at[id]
	if now.letter() == 'p' && !slices.Equal(before, after) && !slices.Contains(moves, c.kind) {
		return fmt.Errorf("%s went from %v to %v by %s", id, before, after, c.kind)
	}
	if c.kind == "hand back" && !slices.Equal(before, after) && was.beats[c.session.Node].incarnation != c.session.Incarnation {
		return fmt.Errorf("%s was handed back by another incarnation", id)
	}
	return nil
}

// judgeStep checks a change of state: who may make it, by which fence, at what cost.
func judgeStep(c *call, step string, old, now entry, was *view) error {
	if !slices.Contains(changes[step], c.kind) {
		return errors.New("no such change")
	}
	if c.kind == "forget" && old.tombstone() {
		return errors.New("it stands in a queue")
	}
	if step[1] == '-' && c.kind == "pass" && (old.ttl == 0 || old.ttl > c.timeout) {
		return fmt.Errorf("it expires in %v", old.ttl)
	}
	if step[0] == '-' || step[1] == '-' {
		return nil
	}
	attempts, failures := old.Attempts, old.Failures
	switch step {
	case "pr":
		attempts++
		if !old.Deadline.IsZero() && old.Deadline.Before(was.now) {
			return fmt.Errorf("its deadline was %v", old.Deadline)
		}
		if !slices.Contains(was.queues[c.session.Node], now.ID) || now.Node != c.session.Node ||
			was.beats[c.session.Node].incarnation != c.session.Incarnation {
			return errors.New("it was not assigned to this spore")
		}
	case "rr":
		attempts++
	case "fp":
		failures = 0
	case "pf", "sf":
		if !old.Deadline.Before(was.now) && !old.Deadline.Equal(was.now) {
			return fmt.Errorf("its deadline is %v", old.Deadline)
		}
		return nil
	case "rp", "rs", "rf":
		if c.kind != "release" && c.kind != "unregister" {
			failures++
		}
	}
	if now.Attempts != attempts || now.Failures != failures {
		return fmt.Errorf("attempt %d, %d failures; want %d, %d", now.Attempts, now.Failures, attempts, failures)
	}
	return judgeFence(c, step, old, now, was)
}

func judgeFence(c *call, step string, old, now entry, was *view) error {
	switch c.kind {
	case "commit", "fail", "release":
		i := slices.IndexFunc(c.attempts, func(a hive.Attempt) bool { return a.Task.ID == old.ID && a.Number == old.Attempts })
		if i < 0 || old.Node != c.session.Node {
			return fmt.Errorf("attempt %d on %s holds it", old.Attempts, old.Node)
		}
	case "reclaim", "register":
		b, known := was.beats[old.Node]
		if alive := known && b.incarnation != "" && was.now.UnixMilli()-b.at < hive.Lease.Milliseconds(); alive || old.Node != c.session.Node {
			return errors.New("its lease holds")
		}
	case "unregister":
		if was.beats[old.Node].incarnation != c.session.Incarnation || old.Node != c.session.Node {
			return errors.New("another incarnation holds it")
		}
	case "expire":
		if was.now.Sub(old.Started) < c.timeout || old.Attempts != c.attempts[0].Number {
			return errors.New("it is not overdue")
		}
	case "promote":
		if old.Due.After(was.now) {
			return errors.New("it is not due")
		}
	}
	spent := now.Failures > now.Retries || c.kind == "fail" && (c.final || !now.Deadline.IsZero() && now.Deadline.Before(was.now.Add(c.timeout)))
	if step[0] == 'r' && strings.Contains("fps", step[1:]) && (step[1] == 'f') != spent {
		return fmt.Errorf("%d failures of %d", now.Failures, now.Retries)
	}
	return nil
}

// judgeNotices: whoever waits is told once that a task is over.
func (x *explorer) judgeNotices(step, id string, was, is *view) error {
	if strings.IndexByte("cfx", step[1]) < 0 {
		return nil
	}
	for _, inbox := range was.inboxes(id) {
		told := func(v *view) (n int) {
			for _, item := range v.rings["ib:"+inbox] {
				if strings.HasPrefix(item, "T"+id) {
					n++
				}
			}
			return n
		}
		if told(is) != told(was)+1 {
			return fmt.Errorf("%s is over and %s was not told", id, inbox)
		}
	}
	return nil
}

// ended counts what the counters must count.
func (x *explorer) ended(step string) {
	for letter, name := range map[byte]string{'c': "completed", 'f': "failed", 'x': "cancelled"} {
		if step[1] == letter {
			x.over[name]++
		}
	}
	if step == "fp" {
		x.over["failed"]--
	}
}

func (x *explorer) judgeCounts(is *view) error {
	for _, name := range []string{"completed", "failed", "cancelled"} {
		if is.ct[name] != x.over[name] {
			return fmt.Errorf("counter %s is %d, counted %d", name, is.ct[name], x.over[name])
		}
	}
	return nil
}

// effects does to a model what a commit should have done to the keys: those of each attempt that
// held its task, once. It returns the ids that were to be spawned.
func (x *explorer) effects(c *call, was, is *view) (spawned map[string]bool, err error) {
	spawned = map[string]bool{}
	held := maps.Clone(was.tasks)
	for i, a := range c.attempts {
		t := held[a.Task.ID]
		if c.kind != "commit" || t.Record == nil || !was.holds(c.session.Node, a) {
			continue
		}
		want := "rc"
		if err := x.kv.do(c.effects[i].KV); errors.Is(err, hive.ErrConflict) {
			want = "rr"
		} else if err != nil {
			continue // judgeStay sees that nothing was done
		}
		now := is.tasks[t.ID]
		if now.letter() != want[1] || now.Attempts-t.Attempts != strings.Count(want, "rr") {
			return nil, fmt.Errorf("%s is %s, attempt %d; want %s from attempt %d", t.ID, now.State, now.Attempts, want, t.Attempts)
		}
		for _, child := range c.effects[i].Spawn {
			_, first := held[was.unique[child.Unique]] // it may be over later in this call
			if spawned[child.ID] = want == "rc"; spawned[child.ID] && is.tasks[child.ID].Record == nil && is.unique[child.Unique] == "" && !first {
				return nil, fmt.Errorf("%s did not spawn %s", t.ID, child.ID)
			}
		}
		delete(held, t.ID)
	}
	if !maps.Equal(is.kv, x.kv) {
		return nil, fmt.Errorf("keys are %v, want %v", is.kv, x.kv)
	}
	return spawned, nil
}
