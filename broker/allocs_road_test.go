//go:build !race

package broker_test

import (
	"testing"

	"github.com/hive-spore/hive"
)

// TestAllocsRoad bounds what a task costs on its way, in a batch and alone: the Redis client
// and a share of the call are in it.
func TestAllocsRoad(t *testing.T) {
	r := benchRoad(t)
	s := r.join("a")
	const runs = 10
	tasks := benchTasks((runs+1)*benchBatch + 2*(runs+1)) // a run that is not counted comes first
	attempts := make([]hive.Attempt, 0, len(tasks))
	out := &hive.Outcome{Result: []byte("done")}
	for _, step := range []struct {
		name   string
		tasks  int     // at once
		allocs float64 // for each of them
		do     func(n int)
	}{
		// Three to pack it, four to box what the script takes.
		{"enqueue many", benchBatch, 7.25, func(n int) {
			_, err := r.EnqueueMany(r.ctx(), tasks[:n], "")
			r.check(err)
			tasks = tasks[n:]
		}},
		{"assign many", benchBatch, 0.25, func(n int) { r.assign(s.Node, n) }},
		// Two to unpack it, one to put it together, six for the three values of the answer.
		{"fetch many", benchBatch, 10.25, func(n int) { attempts = append(attempts, r.fetch(s, n)...) }},
		// Alone nearly all is the Redis client's. One to spare: it may have to open a connection.
		{"enqueue", 1, 37, func(int) {
			r.put(r.Enqueue(r.ctx(), &tasks[0], ""))
			tasks = tasks[1:]
		}},
		{"assign", 1, 41, func(n int) { r.assign(s.Node, n) }},
		{"fetch", 1, 43, func(n int) { r.fetch(s, n) }},
		{"complete", 1, 40, func(int) {
			r.check(r.Complete(r.ctx(), s.Node, &attempts[0], out))
			attempts = attempts[1:]
		}},
	} {
		n := testing.AllocsPerRun(runs, func() { step.do(step.tasks) }) / float64(step.tasks)
		if n > step.allocs {
			t.Errorf("%s: %v allocations for each task, want at most %v", step.name, n, step.allocs)
		}
	}
}
