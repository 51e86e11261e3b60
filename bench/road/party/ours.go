package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/native"
	"github.com/hive-spore/hive/bench/road/order"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
)

// ours is The Hive.
type ours struct {
	order.Order
	road   *broker.Broker
	client *client.Client
	kept   kept[string]
}

func (p *ours) Dial(ctx context.Context, o order.Order) (err error) {
	if p.Order = o; p.road != nil {
		return nil
	}
	if p.road, err = broker.Dial(ctx, broker.Options{Addrs: []string{o.Redis}}); err == nil {
		p.client = client.New(p.road, client.Options{})
	}
	return err
}

// task is one that is not tried twice: what fails here is to be seen.
func (p *ours) task(payload []byte) hive.Task {
	return hive.Task{Skill: hive.SkillRef{Name: p.Skill}, Payload: payload, Retries: hive.NoRetries}
}

func (p *ours) Submit(ctx context.Context, payload []byte) error {
	id, err := p.client.Submit(ctx, p.task(payload))
	p.kept.keep(p.Tasks, id, payload)
	return err
}

func (p *ours) SubmitMany(ctx context.Context, payloads [][]byte) error {
	tasks := make([]hive.Task, len(payloads))
	for i, payload := range payloads {
		tasks[i] = p.task(payload)
	}
	ids, err := p.client.SubmitMany(ctx, tasks)
	for i, id := range ids {
		p.kept.keep(p.Tasks, id, payloads[i])
	}
	return err
}

func (p *ours) Call(ctx context.Context, payload []byte) error {
	r, err := p.client.Run(ctx, p.task(payload))
	if err != nil {
		return err
	}
	return p.checkOne(r, payload)
}

func (p *ours) Work(ctx context.Context, m *meter, ready func()) error {
	var failed sync.Once
	s := &native.Spore{Road: p.road, Name: "native", Slots: m.Slots}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.Handle = func(a *hive.Attempt) {
		if err := m.start(a.Task.Payload); err != nil {
			failed.Do(func() { cancel(err) })
		}
	}
	s.Done = func(native.Times) { m.done() }
	if err := s.Join(ctx); err != nil {
		return err
	}
	ready()
	return s.Work(ctx)
}

func (p *ours) Check(ctx context.Context) error {
	stats, err := p.road.Stats(ctx)
	if err != nil {
		return err
	}
	if stats.Completed != int64(p.Tasks) || stats.Pending+stats.Assigned+stats.Running != 0 {
		return fmt.Errorf("want %d tasks completed: %+v", p.Tasks, stats)
	}
	return p.kept.each(func(id string, payload []byte) error {
		r, err := p.client.Status(ctx, id)
		if err != nil {
			return err
		}
		return p.checkOne(r, payload)
	})
}

// checkOne reports a task that is not completed with the right result.
func (p *ours) checkOne(r *hive.Record, payload []byte) error {
	if r == nil || r.State != hive.Completed {
		return fmt.Errorf("a task is not completed: %+v", r)
	}
	want := string(native.Result)
	if p.Sandboxed {
		var err error
		if want, err = order.Done(payload); err != nil {
			return err
		}
	}
	if string(r.Result) != want {
		return fmt.Errorf("task %s: the result is %q, want %q", r.ID, r.Result, want)
	}
	return nil
}

// mapAll has all tasks done by one Map.
func (p *ours) mapAll(ctx context.Context, o order.Order) (order.Answer, error) {
	payloads := make([][]byte, o.Tasks)
	for i := range payloads {
		payloads[i] = order.NewJob(i)
	}
	runtime.GC()
	cpu, begun := processorTime(), now()
	records, err := p.client.Map(ctx, client.MapOptions{Task: p.task(nil)}, payloads)
	a := order.Answer{Begun: begun, At: now(), CPU: micros(processorTime() - cpu), Memory: float64(resources().Maxrss) * rssUnit}
	for i := 0; i < len(records) && err == nil; i++ {
		err = p.checkOne(records[i], payloads[i])
	}
	return a, err
}

func (p *ours) Close() error {
	if p.road == nil {
		return nil
	}
	return errors.Join(p.client.Close(), p.road.Close())
}
