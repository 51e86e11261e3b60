package broker_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// benchBatch is how many tasks are on the road at once.
const benchBatch = 200

// BenchmarkTask is the whole road of a task of 200 bytes, from its enqueue to its recorded
// result, with as many others: alone, and when a client waits for it.
func BenchmarkTask(b *testing.B) {
	for _, bench := range []struct{ name, inbox string }{{"alone", ""}, {"waited", hive.NewID()}} {
		b.Run(bench.name, func(b *testing.B) {
			r := benchRoad(b)
			s := r.join("a")
			r.carry(s, bench.inbox, benchBatch) // loads the scripts
			report := testkit.Cost(b, r.opts.Addrs[0])
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += benchBatch {
				r.carry(s, bench.inbox, min(benchBatch, b.N-done))
			}
			b.StopTimer()
			report(b.N)
		})
	}
}

// benchRoad is a road on which no lease ends.
func benchRoad(b testing.TB) *road {
	o := testkit.Options(b)
	o.Lease = time.Hour
	return newRoad(b, o)
}

// carry takes n new tasks to their results and reads what an inbox is told of them.
func (r *road) carry(s *broker.Session, inbox string, n int) {
	r.t.Helper()
	_, err := r.EnqueueMany(r.ctx(), benchTasks(n), inbox)
	r.check(err)
	r.assign(s.Node, n)
	attempts := r.fetch(s, n)
	if len(attempts) != n {
		r.t.Fatalf("Fetch = %d tasks, want %d", len(attempts), n)
	}
	var all sync.WaitGroup
	for i := range attempts {
		all.Go(func() {
			if err := r.Complete(r.ctx(), s.Node, &attempts[i], &hive.Outcome{Result: []byte("done")}); err != nil {
				r.t.Error(err)
			}
		})
	}
	all.Wait()
	for told := 0; inbox != "" && told < n; {
		more, err := r.ReadInbox(r.ctx(), inbox, time.Second)
		r.check(err)
		told += len(more)
	}
}

// BenchmarkEnqueue is the enqueue of one task at a time, by one caller and by many that
// share batches.
func BenchmarkEnqueue(b *testing.B) {
	for _, callers := range []int{1, 50} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			r := benchRoad(b)
			r.enqueue()
			report := testkit.Cost(b, r.opts.Addrs[0])
			b.ReportAllocs()
			b.ResetTimer()
			r.enqueueBy(callers, b.N)
			b.StopTimer()
			report(b.N)
		})
	}
}

// enqueueBy has callers enqueue n tasks among them.
func (r *road) enqueueBy(callers, n int) {
	var all sync.WaitGroup
	var begun atomic.Int64
	for range callers {
		all.Go(func() {
			for begun.Add(1) <= int64(n) {
				t := benchTasks(1)
				if _, err := r.Enqueue(r.ctx(), &t[0], ""); err != nil {
					r.t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

var benchPayload = bytes.Repeat([]byte("x"), 200)

func benchTasks(n int) []hive.Task {
	tasks := make([]hive.Task, n)
	for i := range tasks {
		tasks[i] = echo("")
		tasks[i].Payload = benchPayload
	}
	return tasks
}
