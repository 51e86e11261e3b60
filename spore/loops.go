package spore

import (
	"context"
	"errors"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

const (
	// listenFor is how long one read of the doorbell waits on the road.
	listenFor = 2 * time.Second
	// lookEvery is how often the queue is looked at although no bell rang.
	lookEvery = time.Second
	// retryAfter paces calls to a road that does not answer.
	retryAfter = 500 * time.Millisecond
)

// heart reports every second and extends the leases. What the road no longer
// counts as held here is stopped.
func (s *Spore) heart() {
	tick := time.NewTicker(hive.HeartbeatEvery)
	defer tick.Stop()
	for {
		news := false
		select {
		case <-s.life.Done():
			return
		case <-tick.C:
		case <-s.beat:
			news = true
		}
		s.pulse(news)
	}
}

func (s *Spore) pulse(news bool) {
	before := s.holding()
	soon, cancel := context.WithTimeout(s.life, s.road.Lease()/3) // a beat that takes longer is no use: the next may find another connection
	defer cancel()
	pulse, err := s.road.Heartbeat(soon, s.session, s.report(), news)
	switch {
	case errors.Is(err, hive.ErrUnregistered):
		s.rejoin(before)
		return
	case err != nil:
		s.complain(&s.trouble.beat, "heartbeat failed", err)
		return
	}
	s.complain(&s.trouble.beat, "", nil)
	for id, h := range before {
		if !pulse.Holds[id] {
			s.lose(h)
		}
	}
	if !news { // two pulses in a row must be a second apart: the answer to a fetch may be on its way
		s.disown(pulse.Holds)
	}
	if s.isDraining() { // the foreman may have given one more before it knew
		if _, err := s.road.HandBack(s.life, s.session); !errors.Is(err, hive.ErrUnregistered) {
			s.complain(&s.trouble.back, "cannot hand back what is queued", err)
		}
	}
	if s.generation.Swap(pulse.Skills) != pulse.Skills {
		s.bundles.Hint()
	}
}

// disown hands back what the road counts as running here, although at two pulses
// in a row nothing of it was: Redis lost its last second and with it an outcome,
// or the answer to a fetch was lost for good. The attempt's number is the fence.
func (s *Spore) disown(holds map[string]bool) {
	here, missing := s.holding(), map[string]bool{}
	for id := range holds {
		if here[id] != nil {
			continue
		}
		missing[id] = true
		if !s.missing[id] {
			continue
		}
		r, err := s.road.Status(s.life, id)
		if err != nil || r.State != hive.Running {
			continue // the next pulse tells whether it is still held
		}
		s.opts.Log.Warn("handing back what does not run here", "task", id, "attempt", r.Attempts)
		s.release(&hive.Attempt{Task: r.Task, Number: r.Attempts})
	}
	s.missing = missing
}

// rejoin registers anew after the road gave this spore up: none of what it runs
// counts any more.
func (s *Spore) rejoin(before map[string]*held) {
	s.opts.Log.Warn("the road had given this spore up: joining anew", "spore", s.opts.Name, "attempts_lost", len(before))
	for _, h := range before {
		s.lose(h)
	}
	s.generation.Store(-1) // a road that lost its memory counts its skills from 0 again
	s.complain(&s.trouble.join, "cannot join", s.road.Register(s.life, s.session, s.report()))
}

// trouble is what the loops of a spore could not do last.
type trouble struct{ beat, back, join, seen broker.Complaint }

// complain tells of what a loop cannot do, unless the spore is leaving.
func (s *Spore) complain(c *broker.Complaint, text string, err error) {
	if s.life.Err() == nil {
		c.Tell(s.road, s.opts.Log, text, err, "spore", s.opts.Name)
	}
}

func (s *Spore) holding() map[string]*held {
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := make(map[string]*held, len(s.held))
	for id, h := range s.held {
		copied[id] = h
	}
	return copied
}

// lose stops an attempt that no longer holds its task. It may have ended by
// itself meanwhile: then this stops nothing.
func (s *Spore) lose(h *held) { h.cancel(errFenced) }

// offer fills the shelf anew and offers what is new at once.
func (s *Spore) offer() {
	s.shelf.refresh()
	notify(s.beat)
	notify(s.stock)
}

// listen waits at the doorbell.
func (s *Spore) listen() {
	for s.life.Err() == nil {
		knock, err := s.road.Listen(s.life, s.session, listenFor)
		if err != nil {
			s.pause()
			continue
		}
		if knock.Work {
			notify(s.wake)
		}
		for _, k := range knock.Kill {
			s.kill(k)
		}
		if knock.Skills {
			notify(s.beat) // its answer says which they are: one look at the repository for each of them
		}
	}
}

func (s *Spore) kill(k broker.Kill) {
	s.mu.Lock()
	h := s.held[k.ID]
	meant := h != nil && h.attempt.Number == k.Attempt
	s.mu.Unlock()
	if meant {
		s.lose(h)
	}
}

// fetch takes tasks whenever there are free slots and a hint, or a second has
// passed without one.
func (s *Spore) fetch() {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		n, ok := s.freeSlots()
		if !ok {
			return
		}
		started, left := s.fetchUpTo(n)
		for range n - started {
			s.slots <- struct{}{}
		}
		if left > 0 {
			continue // more is queued: wait for a slot only
		}
		select {
		case <-s.wake:
		case <-look.C:
		case <-s.quit:
			return
		}
	}
}

// freeSlots waits for a free slot and takes all there are.
func (s *Spore) freeSlots() (n int, ok bool) {
	select {
	case <-s.slots:
	case <-s.quit:
		return 0, false
	}
	for n = 1; ; n++ {
		select {
		case <-s.slots:
		default:
			return n, true
		}
	}
}

// fetchUpTo starts up to n attempts. left counts the tasks still queued.
func (s *Spore) fetchUpTo(n int) (started, left int) {
	if s.isDraining() {
		return 0, 0
	}
	attempts, left, err := s.road.Fetch(s.life, s.session, n)
	if errors.Is(err, hive.ErrUnregistered) {
		notify(s.beat)
	}
	if err != nil {
		s.pause()
		return 0, 0
	}
	for _, a := range attempts {
		s.begin(a)
	}
	return len(attempts), left
}

func (s *Spore) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// pause waits before a road that does not answer is asked again.
func (s *Spore) pause() {
	select {
	case <-time.After(retryAfter):
	case <-s.life.Done():
	}
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
