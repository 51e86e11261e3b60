package broker_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// What the processes of spores do in an exploration. Each acts on what it was told, however
// long ago: it may have been stopped in between.

// process is one process of a spore.
type process struct {
	session broker.Session
	in      bool           // it believes that it is registered
	known   []hive.Attempt // what it was given, the newest last
}

func (p *process) registered() bool { return p.in }
func (p *process) outside() bool    { return !p.in }
func (p *process) busy() bool       { return len(p.known) > 0 }

// spore picks the process that an operation names or, but for some, the next one that has a reason
// to do it.
func (x *explorer) spore(kind string, o op, c *call, reason func(*process) bool) *process {
	p := &x.spores[o.who%3]
	for i := range 3 {
		if next := &x.spores[(o.who+i)%3]; o.more != 9 && reason(next) {
			p = next
			break
		}
	}
	c.kind, c.session = kind, p.session
	return p
}

// attempt picks one that a process knows, mostly of those whose end was not heard of yet.
func (p *process) attempt(i int) (hive.Attempt, bool) {
	if len(p.known) == 0 {
		return hive.Attempt{}, false
	}
	return p.known[i/3%len(p.known)], true
}

func (p *process) learn(attempts ...hive.Attempt) {
	p.known = append(slices.Clone(attempts), p.known...)
	p.known = p.known[:min(len(p.known), 6)]
}

// heard puts an attempt behind the others when an answer says that it is over.
func (p *process) heard(a hive.Attempt, err error) {
	if i := slices.IndexFunc(p.known, func(k hive.Attempt) bool { return k.Task.ID == a.Task.ID && k.Number == a.Number }); i >= 0 &&
		(err == nil || errors.Is(err, hive.ErrFenced) || errors.Is(err, hive.ErrConflict)) {
		p.known = append(slices.Delete(p.known, i, i+1), a)
	}
}

// die ends a process; the next one with its name knows nothing.
func (x *explorer) die(o op, c *call) error {
	x.born++
	x.spores[o.who%3] = process{session: broker.Session{Node: nodeOf(o.who), Incarnation: fmt.Sprint("i", x.born)}}
	return nil
}

func (x *explorer) register(o op, c *call) error {
	p := x.spore("register", o, c, (*process).outside)
	err := x.b.Register(ctx, &p.session, &hive.NodeReport{ID: p.session.Node, Slots: 2})
	p.in = p.in || err == nil
	c.promise(err == nil, func(_, is *view) bool {
		return is.beats[c.session.Node].incarnation == c.session.Incarnation && slices.Contains(is.nodes, c.session.Node)
	})
	return err
}

func (x *explorer) heartbeat(o op, c *call) error {
	p := x.spore("heartbeat", o, c, (*process).registered)
	pulse, err := x.b.Heartbeat(ctx, &p.session, &hive.NodeReport{ID: p.session.Node}, o.more == 0)
	p.in = p.in && !errors.Is(err, hive.ErrUnregistered)
	c.promise(err == nil, func(_, is *view) bool {
		return slices.Equal(slices.Sorted(maps.Keys(pulse.Holds)), slices.Sorted(slices.Values(is.own[c.session.Node])))
	})
	return err
}

func (x *explorer) unregister(o op, c *call) error {
	p := x.spore("unregister", o, c, (*process).registered)
	_, err := x.b.Unregister(ctx, &p.session)
	p.in = p.in && err != nil
	return err
}

func (x *explorer) fetch(o op, c *call) error {
	p := x.spore("fetch", o, c, (*process).registered)
	got, _, err := x.b.Fetch(ctx, &p.session, 1+o.what%3)
	p.learn(got...)
	p.in = p.in && !errors.Is(err, hive.ErrUnregistered)
	c.promise(err == nil, func(was, is *view) bool {
		given := map[string]bool{}
		for _, a := range got {
			if given[a.Task.ID] = true; !is.holds(c.session.Node, a) {
				return false
			}
		}
		for id, e := range is.tasks {
			if old := was.tasks[id]; e.letter() == 'r' && old.Record != nil && old.letter() == 'p' && !given[id] {
				return false
			}
		}
		return true
	})
	return err
}

