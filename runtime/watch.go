package runtime

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often running attempts are looked at.
const lookEvery = time.Millisecond

// watcher has attempts end when their time is over or their caller gives up. To
// wait for either takes a timer and an entry in the caller's context, which cost
// as much as a small attempt and are taken under locks that all attempts share.
// So an attempt gets them only when it was seen running at two looks, and looks
// are taken only while some attempt runs that has not got them.
type watcher struct {
	on atomic.Bool // a look is due

	mu  sync.Mutex
	all map[*instance]bool // that run, or may soon
}

func (w *watcher) add(i *instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[*instance]bool{}
	}
	w.all[i] = true
}

func (w *watcher) remove(i *instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, i)
}

// begun is told of an attempt after its instance names it.
func (w *watcher) begun() {
	if !w.on.Load() && w.on.CompareAndSwap(false, true) {
		time.AfterFunc(lookEvery, w.look)
	}
}

// look looks once, and sees to it that another look comes if need be. One seldom
// runs beside another: only when an attempt began as it was over.
func (w *watcher) look() {
	again := false
	for _, a := range w.running() {
		if a.seen.Swap(true) {
			a.watch()
		} else {
			again = true
		}
	}
	if again {
		time.AfterFunc(lookEvery, w.look)
		return
	}
	w.on.Store(false)
	for _, a := range w.running() { // that began before they could find it off
		if !a.isWatched() {
			w.begun()
			return
		}
	}
}

func (a *attempt) isWatched() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.watched || a.closed
}

// running returns the attempts whose guests run.
func (w *watcher) running() []*attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*attempt
	for i := range w.all {
		if a := i.runs.Load(); a != nil {
			all = append(all, a)
		}
	}
	return all
}

// end ends all attempts that run.
func (w *watcher) end(cause error) {
	for _, a := range w.running() {
		a.end(cause)
	}
}

// watch waits for the attempt's time and for its caller's context to end.
func (a *attempt) watch() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.watched {
		return
	}
	a.watched = true
	if a.timeout > 0 {
		a.timer = time.AfterFunc(time.Until(a.began.Add(a.timeout)), func() { a.end(a.timedOut) })
	}
	if a.Context.Done() != nil {
		a.stop = context.AfterFunc(a.Context, func() { a.end(context.Cause(a.Context)) })
	}
}
