package foreman

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// Limits: a rate is kept by a bucket of tokens that fills with time, of which each task given
// to a spore takes one; all there is to know of it is when it is full again (the generic cell
// rate algorithm). A number that may run is kept by what the road counts of each class.
//
// As one nexus leads, both stand in its memory. When a bucket is full again goes to the road
// with the very grants that emptied it, in one script, so a leader that follows goes on with
// what was left in it. How many tasks run is counted too high at most: tasks are added as they
// are given, and those that ended are seen when the count is read anew, which is while a limit
// holds something back.
//
// Where that takes long it is read the more seldom.

// limiter keeps one limit, or what it says of one key.
type limiter struct {
	broker.Bucket
	Budget
	limit hive.Limit
	full  time.Time         // when its bucket is full again, by the road's clock
	read  bool              // full is known
	holds int               // tasks that spores hold, at most
	held  map[group][]*Lane // lanes that it holds back, who comes first first
	until time.Time         // when a rate that does has tokens again
}

// limits is what a leader knows of limits. It belongs to the routing loop.
type limits struct {
	on      map[broker.Bucket]*limiter
	classes map[string]broker.Class // those that are hashed on the road, by that
	unread  []*limiter              // whose buckets are to be read
	rated   byTime                  // whose rates hold lanes back
	capped  map[*limiter]bool       // whose numbers do
	ready   map[*limiter]bool       // who hold lanes back and have room
	counted bool                    // nothing has rung since it was counted what runs
	news    bool                    // what runs was counted since it was last looked who comes back
	count   time.Time               // when that may be counted again, by this machine's clock
}

// maxClasses bounds the hashed classes that are remembered.
const maxClasses = 10_000

func newLimits() limits {
	return limits{on: map[broker.Bucket]*limiter{}, classes: map[string]broker.Class{}, capped: map[*limiter]bool{}, ready: map[*limiter]bool{}}
}

// of is the limiter of a limit, or of what it says of a key.
func (ls *limits) of(limit hive.Limit, key string) *limiter {
	b := broker.BucketOf(limit, key)
	l := ls.on[b]
	if l == nil {
		l = &limiter{Bucket: b, limit: limit, read: limit.Rate == 0}
		ls.on[b] = l
		if !l.read {
			ls.unread = append(ls.unread, l)
		}
	}
	return l
}

// bind has a lane know its limits.
func (f *Foreman) bind(l *Lane) {
	l.limiters, l.Budgets = nil, nil
	if len(f.flow.Limits) == 0 {
		return
	}
	for _, limit := range f.flow.LimitsOn(l.Skill.Name, l.Tenant, l.Key) {
		on := f.limits.of(limit, l.Key)
		l.limiters, l.Budgets = append(l.limiters, on), append(l.Budgets, &on.Budget)
	}
	c := broker.Class{Skill: l.Skill, Require: l.Require, Tenant: l.Tenant, Key: l.Key}
	if text, hashed := c.Text(); hashed {
		f.limits.classes[text] = c
	}
}

// left is how many tasks the limit leaves at a time.
func (l *limiter) left(now time.Time) int {
	left := math.MaxInt
	if l.limit.Running > 0 {
		left = l.limit.Running - l.holds
	}
	if l.limit.Rate > 0 {
		left = min(left, l.tokens(now))
	}
	return max(0, left)
}

// tokens is how many are in the bucket.
func (l *limiter) tokens(now time.Time) int {
	if !l.full.After(now) {
		return l.limit.Depth()
	}
	return l.limit.Depth() - int((l.full.Sub(now)+l.limit.Interval()-1)/l.limit.Interval())
}

// take takes n tokens out.
func (l *limiter) take(n int, now time.Time) {
	if l.full.Before(now) {
		l.full = now
	}
	l.full = l.full.Add(time.Duration(n) * l.limit.Interval())
}

