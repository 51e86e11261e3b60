package foreman

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

const (
	// bellFor is how long one read of the doorbell waits on the road.
	bellFor = time.Second
	// reportAge is how old the spores' reports may be when tasks are routed.
	reportAge = time.Second
	// rereadEvery is how often the lanes are read anew although no bell was missed
	// as far as anybody knows.
	rereadEvery = 5 * time.Second
	// watchEvery and overdueEvery pace the watchdog, and silentEvery while a silent spore
	// holds tasks: those are back hive.Lease and a second after its last beat, as that is
	// seen before the lease ends.
	watchEvery   = time.Second
	silentEvery  = 250 * time.Millisecond
	overdueEvery = 5 * time.Second
)

// Foreman routes tasks while its nexus leads.
type Foreman struct {
	road      *broker.Broker
	log       *slog.Logger
	mendEvery time.Duration
	reread    time.Duration // how often lanes, pauses, limits and crons are read anew: rereadEvery
	met       chan struct{} // a foreign value: there may be something to mend

	mu   sync.Mutex
	term *broker.Term // nil: another nexus leads

	// These belong to the routing loop.
	router    Router
	lanes     map[string]*Lane
	open      map[string]*Lane // those of them that nothing holds back, as far as is known
	anew      bool             // those are all
	nodes     []hive.Node
	reports   time.Time // when nodes was read
	told      bool      // the bell has just said how many tasks each of them holds
	lanesRead time.Time // all of them
	due       time.Time // when scheduled tasks are looked at next
	flow      hive.Flow
	flowed    time.Time // when flow was read; zero: it is to be read
	pauseTo   time.Time // when the first pause ends that holds a lane back, by the road's clock; zero: none does
	flowAt    time.Time // flow.At by this machine's clock
	limits    limits
	crontab   crontab

	metSince         time.Time // when foreign values were first told of again
	metTold, metMore int       // how many were since, and how many were not
}

// New returns a foreman that does not lead.
func New(road *broker.Broker, log *slog.Logger) *Foreman {
	return &Foreman{road: road, log: log, mendEvery: mendEvery, reread: rereadEvery, met: make(chan struct{}, 1)}
}

// Lead routes tasks until ctx ends or the term is over. It returns
// hive.ErrNotLeader when another nexus has taken the lead.
func (f *Foreman) Lead(ctx context.Context, term broker.Term) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	f.setTerm(&term)
	defer f.setTerm(nil)

	var watchdog sync.WaitGroup
	defer watchdog.Wait()
	defer stop(nil)
	fence := broker.Term{Epoch: term.Epoch, Nexus: term.Nexus} // of its own: assigning counts in the other
	watchdog.Go(func() {
		if err := f.watch(ctx, fence); err != nil {
			stop(err)
		}
	})
	watchdog.Go(func() {
		if err := f.mend(ctx, fence); err != nil {
			stop(err)
		}
	})
	f.forget()
	for complaint := (broker.Complaint{}); ctx.Err() == nil; {
		err := f.turn(ctx, &term)
		if errors.Is(err, hive.ErrNotLeader) {
			return err
		}
		if ctx.Err() == nil {
			complaint.Tell(f.road, f.log, "routing is interrupted", err)
		}
		if err != nil {
			f.forget() // what is known may be wrong now
			pause(ctx, bellFor/2)
		}
	}
	return context.Cause(ctx)
}

func (f *Foreman) setTerm(term *broker.Term) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.term = term
}

// forget makes the next turn read everything anew.
func (f *Foreman) forget() {
	f.lanesRead, f.reports, f.due, f.flowed, f.crontab.read = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	f.limits = newLimits()
}

// turn brings what is known up to date, routes, and waits for the bell.
func (f *Foreman) turn(ctx context.Context, term *broker.Term) error {
	if err := f.refresh(ctx, *term); err != nil {
		return err
	}
	for again := true; again; {
		moved, err := f.route(ctx, term)
		again = moved > 0
		if err == nil && !again && f.limits.countNow() {
			again, err = true, f.readRunning(ctx)
		}
		if err != nil {
			return err
		}
	}
	until := f.due
	for _, at := range []time.Time{f.here(f.pauseTo), f.here(f.limits.next(f.now())), f.limits.countDue(), f.crontab.due} {
		if !at.IsZero() && at.Before(until) {
			until = at
		}
	}
	bell, err := f.road.WaitBell(ctx, min(bellFor, max(time.Millisecond, time.Until(until))))
	if err != nil {
		return err
	}
	f.hear(ctx, bell)
	return nil
}

