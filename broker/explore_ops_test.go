package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// reply is what becomes of the answer to an operation's call.
type reply int

const (
	told  reply = iota // it arrives
	twice              // it is cut, the client repeats the call at once, and that answer arrives
	lost               // it is cut: who called never learns what became of it
	later              // as lost, and the call comes once more when a repeat says so
)

// op is one thing that somebody does. Its numbers mean what its kind takes them for.
type op struct {
	kind            string
	who, what, more int
	reply           reply
}

func (o op) String() string {
	return fmt.Sprintf("{%q, %d, %d, %d, %s},", o.kind, o.who, o.what, o.more, [...]string{"told", "twice", "lost", "later"}[o.reply])
}

// play is one kind of operation: how often it is drawn, and what it does. It says in c what it
// asks for, and puts the answer's promise there.
type play struct {
	weight int
	do     func(x *explorer, o op, c *call) error
}

var plays = map[string]play{
	"enqueue":     {9, (*explorer).enqueue},
	"campaign":    {7, (*explorer).campaign},
	"resign":      {1, (*explorer).resign},
	"assign":      {16, (*explorer).assign},
	"assign task": {3, (*explorer).assignTask},
	"promote":     {6, (*explorer).promote},
	"lapse":       {4, (*explorer).lapse},
	"reclaim":     {6, (*explorer).reclaim},
	"watch":       {2, (*explorer).watch},
	"expire":      {5, (*explorer).expire},
	"mend":        {1, (*explorer).mend},
	"adopt":       {1, (*explorer).adopt},
	"register":    {8, (*explorer).register},
	"heartbeat":   {5, (*explorer).heartbeat},
	"unregister":  {1, (*explorer).unregister},
	"die":         {1, (*explorer).die},
	"fetch":       {16, (*explorer).fetch},
	"complete":    {10, (*explorer).complete},
	"batch":       {3, (*explorer).batch},
	"fail":        {8, (*explorer).fail},
	"release":     {3, (*explorer).release},
	"hand back":   {2, (*explorer).handBack},
	"emit":        {2, (*explorer).emit},
	"cancel":      {4, (*explorer).cancel},
	"retry":       {3, (*explorer).retry},
	"forget":      {2, (*explorer).forget},
	"cron":        {1, (*explorer).cron},
	"due":         {3, (*explorer).due},
	"wait":        {2, (*explorer).wait},
	"pass":        {8, (*explorer).pass},
	"repeat":      {4, (*explorer).repeat},
}

// Ten tasks in three lanes, one of them with a hashed class. Two have one unique key, and one
// another for a time.
const tasks = 10

func taskOf(i int) hive.Task {
	t := hive.Task{ID: fmt.Sprint("t", i%tasks), Skill: hive.SkillRef{Name: "echo"}, Timeout: time.Second,
		Retries: []int{hive.NoRetries, 1, 2, 1, 1}[i%5], Priority: hive.BackgroundPriority}
	switch i % 5 {
	case 2:
		t.Priority = hive.HighPriority
	case 3:
		t.Require, _ = hive.ParseSelector("zone in (" + strings.Repeat("a-very-long-name-of-a-zone-", 4) + ",eu)")
	}
	switch i % tasks {
	case 4, 9:
		t.Unique = "u"
	case 8:
		t.Unique, t.UniqueFor = "w", 10*time.Second
	}
	if t.PayloadBlob = blobOf(t.ID); t.PayloadBlob.None() {
		t.Payload = []byte(payloadOf(t.ID))
	}
	return t
}

// blobOf is the payload of those tasks whose payloads stand apart; two have the same.
func blobOf(id string) hive.Blob {
	switch id {
	case "t3", "t8":
		return hive.Blob{Digest: "sha256:" + strings.Repeat("3", 64), Size: 3}
	case "t5":
		return hive.Blob{Digest: "sha256:" + strings.Repeat("5", 64), Size: 5}
	}
	return hive.Blob{}
}

func payloadOf(id string) string { return "payload of " + id }