// when is the time at which n tokens have come, if none is taken until then.
func (l *limiter) when(n int, now time.Time) time.Time {
	full := now
	if l.full.After(now) {
		full = l.full
	}
	return full.Add(time.Duration(n-l.limit.Depth()) * l.limit.Interval())
}

// countDue is when it is to be counted what runs, by this machine's clock; zero: not before
// something rings.
func (ls *limits) countDue() time.Time {
	if len(ls.capped) == 0 || ls.counted {
		return time.Time{}
	}
	return ls.count
}

func (ls *limits) countNow() bool {
	due := ls.countDue()
	return !due.IsZero() && !due.After(time.Now())
}

// spend takes the tokens of grants out of their buckets, and returns how that leaves them.
func (f *Foreman) spend(grants []Grant, now time.Time) []broker.Spent {
	touched := map[*limiter]bool{}
	for _, g := range grants {
		for _, l := range f.lanes[g.Lane].limiters {
			if l.limit.Rate > 0 {
				l.take(g.Count, now)
				touched[l] = true
			}
		}
	}
	return spent(touched, now)
}

// given enters what came of grants: tasks that spores hold and, where a lane held fewer tasks
// than was known, tokens that nobody took. It returns how those leave their buckets.
func (f *Foreman) given(grants []Grant, done []broker.Assigned, now time.Time) []broker.Spent {
	touched := map[*limiter]bool{}
	for i, g := range grants {
		for _, l := range f.lanes[g.Lane].limiters {
			l.holds += done[i].Moved
			if left := g.Count - done[i].Moved; left > 0 && l.limit.Rate > 0 {
				l.full = l.full.Add(-time.Duration(left) * l.limit.Interval())
				touched[l] = true
			}
		}
	}
	return spent(touched, now)
}

// keepSlack is how much longer than need be the road knows that a bucket is not full: clocks
// differ, and an embedded road forgets a second late.
const keepSlack = time.Minute

func spent(touched map[*limiter]bool, now time.Time) []broker.Spent {
	var all []broker.Spent
	for l := range touched {
		all = append(all, broker.Spent{Bucket: l.Bucket, Full: l.full, Keep: max(0, l.full.Sub(now)) + keepSlack})
	}
	return all
}

// readFlow reads what holds tasks back and, where there are limits, what counts for them.
func (f *Foreman) readFlow(ctx context.Context) error {
	flow, err := f.road.Flow(ctx)
	if err != nil {
		return err
	}
	f.flow, f.flowAt = flow, time.Now()
	f.flowed = f.flowAt
	f.limits.renew(&flow, f.lanes)
	for _, l := range f.lanes {
		f.bind(l)
	}
	f.openAll()
	if !caps(&flow) {
		return nil
	}
	return f.readRunning(ctx)
}

// countShare is how many times longer than a count took it is until the next.
const countShare = 10

// readRunning counts anew how many tasks of each limit spores hold.
func (f *Foreman) readRunning(ctx context.Context) error {
	begun := time.Now()
	running, err := f.road.Running(ctx)
	if err != nil {
		return err
	}
	counts, err := f.road.RunningOf(ctx, &f.flow, running, f.limits.classes)
	if err != nil {
		return err
	}
	f.limits.counted, f.limits.news = true, true
	for _, l := range f.limits.on {
		l.holds = 0
	}
	for b, n := range counts {
		if limit := f.flow.Limits[b.LimitScope]; limit.Running > 0 {
			f.limits.of(limit, b.Key).holds = n
		}
	}
	f.limits.count = begun.Add((countShare + 1) * time.Since(begun))
	return nil
}

// caps reports whether a limit is on how many tasks run.
func caps(flow *hive.Flow) bool {
	for _, l := range flow.Limits {
		if l.Running > 0 {
			return true
		}
	}
	return false
}

