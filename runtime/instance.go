package runtime

import (
	"context"
	"reflect"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime/prepare"
)

// instance is one sandbox: a program with memory and numbers of its own. It runs
// one attempt at a time.
type instance struct {
	module  api.Module
	memory  memory
	entry   api.Function
	deep    reflect.Value // the stack that wazero keeps with entry
	shallow int           // its size before any call
	name    string        // of entry
	stack   [1]uint64     // its parameter, then its result
	answers bool          // entry has a result
	state   []number      // the numbers a guest can change
	fuel    [2]number     // what is left of the slice, and to take slices from
	kill    api.MutableGlobal
	ready   bool // it was started: a call of entry is all that is left to do

	runs atomic.Pointer[attempt] // the one whose guest runs

	given, spent uint64 // fuel, in its attempt
	touched      bool   // since the last restore it may have written to pages it never wrote to before

	watch    *watcher  // that knows of it
	snapshot *snapshot // what it is restored to; nil: it is for one attempt alone
	resident uint64    // bytes it holds of its own, when it is idle
	charged  int64     // bytes it is accounted for
	round    int64     // of the pool, when it was given back
}

// number is a global of a guest.
type number = api.MutableGlobal

// instantiate makes an instance whose memory lies in a space. It is not started.
func (s *Skill) instantiate(ctx context.Context, in space) (_ *instance, err error) {
	i := &instance{name: entryName(s.info.Contract, &s.manifest)}
	i.memory = memory{limit: uint64(s.info.Limits.Memory), most: uint64(s.program.prepared.Memory.Max) * pageSize, space: in}
	ctx = experimental.WithMemoryAllocator(ctx, &i.memory)
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	i.module, err = s.program.runtime.InstantiateModule(ctx, s.program.code, config)
	if err != nil {
		in.free()
		return nil, err
	}
	p := s.program.prepared
	global := func(name string) number { return i.module.ExportedGlobal(name).(number) }
	for _, name := range p.Globals {
		i.state = append(i.state, global(name))
	}
	i.fuel, i.kill = [2]number{global(prepare.Fuel), global(prepare.Left)}, global(prepare.Kill)
	i.enterBy(i.module.ExportedFunction(i.name))
	i.watch = &s.engine.watch
	i.watch.add(i)
	i.answers = len(i.entry.Definition().ResultTypes()) > 0
	return i, nil
}

// begin does what comes before the first call of the entry: data, the start
// function, the initialization of libraries.
func (i *instance) begin(ctx context.Context, p *prepare.Module, c hive.Contract) error {
	for _, data := range p.Data {
		if !i.module.Memory().Write(data.Offset, data.Bytes) {
			return refuse("has %d bytes of data at %d, outside of its memory", len(data.Bytes), data.Offset)
		}
	}
	for _, f := range i.starters(p, c) {
		if _, err := f.Call(ctx, make([]uint64, len(f.Definition().ParamTypes()))...); err != nil {
			return err
		}
	}
	i.ready = true
	return nil
}

// starters returns the functions that run before the entry, in this order. What
// Extism plugins of several languages want is what Extism does for them.
func (i *instance) starters(p *prepare.Module, c hive.Contract) (fs []api.Function) {
	add := func(name, want string) bool {
		f := i.module.ExportedFunction(name)
		ok := f != nil && signature(f.Definition().ParamTypes(), f.Definition().ResultTypes()) == want
		if ok {
			fs = append(fs, f)
		}
		return ok
	}
	if p.Start {
		add(prepare.Start, "()")
	}
	switch {
	case c == hive.ContractReactor:
		add(exportInit, "()")
	case c == hive.ContractExtism && i.name != exportStart && i.name != exportInit:
		initialized := add(exportInit, "()")
		if haskell := add("hs_init", "(i32, i32)"); !initialized && !haskell {
			add("__wasm_call_ctors", "()")
		}
	}
	return fs
}

// call calls the entry.
func (i *instance) call(ctx context.Context, param uint64) (result uint64, err error) {
	i.stack[0] = param
	err = i.entry.CallWithStack(ctx, i.stack[:])
	if err != nil || !i.answers {
		return 0, err
	}
	return i.stack[0], err
}

// give sets the fuel of an attempt.
func (i *instance) give(fuel uint64) {
	i.given = fuel
	i.fuel[0].Set(0)
	i.fuel[1].Set(fuel)
}

// account reads how much of it was spent.
func (i *instance) account() { i.spent = i.given - i.fuel[1].Get() - i.fuel[0].Get() }

// enterBy makes f the entry. Its stack only grows, from 10 KiB to some 100 MiB, and
// where it ends depends on what it had grown to: a new function has a new one.
func (i *instance) enterBy(f api.Function) {
	i.entry, i.deep = f, reflect.ValueOf(f).Elem().FieldByName("stack")
	i.shallow = i.stackSize()
}

// stackSize returns the size of the guest's stack in bytes; 0 if the entry is a
// function of the host. TestStackSize notices a wazero in which it is not found.
func (i *instance) stackSize() int {
	if !i.deep.IsValid() {
		return 0
	}
	return i.deep.Len() * int(i.deep.Type().Elem().Size())
}

// restore makes the instance what it was when the snapshot was taken. It
// reports false if that cannot be: such an instance must not be used again.
func (i *instance) restore() (ok bool) {
	if i.resident, ok = i.memory.restore(i.module.Memory(), i.touched); !ok {
		return false
	}
	i.touched = false
	for n, g := range i.state {
		g.Set(i.snapshot.state[n])
	}
	if i.stackSize() != i.shallow {
		i.enterBy(i.module.ExportedFunction(i.name))
	}
	return true
}

func (i *instance) close() {
	i.watch.remove(i)
	_ = i.module.Close(context.Background())
}
