// Command party is a client, a worker or a server of one of those that bench/run road
// compares: ours, asynq or nats. It takes orders from stdin (package order) until that
// ends.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/hive-spore/hive/bench/road/order"
)

// peer is one that is compared.
type peer interface {
	// Dial makes ready for an order; it is called before each.
	Dial(context.Context, order.Order) error
	Submit(ctx context.Context, payload []byte) error
	SubmitMany(ctx context.Context, payloads [][]byte) error
	// Call submits a task and waits until it is done, if one can wait for that.
	Call(ctx context.Context, payload []byte) error
	// Work handles tasks until ctx ends. Ready is called when it has begun.
	Work(ctx context.Context, m *meter, ready func()) error
	// Check reports if not as many tasks are done as were ordered, and well.
	Check(context.Context) error
	Close() error
}

var peers = map[string]func() peer{
	"ours":  func() peer { return &ours{} },
	"asynq": func() peer { return &asynqPeer{} },
	"nats":  func() peer { return &natsPeer{} },
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 || peers[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: party ours|asynq|nats")
		os.Exit(2)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // as our daemons do
	}
	p := &party{peer: peers[os.Args[1]](), out: json.NewEncoder(os.Stdout)}
	if err := p.run(ctx, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// party carries out orders.
type party struct {
	peer peer
	work sync.WaitGroup

	mu  sync.Mutex
	out *json.Encoder
}

// say writes one line.
func (p *party) say(a order.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.out.Encode(a) // nobody listens any more: stdin will end, too
}

// run carries out orders until there are no more.
func (p *party) run(ctx context.Context, in io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	for orders := json.NewDecoder(in); ; {
		var o order.Order
		err := orders.Decode(&o)
		if err == nil {
			p.obey(ctx, o)
			continue
		}
		cancel()
		p.work.Wait()
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return errors.Join(err, p.peer.Close())
	}
}

// obey carries out one order.
func (p *party) obey(ctx context.Context, o order.Order) {
	err := p.peer.Dial(ctx, o)
	if err == nil && o.Do == order.Work {
		p.start(ctx, o)
		return
	}
	var a order.Answer
	if err == nil {
		a, err = p.do(ctx, o)
	}
	if err != nil {
		a.Error = err.Error()
	}
	p.say(a)
}

// start has the worker begin, which then goes on.
func (p *party) start(ctx context.Context, o order.Order) {
	m := newMeter(o, p.say)
	p.work.Go(func() {
		err := p.peer.Work(ctx, m, func() { p.say(order.Answer{}) })
		if err != nil && ctx.Err() == nil {
			p.say(order.Answer{Error: err.Error()})
		}
	})
}

func (p *party) do(ctx context.Context, o order.Order) (order.Answer, error) {
	switch o.Do {
	case order.Serve:
		s, can := p.peer.(interface {
			Serve(order.Order) (string, error)
		})
		if !can {
			return order.Answer{}, errors.New("there is no server")
		}
		url, err := s.Serve(o)
		return order.Answer{URL: url}, err
	case order.Enqueue:
		return enqueue(ctx, p.peer, o)
	case order.Call:
		return call(ctx, p.peer, o)
	case order.Check:
		return order.Answer{}, p.peer.Check(ctx)
	case order.Map:
		if our, is := p.peer.(*ours); is {
			return our.mapAll(ctx, o)
		}
	case order.Hops:
		if our, is := p.peer.(*ours); is {
			return our.hops(ctx, o)
		}
	}
	return order.Answer{}, fmt.Errorf("order %q: cannot be done", o.Do)
}
