package preview1

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// TestSignatures: whatever links with wazero's preview 1 links with ours.
func TestSignatures(t *testing.T) {
	ctx := context.Background()
	exports := func(add implementation) map[string]api.FunctionDefinition {
		r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
		t.Cleanup(func() { r.Close(ctx) })
		code, err := add(r.NewHostModuleBuilder(ModuleName)).Compile(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return code.ExportedFunctions()
	}
	got, want := exports(ours), exports(wazeros)
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Fatalf("functions are %v, want %v", g, w)
	}
	for name, f := range got {
		w := want[name]
		if !bytes.Equal(f.ParamTypes(), w.ParamTypes()) || !bytes.Equal(f.ResultTypes(), w.ResultTypes()) {
			t.Errorf("%s is %v -> %v, want %v -> %v", name, f.ParamTypes(), f.ResultTypes(), w.ParamTypes(), w.ResultTypes())
		}
	}
}

// TestExitKeepsInstance is why proc_exit is not wazero's.
func TestExitKeepsInstance(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	for _, code := range []uint64{3, 0, 1<<32 - 1} {
		if got := c.call(with(&State{}), "proc_exit", code); got != -int64(code) {
			t.Errorf("proc_exit(%d) ends with %d", code, -got)
		}
	}
	if c.IsClosed() {
		t.Error("proc_exit closed the instance")
	}
	c.want(with(&State{}), success, "sched_yield")
}

// TestAttemptsApart: on one instance, what an attempt does to its streams is
// seen by that attempt alone.
func TestAttemptsApart(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	c.Memory().WriteString(0, "ab")
	c.put(16, 0, 2)
	for range 3 {
		var out, log bytes.Buffer
		ctx := with(&State{Stdin: []byte("xyz"), Stdout: &out, Stderr: &log})
		c.want(ctx, success, "fd_fdstat_get", 1, 100)
		if flags := c.u32(100) >> 16; flags != 0 {
			t.Errorf("an attempt begins with flags %d", flags)
		}
		c.put(24, 200, 2)
		c.want(ctx, success, "fd_read", 0, 24, 1, 32)
		if got := c.text(200, 2); got != "xy" {
			t.Errorf("an attempt begins to read at %q", got)
		}
		c.want(ctx, success, "fd_write", 1, 16, 1, 32)
		c.want(ctx, success, "fd_fdstat_set_flags", 1, flagNonblock)
		c.want(ctx, success, "fd_renumber", 1, 0)
		c.want(ctx, badf, "fd_write", 1, 16, 1, 32)
		c.want(ctx, success, "fd_close", 0)
		c.want(ctx, success, "fd_close", 2)
		c.want(ctx, badf, "fd_write", 2, 16, 1, 32)
		if out.String() != "ab" || log.Len() != 0 {
			t.Errorf("an attempt wrote %q and %q", &out, &log)
		}
	}
}

// TestRenumber: a renumbered descriptor takes its stream and flags along.
func TestRenumber(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	c.Memory().WriteString(0, "ab")
	c.put(16, 0, 2)
	var out, log bytes.Buffer
	ctx := with(&State{Stdout: &out, Stderr: &log})
	c.want(ctx, success, "fd_renumber", 1, 1)
	c.want(ctx, badf, "fd_renumber", 1, 3)
	c.want(ctx, badf, "fd_renumber", 3, 1)
	c.want(ctx, badf, "fd_renumber", 1, 1<<31-1)
	c.want(ctx, success, "fd_fdstat_set_flags", 2, flagAppend)
	c.want(ctx, success, "fd_renumber", 2, 1)
	c.want(ctx, badf, "fd_renumber", 2, 2)
	c.want(ctx, success, "fd_write", 1, 16, 1, 32)
	c.want(ctx, success, "fd_fdstat_get", 1, 100)
	if flags := c.u32(100) >> 16; flags != flagAppend {
		t.Errorf("flags became %d", flags)
	}
	c.want(ctx, success, "fd_renumber", 1, 2) // to a descriptor that is closed
	c.want(ctx, success, "fd_write", 2, 16, 1, 32)
	if out.Len() != 0 || log.String() != "abab" {
		t.Errorf("wrote %q and %q", &out, &log)
	}
}

// TestRights: C programs learn from them what a stream is open for.
func TestRights(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	for fd, want := range []uint64{rightRead, rightWrite, rightWrite} {
		c.want(with(&State{}), success, "fd_fdstat_get", uint64(fd), 100)
		if got := c.u64(108) & (rightRead | rightWrite); got != want {
			t.Errorf("descriptor %d has rights %#x, want %#x", fd, got, want)
		}
	}
}

func TestOutsideOfAttempt(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	names, params := all()
	for i, name := range names[:len(functions)] {
		c.want(context.Background(), nosys, name, make([]uint64, len(params[i]))...)
	}
}

