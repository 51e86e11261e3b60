package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/nearest"
	"github.com/hive-spore/hive/manifest"
	"github.com/hive-spore/hive/nexus/foreman"
)

const benchLong = `Measure the hive that the configuration names, with all that runs there: how long a task
takes while nothing else waits, how many are done in a second when many come at once,
where the time goes, and what is at its limit then. docs/bench.md says what each figure is.

SKILL is the name of a registered skill; without it, the only one there is. One that does
next to nothing shows what the hive takes, your own what it does for you. The tasks are
real ones: first one after the other for up to 3 seconds, then --tasks at once, beside
whatever else the hive does. What a task of the skill does is done that often. A task that
fails is not tried again, and what is over is kept as long as any other task is.

Exit code 3 if a task failed. An interrupt, or an error of Redis, cancels the tasks that
are left.`

const (
	// idleFor and idleMost bound the tasks that are done one after the other.
	idleFor  = 3 * time.Second
	idleMost = 210
	// fullFor is how long the tasks that come at once take at most, as far as that can be
	// told before, if nobody says how many; fullMost is how many they are then at most.
	fullFor  = 10 * time.Second
	fullMost = 10_000
	// benchMost is how many somebody may ask for: more the client has not on the road at once.
	benchMost = client.MapAtOnce
	// pings are how many of them a round trip is the median of.
	pings = 21
)

func (a *app) benchCommand() *cobra.Command {
	var tasks int
	var payload string
	cmd := &cobra.Command{
		Use:     "bench [SKILL]",
		Short:   "Measure the running hive, and say what limits it",
		Long:    benchLong,
		Example: "  nexus bench wordcount --payload @README.md\n  nexus bench wordcount --payload @README.md --tasks 20000 --json",
		Args:    wantArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("tasks") && (tasks < 1 || tasks > benchMost) {
				return usagef("--tasks %d: want 1 to %d", tasks, benchMost)
			}
			body, err := a.readPayload(payload)
			if err != nil {
				return err
			}
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				return a.bench(cmd.Context(), road, strings.Join(args, ""), body, tasks)
			})
		},
	}
	cmd.Flags().IntVar(&tasks, "tasks", 0, fmt.Sprintf("how many at once, at most %d (default: 10000, fewer if that would take more than 10 s)", benchMost))
	cmd.Flags().StringVar(&payload, "payload", "", "of every task: TEXT, @FILE, or - for standard input")
	return cmd
}

// bench is a measurement under way.
type bench struct {
	*app
	road   *broker.Broker
	client *client.Client
	task   hive.Task   // each is like it
	nodes  []hive.Node // that run it
	slots  int         // of these
	over   int64       // tasks of anybody before the first of ours
	held   string      // what kept the tasks from running for a while; "" if nothing did
	found  figures
}

func (a *app) bench(ctx context.Context, road *broker.Broker, arg string, payload []byte, tasks int) error {
	ref, err := benchSkill(ctx, road, arg, payload)
	if err != nil {
		return err
	}
	b := &bench{app: a, road: road, client: a.client(road),
		task:  hive.Task{Skill: ref, Payload: payload, Priority: hive.BackgroundPriority, Retries: hive.NoRetries},
		found: figures{Skill: ref.String(), Road: a.where(), PayloadBytes: len(payload)}}
	defer b.client.Close()
	if err := b.ready(ctx); err != nil {
		return err
	}
	many := fmt.Sprintf("%d at once", tasks)
	if tasks == 0 {
		many = fmt.Sprintf("up to %d at once", fullMost)
	}
	a.say("real tasks of %s with %s on %s: one after the other for up to %v, then %s", ref, plural(len(payload), "byte"), b.found.Road, idleFor, many)
	if err := b.idle(ctx); err != nil {
		if b.found.Failed > 0 && a.flags.json {
			b.found.Verdict, b.found.Do = b.found.judge()
			err = errors.Join(a.showFigures(&b.found), err)
		}
		return err
	}
	if tasks == 0 {
		tasks = b.howMany()
	}
	a.say("%s at once on %s; one takes %s in its sandbox", plural(tasks, "task"), plural(b.slots, "slot"), b.found.IdleSandbox)
	if err := b.full(ctx, tasks); err != nil {
		return err
	}
	b.found.Lost = cmp.Or(b.found.Lost, b.held)
	b.found.Verdict, b.found.Do = b.found.judge()
	err = a.showFigures(&b.found)
	if b.found.Failed > 0 {
		err = errors.Join(err, errTaskFailed)
	}
	return err
}

// benchSkill is the registered skill that arg names, the only one if it names none, and
// takes the payload. Of several versions it is the one that client and spores take, too:
// the first in the order of hive.SortSkills.
func benchSkill(ctx context.Context, road *broker.Broker, arg string, payload []byte) (ref hive.SkillRef, err error) {
	skills, err := road.Skills(ctx)
	if err != nil {
		return ref, err
	}
	known := map[string]bool{}
	for i := range skills {
		known[skills[i].Name] = true
	}
	names := slices.Sorted(maps.Keys(known))
	switch {
	case len(names) == 0:
		return ref, errors.New("no skill is registered (nexus skill register adds one)")
	case arg == "" && len(names) > 1:
		return ref, usagef("which skill? there are %s", some(names))
	}
	if ref, err = hive.ParseSkillRef(cmp.Or(arg, names[0])); err != nil {
		return ref, usageError{err}
	}
	at := slices.IndexFunc(skills, func(s hive.Skill) bool { return ref.Matches(s.Name, s.Version, s.Digest) })
	near := nearest.Of(ref.Name, names)
	switch {
	case at >= 0:
		return ref, takesPayload(&skills[at], payload)
	case near != "" && near != ref.Name:
		return ref, fmt.Errorf("no skill %s is registered (did you mean %s?)", ref, near)
	}
	return ref, fmt.Errorf("no skill %s is registered; there are %s", ref, some(names))
}

