// Package road measures the road of The Hive beside what one would otherwise choose, all
// of them driven alike: programs of their own, on the same machine, with the same work.
package road

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

// Size says how much is measured.
type Size struct {
	Rounds int           // of processing at 100 at once, enqueueing and idle
	Rest   int           // of all else
	Tasks  int           // of a backlog of ours; peers get fewer
	Calls  int           // single ones, one after the other
	Sleeps int           // of asynq, which sleeps meanwhile
	Memory int           // tasks whose memory is taken
	Map    int           // items
	Many   int           // tasks that stand in a long queue
	Few    int           // and in a short one
	Peers  bool          // in the long queue, too
	Pass   time.Duration // of pure routing
	Only   string        // stages whose name has this in it; "": all of them
}

// Sizes of a run that is to be believed, and of a quick look.
var (
	Full = Size{Rounds: 5, Rest: 3, Tasks: 60_000, Calls: 2_000, Sleeps: 15, Memory: 100_000, Map: 100_000,
		Many: 1_000_000, Few: 10_000, Peers: true, Pass: 3 * time.Second}
	Quick = Size{Rounds: 3, Rest: 1, Tasks: 20_000, Calls: 500, Sleeps: 5, Memory: 100_000, Map: 100_000,
		Many: 1_000_000, Few: 10_000, Pass: time.Second}
)

func (s Size) String() string {
	return fmt.Sprintf("%d rounds of processing at %d, enqueue and idle, %d of the rest; a backlog of %d tasks for ours, %d for peers and Go; %d single calls",
		s.Rounds, usual, s.Rest, s.Tasks, s.Tasks/slower, s.Calls)
}

// usual is how many tasks are handled at once where nothing else is said.
const usual = 100

// slower is how many times shorter the backlog of peers is, and of the skill in Go: a
// rate is to be taken over about the same time.
const slower = 2

// suite is a run.
type suite struct {
	kit      *rig.Kit
	programs Programs
	size     Size
	report   *report.Report
}

// stage is one thing that is measured, of one party.
type stage struct {
	name   string
	rounds int
	run    func(context.Context) error
}

// stageFor is how long a stage may take.
const stageFor = 3 * time.Minute

// Run measures all stages in every round, so that what disturbs the machine for a while
// disturbs each of them alike. progress is told each stage that begins.
func Run(ctx context.Context, kit *rig.Kit, programs Programs, size Size, r *report.Report, progress func(string)) error {
	s := &suite{kit, programs, size, r}
	stages := slices.DeleteFunc(s.stages(), func(st stage) bool { return !strings.Contains(st.name, size.Only) })
	if len(stages) == 0 {
		var names []string
		for _, st := range s.stages() {
			names = append(names, st.name)
		}
		return fmt.Errorf("no stage has %q in its name; there are\n  %s", size.Only, strings.Join(names, "\n  "))
	}
	for round := range max(size.Rounds, size.Rest) {
		for i, st := range stages {
			if round >= st.rounds {
				continue
			}
			progress(fmt.Sprintf("round %d of %d, %d/%d: %s", round+1, st.rounds, i+1, len(stages), st.name))
			if err := st.measure(ctx); err != nil {
				return fmt.Errorf("%s: %w", st.name, err)
			}
		}
	}
	s.conclude()
	return nil
}

func (st stage) measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stageFor, fmt.Errorf("it takes longer than %v", stageFor))
	defer cancel()
	return st.run(ctx)
}

func (s *suite) stages() (all []stage) {
	core := func(name string, run func(context.Context) error) { all = append(all, stage{name, s.size.Rounds, run}) }
	rest := func(name string, run func(context.Context) error) { all = append(all, stage{name, s.size.Rest, run}) }
	for _, p := range parties {
		core("processing: "+p.name, s.processing(processTable, p, usual))
	}
	for _, p := range parties {
		rest("processing 10 at once: "+p.name, s.processing(fewTable, p, 10))
		rest("processing 1,000 at once: "+p.name, s.processing(manyTable, p, 1000))
	}
	for _, p := range enqueuers {
		for _, how := range p.ways() {
			core("enqueue: "+p.name+", "+how.name, s.enqueueing(p, how))
		}
	}
	for _, p := range idlers {
		core("idle: "+p.name, s.idling(p))
	}
	core("idle: hops", s.hops)
	for _, p := range overlappers {
		rest("overlapped: "+p.name, s.overlapping(p))
	}
	for _, p := range enqueuers {
		if p.peer != nats {
			rest("memory: "+p.name, s.memory(p))
		}
	}
	for _, p := range []party{native, sandboxC, asynqKept, bull} {
		rest("TCP: "+p.name, s.overTCP(p))
	}
	for _, p := range []party{native, sandboxC, asynqKept} {
		rest("append-only file: "+p.name, s.appending(p))
	}
	for _, n := range []int{1, 2, 4} {
		rest(fmt.Sprintf("spores: %d", n), s.spores(n))
	}
	for _, how := range besides {
		core("limits: "+how.name, s.limited(how))
		core("limits, idle: "+how.name, s.limitedIdle(how))
	}
	rest("map", s.mapping)
	all = append(all, s.queues()...)
	for _, shape := range shapes {
		rest("routing: "+shape.name, s.routing(shape))
	}
	return all
}
