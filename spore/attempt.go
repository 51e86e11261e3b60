package spore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/runtime"
)

// begin starts an attempt on a slot the caller took.
func (s *Spore) begin(a hive.Attempt) {
	h := &held{attempt: a}
	h.ctx, h.cancel = context.WithCancelCause(s.attempts)
	s.mu.Lock()
	s.held[a.Task.ID] = h
	s.mu.Unlock()
	s.begun <- h
}

// slot runs attempts, one after the other, until no more begin. A goroutine for each of
// them would take a seventh of the time: its stack would have to grow anew.
func (s *Spore) slot() {
	for h := range s.begun {
		s.run(h.ctx, &h.attempt)
		h.cancel(nil)
		s.drop(h)
		s.slots <- struct{}{}
	}
}

// drop forgets an attempt, unless a newer one of the task runs here already.
func (s *Spore) drop(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[h.attempt.Task.ID] == h {
		delete(s.held, h.attempt.Task.ID)
	}
}

// run takes one attempt from its skill to its record.
func (s *Spore) run(ctx context.Context, a *hive.Attempt) {
	skill, err := s.shelf.take(ctx, a.Task.Skill)
	if err == nil {
		defer s.shelf.give(skill)
	}
	var out hive.Outcome
	if err == nil {
		out.Failure = s.load(ctx, a)
	}
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, errNoSkill):
		s.release(a)
		return
	case err != nil:
		out.Failure = loadFailure(err)
	case out.Failure != nil:
	default:
		out = s.call(ctx, a, skill)
	}
	for conflicts := 0; s.end(ctx, a, &out); {
		if conflicts++; conflicts > maxConflicts {
			out = hive.Outcome{Ran: out.Ran, Log: out.Log, Elapsed: out.Elapsed, Receipt: out.Receipt,
				Failure: hive.NewFailure(hive.FailHost, fmt.Sprintf("its keys were changed by others %d times in a row", conflicts))}
			continue
		}
		s.jitter(ctx, conflicts)
		out = s.call(ctx, a, skill)
	}
}

// load brings the payload of an attempt into memory that stands apart on the road. It does
// not give up while the road does not answer.
func (s *Spore) load(ctx context.Context, a *hive.Attempt) *hive.Failure {
	for complaint := (broker.Complaint{}); ctx.Err() == nil; {
		payload, err := s.road.Payload(ctx, &a.Task)
		switch {
		case err == nil:
			a.Task.Payload = payload
			return nil
		case errors.Is(err, hive.ErrNotFound), errors.Is(err, hive.ErrTooLarge):
			f := hive.NewFailure(hive.FailLoad, "its payload: "+err.Error())
			f.Permanent = true
			return f
		}
		complaint.Tell(s.road, s.opts.Log, "payload not read yet", err, "task", a.Task.ID, "attempt", a.Number)
		s.pause()
	}
	return nil
}

// maxConflicts is how often an attempt is repeated in its place because others
// changed keys on which it depends.
const maxConflicts = 10

// jitter waits up to a time that doubles, so that those who conflict part.
func (s *Spore) jitter(ctx context.Context, n int) {
	select {
	case <-time.After(rand.N(time.Millisecond << n)):
	case <-ctx.Done():
	}
}

// end sees to an attempt's outcome. It reports whether the task is to be run again
// at once, as the next attempt.
func (s *Spore) end(ctx context.Context, a *hive.Attempt, out *hive.Outcome) (again bool) {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errFenced):
		s.opts.Log.Info("attempt stopped", "task", a.Task.ID, "attempt", a.Number)
	case errors.Is(cause, errReleased):
		s.release(a)
	default:
		return s.put(ctx, a, out)
	}
	return false
}

// loadFailure is permanent when the program itself is at fault.
func loadFailure(err error) *hive.Failure {
	if _, ok := errors.AsType[*runtime.Refusal](err); ok {
		return hive.NewFailure(hive.FailLoad, err.Error())
	}
	return hive.NewFailure(hive.FailHost, err.Error())
}

