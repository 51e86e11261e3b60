package foreman

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	met       chan struct{} // a foreign value: there may be something to mend

	mu   sync.Mutex
	term *broker.Term // nil: another nexus leads

	// These belong to the routing loop.
	router  Router
	lanes   map[string]*Lane
	nodes   []hive.Node
	reports time.Time // when nodes was read
	told    bool      // the bell has just said how many tasks each of them holds
	reread  time.Time // when all lanes were read
	due     time.Time // when scheduled tasks are looked at next
	flow    hive.Flow
	flowed  time.Time // when flow was read
	crontab crontab

	metSince         time.Time // when foreign values were first told of again
	metTold, metMore int       // how many were since, and how many were not
}

// New returns a foreman that does not lead.
func New(road *broker.Broker, log *slog.Logger) *Foreman {
	return &Foreman{road: road, log: log, mendEvery: mendEvery, met: make(chan struct{}, 1)}
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
	f.reread, f.reports, f.due, f.flowed, f.crontab.read = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
}

// turn brings what is known up to date, routes, and waits for the bell.
func (f *Foreman) turn(ctx context.Context, term *broker.Term) error {
	if err := f.refresh(ctx, *term); err != nil {
		return err
	}
	for moved := -1; moved != 0; {
		var err error
		if moved, err = f.route(ctx, term); err != nil {
			return err
		}
	}
	until := f.due
	for _, at := range []time.Time{f.nextEnd(), f.crontab.due} {
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
	if now.Sub(f.reread) > rereadEvery {
		if err := f.readLanes(ctx); err != nil {
			return err
		}
		f.reread = now
	}
	if now.Sub(f.flowed) > rereadEvery {
		flow, err := f.road.Flow(ctx)
		if err != nil {
			return err
		}
		f.flow, f.flowed = flow, now
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
	return nil
}

func (f *Foreman) enter(l *broker.Lane) {
	f.lanes[l.Name] = &Lane{Name: l.Name, Skill: l.Skill, Require: l.Require, Tenant: l.Tenant, Priority: l.Priority, Count: l.Count, Oldest: hive.IDTime(l.Head)}
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
	now := roadTime(f.nodes, time.Since(f.reports))
	grants := f.router.Route(f.open(now), f.nodes, now)
	if len(grants) == 0 {
		return 0, nil
	}
	grants = collect(grants)
	asked := make([]broker.Grant, len(grants))
	for i, g := range grants {
		asked[i] = broker.Grant(g)
	}
	done, err := f.road.Assign(ctx, term, asked)
	if err != nil {
		return 0, err
	}
	if done == nil { // moved by a call whose answer was lost
		return 0, errors.New("an answer was lost")
	}
	for i, d := range done {
		moved += d.Moved
		f.settle(grants[i], d)
	}
	return moved, nil
}

// open are the lanes that are not paused.
func (f *Foreman) open(now time.Time) []Lane {
	lanes := make([]Lane, 0, len(f.lanes))
	for _, l := range f.lanes {
		if len(f.flow.Pauses) > 0 {
			if _, paused := f.flow.Paused(l.Skill.Name, l.Tenant, now); paused {
				continue
			}
		}
		l.Weight = f.flow.Weights[l.Tenant]
		lanes = append(lanes, *l)
	}
	return lanes
}

// nextEnd is when the next pause ends by itself, by this machine's clock; zero if none does.
func (f *Foreman) nextEnd() (next time.Time) {
	if len(f.flow.Pauses) == 0 {
		return next
	}
	now := roadTime(f.nodes, time.Since(f.reports))
	for _, p := range f.flow.Pauses {
		if p.Until.IsZero() || p.Over(now) {
			continue
		}
		if at := time.Now().Add(p.Until.Sub(now)); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// roadTime is the time by Redis' clock as near as ageing needs it: that of the newest
// beat and how long ago that was read. This machine's clock may be wrong, and tasks of
// right ones would age at once, or never.
func roadTime(nodes []hive.Node, ago time.Duration) (newest time.Time) {
	for i := range nodes {
		if nodes[i].Beat.After(newest) {
			newest = nodes[i].Beat
		}
	}
	return newest.Add(ago)
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