// takesPayload holds a payload against what a skill asks of it.
func takesPayload(s *hive.Skill, payload []byte) error {
	if len(s.Input) == 0 {
		return nil
	}
	schema, err := manifest.Compile(s.Input)
	if err == nil {
		err = schema.Check(payload)
	}
	if err != nil {
		return fmt.Errorf("%w (skill %s; --payload gives another)", err, s.Name)
	}
	return nil
}

// lane is where the tasks wait.
func (b *bench) lane() foreman.Lane { return laneOf(&b.task) }

// ready sees to it that tasks can run, and how far away Redis is.
func (b *bench) ready(ctx context.Context) error {
	l := lookout{road: b.road, lane: func(context.Context) (foreman.Lane, bool) { return b.lane(), true }}
	why, err := l.stuck(ctx)
	if err == nil && why != "" {
		err = errors.New(why)
	}
	if err != nil {
		return err
	}
	if err := b.readNodes(ctx); err != nil {
		return err
	}
	trips := make([]time.Duration, pings)
	for i := range trips {
		if trips[i], err = b.road.Ping(ctx); err != nil {
			return err
		}
	}
	b.found.RoundTrip = quantile(trips, 0.5)
	b.over, err = b.countOver(ctx)
	return err
}

// readNodes reads which spores run the skill.
func (b *bench) readNodes(ctx context.Context) error {
	nodes, err := b.road.Nodes(ctx)
	if err != nil {
		return err
	}
	b.nodes = slices.DeleteFunc(nodes, func(n hive.Node) bool { return !takes(&n, b.lane()) })
	b.slots = 0
	for i := range b.nodes {
		b.slots += b.nodes[i].Slots
	}
	return nil
}

// countOver counts the tasks of anybody that are over.
func (b *bench) countOver(ctx context.Context) (int64, error) {
	s, err := b.road.Stats(ctx)
	return s.Completed + s.Failed + s.Cancelled, err
}

// waiting runs f, which waits for tasks, as other commands do.
func (b *bench) waiting(ctx context.Context, bar *bar, f func(context.Context) error) error {
	defer bar.clear()
	l := lookout{app: b.app, road: b.road, lane: laneLike(b.road, &b.task), clear: bar.clear}
	err := l.waiting(ctx, f)
	b.held = cmp.Or(b.held, l.said)
	return err
}

// single is one task that was done while no other of ours was there.
type single struct {
	acked, whole time.Duration // by this clock: until Redis had it, and until the result was here
	waited       time.Duration // by Redis' clock, of milliseconds: until a spore held it
	sandbox      time.Duration // by the spore's clock
}

func (b *bench) idle(ctx context.Context) error {
	var done []single
	var bad *hive.Record
	bar := newBar(b.Err, idleMost)
	err := b.waiting(ctx, bar, func(ctx context.Context) error {
		for begun := time.Now(); len(done) < idleMost && (len(done) == 0 || time.Since(begun) < idleFor); {
			s, r, err := b.single(ctx)
			if err != nil {
				return err
			}
			if r.State != hive.Completed {
				bad = r
				return errTaskFailed
			}
			done = append(done, s)
			bar.step(len(done), false)
		}
		return nil
	})
	if bad != nil {
		b.sayEnd(bad)
		b.found.Tasks, b.found.Failed, b.found.FirstFailure = len(done)+1, 1, bad.Failure.String()
	}
	if err != nil {
		return err
	}
	b.over += int64(len(done))
	b.found.tellIdle(done[min(10, len(done)/2):]) // on the first ones things are made ready
	return nil
}

func (b *bench) single(ctx context.Context) (s single, r *hive.Record, err error) {
	begun := time.Now()
	records, err := b.client.Map(ctx, client.MapOptions{Task: b.task, Submitted: func(int) { s.acked = time.Since(begun) }}, [][]byte{b.task.Payload})
	s.whole = time.Since(begun)
	if err != nil {
		return s, nil, err
	}
	r = records[0]
	s.waited, s.sandbox = max(0, r.Started.Sub(r.Created)), r.Elapsed
	return s, r, nil
}

// howMany tasks at once take no longer than fullFor, as many in each slot.
func (b *bench) howMany() int {
	each := fullFor.Seconds() / max(time.Duration(b.found.IdleSandbox), time.Microsecond).Seconds()
	return min(benchMost, max(b.slots, 1)*int(max(1, min(each, fullMost/float64(max(b.slots, 1))))))
}

// full submits all tasks at once and waits for them.
func (b *bench) full(ctx context.Context, tasks int) error {
	load, err := b.newLoad(ctx)
	if err != nil {
		return err
	}
	payloads := slices.Repeat([][]byte{b.task.Payload}, tasks)
	bar := newBar(b.Err, tasks)
	run := fullRun{}
	err = b.waiting(ctx, bar, func(ctx context.Context) error {
		defer load.watch(ctx)()
		begun := time.Now()
		_, err := b.client.Map(ctx, client.MapOptions{
			Task: b.task,
			Submitted: func(n int) {
				run.submitted, run.acked = n, time.Since(begun)
			},
			Progress: func(done, _ int, r *hive.Record) {
				run.add(r, time.Since(begun))
				bar.step(done, r.State != hive.Completed)
			},
		}, payloads)
		run.took = time.Since(begun)
		return err
	})
	if err == nil {
		err = load.end(ctx)
	}
	if err != nil {
		return err
	}
	b.found.tellFull(&run)
	b.found.tellLoad(load, run.took, tasks)
	return nil
}