// refresh reads what is too old: lanes, scheduled tasks that are due, and reports; how
// many tasks each spore holds is read every time, unless the bell has just told.
func (f *Foreman) refresh(ctx context.Context, term broker.Term) error {
	now := time.Now()
	if now.Sub(f.flowed) > f.reread || !f.pauseTo.IsZero() && !f.pauseTo.After(f.now()) {
		if err := f.readFlow(ctx); err != nil {
			return err
		}
	}
	if now.Sub(f.lanesRead) > f.reread {
		if err := f.readLanes(ctx); err != nil {
			return err
		}
		f.lanesRead = now
	}
	if err := f.readBuckets(ctx); err != nil {
		return err
	}
	if !now.Before(f.due) {
		if err := f.promote(ctx, term); err != nil {
			return err
		}
	}
	if err := f.cron(ctx, term); err != nil {
		return err
	}
	told := f.told
	f.told = false
	if now.Sub(f.reports) > reportAge {
		nodes, err := f.road.Nodes(ctx)
		if err != nil {
			return err
		}
		f.nodes, f.reports = nodes, now
		return nil
	}
	if told || len(f.lanes) == 0 {
		return nil
	}
	return f.count(ctx)
}

func (f *Foreman) readLanes(ctx context.Context) error {
	lanes, err := f.road.ActiveLanes(ctx)
	if err != nil {
		return err
	}
	f.lanes = make(map[string]*Lane, len(lanes))
	for i := range lanes {
		f.enter(&lanes[i])
	}
	f.openAll()
	return nil
}

func (f *Foreman) enter(l *broker.Lane) {
	lane := &Lane{Name: l.Name, Skill: l.Skill, Require: l.Require, Tenant: l.Tenant, Key: l.Key, Priority: l.Priority, Count: l.Count, Oldest: hive.IDTime(l.Head)}
	f.bind(lane)
	f.lanes[l.Name], f.open[l.Name] = lane, lane
}

// promote makes scheduled tasks pending that are due, has those lapse whose deadline is
// over, and notes when the next is.
func (f *Foreman) promote(ctx context.Context, term broker.Term) error {
	due := bellFor
	for _, move := range []func(context.Context, broker.Term) (int, time.Duration, error){f.road.Promote, f.road.Lapse} {
		_, next, err := move(ctx, term)
		if err != nil {
			return err
		}
		if next >= 0 {
			due = min(due, next)
		}
	}
	f.due = time.Now().Add(due)
	return nil
}

// count brings the nodes' active tasks up to date.
func (f *Foreman) count(ctx context.Context) error {
	active, err := f.road.Active(ctx)
	if err == nil {
		f.hold(active)
	}
	return err
}

// hold enters how many tasks each spore holds.
func (f *Foreman) hold(active map[string]int) {
	for i := range f.nodes {
		f.nodes[i].Active = active[f.nodes[i].ID]
	}
}

// hear enters what the bell says.
func (f *Foreman) hear(ctx context.Context, bell broker.Bell) {
	if f.told = bell.Active != nil; f.told {
		f.hold(bell.Active)
		f.limits.counted = false // something rang: a task may have ended
	}
	for _, l := range bell.Lanes {
		if known := f.lanes[l.Name]; known != nil {
			known.Count = max(known.Count, l.Count)
			continue
		}
		lane, err := f.road.Lane(ctx, l.Name, l.Head)
		if err != nil {
			continue // its head is gone already: if more waits, the next reread finds it
		}
		lane.Count = l.Count
		f.enter(&lane)
	}
	if bell.Due {
		f.due = time.Time{}
	}
	if bell.Flow {
		f.flowed = time.Time{}
	}
	if bell.Crons {
		f.crontab.read = time.Time{}
	}
	if bell.Nodes {
		f.reports = time.Time{}
	}
	if len(bell.Foreign) > 0 {
		f.meet(bell.Foreign)
	}
}

// route hands out what can be handed out now and enters what became of it. It
// returns how many tasks were moved.
func (f *Foreman) route(ctx context.Context, term *broker.Term) (moved int, err error) {
	now := f.now()
	grants := f.router.Route(f.free(now), f.nodes, now)
	if len(grants) == 0 {
		return 0, nil
	}
	grants = collect(grants)
	asked := make([]broker.Grant, len(grants))
	for i, g := range grants {
		asked[i] = broker.Grant{Lane: g.Lane, Node: g.Node, Count: g.Count, Live: len(f.lanes[g.Lane].limiters) > 0}
	}
	done, err := f.road.Assign(ctx, term, asked, f.spend(grants, now)...)
	if err != nil {
		return 0, err
	}
	if done == nil { // moved by a call whose answer was lost
		return 0, errors.New("an answer was lost")
	}
	back := f.given(grants, done, now)
	for i, d := range done {
		moved += d.Moved
		f.settle(grants[i], d)
	}
	if len(back) > 0 {
		_, err = f.road.Assign(ctx, term, nil, back...)
	}
	return moved, err
}

