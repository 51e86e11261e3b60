package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime/prepare"
)

// program is the compiled code of one digest. It has wazero runtimes and a cache
// directory of its own, so that releasing it releases all of it, and so that
// what is found in its directory can be checked before it is trusted.
type program struct {
	digest   string
	prepared *prepare.Module
	refs     int // skills, who waits for it, who makes it; guarded by Engine.mu

	ready chan struct{} // closed when compiled, or err says why not
	err   error

	cache   wazero.CompilationCache
	runtime wazero.Runtime // with what it imports
	code    wazero.CompiledModule
	once    sync.Once
}

// program returns the compiled program with a reference for the caller. Callers
// with the same digest wait for what is done for the first of them. If that is
// refused, its manifest may be why: the next one asks again.
func (e *Engine) program(ctx context.Context, wasm []byte, prepared *prepare.Module, m hive.Manifest) (*program, error) {
	for {
		p, first := e.claim(Digest(wasm), prepared)
		if first {
			go e.make(p, wasm, m)
		}
		var err error
		select {
		case <-p.ready:
			err = p.err
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		if err == nil {
			return p, nil
		}
		err = errors.Join(err, e.release(p))
		if _, refused := errors.AsType[*Refusal](err); first || !refused {
			return nil, err
		}
	}
}

// claim returns the program of the digest with a reference, and whether the
// caller is to have it made. That takes another one.
func (e *Engine) claim(digest string, prepared *prepare.Module) (p *program, first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p, known := e.programs[digest]
	if !known {
		p = &program{digest: digest, prepared: prepared, refs: 1, ready: make(chan struct{})}
		e.programs[digest] = p
		e.busy.Add(1)
	}
	p.refs++
	return p, !known
}

// make compiles a program, even if those who wait for it give up: the code is on
// disk when they come again.
func (e *Engine) make(p *program, wasm []byte, m hive.Manifest) {
	defer e.busy.Done()
	p.err = e.compile(p, wasm, &m)
	if p.err != nil {
		e.unlist(p)
	}
	close(p.ready)
	_ = e.release(p) // of one that nobody else has: there is nobody to tell
}

// unlist has the next caller make the program anew.
func (e *Engine) unlist(p *program) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.programs[p.digest] == p {
		delete(e.programs, p.digest)
	}
}

func (e *Engine) release(p *program) error {
	e.mu.Lock()
	p.refs--
	last := p.refs == 0
	if last && e.programs[p.digest] == p {
		delete(e.programs, p.digest)
	}
	e.mu.Unlock()
	if !last {
		return nil
	}
	return p.close()
}

// compile fills p with the machine code that a child process made of it, now or
// earlier. The child itself makes it in its own directory.
func (e *Engine) compile(p *program, wasm []byte, m *hive.Manifest) error {
	dir := newCacheDir(e.cacheDir, p.prepared.Wasm)
	if e.into != "" {
		dir = cacheDir{filepath.Dir(e.into), filepath.Base(e.into)}
	}
	if !e.trusting && !dir.verify() {
		if err := e.admit(dir, wasm, m); err != nil {
			return err
		}
	}
	return p.open(e.hosts, dir)
}

func (p *program) open(hosts map[string]hostModule, dir cacheDir) (err error) {
	if p.cache, err = wazero.NewCompilationCacheWithDir(dir.path()); err != nil {
		return fmt.Errorf("open cache: %w", err)
	}
	if err = p.link(hosts); err != nil {
		_ = p.close()
	}
	return err
}

// link compiles the program for what hosts offer.
func (p *program) link(hosts map[string]hostModule) (err error) {
	ctx := context.Background() // what is made here outlives the caller
	defer func() {
		if r := recover(); r != nil {
			err = refuse("cannot be compiled: %v", r)
		}
	}()
	p.runtime = wazero.NewRuntimeWithConfig(ctx, runtimeConfig.WithCompilationCache(p.cache))
	for _, name := range importedModules(p.prepared) {
		if _, err := hosts[name].build(p.runtime).Instantiate(ctx); err != nil {
			return fmt.Errorf("host module %s: %w", name, err)
		}
	}
	if p.code, err = p.runtime.CompileModule(ctx, p.prepared.Wasm); err != nil {
		if ofDisk(err) {
			return fmt.Errorf("compile program: %w", err)
		}
		return invalid(err)
	}
	return nil
}

// ofDisk reports whether an error is the cache's, and not the program's.
func ofDisk(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	_, call := errors.AsType[*os.SyscallError](err)
	return path || link || call
}

// runtimeConfig leaves stopping guests to what prepare put into them, and ignores
// DWARF: traps are told in one line, and it is foreign data to parse.
var runtimeConfig = wazero.NewRuntimeConfig().
	WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst).
	WithDebugInfoEnabled(false)

func (p *program) close() (err error) {
	p.once.Do(func() {
		var errs []error
		if p.runtime != nil {
			errs = append(errs, p.runtime.Close(context.Background()))
		}
		if p.cache != nil {
			errs = append(errs, p.cache.Close(context.Background()))
		}
		err = errors.Join(errs...)
	})
	return err
}