// Two spores, and a third process that takes itself for the first one.
func nodeOf(who int) string { return []string{"a", "b", "a"}[who%3] }

func effectsOf(e, task int) hive.Effects {
	next, second := taskOf(task+1), taskOf(task+2)
	return []hive.Effects{
		{},
		{KV: []hive.KVEffect{add("n", 1)}},
		{KV: []hive.KVEffect{set("k", "x")}},
		{KV: []hive.KVEffect{expect("k", "x"), set("k", "y"), add("n", 1)}},
		{KV: []hive.KVEffect{absent("k"), set("k", "x")}, Spawn: []hive.Task{next}},
		{KV: []hive.KVEffect{set("n", "2"), add("k", 1)}},
		{KV: []hive.KVEffect{del("k"), add("n", 2)}},
		{Spawn: []hive.Task{next, second, next}},
		{KV: []hive.KVEffect{brief("e", "v", 10*time.Second)}},
		{KV: []hive.KVEffect{expect("e", "v"), del("e")}},
	}[e%10]
}

var ctx = context.Background()

// task picks the one that an operation names or, but for some, the next in one of some states.
func (x *explorer) task(o op, states string) string {
	for i := range tasks {
		id := taskOf(o.what + i).ID
		if o.more != 9 && strings.IndexByte(states, x.is.tasks[id].letter()) >= 0 {
			return id
		}
	}
	return taskOf(o.what).ID
}

func (x *explorer) enqueue(o op, c *call) error {
	c.kind = "enqueue"
	batch, inbox := []hive.Task{taskOf(o.what)}, ""
	if o.more%2 == 1 {
		inbox = "client"
	}
	if o.who%3 == 1 {
		batch[0].RunAt = x.is.now.Add(time.Duration(o.more) * 500 * time.Millisecond)
	}
	if o.more%3 == 1 {
		batch[0].Deadline = x.is.now.Add(time.Duration(o.more) * time.Second)
		batch[0].Retain = time.Minute
	}
	if o.more > 5 {
		batch = append(batch, taskOf(o.what+o.more), taskOf(o.what))
	}
	ids, err := x.b.EnqueueMany(ctx, batch, inbox)
	c.promise(err == nil, func(_, is *view) bool {
		return ids[0] == batch[0].ID && is.tasks[ids[0]].Record != nil || ids[0] == is.unique[batch[0].Unique]
	})
	return err
}

func (x *explorer) lapse(o op, c *call) error {
	_, _, err := x.b.Lapse(ctx, *x.leads("lapse", o, c))
	c.promise(err == nil, func(_, is *view) bool {
		for id, at := range is.deadlines {
			if int64(at) <= is.now.UnixMilli() && is.tasks[id].letter() != 'r' {
				return false
			}
		}
		return true
	})
	return err
}

func (x *explorer) campaign(o op, c *call) error {
	c.kind = "campaign"
	n := o.who % 2
	t := &x.terms[n]
	epoch, leader, _, err := x.b.Campaign(ctx, t.Nexus, 3*time.Second)
	if x.leading[n] = x.leading[n] || leader == t.Nexus; leader == t.Nexus && epoch != t.Epoch {
		*t = broker.Term{Epoch: epoch, Nexus: leader}
	}
	c.promise(err == nil, func(_, is *view) bool { return is.epoch == epoch && is.leader == leader })
	return err
}

func (x *explorer) resign(o op, c *call) error {
	c.kind = "campaign"
	return x.b.Resign(ctx, x.terms[o.who%2].Nexus)
}

// leads picks the nexus that an operation names or, but for some, the other one if only that
// believes that it leads. Nobody tells it that it does no more, but its own next call.
func (x *explorer) leads(kind string, o op, c *call) *broker.Term {
	n := o.who % 2
	if o.more != 9 && !x.leading[n] && x.leading[1-n] {
		n = 1 - n
	}
	c.kind, c.term, c.nexus = kind, x.terms[n], n
	return &x.terms[n]
}

