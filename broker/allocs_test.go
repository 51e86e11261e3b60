//go:build !race

package broker

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// sampleTask is what nearly every task looks like.
func sampleTask() *hive.Task {
	t := hive.Task{ID: hive.NewID(), Skill: hive.SkillRef{Name: "wordcount"}, Payload: make([]byte, 200), Priority: 2}.WithDefaults()
	return &t
}

func sampleOutcome() *hive.Outcome {
	return &hive.Outcome{
		Ran: hive.SkillID{Name: "wordcount", Version: "1.0.0", Digest: "sha256:0123456789abcdef"}, Result: []byte("done"),
		Elapsed: time.Millisecond, Receipt: hive.Receipt{Fuel: 1000, PeakMemory: 1 << 16},
	}
}

// finished is the record of a task that is over.
func finished(t *hive.Task, o *hive.Outcome) []byte {
	record, _ := packTask(t, "")
	outcome := packOutcome(o)
	binary.BigEndian.PutUint32(record[62:], uint32(len(outcome)))
	return append(append(record, outcome...), o.Result...)
}

// step is one between a task and its bytes, with the allocations it may make.
type step struct {
	name   string
	allocs float64
	do     func()
}

func packing(t testing.TB) []step {
	task, out := sampleTask(), sampleOutcome()
	pending, _ := packTask(task, "")
	over := finished(task, out)
	read := func(record []byte) func() {
		return func() {
			if _, err := unpack(task.ID, record); err != nil {
				t.Fatal(err)
			}
		}
	}
	write := func() {
		if _, err := pack(task, ""); err != nil {
			t.Fatal(err)
		}
	}
	return []step{
		{"pack", 3, write},                                  // class, record, name of the lane
		{"unpack what is fetched", 2, read(pending)},        // record, class
		{"pack an outcome", 2, func() { packOutcome(out) }}, // what ran, the bytes
		{"unpack what is over", 3, read(over)},              // and what ran
	}
}

// TestAllocsPack is without the race detector, as all of them: with it there are more.
func TestAllocsPack(t *testing.T) {
	for _, s := range packing(t) {
		if n := testing.AllocsPerRun(100, s.do); n > s.allocs {
			t.Errorf("%s: %v allocations, want at most %v", s.name, n, s.allocs)
		}
	}
}

func BenchmarkPack(b *testing.B) {
	for _, s := range packing(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.do()
			}
		})
	}
}
