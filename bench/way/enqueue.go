package way

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

const (
	memoryColumn = "bytes / task"
	enqueueTable = "Enqueue: nothing else is on the road. Redis: its processor time per task."
	memoryTable  = "Memory: bytes in Redis of a queued task with a payload of 200 bytes."
)

// enqueue measures Submit by a number of callers at once.
func (s *suite) enqueue(callers int) stage {
	row := fmt.Sprintf("Submit, %d callers", callers)
	if callers == 1 {
		row = "Submit, 1 caller"
	}
	return stage{"enqueue: " + row, rig.Noop, rig.Setup{}, func(ctx context.Context, h *rig.Hive) error {
		n := s.size.Calls
		if callers > 1 {
			n = max(1, s.size.Tasks/callers)
		}
		cpu, err := h.Redis.CPU(ctx)
		if err != nil {
			return err
		}
		times, took, err := submit(ctx, h, callers, n)
		if err != nil {
			return err
		}
		return s.addEnqueue(ctx, h, row, callers*n, took, cpu, report.Latency(times)...)
	}}
}

// submit has every caller submit n tasks, one after the other.
func submit(ctx context.Context, h *rig.Hive, callers, n int) (times []time.Duration, took time.Duration, err error) {
	payload := payloads(1)[0]
	all := make([]time.Duration, callers*n)
	group, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for c := range callers {
		group.Go(func() error {
			for i := range n {
				at := time.Now()
				if _, err := h.Client.Submit(ctx, task(rig.Noop, payload)); err != nil {
					return err
				}
				all[c*n+i] = time.Since(at)
			}
			return nil
		})
	}
	err = group.Wait()
	return all, time.Since(begun), err
}

// bulk measures the enqueueing of many tasks at once, and what they take in
// Redis; waited ones also have a client that is to be told of each.
func (s *suite) bulk(waited bool) stage {
	n := s.size.Tasks
	row, inbox := bulkRow(n, waited), ""
	if waited {
		inbox = hive.NewID()
	}
	return stage{"enqueue: " + row, rig.Noop, rig.Setup{}, func(ctx context.Context, h *rig.Hive) error {
		return s.bulkInto(ctx, h, row, inbox, n)
	}}
}

func bulkRow(n int, waited bool) string {
	row := fmt.Sprintf("SubmitMany of %d", n)
	if waited {
		row += ", a client waits for each"
	}
	return row
}

func (s *suite) bulkInto(ctx context.Context, h *rig.Hive, row, inbox string, n int) error {
	if _, err := h.Road.EnqueueMany(ctx, bulkTasks(n/10), inbox); err != nil { // loads the script, grows buffers
		return err
	}
	cpu, err := h.Redis.CPU(ctx)
	if err != nil {
		return err
	}
	empty, err := h.Redis.Memory(ctx)
	if err != nil {
		return err
	}
	tasks, begun := bulkTasks(n), time.Now()
	if inbox == "" {
		_, err = h.Client.SubmitMany(ctx, tasks)
	} else {
		_, err = h.Road.EnqueueMany(ctx, tasks, inbox)
	}
	if err != nil {
		return err
	}
	s.addEnqueue(ctx, h, row, n, time.Since(begun), cpu)
	return s.addMemory(ctx, h, row, tasks, empty)
}

func bulkTasks(n int) []hive.Task {
	tasks := make([]hive.Task, n)
	for i, payload := range payloads(n) {
		tasks[i] = task(rig.Noop, payload).WithDefaults()
	}
	return tasks
}

func (s *suite) addEnqueue(ctx context.Context, h *rig.Hive, row string, n int, took, before time.Duration, more ...report.Figure) error {
	after, err := h.Redis.CPU(ctx)
	if err != nil {
		return err
	}
	s.report.Add(enqueueTable, row, append([]report.Figure{
		{Column: rateColumn, Value: float64(n) / took.Seconds()},
		{Column: redisCPU, Value: float64((after - before).Microseconds()) / float64(n)},
	}, more...)...)
	return nil
}

func (s *suite) addMemory(ctx context.Context, h *rig.Hive, row string, tasks []hive.Task, empty float64) error {
	full, err := h.Redis.Memory(ctx)
	if err != nil {
		return err
	}
	record, err := h.Redis.RecordSize(ctx, tasks[0].ID)
	if err != nil {
		return err
	}
	s.report.Add(memoryTable, row,
		report.Figure{Column: memoryColumn, Value: (full - empty) / float64(len(tasks))},
		report.Figure{Column: "of it the record", Value: float64(record)})
	return nil
}
