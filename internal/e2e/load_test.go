package e2e

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/client"
)

// sample is a task of a load that is over.
type sample struct {
	due, ended time.Time // when it was to be submitted, when its record was here
	payload    string
	record     *hive.Record
	err        error
	phase      string
}

// load submits tasks at a rate, however many are not over yet.
type load struct {
	t       *testing.T
	submit  *client.Client
	task    hive.Task
	payload func(n int) string
	quit    chan struct{}
	all     sync.WaitGroup

	mu      sync.Mutex
	phase   string
	samples []sample
}

// load begins to submit tasks.
func (c *cluster) load(every time.Duration, task hive.Task, payload func(n int) string) *load {
	c.Helper()
	l := &load{t: c.T, submit: client.New(c.road, client.Options{}), task: task, payload: payload, quit: make(chan struct{})}
	c.Cleanup(func() { l.stop(); l.submit.Close() })
	l.all.Go(func() {
		for n, due := 0, time.Now(); ; n, due = n+1, due.Add(every) {
			select {
			case <-l.quit:
				return
			case <-time.After(time.Until(due)):
				l.all.Go(func() { l.run(n, due) })
			}
		}
	})
	return l
}

func (l *load) run(n int, due time.Time) {
	s := sample{due: due, payload: l.payload(n)}
	l.mu.Lock()
	s.phase = l.phase
	l.mu.Unlock()
	task := l.task
	task.Payload = []byte(s.payload)
	s.record, s.err = l.submit.Run(l.t.Context(), task)
	s.ended = time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.samples = append(l.samples, s)
}

// enter gives what is submitted from now on a name, to say apart how long it took.
func (l *load) enter(phase string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = phase
}

// await waits until so many more tasks are over.
func (l *load) await(more int) {
	l.t.Helper()
	until := l.over() + more
	await(l.t, fmt.Sprint(more, " more tasks"), func() (bool, error) { return l.over() >= until, nil })
}

// over is how many tasks are over.
func (l *load) over() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.samples)
}

// ran is how many of them a version ran.
func (l *load) ran(version string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.samples {
		if s.err == nil && s.record.Ran.Version == version {
			n++
		}
	}
	return n
}

// stop submits no more, and returns all when they are over.
func (l *load) stop() []sample {
	select {
	case <-l.quit:
	default:
		close(l.quit)
	}
	l.all.Wait()
	return l.samples
}

// report prints what the tasks of each phase took from when they were due.
func report(t *testing.T, samples []sample) {
	t.Helper()
	took := map[string][]time.Duration{}
	for _, s := range samples {
		took[s.phase] = append(took[s.phase], s.ended.Sub(s.due))
	}
	for _, phase := range []string{"calm", "rollout"} {
		times := took[phase]
		slices.Sort(times)
		if len(times) == 0 {
			continue
		}
		at := func(q float64) time.Duration { return times[int(q*float64(len(times)-1))].Round(10 * time.Microsecond) }
		t.Logf("%-8s %5d tasks: p50 %v, p99 %v, most %v", phase, len(times), at(.5), at(.99), at(1))
	}
}

// span is when a version was allowed to run.
type span struct {
	version     string
	from, until time.Time // until zero: it still is
}

// spans are those of the programs of a skill, by digest.
type spans struct {
	mu  sync.Mutex
	all map[string]*span
}

// allow notes that a bundle's skill may run from now on.
func (s *spans) allow(b *bundle.Bundle, skill string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*span{}
	}
	s.all[digestIn(b, skill)] = &span{version: b.Version, from: time.Now()}
}

// end notes that it may not begin any more.
func (s *spans) end(b *bundle.Bundle, skill string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[digestIn(b, skill)].until = time.Now()
}

// check reports a task that did not complete by the first attempt, or by a program that
// was not allowed at any time of that. It returns how many ran on each version.
func (s *spans) check(t *testing.T, samples []sample) map[string]int {
	t.Helper()
	ran := map[string]int{}
	for _, m := range samples {
		r := m.record
		if m.err != nil || r.State != hive.Completed || string(r.Result) != m.payload || r.Attempts != 1 || r.Failures != 0 {
			t.Errorf("task %q: %v, %+v", m.payload, m.err, r)
			continue
		}
		span := s.all[r.Ran.Digest]
		// The road's clock is this machine's, in ms.
		if span == nil || span.version != r.Ran.Version || span.from.After(r.Finished.Add(time.Millisecond)) || !span.until.IsZero() && span.until.Before(r.Started) {
			t.Errorf("task %q, %v to %v, was run by %v, which was allowed in %+v", m.payload, r.Started, r.Finished, r.Ran, span)
			continue
		}
		ran[r.Ran.Version]++
	}
	return ran
}

func digestIn(b *bundle.Bundle, skill string) string {
	at := slices.IndexFunc(b.Skills, func(s bundle.Skill) bool { return s.Name == skill })
	return b.Skills[at].Digest
}
