package broker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/hive-spore/hive"
)

// Term is one nexus' time as leader. Only the holder of the term that runs now
// can assign, promote or reclaim.
type Term struct {
	Epoch int64
	Nexus string
	seq   int64
}

// fence is the term as the scripts check it.
func (t *Term) fence() string { return strconv.FormatInt(t.Epoch, 10) + " " + t.Nexus }

// Campaign takes or keeps the lead for ttl. It returns the epoch and which nexus
// leads until its lease ends; the caller leads if that is its own id.
func (b *Broker) Campaign(ctx context.Context, nexus string, ttl time.Duration) (epoch int64, leader string, left time.Duration, err error) {
	reply, err := b.run(ctx, scriptCampaign, nexus, ttl.Milliseconds()).Slice()
	if err != nil {
		return 0, "", 0, b.wrap("campaign", err)
	}
	if len(reply) != 3 {
		return 0, "", 0, fmt.Errorf("campaign: unexpected answer of %d values", len(reply))
	}
	return number(reply[0]), text(reply[1]), time.Duration(number(reply[2])) * time.Millisecond, nil
}

// Resign gives up the lead at once, if nexus holds it.
func (b *Broker) Resign(ctx context.Context, nexus string) error {
	_, _, _, err := b.Campaign(ctx, nexus, 0)
	return err
}

// Leader returns which nexus leads now, or "".
func (b *Broker) Leader(ctx context.Context) (string, error) {
	_, leader, _, err := b.Campaign(ctx, "", 0)
	return leader, err
}

// Vacant is how long nobody had led when the leader was elected. While somebody does, Redis
// answers.
func (b *Broker) Vacant(ctx context.Context) (time.Duration, error) {
	ms, err := b.rdb.HGet(ctx, b.keys.lead(), "vacant").Int64()
	return time.Duration(ms) * time.Millisecond, b.wrap("read the lead", err)
}

// Grant moves Count tasks from the head of a lane to a spore.
type Grant struct {
	Lane  string
	Node  string
	Count int
	Live  bool // of those that are over and stand there still none counts: they are dropped
}

// Assigned is what became of a Grant.
type Assigned struct {
	Moved  int    // tasks moved
	Left   int    // tasks still in the lane
	Active int    // tasks the spore holds now; -1: it is gone
	Head   string // id at the head of the lane now
}

// maxGrant bounds one grant: the script unpacks its ids.
const maxGrant = 1000

// assignBatch bounds the grants of one script call: a grant keeps Redis busy for
// about 9 µs.
const assignBatch = 256

// Assign moves tasks from lanes to spores' queues, in order, in as few calls as
// fit. It returns ErrNotLeader when the term is over, and nil and no error when
// redis had already done one of these very calls, whose answer was lost: what
// comes after it was not tried. What the grants empty of buckets stands on the road before
// the first of them is carried out: a leader that follows never finds too little.
func (b *Broker) Assign(ctx context.Context, term *Term, grants []Grant, spent ...Spent) ([]Assigned, error) {
	done := make([]Assigned, 0, len(grants))
	for {
		batch := grants[len(done):min(len(done)+assignBatch, len(grants))]
		some, err := b.assign(ctx, term, batch, spent)
		if err != nil || some == nil {
			return nil, err
		}
		if done = append(done, some...); len(done) == len(grants) {
			return done, nil
		}
		spent = nil
	}
}

// assign makes one call under the next sequence number.
func (b *Broker) assign(ctx context.Context, term *Term, grants []Grant, spent []Spent) ([]Assigned, error) {
	term.seq++
	args := []any{term.fence(), term.seq, b.opts.Retention.Milliseconds(), len(spent)}
	for _, s := range spent {
		args = append(args, s.name(), s.Full.UnixNano(), s.Keep.Milliseconds())
	}
	for _, g := range grants {
		class, _, ok := splitLane(g.Lane)
		if !ok {
			return nil, fmt.Errorf("assign: %q is not a lane", g.Lane)
		}
		count := min(g.Count, maxGrant)
		if g.Live {
			count = -count
		}
		args = append(args, g.Lane, class, g.Node, count)
	}
	status, reply, err := list(b.run(ctx, scriptAssign, args...).Result())
	switch {
	case err != nil:
		return nil, b.wrap("assign", err)
	case status == "deposed":
		return nil, fmt.Errorf("assign: %w", hive.ErrNotLeader)
	case status == "repeat":
		// A redis that came back with other data than it went with may have seen more
		// calls of this term than the term knows of: the next one is new to it, too.
		if len(reply) == 1 {
			term.seq = max(term.seq, number(reply[0]))
		}
		return nil, nil
	case len(reply) != 4*len(grants):
		return nil, fmt.Errorf("assign: %d answers to %d grants", len(reply), len(grants))
	}
	done := make([]Assigned, len(grants))
	for i := range done {
		r := reply[4*i:]
		done[i] = Assigned{int(number(r[0])), int(number(r[1])), int(number(r[2])), text(r[3])}
	}
	return done, nil
}

// AssignTask gives one pending task to a spore out of turn. It reports true as
// well when that spore has the task already, and false when the task does not wait
// in a lane (any more).
func (b *Broker) AssignTask(ctx context.Context, term Term, id, node string) (bool, error) {
	n, err := b.run(ctx, scriptAssignTask, term.fence(), id, node).Int()
	switch {
	case err != nil:
		return false, b.wrap("assign "+id, err)
	case n == deposed:
		return false, fmt.Errorf("assign %s: %w", id, hive.ErrNotLeader)
	case n < 0:
		return false, fmt.Errorf("assign %s to %s: %w", id, node, hive.ErrNotFound)
	}
	return n == 1, nil
}