// call runs the sandbox.
func (s *Spore) call(ctx context.Context, a *hive.Attempt, r *ready) hive.Outcome {
	at := &hostfuncs.Attempt{
		Task: hostfuncs.Task{
			ID: a.Task.ID, Attempt: a.Number, Priority: a.Task.Priority, Tenant: a.Task.Tenant, Created: a.Created, Spore: s.opts.Name, Tags: s.tags,
			Deadline: time.Now().Add(a.Task.Timeout).Round(time.Millisecond),
		},
		KV: s.road.KV(), Emitter: emitter{s, a}, HTTP: s.http, Secrets: s.opts.Secrets, Files: s.files,
		Record: s.opts.Record,
	}
	out := r.program.Run(ctx, at, runtime.Call{Payload: a.Task.Payload, Timeout: a.Task.Timeout})
	for function, n := range at.Denied() {
		s.metrics.denied.WithLabelValues(a.Task.Skill.Name, function).Add(float64(n))
		s.trail.Denied(r.skill.ID(), function, a.Task.ID)
	}
	return out
}

// emitter takes what an attempt tells before its end to the road.
type emitter struct {
	*Spore
	attempt *hive.Attempt
}

// Emit implements hostfuncs.Emitter.
func (e emitter) Emit(ctx context.Context, number int, data []byte) error {
	return e.road.Emit(ctx, e.opts.Name, e.attempt, hive.Part{Attempt: e.attempt.Number, Number: number, Data: data})
}

// Progress implements hostfuncs.Emitter.
func (e emitter) Progress(ctx context.Context, p hive.Progress) error {
	return e.road.Progress(ctx, e.opts.Name, e.attempt, p)
}

// put records an outcome. It does not give up while the road does not answer:
// when it answers again, the attempt either still holds the task or is fenced. It
// reports whether its effects were in conflict with those of others: then the task
// is here as the next attempt.
func (s *Spore) put(ctx context.Context, a *hive.Attempt, out *hive.Outcome) (conflict bool) {
	for complaint := (broker.Complaint{}); ; {
		var err error
		if out.Failure == nil {
			err = s.road.Complete(s.life, s.opts.Name, a, out)
		} else {
			err = s.fail(a, out)
		}
		switch {
		case err == nil:
			s.metrics.ended(a.Task.Skill.Name, out)
			s.seen.ended(out)
			return false
		case errors.Is(err, hive.ErrConflict):
			s.renumber(a)
			return true
		case errors.Is(err, hive.ErrFenced):
			s.opts.Log.Warn("outcome refused", "task", a.Task.ID, "attempt", a.Number, "error", err)
			return false
		case errors.Is(err, hive.ErrTooLarge):
			out.Failure = hive.NewFailure(hive.FailOutput, err.Error())
			continue
		case errors.Is(err, hive.ErrEffect):
			out.Failure = hive.NewFailure(hive.FailSkill, err.Error())
			continue
		case ctx.Err() != nil:
			return false // killed, or stopping: the lease ends by itself
		}
		complaint.Tell(s.road, s.opts.Log, "outcome not recorded yet", err, "task", a.Task.ID, "attempt", a.Number)
		s.pause()
	}
}

// renumber makes an attempt the next one, where it is known by its number.
func (s *Spore) renumber(a *hive.Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.Number++
}

func (s *Spore) fail(a *hive.Attempt, out *hive.Outcome) error {
	delay := out.Failure.RetryAfter
	if delay == 0 {
		delay = a.Task.Backoff.Delay(a.Failures+1, rand.Float64())
	}
	state, err := s.road.Fail(s.life, s.opts.Name, a, out, delay)
	if err == nil {
		s.opts.Log.Info("attempt failed", "task", a.Task.ID, "skill", a.Task.Skill.String(),
			"attempt", a.Number, "kind", out.Failure.Kind, "state", state)
	}
	return err
}

// release hands an attempt back at no cost.
func (s *Spore) release(a *hive.Attempt) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.life), 2*time.Second)
	defer cancel()
	if _, err := s.road.Release(ctx, s.opts.Name, *a); err != nil {
		s.opts.Log.Warn("cannot hand the attempt back", "task", a.Task.ID, "error", err)
	}
}
