package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	goruntime "runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive/bench/engine/work"
)

// meeting is where instances wait until all of them run at once.
type meeting struct {
	mu    sync.Mutex
	still int
	all   chan struct{}
}

func newMeeting(n int) *meeting { return &meeting{still: n, all: make(chan struct{})} }

func (m *meeting) join(ctx context.Context) {
	m.mu.Lock()
	if m.still--; m.still == 0 {
		close(m.all)
	}
	m.mu.Unlock()
	select {
	case <-m.all:
	case <-ctx.Done():
	}
}

// measureMemory takes what the process grows by for every instance that has
// done a task and waits for the next one.
func measureMemory(ctx context.Context, o work.Order) (r work.Result, err error) {
	goruntime.GOMAXPROCS(2)
	s, err := open(ctx, o)
	if err != nil {
		return r, err
	}
	defer s.close()
	var callers []caller // keep the instances of plain wazero
	use := func(n int) error {
		met := context.WithValue(ctx, meetingKey{}, newMeeting(n))
		var group errgroup.Group
		for range n {
			call, err := s.caller(met)
			if err != nil {
				return err
			}
			callers = append(callers, call)
			group.Go(func() error {
				_, err := call(work.Examples[0].Payload)
				return err
			})
		}
		return group.Wait()
	}
	// The first half brings what comes once: threads, buffers, a larger heap.
	half := o.Instances / 2
	if err := use(half); err != nil {
		return r, err
	}
	before, err := resident()
	if err != nil {
		return r, err
	}
	then := o.Instances - half // plain wazero keeps what it has
	if u, ok := s.(*ours); ok {
		if mode := u.skill.Info().Mode; !keepsInstances(mode) {
			return r, unsupported("an engine in mode " + strconv.Quote(mode) + " keeps none")
		}
		then = o.Instances // ours uses it again
	}
	if err := use(then); err != nil {
		return r, err
	}
	after, err := resident()
	if err != nil {
		return r, err
	}
	goruntime.KeepAlive(callers)
	r.Memory = float64(after-before) / float64(o.Instances-half)
	return r, nil
}

// resident is the memory of this process in KiB, what it shares counted once.
func resident() (int64, error) {
	goruntime.GC() // twice: what has a finalizer goes the second time
	goruntime.GC()
	debug.FreeOSMemory()
	f, err := os.Open("/proc/self/smaps_rollup")
	if os.IsNotExist(err) {
		return 0, unsupported("this system does not tell the memory of a process")
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "Pss:"); ok {
			return strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no Pss", f.Name())
}
