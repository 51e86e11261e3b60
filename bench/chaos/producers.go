package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
)

const (
	producerCount = 4
	// atOnce is how many calls each makes at a time.
	atOnce = 4
	// backlog is how many tasks wait or run when producers slow down to one for each
	// slowly: a hive that is hurt catches up with so many in some seconds.
	backlog = 150
	slowly  = 100 * ms
)

// producers put tasks on the road, repeat what failed, and note what they are told.
type producers struct {
	seed   uint64
	server string
	full   atomic.Bool // the road has enough
	calls  sync.WaitGroup

	operating sync.WaitGroup // with crons

	mu    sync.Mutex
	asked []*work
	said  []Said
	held  []Held
	crons []Cron
}

// run produces until open ends, and goes on until each call is over or ctx ends.
func (p *producers) run(ctx, open context.Context, o broker.Options) error {
	p.operating.Add(1)
	for i := range producerCount {
		road, err := broker.Dial(ctx, o)
		if err != nil {
			return err
		}
		c := client.New(road, client.Options{})
		numbers := make(chan int)
		var calls sync.WaitGroup
		for range atOnce {
			calls.Go(func() {
				for n := range numbers {
					p.put(ctx, &calls, c, draft(p.seed, i, n, p.server))
				}
			})
		}
		p.calls.Go(func() {
			switch i {
			case 0:
				calls.Go(func() { p.operate(ctx, open, c) })
			case 1:
				calls.Go(func() { p.bulk(ctx, open, c) })
			case 2:
				calls.Go(func() { p.operateCrons(ctx, open, c) })
			}
			p.number(open, numbers)
			calls.Wait()
			c.Close()
			road.Close()
		})
	}
	return nil
}

// operate weighs a tenant, and pauses tenants again and again, each for a while.
func (p *producers) operate(ctx, open context.Context, c *client.Client) {
	p.repeat(ctx, func() error { return c.SetWeight(ctx, "a", 3) })
	for random := rand.New(rand.NewPCG(p.seed, 1<<63)); rest(open, time.Duration(1+random.IntN(3))*time.Second) == nil; {
		s := hive.Scope{Tenant: tenants[2+random.IntN(2)]}
		d := time.Duration(500+random.IntN(1500)) * ms
		p.repeat(ctx, func() error {
			now, err := c.Now(ctx)
			if err == nil {
				err = c.Pause(ctx, s, now.Add(d))
			}
			return err
		})
	}
}

// number hands out numbers, slowly while the road has enough.
func (p *producers) number(open context.Context, numbers chan<- int) {
	defer close(numbers)
	for n := 0; ; {
		if p.full.Load() && rest(open, slowly) != nil {
			return
		}
		select {
		case numbers <- n:
			n++
		case <-open.Done():
			return
		}
	}
}

// put puts a task on the road, as often as it takes, and goes through with it.
func (p *producers) put(ctx context.Context, calls *sync.WaitGroup, c *client.Client, w *work) {
	p.ask(w)
	id, put := p.submit(ctx, c, w)
	if !put {
		return
	}
	p.hear(id, hive.Pending)
	if id != w.ID {
		p.hold(Held{w.ID, w.Unique, id, time.Now()})
	} else if w.cancel {
		p.cancel(ctx, c, w)
	}
	if w.waited {
		calls.Go(func() { p.wait(ctx, c, id) })
	}
}

// errTooLate is the answer to a submission whose deadline passed before the road took it, as
// far as its producer knows.
var errTooLate = errors.New("its deadline is over")

// submit returns the id that the road gives a task: another one's, if that has its key.
func (p *producers) submit(ctx context.Context, c *client.Client, w *work) (id string, put bool) {
	if w.within > 0 && !p.repeat(ctx, func() error {
		now, err := c.Now(ctx)
		w.Deadline = now.Add(w.within)
		return err
	}) {
		return "", false
	}
	put = p.repeat(ctx, func() (err error) {
		id, err = c.Submit(ctx, w.Task)
		if err != nil && w.within > 0 && time.Now().After(w.Deadline) {
			return errTooLate
		}
		return err
	})
	return id, put
}

// repeat calls until there is no error but one that is an answer.
func (p *producers) repeat(ctx context.Context, call func() error) bool {
	for ctx.Err() == nil {
		err := call()
		if err == nil {
			return true
		}
		if errors.Is(err, hive.ErrFinal) || errors.Is(err, hive.ErrNotFound) || errors.Is(err, errTooLate) {
			return false
		}
		_ = rest(ctx, 50*ms)
	}
	return false
}

// cancel changes the producer's mind, at once or a little later.
func (p *producers) cancel(ctx context.Context, c *client.Client, w *work) {
	_ = rest(ctx, time.Duration(len(w.Payload)%7)*30*ms)
	if p.repeat(ctx, func() error {
		_, err := c.Cancel(ctx, w.ID)
		return err
	}) {
		p.hear(w.ID, hive.Cancelled)
	}
}

func (p *producers) wait(ctx context.Context, c *client.Client, id string) {
	var over *hive.Record
	if p.repeat(ctx, func() (err error) {
		over, err = c.Wait(ctx, id)
		return err
	}) {
		p.hear(id, over.State)
	}
}

func (p *producers) ask(w *work) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, w)
}

func (p *producers) hear(id string, state hive.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, Said{id, state, time.Now()})
}

func (p *producers) hold(h Held) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, h)
}

// watch keeps producers from putting more on the road than it can do with.
func (p *producers) watch(ctx context.Context, look *broker.Broker) {
	for rest(ctx, 50*ms) == nil {
		if s, err := look.Stats(ctx); err == nil {
			p.full.Store(s.High+s.Background+s.Running+s.Scheduled > backlog)
		}
	}
}
