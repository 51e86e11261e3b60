// Package runtime is the sandbox: it checks WebAssembly programs and runs every
// attempt of a task in an instance that no other attempt has left a trace in.
//
// An [Engine] prepares programs as skills, a [Skill] is called. Loading a program
// is expensive and done once: it is metered (package prepare), compiled in a
// child process, started, and its memory and numbers are kept as a snapshot.
// After each attempt its instance is made that snapshot again, which is cheap.
// What a program may expect of its host is in docs/abi.md.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/hive-spore/hive"
)

// errClosed ends attempts that still run when their engine closes.
var errClosed = errors.New("the sandbox engine is closed")

// DefaultPool is the memory that idle instances may hold, in bytes.
const DefaultPool = 512 << 20

// Options configure an Engine.
type Options struct {
	// Admit is the command of the child process in which programs are compiled for
	// the first time: one that calls [Admit] with the same Host. Without it the
	// engine runs only programs whose code is in CacheDir already.
	Admit []string
	// CacheDir keeps compiled code across restarts. Empty: a temporary one.
	// Whoever can write to it can run native code in this process.
	CacheDir string
	// Host adds functions to host modules, by module name. They are plain
	// wazero values: whoever offers host functions need not know this package. They
	// must not touch a guest's memory after they returned. They are called while a
	// program is started and warmed up, too, with the context that Prepare was given.
	Host map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder
	// Careful says that what Host adds keeps nothing it was called with, its
	// context included, and writes to a guest's memory on the calling goroutine
	// only. Attempts of programs that import it cost less then.
	Careful bool
	// Pool is the memory that idle instances may hold, in bytes; 0: DefaultPool.
	Pool int64
	// Most is what the limits of a manifest may ask for; zero ones allow anything.
	Most hive.SkillLimits
	// Fresh makes a new instance for every attempt of every program, as if none
	// could be restored: for comparison, and for who trusts nothing else.
	Fresh bool
}

// Engine prepares programs and keeps what they share: compiled code, which
// exists once per program however many skills use it, and idle instances.
type Engine struct {
	admission   []string
	trusting    bool          // compiles in this process: it is the child, or a test
	into        string        // where the child compiles to
	children    chan struct{} // has room for those that may run at once
	fresh       bool
	careful     bool
	newImage    func([]byte) image
	most        hive.SkillLimits
	startWithin time.Duration
	childMemory uint64 // resident bytes a child may have
	hosts       map[string]hostModule
	budget      budget
	watch       watcher
	attempts    sync.Pool // of those that are over
	cacheDir    string
	temporary   bool // cacheDir is this engine's own

	life context.Context // of compilations: ends when the engine closes
	kill context.CancelCauseFunc

	mu       sync.Mutex
	programs map[string]*program // by digest
	skills   map[*Skill]bool
	closed   atomic.Bool // set under mu

	busy     sync.WaitGroup // skills, Prepares and compilations; grows from 0 only under mu while not closed
	drained  chan struct{}  // closed when all is released
	drainErr error          // valid after drained
}

// New returns an Engine. It fails if CacheDir cannot be used.
func New(ctx context.Context, o Options) (*Engine, error) {
	hosts, err := hostModules(ctx, o.Host)
	if err != nil {
		return nil, fmt.Errorf("start sandbox engine: %w", err)
	}
	dir, temporary := o.CacheDir, o.CacheDir == ""
	if temporary {
		dir, err = os.MkdirTemp("", "hive-code-")
	} else {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("start sandbox engine: cache: %w", err)
	}
	if o.Pool == 0 {
		o.Pool = DefaultPool
	}
	e := &Engine{
		admission: o.Admit, fresh: o.Fresh, careful: o.Careful, most: o.Most, startWithin: startWithin, childMemory: admitMemory, hosts: hosts,
		cacheDir: dir, temporary: temporary,
		programs: map[string]*program{},
		skills:   map[*Skill]bool{},
		drained:  make(chan struct{}),
		children: make(chan struct{}, goruntime.NumCPU()),
	}
	e.newImage = newImage
	e.attempts.New = func() any { return new(attempt) }
	e.budget.most = o.Pool
	e.life, e.kill = context.WithCancelCause(context.Background())
	return e, nil
}

// Close ends the attempts that run, waits for them and releases all programs.
// Skills of a closed engine fail their calls. Close may be called again.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	first := !e.closed.Swap(true)
	skills := maps.Clone(e.skills)
	e.mu.Unlock()
	if first {
		e.kill(errClosed)
		e.watch.end(errClosed)
		for s := range skills {
			_ = s.Close(ctx) // drain tells of errors
		}
		go e.drain()
	}
	select {
	case <-e.drained:
		return e.drainErr
	case <-ctx.Done():
		return fmt.Errorf("close sandbox engine: %w", context.Cause(ctx))
	}
}

// Held returns the memory of the instances that are kept from attempt to attempt,
// in bytes.
func (e *Engine) Held() int64 { return e.budget.held.Load() }

// drain waits until nobody uses anything.
func (e *Engine) drain() {
	e.busy.Wait()
	if e.temporary {
		e.drainErr = os.RemoveAll(e.cacheDir)
	}
	close(e.drained)
}

// use has Close wait for busy.Done.
func (e *Engine) use() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed.Load() {
		return errClosed
	}
	e.busy.Add(1)
	return nil
}

// keep registers a skill, which Close closes.
func (e *Engine) keep(s *Skill) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed.Load() {
		return errClosed
	}
	e.skills[s] = true
	e.busy.Add(1)
	return nil
}

// forget releases a skill's program, when nobody uses the skill any more.
func (e *Engine) forget(s *Skill) error {
	err := e.release(s.program)
	e.mu.Lock()
	kept := e.skills[s]
	delete(e.skills, s)
	e.mu.Unlock()
	if kept {
		e.busy.Done()
	}
	return err
}

// checkLimits holds the limits of a manifest against the engine's own.
func (e *Engine) checkLimits(l hive.SkillLimits) error {
	bytes := func(n int64) string { return size(uint64(n)) }
	for _, limit := range []struct {
		name        string
		asked, most int64
		show        func(int64) string
	}{
		{"memory", l.Memory, e.most.Memory, bytes},
		{"time", int64(l.Time), int64(e.most.Time), func(n int64) string { return time.Duration(n).String() }},
		{"fuel", l.Fuel, e.most.Fuel, func(n int64) string { return fmt.Sprint(n) }},
		{"output", l.Output, e.most.Output, bytes},
		{"log", l.Log, e.most.Log, bytes},
	} {
		switch {
		case limit.asked < 0:
			return refuse("limits its %s to %d, which is negative", limit.name, limit.asked)
		case limit.most > 0 && limit.asked > limit.most:
			return refuse("asks for a %s limit of %s, this spore allows %s", limit.name, limit.show(limit.asked), limit.show(limit.most))
		}
	}
	return nil
}
