package rig

import (
	"context"
	"os"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
)

// Usage is what a hive took of its machine.
type Usage struct {
	Requests                     float64 // that reached Redis
	Redis, Nexus, Spores, Client time.Duration
	Machine                      time.Duration // all that ran, the hive included
	Wall                         time.Duration
}

// used is what the hive has used so far.
func (h *Hive) used(ctx context.Context) (u Usage, err error) {
	if u.Redis, err = h.Redis.CPU(ctx); err != nil {
		return u, err
	}
	if u.Requests, err = h.Redis.Requests(ctx); err != nil {
		return u, err
	}
	if u.Nexus, u.Spores, err = h.CPU(); err != nil {
		return u, err
	}
	if u.Client, err = OwnCPU(); err != nil {
		return u, err
	}
	u.Machine, err = MachineCPU(ctx)
	u.Wall = time.Duration(time.Now().UnixNano())
	return u, err
}

// MachineCPU is the processor time that all that runs on the machine has taken so far,
// and what its host took from it.
func MachineCPU(ctx context.Context) (time.Duration, error) {
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil || len(times) != 1 {
		return 0, err
	}
	t := times[0]
	return seconds(t.User + t.Nice + t.System + t.Irq + t.Softirq + t.Steal), nil
}

// OwnCPU is the processor time that this process has taken so far.
func OwnCPU() (time.Duration, error) { return used(os.Getpid()) }

// CPU is the processor time that its nexus and its spores have taken so far.
func (h *Hive) CPU() (nexus, spores time.Duration, err error) {
	if nexus, err = sum(h.nexus); err != nil {
		return 0, 0, err
	}
	spores, err = sum(h.spores)
	return nexus, spores, err
}

func sum(procs []*Process) (total time.Duration, err error) {
	for _, p := range procs {
		t, err := p.CPU()
		if err != nil {
			return 0, err
		}
		total += t
	}
	return total, nil
}

// Measure is what the hive uses while f runs.
func (h *Hive) Measure(ctx context.Context, f func() error) (Usage, error) {
	before, err := h.used(ctx)
	if err != nil {
		return before, err
	}
	if err := f(); err != nil {
		return before, err
	}
	after, err := h.used(ctx)
	return after.since(before), err
}

// since is what was used since an earlier reading.
func (u Usage) since(before Usage) Usage {
	return Usage{u.Requests - before.Requests, u.Redis - before.Redis, u.Nexus - before.Nexus, u.Spores - before.Spores,
		u.Client - before.Client, u.Machine - before.Machine, u.Wall - before.Wall}
}

// Others is the share of the machine, 0..1, that others took.
func (u Usage) Others() float64 {
	ours := u.Redis + u.Nexus + u.Spores + u.Client
	share := float64(u.Machine-ours) / (float64(u.Wall) * float64(runtime.NumCPU()))
	return min(1, max(0, share))
}
