package ota

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

const (
	swapTable = "Swap: tasks in turns without and with a new version that two spores compile, install and change to meanwhile.\n" +
		"From before Submit to the result in hand. Until: from before it is published until both offer it."
	addedColumn = "added p99 ms"
)

// load is tasks that come, and of what.
type load struct {
	skill   string
	rate    int // tasks per second; 0: as many as can be
	callers int // that wait for one after the other, at full rate
}

func (l load) row() string {
	if l.rate > 0 {
		return fmt.Sprintf("%s, %d/s", l.skill, l.rate)
	}
	return fmt.Sprintf("%s, full rate of %d callers", l.skill, l.callers)
}

func (s *suite) loads() []load {
	return []load{{rig.Noop, 100, 0}, {rig.Noop, 0, 8}, {rig.Wordcount, 100, 0}, {rig.Wordcount, 0, 8}}
}

var pair = rig.Setup{Nexus: true, Spores: 2, HTTP: true}

func (s *suite) swaps(l load) stage {
	return stage{"swap: " + l.row(), func(ctx context.Context) error {
		skill := s.kit.Skill(l.skill)
		h, err := s.kit.Start(ctx, pair, skill.Version(0))
		if err != nil {
			return err
		}
		defer h.Stop()
		f := &field{hive: h, load: l}
		if err := f.window(ctx, s.size.Window, func() error { return nil }); err != nil { // warms up
			return err
		}
		quiet, swapped := &field{hive: h, load: l}, &field{hive: h, load: l}
		for i := range s.size.Windows {
			begun := time.Now()
			if err := swapped.window(ctx, s.size.Window, func() error { return s.swap(ctx, h, swapped, skill.Version(i+1)) }); err != nil {
				return err
			}
			if err := quiet.window(ctx, time.Since(begun), func() error { return nil }); err != nil {
				return err
			}
		}
		s.addSwaps(l, quiet, swapped)
		return h.Check()
	}}
}

// swap publishes a version whose code no spore has, and returns when all offer it.
func (s *suite) swap(ctx context.Context, h *rig.Hive, f *field, next rig.Skill) error {
	if err := s.kit.ForgetCode(); err != nil {
		return err
	}
	time.Sleep(s.size.Window / 4)
	begun := time.Now()
	if _, err := h.Publisher.Register(next.Name, &next.Skill, next.Program, time.Time{}); err != nil {
		return err
	}
	err := offers(ctx, h.Road, next.ID(), pair.Spores)
	f.until = append(f.until, time.Since(begun))
	return err
}

func (s *suite) addSwaps(l load, quiet, swapped *field) {
	before, after := report.Latency(quiet.took), report.Latency(swapped.took)
	s.failed[l.row()] += quiet.failed + swapped.failed
	s.report.Add(swapTable, l.row(),
		report.Figure{Column: "p50 ms", Value: before[0].Value},
		report.Figure{Column: "swap p50 ms", Value: after[0].Value},
		report.Figure{Column: "p99 ms", Value: before[1].Value},
		report.Figure{Column: "swap p99 ms", Value: after[1].Value},
		report.Figure{Column: addedColumn, Value: after[1].Value - before[1].Value},
		report.Figure{Column: "until ms", Value: ms(report.Quantile(swapped.until, 0.5))},
		report.Figure{Column: "tasks", Value: float64(len(quiet.took) + len(swapped.took))},
		report.Figure{Column: "failed", Value: float64(quiet.failed + swapped.failed)})
}

// field is a hive under a load, and what was seen of it.
type field struct {
	hive *rig.Hive
	load load

	mu     sync.Mutex
	took   []time.Duration
	failed int
	until  []time.Duration
	err    error // of a client
}

// window has tasks come for a time, and until during returns.
func (f *field) window(ctx context.Context, least time.Duration, during func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*patience, fmt.Errorf("a window does not end"))
	defer cancel()
	over := make(chan struct{})
	var comes sync.WaitGroup
	if f.load.rate > 0 {
		comes.Go(func() { f.paced(ctx, over) })
	}
	for range f.load.callers {
		comes.Go(func() { f.calls(ctx, over) })
	}
	ends := time.After(least)
	err := during()
	<-ends
	close(over)
	comes.Wait()
	if err == nil {
		err = f.err
	}
	return err
}

// paced submits tasks at a rate, whatever becomes of those before.
func (f *field) paced(ctx context.Context, over <-chan struct{}) {
	tick := time.NewTicker(time.Second / time.Duration(f.load.rate))
	defer tick.Stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		select {
		case <-tick.C:
			all.Go(func() { f.task(ctx) })
		case <-over:
			return
		}
	}
}

// calls submits tasks, each when the one before is over.
func (f *field) calls(ctx context.Context, over <-chan struct{}) {
	for {
		select {
		case <-over:
			return
		default:
		}
		if !f.task(ctx) {
			return
		}
	}
}

// text is a payload of 200 bytes.
const text = "a task is a value that moves along one road from a client past the foreman to a spore through the glass of a sandbox " +
	"and back as a result while nothing on the road ever reaches backward; so it goes, on"

// task runs one that is not tried again: what fails is to be seen.
func (f *field) task(ctx context.Context) bool {
	begun := time.Now()
	r, err := f.hive.Client.Run(ctx, hive.Task{Skill: hive.SkillRef{Name: f.load.skill}, Payload: []byte(text), Retries: hive.NoRetries})
	took := time.Since(begun)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.took = append(f.took, took)
	switch {
	case err != nil:
		f.err = err
	case r.State != hive.Completed || r.Attempts != 1:
		f.failed++
	}
	return err == nil
}
