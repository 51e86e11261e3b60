package main

import (
	"context"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/road/order"
)

// meter counts what a worker has handled, and tells.
type meter struct {
	order.Order
	say     func(order.Answer)
	cpu     time.Duration // the program had taken after the first ones
	begun   atomic.Int64
	handled atomic.Int64
	lags    []time.Duration // from before a task was enqueued to its handler
}

func newMeter(o order.Order, say func(order.Answer)) *meter {
	m := &meter{Order: o, say: say}
	if o.Lags {
		m.lags = make([]time.Duration, o.Tasks)
	}
	return m
}

// start is told of every task when its handler begins.
func (m *meter) start(payload []byte) error {
	n := m.begun.Add(1)
	if n > int64(len(m.lags)) {
		return nil
	}
	age, err := order.Age(payload)
	m.lags[n-1] = age
	return err
}

// done is told of every task that is done.
func (m *meter) done() {
	n := m.handled.Add(1)
	if n != int64(m.Skip) && n != int64(m.Tasks) {
		return
	}
	a := order.Answer{At: time.Now().UnixMicro()}
	if n == int64(m.Skip) {
		m.cpu = processorTime()
		m.say(a)
		return
	}
	a.CPU = micros(processorTime() - m.cpu)
	if m.lags != nil {
		a.P50, a.P99 = quantiles(m.lags[m.Skip:])
	}
	m.say(a)
}

// enqueue enqueues tasks as it is ordered to.
func enqueue(ctx context.Context, p peer, o order.Order) (order.Answer, error) {
	times := make([]time.Duration, (o.Tasks+max(1, o.Bulk)-1)/max(1, o.Bulk))
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	cpu, begun := processorTime(), time.Now()
	for range max(1, o.Callers) {
		group.Go(func() error {
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= len(times) {
					return nil
				}
				at := time.Now()
				if err := submit(ctx, p, o, n); err != nil {
					return err
				}
				times[n] = time.Since(at)
			}
			return nil
		})
	}
	err := group.Wait()
	a := order.Answer{Begun: begun.UnixMicro(), At: time.Now().UnixMicro(), CPU: micros(processorTime() - cpu)}
	a.P50, a.P99 = quantiles(times)
	return a, err
}

// submit makes the n-th call.
func submit(ctx context.Context, p peer, o order.Order, n int) error {
	if o.Bulk == 0 {
		return p.Submit(ctx, order.NewJob(n))
	}
	payloads := make([][]byte, min(o.Bulk, o.Tasks-n*o.Bulk))
	for i := range payloads {
		payloads[i] = order.NewJob(n*o.Bulk + i)
	}
	return p.SubmitMany(ctx, payloads)
}

// call does one task after the other.
func call(ctx context.Context, p peer, o order.Order) (order.Answer, error) {
	times := make([]time.Duration, o.Tasks)
	for i := range times {
		at := time.Now()
		if err := p.Call(ctx, order.NewJob(i)); err != nil {
			return order.Answer{}, err
		}
		times[i] = time.Since(at)
	}
	var a order.Answer
	a.P50, a.P99 = quantiles(times[o.Skip:])
	return a, nil
}

func quantiles(times []time.Duration) (p50, p99 float64) {
	return micros(report.Quantile(times, 0.5)), micros(report.Quantile(times, 0.99))
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// processorTime is what this program has taken.
func processorTime() time.Duration {
	u := resources()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func resources() (u syscall.Rusage) {
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail
	return u
}
