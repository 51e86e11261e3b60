package main

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/bench/report"
)

// measureTasks takes the time per task at every setting. Before, every example
// has to give its result.
func measureTasks(ctx context.Context, o work.Order) (r work.Result, err error) {
	s, err := open(ctx, o)
	if err != nil {
		return r, err
	}
	defer s.close()
	if u, ok := s.(*ours); ok {
		r.Mode = u.skill.Info().Mode
	}
	if err := check(ctx, s, work.Examples, work.Wrong); err != nil {
		return r, fmt.Errorf("%s: %w", o.Subject, err)
	}
	for _, setting := range o.Settings {
		t, err := measureSetting(ctx, s, setting, o.Window, o.Windows)
		if err != nil {
			return r, err
		}
		r.Tasks = append(r.Tasks, t)
	}
	return r, nil
}

// check runs what is measured next. Each example twice: the second call may
// find what the first one left.
func check(ctx context.Context, s subject, examples []work.Example, wrong []byte) error {
	call, err := s.caller(ctx)
	if err != nil {
		return err
	}
	for range 2 {
		for _, e := range examples {
			got, err := call(e.Payload)
			if err != nil {
				return fmt.Errorf("%s: %w", e.Payload, err)
			}
			if !bytes.Equal(got, e.Result) {
				return fmt.Errorf("%s gave %q, want %q", e.Payload, got, e.Result)
			}
		}
		if wrong == nil {
			continue
		}
		if got, err := call(wrong); err == nil {
			return fmt.Errorf("%s gave %q, want an error", wrong, got)
		}
	}
	return nil
}

func measureSetting(ctx context.Context, s subject, setting work.Setting, window time.Duration, windows int) (work.Task, error) {
	runtime.GOMAXPROCS(setting.Cores)
	debug.SetGCPercent(setting.GOGC)
	runtime.GC()
	t := work.Task{Setting: setting}
	callers := make([]caller, setting.Cores)
	for i := range callers {
		var err error
		if callers[i], err = s.caller(ctx); err != nil {
			return t, err
		}
	}
	if _, err := rate(ctx, callers, window/2); err != nil { // warms up
		return t, err
	}
	var micros, cpu []float64
	for range windows {
		before := processorTime()
		w, err := rate(ctx, callers, window)
		if err != nil {
			return t, err
		}
		micros = append(micros, 1/w.perMicro)
		cpu = append(cpu, (processorTime()-before)/float64(w.tasks))
	}
	t.Micros, t.CPU = report.Median(micros), report.Median(cpu)
	return t, nil
}

// throughput is what several callers did.
type throughput struct {
	tasks    int
	perMicro float64 // tasks per µs, all callers together
}

// rate has every caller do tasks for d, and one at least.
func rate(ctx context.Context, callers []caller, d time.Duration) (sum throughput, err error) {
	each := make([]throughput, len(callers))
	var group errgroup.Group
	for i, call := range callers {
		group.Go(func() (err error) {
			each[i], err = tasksFor(ctx, call, d)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return sum, err
	}
	for _, t := range each {
		sum.tasks += t.tasks
		sum.perMicro += t.perMicro
	}
	return sum, nil
}

// glance is how often the clock is looked at, about: it takes as long as the
// shortest of tasks.
const glance = 50 * time.Microsecond

func tasksFor(ctx context.Context, call caller, d time.Duration) (t throughput, err error) {
	begun, batch := time.Now(), 1
	for {
		for i := range batch {
			payload := work.Examples[i%len(work.Examples)].Payload
			if _, err := call(payload); err != nil {
				return t, err
			}
		}
		t.tasks += batch
		passed := time.Since(begun)
		if passed >= d || ctx.Err() != nil {
			t.perMicro = float64(t.tasks) / micros(passed)
			return t, context.Cause(ctx)
		}
		batch = max(1, int(float64(t.tasks)*float64(glance)/float64(passed)))
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// processorTime is what this process and its children have used so far, in µs.
func processorTime() float64 {
	var sum float64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += micros(time.Duration(u.Utime.Nano() + u.Stime.Nano()))
		}
	}
	return sum
}
