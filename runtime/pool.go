package runtime

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// idleFor is how long an instance waits for an attempt before it is closed, at
// least; at most twice that.
const idleFor = 30 * time.Second

// What an instance takes beside its memory and the guest's stack, in bytes, as
// measured: wazero's own state.
const (
	instanceCost = 14 << 10
	globalCost   = 128 // for each that changes
	entryCost    = 40  // for each of its tables
)

// budget is the memory that the instances of all skills may hold between their
// attempts, in bytes.
type budget struct {
	most int64
	held atomic.Int64
}

// pool holds the idle instances of a skill. Most lie in lanes, which are taken from
// and put to without a lock, and by whoever did so last: its core's caches know
// the instance's memory best.
type pool struct {
	budget *budget
	each   int64 // bytes an instance takes beside its memory and stack
	lanes  [lanes]lane
	round  atomic.Int64 // of sweeping

	sweeping sync.Mutex // held by clean

	mu     sync.Mutex
	idle   []*instance // those whose lane was taken
	closed bool
	sweep  *time.Timer // runs while anything is idle
}

// lane is room for one instance.
type lane struct {
	atomic.Pointer[instance]
	_ [cacheLine - unsafe.Sizeof(atomic.Pointer[instance]{})]byte
}

// take returns an idle instance, or nil.
func (p *pool) take() *instance {
	if i := p.lanes[here()].Swap(nil); i != nil {
		return i
	}
	if i := p.pop(); i != nil {
		return i
	}
	for n := range p.lanes {
		if i := p.lanes[n].Swap(nil); i != nil {
			return i
		}
	}
	return nil
}

func (p *pool) pop() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	i := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	i.watch.add(i)
	return i
}

// put keeps a restored instance for the next attempt, if there is room.
func (p *pool) put(i *instance) {
	if !p.charge(i, int64(i.resident)+int64(i.stackSize())+p.each) {
		p.discard(i)
		return
	}
	i.round = p.round.Load()
	if !p.lanes[here()].CompareAndSwap(nil, i) && !p.push(i) {
		p.discard(i)
	}
}

func (p *pool) push(i *instance) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		i.watch.remove(i) // there may be thousands here
		p.idle = append(p.idle, i)
	}
	return !p.closed
}

// charge accounts for what an instance holds now, which seldom changes, and
// reports whether it may.
func (p *pool) charge(i *instance, cost int64) bool {
	more := cost - i.charged
	if more == 0 {
		return true
	}
	i.charged = cost
	return p.budget.held.Add(more) <= p.budget.most || more < 0
}

// discard closes an instance.
func (p *pool) discard(i *instance) {
	p.charge(i, 0)
	i.close()
}

// all takes out every idle instance.
func (p *pool) all() (out []*instance) {
	for i := p.take(); i != nil; i = p.take() {
		out = append(out, i)
	}
	return out
}

// clean closes what nobody used for some time. It runs every idleFor from the
// first instance on.
func (p *pool) clean() {
	p.sweeping.Lock()
	defer p.sweeping.Unlock()
	old := p.round.Add(1) - 1
	for _, i := range p.all() {
		if i.round >= old {
			p.keep(i)
		} else {
			p.discard(i)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sweep != nil && !p.closed {
		p.sweep.Reset(idleFor)
	}
}

// keep puts an instance back as it was.
func (p *pool) keep(i *instance) {
	if !p.push(i) {
		p.discard(i)
	}
}

// begin starts sweeping.
func (p *pool) begin() { p.sweep = time.AfterFunc(idleFor, p.clean) }

// close closes what is idle, when nobody uses the skill any more.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	if p.sweep != nil {
		p.sweep.Stop()
	}
	p.mu.Unlock()
	p.sweeping.Lock() // what clean has taken out is back, or closed
	defer p.sweeping.Unlock()
	for _, i := range p.all() {
		p.discard(i)
	}
}