func (x *explorer) assign(o op, c *call) error {
	t := x.leads("assign", o, c)
	g := broker.Grant{Lane: "echo||:2", Node: nodeOf(o.more), Count: 1 + o.more/4, Live: o.who > 4}
	for i := range tasks { // the first that waits, from the one that is named on
		if e, known := x.is.tasks[taskOf(o.what+i).ID]; known && slices.Contains(x.is.lanes[e.lane], e.ID) {
			g.Lane = e.lane
			break
		}
	}
	grants := []broker.Grant{g}
	if o.more%5 == 0 {
		grants = append(grants, broker.Grant{Lane: "echo||:8", Node: nodeOf(o.more + 1), Count: 1})
	}
	c.once = true
	done, err := x.b.Assign(ctx, t, grants)
	c.promise(err == nil && done != nil, func(_, is *view) bool {
		last, g := done[len(done)-1], grants[len(grants)-1]
		listed := slices.Contains(is.nodes, g.Node)
		return last.Left == len(is.lanes[g.Lane]) && (listed && last.Active == is.used[g.Node] || !listed && last.Active == -1)
	})
	return err
}

func (x *explorer) assignTask(o op, c *call) error {
	t, node := x.leads("assign", o, c), nodeOf(o.more)
	id := taskOf(o.what).ID
	done, err := x.b.AssignTask(ctx, *t, id, node)
	c.promise(done, func(_, is *view) bool {
		return slices.Contains(is.queues[node], id) || slices.Contains(is.own[node], id)
	})
	return err
}

func (x *explorer) promote(o op, c *call) error {
	_, _, err := x.b.Promote(ctx, *x.leads("promote", o, c))
	c.promise(err == nil, func(_, is *view) bool {
		for _, due := range is.delay {
			if int64(due) <= is.now.UnixMilli() {
				return false
			}
		}
		return true
	})
	return err
}

func (x *explorer) reclaim(o op, c *call) error {
	t := x.leads("reclaim", o, c)
	c.session.Node = nodeOf(o.what)
	_, err := x.b.Reclaim(ctx, *t, c.session.Node)
	return err
}

// watch has a nexus read what runs; it may act on that much later.
func (x *explorer) watch(o op, c *call) error {
	x.leads("watch", o, c)
	x.seen[c.nexus] = nil
	for _, node := range []string{"a", "b"} {
		running, err := x.b.Holds(ctx, node)
		if err != nil {
			return err
		}
		x.seen[c.nexus] = append(x.seen[c.nexus], running...)
	}
	return nil
}

func (x *explorer) expire(o op, c *call) error {
	t := x.leads("expire", o, c)
	if o.more%2 == 0 {
		again, lose := x.wire.Again, x.wire.Lose // of the call that counts
		x.wire.Again, x.wire.Lose = nil, false
		if err := x.watch(o, &call{}); err != nil {
			return err
		}
		x.wire.Again, x.wire.Lose = again, lose
	}
	seen := x.seen[c.nexus]
	if len(seen) == 0 {
		return nil
	}
	r := seen[o.what%len(seen)]
	c.timeout = r.Timeout + broker.ExpireGrace
	c.attempts = []hive.Attempt{{Task: hive.Task{ID: r.ID}, Number: r.Attempts}}
	_, err := x.b.Expire(ctx, *t, r)
	return err
}

// mend finds nothing: only scripts write here.
func (x *explorer) mend(o op, c *call) error {
	t := x.leads("mend", o, c)
	mends, err := x.b.Mend(ctx, *t, true)
	if len(mends) > 0 {
		return fmt.Errorf("a healthy road was mended: %v", mends)
	}
	orphans, err2 := x.b.Orphans(ctx)
	if len(orphans) > 0 {
		return fmt.Errorf("orphans on a healthy road: %v", orphans)
	}
	mends, err3 := x.b.Recount(ctx, *t)
	if len(mends) > 0 {
		return fmt.Errorf("the counters of a healthy road were mended: %v", mends)
	}
	return errors.Join(err, err2, err3)
}

