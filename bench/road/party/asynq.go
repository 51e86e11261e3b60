package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hibiken/asynq"

	"github.com/hive-spore/hive/bench/native"
	"github.com/hive-spore/hive/bench/road/order"
)

// asynqPeer is hibiken/asynq.
type asynqPeer struct {
	order.Order
	client *asynq.Client
	kept   kept[string]
}

const asynqType = "noop"

func (p *asynqPeer) Dial(_ context.Context, o order.Order) error {
	if p.Order = o; p.client == nil {
		p.client = asynq.NewClient(p.redis())
	}
	return nil
}

// redis has room for as many connections as there can be callers.
func (p *asynqPeer) redis() asynq.RedisClientOpt {
	network := "tcp"
	if filepath.IsAbs(p.Redis) {
		network = "unix"
	}
	return asynq.RedisClientOpt{Network: network, Addr: p.Redis, PoolSize: 100}
}

func (p *asynqPeer) Submit(ctx context.Context, payload []byte) error {
	opts := []asynq.Option{asynq.Queue(order.Queue), asynq.MaxRetry(0)}
	if p.Result {
		opts = append(opts, asynq.Retention(24*time.Hour))
	}
	info, err := p.client.EnqueueContext(ctx, asynq.NewTask(asynqType, payload), opts...)
	if err != nil {
		return err
	}
	p.kept.keep(p.Tasks, info.ID, payload)
	return nil
}

func (p *asynqPeer) SubmitMany(context.Context, [][]byte) error {
	return errors.New("asynq has no bulk")
}

// Call waits for nothing but its own rhythm: asynq tells a client of no result. A worker
// without tasks looks for them every second, so a task comes when it is asleep.
func (p *asynqPeer) Call(ctx context.Context, payload []byte) error {
	if err := p.Submit(ctx, payload); err != nil {
		return err
	}
	select {
	case <-time.After(p.pause()):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pause is longer than a worker sleeps, and of another length than that.
func (p *asynqPeer) pause() time.Duration {
	if p.Every > 0 {
		return 2*time.Duration(p.Every)*time.Millisecond + 3700*time.Microsecond
	}
	return 1637 * time.Millisecond
}

func (p *asynqPeer) Work(ctx context.Context, m *meter, ready func()) error {
	server := asynq.NewServer(p.redis(), asynq.Config{
		Concurrency: m.Slots, Queues: map[string]int{order.Queue: 1}, LogLevel: asynq.FatalLevel,
		TaskCheckInterval: time.Duration(m.Every) * time.Millisecond, // 0: its default
	})
	err := server.Start(asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		if err := m.start(t.Payload()); err != nil {
			return err
		}
		if m.Result {
			if _, err := t.ResultWriter().Write(native.Result); err != nil {
				return err
			}
		}
		m.done()
		return nil
	}))
	if err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	server.Shutdown()
	return nil
}

func (p *asynqPeer) Check(ctx context.Context) error {
	inspector := asynq.NewInspector(p.redis())
	defer inspector.Close()
	for {
		info, err := inspector.GetQueueInfo(order.Queue)
		switch {
		case err != nil:
			return err
		case info.Active > 0: // its handler has ended, the outcome is on its way
			continue
		case info.ProcessedTotal != p.Tasks || info.FailedTotal != 0 || info.Pending+info.Scheduled+info.Retry+info.Archived != 0:
			return fmt.Errorf("want %d tasks done: %+v", p.Tasks, info)
		case !p.Result:
			return nil
		}
		return p.kept.each(func(id string, _ []byte) error {
			t, err := inspector.GetTaskInfo(order.Queue, id)
			if err == nil && string(t.Result) != string(native.Result) {
				err = fmt.Errorf("task %s: the result is %q, want %q", id, t.Result, native.Result)
			}
			return err
		})
	}
}

func (p *asynqPeer) Close() error {
	if p.client == nil {
		return nil
	}
	return p.client.Close()
}
