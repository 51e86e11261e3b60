package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hive-spore/hive/bench/road/order"
)

// natsPeer is NATS JetStream with a stream in files, from which what was handled is
// taken away.
type natsPeer struct {
	order.Order
	server *server.Server
	conn   *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream

	inbox   string // where results come; Call
	replies chan *nats.Msg
}

// replyTo is the header that says where a result is waited for.
const replyTo = "Reply-To"

// published is how many of SubmitMany are under way at once.
const published = 4096

// Serve is the server.
func (p *natsPeer) Serve(o order.Order) (string, error) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: o.Dir, NoSigs: true, NoLog: true})
	if err != nil {
		return "", err
	}
	p.server = s
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return "", errors.New("the server does not become ready")
	}
	return s.ClientURL(), nil
}

func (p *natsPeer) Dial(ctx context.Context, o order.Order) (err error) {
	if p.Order = o; p.conn != nil || o.NATS == "" {
		return nil
	}
	if p.conn, err = nats.Connect(o.NATS); err != nil {
		return err
	}
	if p.js, err = jetstream.New(p.conn, jetstream.WithPublishAsyncMaxPending(published)); err != nil {
		return err
	}
	p.stream, err = p.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: order.Queue, Subjects: []string{order.Queue}, Storage: jetstream.FileStorage, Retention: jetstream.WorkQueuePolicy})
	return err
}

func (p *natsPeer) Submit(ctx context.Context, payload []byte) error {
	_, err := p.js.Publish(ctx, order.Queue, payload)
	return err
}

// SubmitMany publishes without waiting for each.
func (p *natsPeer) SubmitMany(ctx context.Context, payloads [][]byte) error {
	acks := make([]jetstream.PubAckFuture, len(payloads))
	for i, payload := range payloads {
		var err error
		if acks[i], err = p.js.PublishAsync(order.Queue, payload); err != nil {
			return err
		}
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Call is told of the result on a subject of its own, which the stream knows nothing of.
func (p *natsPeer) Call(ctx context.Context, payload []byte) error {
	if p.replies == nil {
		p.inbox, p.replies = nats.NewInbox(), make(chan *nats.Msg, 1)
		if _, err := p.conn.ChanSubscribe(p.inbox, p.replies); err != nil {
			return err
		}
	}
	msg := &nats.Msg{Subject: order.Queue, Data: payload, Header: nats.Header{replyTo: {p.inbox}}}
	if _, err := p.js.PublishMsg(ctx, msg); err != nil {
		return err
	}
	select {
	case <-p.replies:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *natsPeer) Work(ctx context.Context, m *meter, ready func()) error {
	consumer, err := p.stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: "worker", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 10_000})
	if err != nil {
		return err
	}
	tasks, failed := make(chan jetstream.Msg), make(chan error, m.Slots)
	var slots sync.WaitGroup
	for range m.Slots {
		slots.Go(func() {
			for msg := range tasks {
				if err := p.handle(m, msg); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	messages, err := consumer.Consume(func(msg jetstream.Msg) { tasks <- msg }, jetstream.PullMaxMessages(max(500, m.Slots)))
	if err != nil {
		return err
	}
	ready()
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	messages.Stop()
	<-messages.Closed()
	close(tasks)
	slots.Wait()
	return err
}

func (p *natsPeer) handle(m *meter, msg jetstream.Msg) error {
	if err := m.start(msg.Data()); err != nil {
		return err
	}
	if to := msg.Headers().Get(replyTo); to != "" {
		if err := p.conn.Publish(to, []byte("ok")); err != nil {
			return err
		}
	}
	if err := msg.Ack(); err != nil {
		return err
	}
	m.done()
	return nil
}

func (p *natsPeer) Check(ctx context.Context) error {
	for {
		info, err := p.stream.Info(ctx)
		switch {
		case err != nil:
			return err
		case info.State.LastSeq != uint64(p.Tasks):
			return fmt.Errorf("the stream had %d messages, want %d", info.State.LastSeq, p.Tasks)
		case info.State.Msgs == 0: // all acknowledged: acknowledgements may be on their way
			return nil
		}
	}
}

func (p *natsPeer) Close() error {
	if p.conn != nil {
		p.conn.Close()
	}
	if p.server != nil {
		p.server.Shutdown()
		p.server.WaitForShutdown()
	}
	return nil
}