// adopt takes a task for an orphan that only moved while its nexus looked for it.
func (x *explorer) adopt(o op, c *call) error {
	t := x.leads("adopt", o, c)
	e := x.is.tasks[taskOf(o.what).ID]
	if e.Record == nil {
		return nil
	}
	_, err := x.b.Adopt(ctx, *t, broker.Orphan{ID: e.ID, State: e.State, Attempt: e.Attempts})
	return err
}

func (x *explorer) cancel(o op, c *call) error {
	c.kind = "cancel"
	id := taskOf(o.what).ID
	if o.more == 0 {
		_, err := x.b.CancelMany(ctx, []string{id, "t9", taskOf(o.what + 1).ID})
		return err
	}
	id = x.task(o, []string{"s", "r", "p"}[o.more%3])
	_, err := x.b.Cancel(ctx, id)
	c.promise(err == nil, func(_, is *view) bool { return is.tasks[id].letter() == 'x' })
	c.promise(errors.Is(err, hive.ErrFinal), func(was, is *view) bool { return was.tasks[id].over() })
	return err
}

func (x *explorer) retry(o op, c *call) error {
	c.kind = "retry"
	id := x.task(o, "f")
	err := x.b.Retry(ctx, id)
	if err != nil && strings.Contains(err.Error(), "only failed tasks can be retried") {
		err = hive.ErrFinal
	} else if err != nil && strings.Contains(err.Error(), "deadline has passed") {
		c.promise(true, func(was, _ *view) bool { return was.tasks[id].Deadline.Before(was.now) || was.tasks[id].tombstone() })
		return nil
	}
	c.promise(errors.Is(err, hive.ErrHeld), func(was, _ *view) bool { return was.unique[was.tasks[id].Unique] != id })
	c.promise(err == nil, func(was, is *view) bool { return was.tasks[id].letter() == 'f' && is.tasks[id].letter() == 'p' })
	c.promise(errors.Is(err, hive.ErrFinal), func(was, is *view) bool { return was.tasks[id].letter() != 'f' })
	return err
}

func (x *explorer) wait(o op, c *call) error {
	c.kind = "wait"
	id, inbox := taskOf(o.what).ID, []string{"client", "other"}[o.more%2]
	over, unknown, err := x.b.Wait(ctx, inbox, []string{id})
	c.promise(err == nil, func(was, is *view) bool {
		if len(over) == 0 && len(unknown) == 0 {
			return slices.Contains(is.inboxes(id), inbox)
		}
		return len(unknown) == 1 && was.tasks[id].Record == nil || was.tasks[id].over() && over[0].State == was.tasks[id].State
	})
	return err
}

var spans = []time.Duration{time.Millisecond, time.Second, time.Second, 2 * time.Second, 3 * time.Second, hive.Lease,
	31 * time.Second, 61 * time.Second, hive.ForgetNode + time.Second, 25 * time.Hour}

// pass lets time pass; meanwhile all doorbells and inboxes that somebody reads are read.
func (x *explorer) pass(o op, c *call) error {
	c.kind, c.timeout = "pass", spans[o.what%len(spans)]
	for name := range x.is.rings {
		if node, door := strings.CutPrefix(name, "db:"); !door || slices.Contains(x.is.nodes, node) {
			x.road.Del("{h}:" + name)
		}
	}
	if ttl := x.road.TTL("{h}:kv:" + space + ":e"); ttl > 0 && ttl <= c.timeout {
		delete(x.kv, "e")
	}
	x.road.Pass(c.timeout)
	return nil
}

// repeat has a call arrive once more whose answer was cut a while ago.
func (x *explorer) repeat(o op, c *call) error {
	if len(x.late) == 0 {
		return nil
	}
	i := o.what % len(x.late)
	l := x.late[i]
	x.late = slices.Delete(x.late, i, i+1)
	*c, c.promises = l.call, nil // who was to be told is not there any more
	c.done = l.did && c.once
	return x.b.Resend(ctx, x.wire, l.sent)
}