// renew has limiters begin anew, and go on with what is in their buckets. Those are kept whose
// lanes are there: of others the road knows.
func (ls *limits) renew(flow *hive.Flow, lanes map[string]*Lane) {
	ls.on, ls.unread = map[broker.Bucket]*limiter{}, nil
	for _, lane := range lanes {
		for _, l := range lane.limiters {
			limit, is := flow.Limits[l.LimitScope]
			if is && limit.Rate > 0 && l.read && l.full.After(flow.At) && ls.on[l.Bucket] == nil {
				ls.on[l.Bucket] = &limiter{Bucket: l.Bucket, limit: limit, read: true}
				ls.on[l.Bucket].fill(l.full, flow.At)
			}
		}
	}
	if len(ls.classes) > maxClasses {
		clear(ls.classes)
	}
}

// fill enters when the bucket is full again: no later than an empty one is.
func (l *limiter) fill(full, now time.Time) {
	empty := now.Add(time.Duration(l.limit.Depth()) * l.limit.Interval())
	if l.full = full; full.After(empty) {
		l.full = empty
	}
}

// readBuckets reads the buckets that are not known yet.
func (f *Foreman) readBuckets(ctx context.Context) error {
	unread := f.limits.unread
	if len(unread) == 0 {
		return nil
	}
	buckets := make([]broker.Bucket, len(unread))
	for i, l := range unread {
		buckets[i] = l.Bucket
	}
	full, err := f.road.Buckets(ctx, buckets)
	if err != nil {
		return err
	}
	for i, l := range unread {
		l.fill(full[i], f.now())
		l.read = true
	}
	f.limits.unread = nil
	return nil
}

// HeldBack says in words for people which limit leaves a task no room now, "" if none does:
// the one that holds it back longest. wait is how long that is, where a rate does and no number
// that may run. place is how many tasks stand before it in its lane, lanes are all that wait.
func HeldBack(ctx context.Context, road *broker.Broker, flow *hive.Flow, lane Lane, place int, lanes []broker.Lane) (why string, wait time.Duration, err error) {
	limits := flow.LimitsOn(lane.Skill.Name, lane.Tenant, lane.Key)
	if len(limits) == 0 {
		return "", 0, nil
	}
	running, err := road.Running(ctx)
	if err != nil {
		return "", 0, err
	}
	counts, err := road.RunningOf(ctx, flow, running, map[string]broker.Class{})
	if err != nil {
		return "", 0, err
	}
	buckets := make([]broker.Bucket, len(limits))
	for i, limit := range limits {
		buckets[i] = broker.BucketOf(limit, lane.Key)
	}
	full, err := road.Buckets(ctx, buckets)
	if err != nil {
		return "", 0, err
	}
	for i, limit := range limits {
		l := limiter{Bucket: buckets[i], limit: limit, holds: counts[buckets[i]]}
		l.fill(full[i], flow.At)
		if limit.Running > 0 && l.holds >= limit.Running {
			return fmt.Sprintf("%s is at its limit: %d running", l.Bucket, l.holds), 0, nil
		}
		ahead := place + before(flow, l.Bucket, lane, lanes)
		if in := l.when(ahead+1, flow.At).Sub(flow.At); limit.Rate > 0 && l.tokens(flow.At) <= ahead && in > wait {
			why, wait = fmt.Sprintf("%s is at its rate, %s", l.Bucket, limit.RateText()), in
		}
	}
	return why, wait, nil
}

// before is how many tasks of other lanes take tokens of a bucket before those of a lane.
func before(flow *hive.Flow, b broker.Bucket, lane Lane, lanes []broker.Lane) (n int) {
	for _, l := range lanes {
		if l.Priority < lane.Priority || l.Priority == lane.Priority && !hive.IDTime(l.Head).Before(lane.Oldest) {
			continue
		}
		for _, limit := range flow.LimitsOn(l.Skill.Name, l.Tenant, l.Key) {
			if broker.BucketOf(limit, l.Key) == b && !lane.is(l) {
				n += l.Count
			}
		}
	}
	return n
}

func (l *Lane) is(o broker.Lane) bool {
	return l.Priority == o.Priority && l.Skill == o.Skill && l.Tenant == o.Tenant && l.Key == o.Key && l.Require.String() == o.Require.String()
}