func (x *explorer) complete(o op, c *call) error {
	p := x.spore("commit", o, c, (*process).busy)
	a, ok := p.attempt(o.what)
	if !ok {
		return nil
	}
	c.attempts = []hive.Attempt{a}
	c.effects = []hive.Effects{effectsOf(o.more, int(a.Task.ID[1]-'0'))}
	err := x.b.Complete(ctx, c.session.Node, &a, &hive.Outcome{Result: []byte("done"), Effects: c.effects[0]})
	p.heard(a, err)
	if errors.Is(err, hive.ErrConflict) {
		next := a
		next.Number++
		p.learn(next)
	}
	done := func(is *view) bool {
		e := is.tasks[a.Task.ID]
		return e.Record != nil && e.letter() == 'c' && e.Attempts == a.Number
	}
	c.promise(err == nil, func(_, is *view) bool { return done(is) })
	c.promise(errors.Is(err, hive.ErrFenced), func(was, is *view) bool {
		return !done(is) && !was.holds(c.session.Node, a)
	})
	return err
}

// batch completes two attempts in one call.
func (x *explorer) batch(o op, c *call) error {
	p := x.spore("commit", o, c, (*process).busy)
	for i := range 2 {
		if a, ok := p.attempt(o.what + 3*i); ok {
			c.attempts = append(c.attempts, a)
			c.effects = append(c.effects, effectsOf(o.more+i*o.what, int(a.Task.ID[1]-'0')))
		}
	}
	if c.attempts == nil {
		return nil
	}
	outs := make([]hive.Outcome, len(c.attempts))
	for i := range outs {
		outs[i].Effects = c.effects[i]
	}
	_, err := x.b.CommitBatch(ctx, c.session.Node, c.attempts, outs)
	return err
}

func (x *explorer) fail(o op, c *call) error {
	p := x.spore("fail", o, c, (*process).busy)
	a, ok := p.attempt(o.what)
	if !ok {
		return nil
	}
	c.attempts, c.final = []hive.Attempt{a}, o.more%4 == 0
	out := failure(hive.FailTrap)
	if c.final {
		out = failure(hive.FailInput)
	}
	if o.more%2 == 0 {
		out.Recording = make([]byte, 20*o.more+20)
	}
	c.timeout = time.Duration(o.more%3) * 2 * time.Second
	state, err := x.b.Fail(ctx, c.session.Node, &a, out, c.timeout)
	p.heard(a, err)
	c.promise(err == nil, func(_, is *view) bool { return is.tasks[a.Task.ID].State == state })
	c.promise(errors.Is(err, hive.ErrFenced), func(was, _ *view) bool { return !was.holds(c.session.Node, a) })
	return err
}

func (x *explorer) release(o op, c *call) error {
	p := x.spore("release", o, c, (*process).busy)
	for i := range 1 + o.more%2 {
		if a, ok := p.attempt(o.what + 3*i); ok {
			c.attempts = append(c.attempts, a)
		}
	}
	_, err := x.b.Release(ctx, c.session.Node, c.attempts...)
	return err
}

func (x *explorer) handBack(o op, c *call) error {
	p := x.spore("hand back", o, c, (*process).registered)
	_, err := x.b.HandBack(ctx, &p.session)
	return err
}

func (x *explorer) emit(o op, c *call) error {
	p := x.spore("emit", o, c, (*process).busy)
	a, ok := p.attempt(o.what)
	if !ok {
		return nil
	}
	var err error
	if o.more > 6 {
		err = x.b.Progress(ctx, c.session.Node, &a, hive.Progress{Done: 1, Total: 2})
	} else {
		err = x.b.Emit(ctx, c.session.Node, &a, hive.Part{Number: 1 + o.more%3, Data: []byte("part")})
	}
	c.promise(err == nil, func(_, is *view) bool { return is.holds(c.session.Node, a) })
	c.promise(errors.Is(err, hive.ErrFenced), func(_, is *view) bool { return !is.holds(c.session.Node, a) })
	return err
}
