// Package runtime is the sandbox: it checks WebAssembly programs and runs every
// attempt of a task in an instance that no other attempt has touched.
//
// An [Engine] prepares programs as skills, a [Skill] is called. What a program
// may expect of its host is in docs/abi.md.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"

	"github.com/tetratelabs/wazero"
)

// errClosed ends attempts that still run when their engine closes.
var errClosed = errors.New("the sandbox engine is closed")

// Options configure an Engine.
type Options struct {
	// CacheDir keeps compiled code across restarts. Empty: in memory only.
	// Whoever can write to it can run native code in this process.
	CacheDir string
	// Host adds functions to host modules, by module name. They are plain
	// wazero values: whoever offers host functions need not know this package.
	Host map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder
}

// Engine prepares programs and keeps what they share: compiled code, which
// exists once per program however many skills use it.
type Engine struct {
	cacheDir string
	hosts    map[string]hostModule

	mu       sync.Mutex
	programs map[string]*program                  // by digest
	attempts map[*attempt]context.CancelCauseFunc // those that run
	closed   bool

	busy     sync.WaitGroup // attempts and compilations; grows only under mu while not closed
	drained  chan struct{}  // closed when all is released
	drainErr error          // valid after drained
}

// New returns an Engine. It fails if CacheDir cannot be used.
func New(ctx context.Context, o Options) (*Engine, error) {
	hosts, err := hostModules(ctx, o.Host)
	if err != nil {
		return nil, fmt.Errorf("start sandbox engine: %w", err)
	}
	if o.CacheDir != "" {
		if err := os.MkdirAll(o.CacheDir, 0o700); err != nil {
			return nil, fmt.Errorf("start sandbox engine: cache: %w", err)
		}
	}
	return &Engine{
		cacheDir: o.CacheDir,
		hosts:    hosts,
		programs: map[string]*program{},
		attempts: map[*attempt]context.CancelCauseFunc{},
		drained:  make(chan struct{}),
	}, nil
}

// Close ends the attempts that run, waits for them and releases all programs.
// Skills of a closed engine fail their calls. Close may be called again.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		for _, cancel := range e.attempts {
			cancel(errClosed)
		}
		go e.drain()
	}
	e.mu.Unlock()
	select {
	case <-e.drained:
		return e.drainErr
	case <-ctx.Done():
		return fmt.Errorf("close sandbox engine: %w", context.Cause(ctx))
	}
}

// drain releases everything once nobody uses it.
func (e *Engine) drain() {
	e.busy.Wait()
	e.mu.Lock()
	programs := maps.Clone(e.programs)
	e.mu.Unlock()
	var errs []error
	for _, p := range programs {
		errs = append(errs, p.close())
	}
	e.drainErr = errors.Join(errs...)
	close(e.drained)
}

// begin registers an attempt, which cancel can end, until end is called.
func (e *Engine) begin(a *attempt, cancel context.CancelCauseFunc) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return errClosed
	case a.skill.closed:
		return errors.New("the skill is closed")
	}
	a.skill.program.refs++ // a skill may be closed while its attempts run
	e.attempts[a] = cancel
	e.busy.Add(1)
	return nil
}

func (e *Engine) end(a *attempt) {
	e.mu.Lock()
	delete(e.attempts, a)
	e.mu.Unlock()
	_ = e.release(a.skill.program) // the attempt has its outcome; Close tells of errors
	e.busy.Done()
}
