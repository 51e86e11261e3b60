package way

import (
	"context"
	"time"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/client"
)

const (
	rateTable  = "Full rate: one client submits all tasks at once and waits for every result.\n" + perTask
	rateColumn = "tasks/s"

	// perTask explains the columns of costs.
	perTask  = "Per task: requests to Redis, processor time of each part. Others: the share of the machine that others took."
	redisCPU = "Redis µs"
)

// rate measures how fast tasks go the whole way when there are always more.
func (s *suite) rate(skill string, setup rig.Setup) stage {
	row := rateRow(skill, setup)
	return stage{"full rate: " + row, skill, setup, func(ctx context.Context, h *rig.Hive) error {
		// The sandboxes are warm when every spore has had a few tasks.
		if err := mapAll(ctx, h, skill, 20*setup.Spores*max(setup.Slots, 2)); err != nil {
			return err
		}
		n := float64(s.size.Tasks)
		u, err := h.Measure(ctx, func() error { return mapAll(ctx, h, skill, s.size.Tasks) })
		if err != nil {
			return err
		}
		rate := report.Figure{Column: rateColumn, Value: n / u.Wall.Seconds()}
		s.report.Add(rateTable, row, append([]report.Figure{rate}, costs(u, n)...)...)
		return nil
	}}
}

// costs is what a hive used for each of n tasks.
func costs(u rig.Usage, n float64) []report.Figure {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / n }
	return []report.Figure{
		{Column: "requests", Value: u.Requests / n},
		{Column: redisCPU, Value: each(u.Redis)},
		{Column: "nexus µs", Value: each(u.Nexus)},
		{Column: "spores µs", Value: each(u.Spores)},
		{Column: "client µs", Value: each(u.Client)},
		{Column: "others %", Value: 100 * u.Others()},
	}
}

func rateRow(skill string, setup rig.Setup) string { return skill + ", " + setup.String() }

// mapAll runs n tasks and checks that all completed.
func mapAll(ctx context.Context, h *rig.Hive, skill string, n int) error {
	records, err := h.Client.Map(ctx, client.MapOptions{Task: task(skill, nil)}, payloads(n))
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := completed(r); err != nil {
			return err
		}
	}
	return nil
}
