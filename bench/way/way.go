// Package way measures the whole way of a task: from a client over Redis, past
// the nexus, to a spore, through a sandbox and back.
package way

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

// Size says how much is measured.
type Size struct {
	Rounds int
	Tasks  int // at full rate, and in bulk
	Calls  int // single submits and round trips
}

// Sizes of a run that is to be believed, and of a quick look.
var (
	Full  = Size{Rounds: 3, Tasks: 10_000, Calls: 2_000}
	Quick = Size{Rounds: 1, Tasks: 2_000, Calls: 300}
)

// stage is one thing that is measured, on a fresh hive.
type stage struct {
	name    string
	skill   string
	setup   rig.Setup
	measure func(context.Context, *rig.Hive) error
}

func (s Size) String() string {
	return fmt.Sprintf("%d tasks at full rate and in bulk, %d single calls", s.Tasks, s.Calls)
}

// The hives that are measured. 100 slots is the concurrency at which peers are
// measured, too.
var (
	one   = rig.Setup{Nexus: true, Spores: 1}
	three = rig.Setup{Nexus: true, Spores: 3}
	wide  = rig.Setup{Nexus: true, Spores: 1, Slots: 100}
)

// suite is a run.
type suite struct {
	kit    *rig.Kit
	size   Size
	report *report.Report
}

// Run measures all stages in every round, so that what disturbs the machine for
// a while disturbs each of them alike. progress is told each stage that begins.
func Run(ctx context.Context, kit *rig.Kit, size Size, r *report.Report, progress func(string)) error {
	s := &suite{kit, size, r}
	stages := s.stages()
	for round := range size.Rounds {
		for i, st := range stages {
			progress(fmt.Sprintf("round %d of %d, %d/%d: %s", round+1, size.Rounds, i+1, len(stages), st.name))
			if err := s.run(ctx, st); err != nil {
				return fmt.Errorf("%s: %w", st.name, err)
			}
		}
	}
	s.conclude()
	return nil
}

func (s *suite) stages() []stage {
	return []stage{
		s.rate(rig.Wordcount, one), s.rate(rig.Wordcount, three),
		s.rate(rig.Noop, one), s.rate(rig.Noop, three), s.rate(rig.Noop, wide),
		s.enqueue(1), s.enqueue(50), s.bulk(false), s.bulk(true),
		s.roundTrip(rig.Noop), s.roundTrip(rig.Wordcount),
	}
}

// run measures one stage once.
func (s *suite) run(ctx context.Context, st stage) error {
	h, err := s.kit.Start(ctx, st.setup, s.kit.Skill(st.skill))
	if err != nil {
		return err
	}
	defer h.Stop()
	if err := st.measure(ctx, h); err != nil {
		return err
	}
	return h.Check()
}

// task is one of a skill that begins at once and is not tried twice: what fails
// here is to be seen.
func task(skill string, payload []byte) hive.Task {
	return hive.Task{Skill: hive.SkillRef{Name: skill}, Payload: payload, Retries: hive.NoRetries}
}

// payloads are different texts of 200 bytes.
func payloads(n int) [][]byte {
	const words = "a task is a value that moves along one road from a client past the foreman to a spore " +
		"through the glass of a sandbox and back as a result while nothing on the road ever reaches backward; so it goes, on and on and on"
	all := make([][]byte, n)
	for i := range all {
		all[i] = fmt.Appendf(nil, "%08d %s", i, words)[:payloadSize]
	}
	return all
}

const payloadSize = 200

// completed reports a task that did not complete.
func completed(r *hive.Record) error {
	switch {
	case r == nil:
		return errors.New("a task has no record")
	case r.State != hive.Completed:
		return fmt.Errorf("task %s is %s: %v", r.ID, r.State, r.Failure)
	}
	return nil
}

// each takes the time of n calls, one after the other.
func each(n int, call func() error) ([]time.Duration, error) {
	times := make([]time.Duration, n)
	for i := range times {
		begun := time.Now()
		if err := call(); err != nil {
			return nil, err
		}
		times[i] = time.Since(begun)
	}
	return times, nil
}
