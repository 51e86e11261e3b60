package cli

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// activeEvery is how often it is looked at for which slots there is a task. What spores
// say of themselves is read at the pace at which they do.
const activeEvery = 200 * time.Millisecond

// silent is how long Redis may take for a small command.
const silent = time.Second

// load is what the parts of the hive did while a bench waited for its tasks.
type load struct {
	*bench
	before, after reading
	begun         time.Time // by Redis' clock

	// Of watch, until it ends.
	looks  int
	held   float64 // share of the slots for which there is a task, summed over the looks
	beats  int
	cpu    float64 // share of a spore's processors, summed over the beats
	failed error   // why a look was in vain
}

// reading is what was done until a moment.
type reading struct {
	redis *broker.Meter
	over  int64         // tasks of anybody
	cpu   time.Duration // of this process; 0: it is not known
}

func (b *bench) newLoad(ctx context.Context) (*load, error) {
	l := &load{bench: b}
	var err error
	if l.begun, err = b.road.Now(ctx); err == nil {
		l.before, err = l.read(ctx)
	}
	l.before.cpu = processTime()
	return l, err
}

func (l *load) end(ctx context.Context) (err error) {
	cpu := processTime()
	l.after, err = l.read(ctx)
	l.after.cpu = cpu
	return err
}

func (l *load) read(ctx context.Context) (r reading, err error) {
	if r.over, err = l.countOver(ctx); err == nil {
		r.redis, err = l.road.Meter(ctx)
	}
	return r, err
}

// watch looks at the spores until stop is called.
func (l *load) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(activeEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			err := l.look(ctx)
			if err == nil && n%int(hive.HeartbeatEvery/activeEvery) == 0 {
				err = l.hear(ctx)
			}
			if err != nil && ctx.Err() == nil {
				l.failed = err
			}
		}
	})
	return func() {
		cancel()
		looking.Wait()
	}
}

// look counts the slots for which their spore holds a task, one that runs or one that is
// to be fetched: more slots help only where that is nearly all of them. It is the time of
// this one command that says whether Redis is silent: others take this client's own, too.
func (l *load) look(ctx context.Context) error {
	began := time.Now()
	active, err := l.road.Active(ctx)
	if took := time.Since(began); err == nil && took > silent {
		err = fmt.Errorf("redis answered nothing for %s", micros(took))
	}
	if err != nil || l.slots == 0 {
		return err
	}
	held := 0
	for i := range l.nodes {
		held += min(l.nodes[i].Slots, active[l.nodes[i].ID])
	}
	l.looks, l.held = l.looks+1, l.held+float64(held)/float64(l.slots)
	return nil
}

// hear reads what the spores say of themselves.
func (l *load) hear(ctx context.Context) error {
	if err := l.readNodes(ctx); err != nil {
		return err
	}
	for i := range l.nodes {
		// Only what is said of a time in which our tasks ran.
		if n := &l.nodes[i]; n.Beat.Sub(l.begun) >= hive.HeartbeatEvery {
			l.beats, l.cpu = l.beats+1, l.cpu+n.CPU
		}
	}
	return nil
}

// fullRun is what became of the tasks that came at once.
type fullRun struct {
	submitted   int
	acked, took time.Duration   // from the begin: until Redis had all of these, and until all were over
	completed   []time.Duration // from the begin to each result
	sandbox     time.Duration   // of all of them
	failed      int
	failure     string // the first
}

func (f *fullRun) add(r *hive.Record, after time.Duration) {
	switch {
	case r.State == hive.Completed:
		f.completed, f.sandbox = append(f.completed, after), f.sandbox+r.Elapsed
		return
	case f.failed > 0:
	case r.Failure != nil:
		f.failure = r.Failure.String()
	default:
		f.failure = string(r.State)
	}
	f.failed++
}

// tellLoad says what the parts of the hive did in a time in which tasks of ours, and
// maybe others, were done.
func (f *figures) tellLoad(l *load, took time.Duration, tasks int) {
	f.OtherTasks = max(0, l.after.over-l.over-int64(tasks))
	if l.failed != nil {
		f.Lost = l.failed.Error()
	}
	f.tellRedis(l.before.redis, l.after.redis, took, max(int64(tasks), l.after.over-l.before.over))
	f.Spores, f.Slots = len(l.nodes), l.slots
	if l.looks > 0 {
		f.SlotsShare = new(round(l.held/float64(l.looks), 3))
	}
	if l.beats > 0 {
		f.SporesShare = new(round(l.cpu/float64(l.beats), 3))
	}
	if l.before.cpu > 0 {
		spent, cores := l.after.cpu-l.before.cpu, runtime.GOMAXPROCS(0)
		f.Client = &clientFigures{Cores: cores, Share: round(spent.Seconds()/took.Seconds()/float64(cores), 3), CPU: micros(spent) / micros(tasks)}
	}
}

// tellRedis says what its server did from one meter to the next.
func (f *figures) tellRedis(before, after *broker.Meter, took time.Duration, over int64) {
	f.RedisUntold = after.Untold
	if before.Run != after.Run {
		f.Lost = "Redis is another server, or began anew"
		f.RedisUntold = f.Lost
	}
	if f.RedisUntold != "" {
		return
	}
	limit, n := after.CPU-before.CPU, float64(over)
	if after.Main > 0 {
		limit = after.Main - before.Main
	}
	f.Redis = &redisFigures{Share: round(limit.Seconds()/took.Seconds(), 3), CPU: micros(float64(after.CPU-before.CPU) / n),
		Commands: round(float64(after.Commands-before.Commands)/n, 2), Requests: round(float64(after.Requests-before.Requests)/n, 2)}
}
