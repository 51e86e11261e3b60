// Package nexus is the master as a value: of all that run on one road, the one
// that leads routes tasks and watches over spores.
package nexus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/nexus/foreman"
	"github.com/hive-spore/hive/nexus/ota"
	"github.com/hive-spore/hive/nexus/trail"
)

// DefaultLead is how long a silent leader keeps the lead.
const DefaultLead = 2 * time.Second

// Options make a nexus.
type Options struct {
	Road *broker.Broker
	Log  *slog.Logger  // default: silent
	Name string        // for people; default: a random one
	Lead time.Duration // default DefaultLead
	// Bundles say which repository is kept while this nexus leads; nil: none, and no
	// spore gets a skill from here. Log is filled in.
	Bundles *ota.KeeperOptions
	// Audit hears spores while this nexus leads; nil: there is no log.
	Audit *trail.Trail
}

// Nexus is one master. Make it with New, then Start and Stop it once.
type Nexus struct {
	opts    Options
	foreman *foreman.Foreman
	keeper  *ota.Keeper // nil: there is no repository
	gate    *gate       // as well
	id      string      // of this process: the name and what no other process has

	cancel context.CancelFunc
	loop   sync.WaitGroup
	stop   sync.Once
	err    error
}

// New checks the options and makes a nexus that is not on the road yet.
func New(o Options) (*Nexus, error) {
	if o.Road == nil {
		return nil, errors.New("nexus: road: missing")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Name == "" {
		o.Name = hive.NewID()
	}
	if o.Lead == 0 {
		o.Lead = DefaultLead
	}
	n := &Nexus{opts: o, foreman: foreman.New(o.Road, o.Log), id: o.Name + "/" + hive.NewID()}
	if o.Bundles != nil {
		keep := *o.Bundles
		keep.Log = o.Log
		var err error
		if n.keeper, err = ota.NewKeeper(keep); err != nil {
			return nil, fmt.Errorf("nexus: %w", err)
		}
		n.gate = newGate(o.Road, &keep, n.keeper.Wake)
	}
	return n, nil
}

// ID is the nexus' id on the road: its name and what no other process has, so
// that one that is restarted begins a term of its own.
func (n *Nexus) ID() string { return n.id }

// Foreman is the part that routes.
func (n *Nexus) Foreman() *foreman.Foreman { return n.foreman }

// Wake has the nexus look at its repository now: something was published or decided.
func (n *Nexus) Wake() {
	if n.keeper != nil {
		n.keeper.Wake()
	}
}

// Start joins the road: from now on the nexus leads whenever no other does.
func (n *Nexus) Start(ctx context.Context) error {
	epoch, leader, left, err := n.campaign(ctx)
	if err != nil {
		return fmt.Errorf("nexus: %w", err)
	}
	life, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.loop.Go(func() { n.run(life, epoch, leader, left) })
	return nil
}

// Stop gives up the lead, so that another nexus takes it at once. Only the first
// call acts.
func (n *Nexus) Stop(ctx context.Context) error {
	n.stop.Do(func() {
		if n.cancel == nil {
			return // never started
		}
		n.cancel()
		n.loop.Wait()
		n.err = n.opts.Road.Resign(ctx, n.id)
	})
	return n.err
}

// campaign asks no longer than half of what the lead lasts: on another connection there
// may still be an answer in time.
func (n *Nexus) campaign(ctx context.Context) (epoch int64, leader string, left time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, n.opts.Lead/2)
	defer cancel()
	return n.opts.Road.Campaign(ctx, n.id, n.opts.Lead)
}

// run leads when it can and otherwise waits for its turn.
func (n *Nexus) run(ctx context.Context, epoch int64, leader string, left time.Duration) {
	seen := epoch
	for complaint := (broker.Complaint{}); ctx.Err() == nil; {
		if leader == n.id {
			n.lead(ctx, epoch)
		} else {
			wait(ctx, min(left, n.opts.Lead/2)+10*time.Millisecond)
		}
		if ctx.Err() != nil {
			return
		}
		var err error
		if epoch, leader, left, err = n.campaign(ctx); err != nil {
			leader, left = "", n.opts.Lead/4
		} else {
			n.compare(seen, epoch)
			seen = epoch
		}
		if ctx.Err() == nil {
			complaint.Tell(n.opts.Road, n.opts.Log, "cannot campaign", err, "nexus", n.id)
		}
	}
}

// leap is by how much the number of the term rises only on a road that begins anew, at
// the millisecond of Redis' clock: of terms there are few.
const leap = 100

// compare tells of a road that is not the one before.
func (n *Nexus) compare(before, epoch int64) {
	if rise := epoch - before; rise < 0 || rise > leap {
		n.opts.Log.Warn("the road has forgotten what was on it: skills are announced anew, and spores join anew",
			"nexus", n.id, "hint", "was Redis restarted without its data?", "epoch", epoch, "before", before)
	}
}

// lead runs the foreman while the lead is kept.
func (n *Nexus) lead(ctx context.Context, epoch int64) {
	n.opts.Log.Info("leading", "nexus", n.id, "epoch", epoch)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel(nil)
	beside.Go(func() { cancel(n.keep(ctx, epoch)) })
	beside.Go(func() { n.opts.Audit.Lead(ctx) })
	if n.keeper != nil {
		term, desk := broker.Term{Epoch: epoch, Nexus: n.id}, n.opts.Bundles.Desk.Lead(epoch, n.id)
		beside.Go(func() {
			n.keeper.Lead(ctx, desk, func(ctx context.Context, skills []hive.Skill) error { return n.opts.Road.Announce(ctx, term, skills) })
		})
		beside.Go(func() { n.gate.lead(ctx, desk) })
	}
	if err := n.foreman.Lead(ctx, broker.Term{Epoch: epoch, Nexus: n.id}); errors.Is(err, hive.ErrNotLeader) {
		n.opts.Log.Warn("lost the lead", "nexus", n.id, "epoch", epoch)
	}
}

// keep extends the lead until ctx ends or another nexus has taken it. While redis
// does not answer it goes on: the epoch fences whatever this nexus still asks.
func (n *Nexus) keep(ctx context.Context, epoch int64) error {
	for {
		wait(ctx, n.opts.Lead/4)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now, leader, _, err := n.campaign(ctx)
		if err == nil && (leader != n.id || now != epoch) {
			return hive.ErrNotLeader
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
