package main

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

// measureKills stops runaways one after the other while another goroutine
// does tasks, at either pace.
func measureKills(ctx context.Context, o work.Order) (r work.Result, err error) {
	goruntime.GOMAXPROCS(goruntime.NumCPU() + 1) // as the programs do
	options, err := options(o.Scratch, false)
	if err != nil {
		return r, err
	}
	engine, err := runtime.New(ctx, options)
	if err != nil {
		return r, err
	}
	defer engine.Close(context.Background())
	runaway, err := prepareOurs(ctx, engine, o.Wasm, work.Reactor, []byte("end"))
	if err != nil {
		return r, err
	}
	small, err := prepareOurs(ctx, engine, o.Beside, work.Reactor, work.Examples[0].Payload)
	if err != nil {
		return r, err
	}
	ends := func() error {
		out := runaway.Call(ctx, runtime.Call{Payload: []byte("end")})
		if out.Failure != nil || string(out.Result) != "ok" {
			return fmt.Errorf("the runaway's other end gave %q, %v", out.Result, out.Failure)
		}
		return nil
	}
	if err := ends(); err != nil {
		return r, err
	}
	r.Mode = runaway.Info().Mode
	for _, pace := range []work.Pace{work.Calm, work.Busy} {
		k, err := killing(ctx, o, runaway, small, pace)
		if err != nil {
			return r, fmt.Errorf("%s: %w", pace, err)
		}
		r.Kills = append(r.Kills, k)
	}
	return r, ends() // it is not spoilt
}

// killing lets the tasks of small go on for as long without a runaway first.
func killing(ctx context.Context, o work.Order, runaway, small *spore.Program, pace work.Pace) (k work.Killing, err error) {
	alone, err := beside(ctx, small, pace, func() error { return wait(ctx, time.Duration(o.Kills)*o.Limit) })
	if err != nil {
		return k, err
	}
	var late []time.Duration
	together, err := beside(ctx, small, pace, func() (err error) {
		late, err = kill(ctx, runaway, o.Kills, o.Limit)
		return err
	})
	return work.Killing{Pace: pace, Late: quantiles(late), Alone: quantiles(alone), Beside: quantiles(together)}, err
}

func quantiles(times []time.Duration) work.Times {
	return work.Times{P50: micros(report.Quantile(times, 0.5)), P99: micros(report.Quantile(times, 0.99)), Max: micros(report.Quantile(times, 1))}
}

// kill returns how long after their deadline the calls of a runaway ended.
func kill(ctx context.Context, s *spore.Program, n int, limit time.Duration) (late []time.Duration, err error) {
	for range n {
		begun := time.Now()
		out := s.Call(ctx, runtime.Call{Timeout: limit})
		took := time.Since(begun)
		if out.Failure == nil || out.Failure.Kind != hive.FailTimeout {
			return nil, fmt.Errorf("a runaway ended with %v, want a timeout", out.Failure)
		}
		late = append(late, took-limit)
	}
	return late, nil
}

// beside returns the times of the tasks that ran while other did.
func beside(ctx context.Context, s *spore.Program, pace work.Pace, other func() error) (times []time.Duration, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group errgroup.Group
	group.Go(func() error {
		err := other()
		stop(errors.Join(errEnough, err))
		return err
	})
	group.Go(func() error {
		call := callerOf(context.WithoutCancel(ctx), s)
		for i := 0; ctx.Err() == nil; i++ {
			begun := time.Now()
			if _, err := call(work.Examples[i%len(work.Examples)].Payload); err != nil {
				return err
			}
			times = append(times, time.Since(begun))
			if pace == work.Calm {
				time.Sleep(time.Millisecond)
			}
		}
		return nil
	})
	return times, group.Wait()
}

var errEnough = errors.New("enough")

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