// TestNoMemory: a guest without memory gets an answer, not a panic.
func TestNoMemory(t *testing.T) {
	m, err := newRuntime(t, ours).Instantiate(context.Background(), callerModule(-1))
	if err != nil {
		t.Fatal(err)
	}
	c := caller{t, m}
	ctx := with(&State{Args: []string{"a"}, Stdin: []byte("b")})
	for name, params := range map[string][]uint64{
		"args_get": {0, 0}, "args_sizes_get": {0, 0}, "clock_res_get": {0, 0}, "clock_time_get": {0, 0, 0},
		"fd_fdstat_get": {1, 0}, "fd_filestat_get": {1, 0}, "fd_read": {0, 0, 1, 0}, "fd_write": {1, 0, 0, 0},
		"poll_oneoff": {0, 0, 1, 0}, "random_get": {0, 1},
	} {
		c.want(ctx, fault, name, params...)
	}
	if got := c.call(ctx, "proc_exit", 5); got != -5 {
		t.Errorf("proc_exit(5) ends with %d", -got)
	}
}

// fullMemory is one of 4 GiB, as far as its bounds go: like wazero's, it
// would panic at a range that ends where it does.
type fullMemory struct{ api.Memory }

func (fullMemory) Read(ptr, n uint32) ([]byte, bool) {
	return make([]byte, 1<<20)[:n:n], ptr+n >= ptr || bool(panics())
}

func panics() bool { panic("end of a slice in 32 bits") }

func TestEndOfMemory(t *testing.T) {
	for _, tt := range []struct {
		ptr, n uint64
		ok     bool
	}{
		{0, 0, true}, {1<<32 - 1, 0, true}, {1<<32 - 16, 15, true},
		{1<<32 - 16, 16, false}, {1<<32 - 1, 1, false}, {0, 1 << 32, false}, {8, 1<<35 - 8, false},
		{1<<40 + 4, 4, true}, // the upper half of a parameter is none of it
	} {
		if b, ok := view(fullMemory{}, tt.ptr, tt.n); ok != tt.ok || ok && uint64(len(b)) != tt.n {
			t.Errorf("view(%d, %d) = %d bytes, %t", tt.ptr, tt.n, len(b), ok)
		}
	}
}

// TestFailures of what a State is made of.
func TestFailures(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	c.put(16, 0, 2, 8, 2)
	broken := with(&State{Stdout: brokenPipe{}, World: fixed{io.LimitReader(new(countUp), 4), nil}})
	c.want(broken, io_, "fd_write", 1, 16, 2, 32)
	c.want(broken, success, "random_get", 0, 3)
	c.want(broken, io_, "random_get", 0, 2)
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken") }

// TestEndingAttempt: work that a guest made endless stops with the attempt.
func TestEndingAttempt(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	c.Memory().Grow(15) // 1 MiB
	ctx, cancel := context.WithCancel(with(&State{
		Stdin:  make([]byte, 1<<20),
		Stdout: writeFunc(func(p []byte) (int, error) { return len(p), nil }),
	}))
	cancel()
	c.want(ctx, success, "random_get", 0, randomChunk) // within one breath
	c.want(ctx, intr, "random_get", 0, randomChunk+1)
	clearMemory(c)
	for i := range uint32(patience + 1) {
		c.put(i*vectorSize, 1<<16, 1)
	}
	for name, fd := range map[string]uint64{"fd_read": 0, "fd_write": 1} {
		c.want(ctx, success, name, fd, 0, patience, 1<<17)
		c.want(ctx, intr, name, fd, 0, patience+1, 1<<17)
	}
}

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

func clearMemory(c caller) {
	b, _ := c.Memory().Read(0, c.Memory().Size())
	clear(b)
}

// TestNoAllocations holds the functions that programs live on.
func TestNoAllocations(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	c.put(16, 0, 2, 8, 2)
	c.put(96, 0, 0, 0)
	s := &State{Args: worldArgs, Env: worldEnv, Stdin: make([]byte, 1<<16), Stdout: io.Discard}
	ctx := with(s)
	for name, params := range map[string][]uint64{
		"args_sizes_get": {0, 4}, "args_get": {200, 300}, "environ_sizes_get": {0, 4}, "environ_get": {200, 300},
		"clock_time_get": {1, 0, 400}, "fd_read": {0, 16, 2, 400}, "fd_write": {1, 16, 2, 400},
		"random_get": {400, 32}, "fd_fdstat_get": {1, 400}, "sched_yield": {},
	} {
		call := host(functionNamed(name), stateOf)
		stack := make([]uint64, max(1, len(params)))
		if n := testing.AllocsPerRun(100, func() {
			copy(stack, params)
			call(ctx, c.Module, stack)
			if stack[0] != 0 {
				t.Fatalf("%s%v = %d", name, params, stack[0])
			}
		}); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func functionNamed(name string) function {
	for _, f := range functions {
		if f.name == name {
			return f.call
		}
	}
	return nil
}
