package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero"
)

// program is the compiled code of one digest. It has a wazero runtime and a
// cache directory of its own, so that releasing it releases all of it, and so
// that what is found in its directory can be checked before it is trusted.
type program struct {
	digest string
	refs   int // skills, attempts and waiters; guarded by Engine.mu

	ready chan struct{} // closed when compiled, or err says why not
	err   error

	code    wazero.CompiledModule
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	once    sync.Once // of close
}

// program returns the compiled program with a reference for the caller. Of
// callers with the same digest the first one compiles, the others wait.
// Compiling cannot be interrupted; waiting ends with ctx.
func (e *Engine) program(ctx context.Context, digest string, m *module) (*program, error) {
	p, first, err := e.claim(digest)
	if err != nil {
		return nil, err
	}
	if first {
		p.err = e.compile(p, m)
		close(p.ready)
		e.busy.Done()
	}
	select {
	case <-p.ready:
		err = p.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, e.release(p))
	}
	return p, nil
}

// claim returns the program of the digest and whether the caller is the first.
func (e *Engine) claim(digest string) (p *program, first bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, false, errClosed
	}
	p, known := e.programs[digest]
	if !known {
		p = &program{digest: digest, ready: make(chan struct{})}
		e.programs[digest] = p
		e.busy.Add(1)
	}
	p.refs++
	return p, !known, nil
}

func (e *Engine) release(p *program) error {
	e.mu.Lock()
	p.refs--
	last := p.refs == 0
	if last {
		delete(e.programs, p.digest)
	}
	e.mu.Unlock()
	if !last {
		return nil
	}
	return p.close()
}

// compile fills p. The disk cache is a convenience: whatever is wrong with it,
// the program is compiled without it.
func (e *Engine) compile(p *program, m *module) error {
	wasm := m.bounded()
	if e.cacheDir != "" {
		dir := cacheDir{e.cacheDir, p.digest}
		verified := dir.verify()
		if p.open(e.hosts, m, wasm, dir.path()) == nil {
			dir.seal(verified)
			return nil
		}
	}
	return p.open(e.hosts, m, wasm, "")
}

// open makes the runtime and compiles. An empty dir: in memory.
func (p *program) open(hosts map[string]hostModule, m *module, wasm []byte, dir string) (err error) {
	ctx := context.Background() // what is made here outlives the caller
	defer func() {
		if r := recover(); r != nil {
			err = refuse("cannot be compiled: %v", r)
		}
		if err != nil {
			_ = shut(p.runtime, p.cache)
		}
	}()
	p.cache = wazero.NewCompilationCache()
	if dir != "" {
		if p.cache, err = wazero.NewCompilationCacheWithDir(dir); err != nil {
			return fmt.Errorf("open cache: %w", err)
		}
	}
	p.runtime = wazero.NewRuntimeWithConfig(ctx, runtimeConfig.WithCompilationCache(p.cache))
	for _, name := range m.importedModules() {
		if _, err := hosts[name].build(p.runtime).Instantiate(ctx); err != nil {
			return fmt.Errorf("host module %s: %w", name, err)
		}
	}
	if p.code, err = p.runtime.CompileModule(ctx, wasm); err != nil {
		return invalid(err)
	}
	return nil
}

// runtimeConfig makes guests stoppable (at a cost in tight loops) and ignores
// DWARF: traps are told in one line, and it is foreign data to parse.
var runtimeConfig = wazero.NewRuntimeConfig().
	WithCloseOnContextDone(true).
	WithDebugInfoEnabled(false)

func (p *program) close() (err error) {
	p.once.Do(func() { err = shut(p.runtime, p.cache) })
	return err
}

func shut(r wazero.Runtime, c wazero.CompilationCache) error {
	var errs []error
	if r != nil {
		errs = append(errs, r.Close(context.Background()))
	}
	if c != nil {
		errs = append(errs, c.Close(context.Background()))
	}
	return errors.Join(errs...)
}