// free are the lanes that nothing holds back at a time. Others leave f.open: so those of a
// skill that is paused, or of thousands of keys with limits, cost a pass nothing.
func (f *Foreman) free(now time.Time) []Lane {
	f.limits.release(f, now)
	open := slices.Collect(maps.Values(f.open))
	if f.anew { // who has waited longest is held back first, and comes back first
		slices.SortFunc(open, func(a, b *Lane) int { return cmp.Or(a.Oldest.Compare(b.Oldest), strings.Compare(a.Name, b.Name)) })
		f.anew = false
	}
	lanes := make([]Lane, 0, len(f.open))
	for _, l := range open {
		if f.paused(l, now) || f.limits.holdBack(l, now) {
			delete(f.open, l.Name)
			continue
		}
		l.Weight = f.flow.Weights[l.Tenant]
		lanes = append(lanes, *l)
	}
	return lanes
}

// paused reports whether a pause holds a lane back. It comes back when the flow is read anew.
func (f *Foreman) paused(l *Lane, now time.Time) bool {
	if len(f.flow.Pauses) == 0 {
		return false
	}
	p, is := f.flow.PausedAt(l.Skill.Name, l.Tenant, now)
	if is && !p.Until.IsZero() && (f.pauseTo.IsZero() || p.Until.Before(f.pauseTo)) {
		f.pauseTo = p.Until
	}
	return is
}

// openAll has all lanes looked at anew.
func (f *Foreman) openAll() {
	f.open, f.pauseTo = make(map[string]*Lane, len(f.lanes)), time.Time{}
	maps.Copy(f.open, f.lanes)
	f.anew = true
	f.limits.forgetHeld()
}

// now is the time by Redis' clock: what that said when the flow was read, and how long ago
// that was. This machine's clock may be wrong.
func (f *Foreman) now() time.Time { return f.flow.At.Add(time.Since(f.flowAt)) }

// here is a time by Redis' clock as this machine's clock has it; zero remains zero.
func (f *Foreman) here(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return f.flowAt.Add(at.Sub(f.flow.At))
}

// collect joins the grants of one lane to one spore, for a script that does one
// step per grant. Who gets how many stays the same.
func collect(grants []Grant) []Grant {
	type pair struct{ lane, node string }
	at := make(map[pair]int, len(grants))
	joined := grants[:0]
	for _, g := range grants {
		if i, seen := at[pair{g.Lane, g.Node}]; seen {
			joined[i].Count += g.Count
			continue
		}
		at[pair{g.Lane, g.Node}] = len(joined)
		joined = append(joined, g)
	}
	return joined
}

// settle enters what became of one grant.
func (f *Foreman) settle(g Grant, d broker.Assigned) {
	if d.Left == 0 {
		delete(f.lanes, g.Lane)
		delete(f.open, g.Lane)
	} else if l := f.lanes[g.Lane]; l != nil {
		l.Count, l.Oldest = d.Left, hive.IDTime(d.Head)
	}
	for i := range f.nodes {
		if n := &f.nodes[i]; n.ID == g.Node {
			if n.Active = d.Active; d.Active < 0 {
				n.Active, n.Online = 0, false // it left
			}
		}
	}
}

// SelectBestNode returns the spore that a task of a skill with these
// requirements would be given to now, or ErrNotFound.
func (f *Foreman) SelectBestNode(ctx context.Context, skill hive.SkillRef, require hive.Selector) (*hive.Node, error) {
	nodes, err := f.road.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	best, ok := SelectBestNode(skill, require, nodes)
	if !ok {
		why := Explain(Lane{Skill: skill, Require: require}, nodes, 0)
		return nil, fmt.Errorf("spore for %s: %w: %s", skill, hive.ErrNotFound, why)
	}
	return best, nil
}

// AssignTask gives one pending task to the best spore that meets its own
// requirements and these, ahead of all that waits. It returns that spore, and
// ErrNotLeader if another nexus leads.
func (f *Foreman) AssignTask(ctx context.Context, id string, require hive.Selector) (*hive.Node, error) {
	f.mu.Lock()
	term := f.term
	f.mu.Unlock()
	if term == nil {
		return nil, fmt.Errorf("assign %s: %w", id, hive.ErrNotLeader)
	}
	task, err := f.road.Status(ctx, id)
	if err != nil {
		return nil, err
	}
	if task.State != hive.Pending {
		return nil, fmt.Errorf("assign %s: the task is %s, not pending", id, task.State)
	}
	best, err := f.SelectBestNode(ctx, task.Skill, append(append(hive.Selector{}, task.Require...), require...))
	if err != nil {
		return nil, err
	}
	done, err := f.road.AssignTask(ctx, broker.Term{Epoch: term.Epoch, Nexus: term.Nexus}, id, best.ID)
	if err == nil && !done {
		err = fmt.Errorf("assign %s: the task is not pending any more", id)
	}
	return best, err
}

// GetClusterStatus returns the state of all spores.
func (f *Foreman) GetClusterStatus(ctx context.Context) (hive.ClusterStatus, error) {
	nodes, err := f.road.Nodes(ctx)
	return hive.NewClusterStatus(nodes), err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
