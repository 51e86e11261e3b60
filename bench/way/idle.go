package way

import (
	"context"
	"time"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

const idleTable = "Idle: one client, one task at a time, from before Submit to the result in hand.\n" + perTask

// roundTrip measures a task that has the hive for itself.
func (s *suite) roundTrip(skill string) stage {
	row := rateRow(skill, one)
	return stage{"idle: " + row, skill, one, func(ctx context.Context, h *rig.Hive) error {
		call := func() error { return runOne(ctx, h, skill) }
		if _, err := each(s.size.Calls/10, call); err != nil { // warms up
			return err
		}
		var times []time.Duration
		u, err := h.Measure(ctx, func() (err error) {
			times, err = each(s.size.Calls, call)
			return err
		})
		if err != nil {
			return err
		}
		s.report.Add(idleTable, row, append(report.Latency(times), costs(u, float64(s.size.Calls))...)...)
		return nil
	}}
}

// runOne submits a task and waits for its result.
func runOne(ctx context.Context, h *rig.Hive, skill string) error {
	r, err := h.Client.Run(ctx, task(skill, payloads(1)[0]))
	if err != nil {
		return err
	}
	return completed(r)
}
