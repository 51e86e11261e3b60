package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

var exit = imported{wasiModule, "proc_exit", 1, 0}

// exits returns a command that exits with a code.
func exits(code int32) guest {
	g := command(num(code), call(0))
	g.imports = []imported{exit}
	return g
}

func TestFailures(t *testing.T) {
	named := command(unreachable)
	named.name = "main.(*Bee).Sting"
	tests := []struct {
		name    string
		guest   guest
		kind    hive.FailureKind
		message string
	}{
		{"unreachable", command(unreachable), hive.FailTrap, "unreachable executed in $0"},
		{"named", named, hive.FailTrap, "unreachable executed in main.(*Bee).Sting"},
		{"division", command(num(1), num(0), []byte{0x6d}, drop), hive.FailTrap, "integer divide by zero in $0"},
		{"bounds", command(load(1<<30), drop), hive.FailTrap, "out of bounds memory access in $0"},
		{"recursion", command(call(0)), hive.FailTrap, "stack overflow"},
		{"exit", exits(3), hive.FailExit, "exit code 3"},
		{"exit -1", exits(-1), hive.FailExit, "exit code -1"},
	}
	e := newEngine(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := skillIn(t, e, tt.guest.bytes(), hive.Manifest{})
			wantFailure(t, s.Call(t.Context(), Call{}), tt.kind, tt.message)
		})
	}
	wantResult(t, skillIn(t, e, exits(0).bytes(), hive.Manifest{}).Call(t.Context(), Call{}), "")
}

// TestStartSection: code that runs while the instance is made is bound like any.
func TestStartSection(t *testing.T) {
	starting := func(code ...[]byte) []byte {
		g := exits(4) // which it must not get to
		g.funcs = append(g.funcs, body{code: slices.Concat(code...)})
		g.start = true
		return g.bytes()
	}
	m := hive.Manifest{Limits: hive.SkillLimits{Memory: pageSize}}
	for _, tt := range []struct {
		code    []byte
		kind    hive.FailureKind
		message string
	}{
		{starting(unreachable), hive.FailTrap, "unreachable executed in $2"},
		{starting(call(2)), hive.FailTrap, "stack overflow"},
		{starting(num(3), call(0)), hive.FailExit, "exit code 3"},
		{starting(num(1), grow, drop, unreachable), hive.FailMemory,
			"wanted 128 KiB of memory, its limit is 64 KiB: unreachable executed in $2"},
		{starting(), hive.FailExit, "exit code 4"},
	} {
		s := skillOf(t, tt.code, m)
		for range 2 {
			wantFailure(t, s.Call(t.Context(), Call{}), tt.kind, tt.message)
		}
	}
	wantResult(t, skillOf(t, starting(num(0), call(0)), m).Call(t.Context(), Call{}), "")

	e := newEngine(t, Options{})
	e.startWithin = 20 * time.Millisecond
	if got := refused(t, e, starting(spin), m); got != "cannot be started: it takes more than 20ms" {
		t.Errorf("Prepare() of one that starts for ever = %q", got)
	}
	outside := guest{memory: []byte{0, 0}, funcs: command().funcs, data: "x"}.bytes()
	if got := refused(t, e, outside, m); got != "cannot be started: has 1 bytes of data at 0, outside of its memory" {
		t.Errorf("Prepare() with data outside of the memory = %q", got)
	}
}

func TestMemoryLimit(t *testing.T) {
	const limit = 1 << 20
	manifest := hive.Manifest{Limits: hive.SkillLimits{Memory: limit}}
	growBy := func(pages int32, then ...[]byte) guest {
		return command(num(pages), grow, num(-1), equal, do, code(then...), end)
	}
	leaves := growBy(16, num(1), call(0))
	leaves.imports = []imported{exit}
	tests := []struct {
		name    string
		guest   guest
		kind    hive.FailureKind // empty: completes
		message string
	}{
		{"within", growBy(15, unreachable), "", ""},
		{"beyond", growBy(16, unreachable), hive.FailMemory,
			"wanted 1088 KiB of memory, its limit is 1 MiB: unreachable executed in $0"},
		{"beyond, exits", leaves, hive.FailMemory,
			"wanted 1088 KiB of memory, its limit is 1 MiB: exit code 1"},
		{"beyond, survives", growBy(16), "", ""},
		{"own limit", guest{memory: []byte{1, 1, 2}, funcs: growBy(2, unreachable).funcs}, hive.FailTrap,
			"unreachable executed in $0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := skillOf(t, tt.guest.bytes(), manifest).Call(t.Context(), Call{})
			if tt.kind == "" {
				wantResult(t, out, "")
			} else {
				wantFailure(t, out, tt.kind, tt.message)
			}
		})
	}
}

// TestMemoryKeepsItsBytes grows step by step and looks at the first page.
func TestMemoryKeepsItsBytes(t *testing.T) {
	g := reactor(num(1), grow, drop, num(30), grow, drop, num(0), num(4), call(1))
	g.data = "bees"
	wantResult(t, skillOf(t, g.bytes(), hive.Manifest{}).Call(t.Context(), Call{}), "bees")
}

// tell is a host function that tells the test where a guest is.
func tell(f func(context.Context)) Options {
	return Options{Host: map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder{
		"test": func(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
			return b.NewFunctionBuilder().
				WithGoFunction(api.GoFunc(func(ctx context.Context, _ []uint64) { f(ctx) }), nil, nil).Export("tell")
		},
	}}
}

var told = imported{"test", "tell", 0, 0}

func TestOutputLimit(t *testing.T) {
	var after atomic.Bool
	e := newEngine(t, tell(func(context.Context) { after.Store(true) }))
	g := reactor(num(0), num(6), call(1), drop, num(0), num(5), call(1), drop, call(3), num(0))
	g.imports = append(g.imports, told)
	limit := func(n int64) hive.Manifest { return hive.Manifest{Limits: hive.SkillLimits{Output: n}} }

	out := skillIn(t, e, g.bytes(), limit(10)).Call(t.Context(), Call{})
	wantFailure(t, out, hive.FailOutput, "wrote a result of 11 bytes or more, its limit is 10")
	if after.Load() {
		t.Error("the guest went on after its result became too large")
	}
	wantResult(t, skillIn(t, e, g.bytes(), limit(11)).Call(t.Context(), Call{}), "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")

	s := goSkill(t, "probe", limit(10))
	wantFailure(t, probe(t, s, "echo", Call{Payload: make([]byte, 11)}), hive.FailOutput,
		"wrote a result of 11 bytes or more, its limit is 10")
}

// sleeper sleeps an hour and then tells.
func sleeper() guest {
	const subscription = "userdata" + // 48 bytes: a relative timeout of a clock
		"\x00\x00\x00\x00\x00\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\xa0\xb8\x30\x46\x03\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00"
	g := command(num(0), num(100), num(1), num(200), call(0), drop, call(1))
	g.imports = []imported{{wasiModule, "poll_oneoff", 4, 1}, told}
	g.data = subscription
	return g
}

func TestTimeout(t *testing.T) {
	var after atomic.Bool
	e := newEngine(t, tell(func(context.Context) { after.Store(true) }))
	for name, g := range map[string]guest{"spins": command(spin), "sleeps": sleeper()} {
		t.Run(name, func(t *testing.T) {
			s := skillIn(t, e, g.bytes(), hive.Manifest{})
			wantFailure(t, s.Call(t.Context(), Call{Timeout: 20 * time.Millisecond}),
				hive.FailTimeout, "did not finish within 20ms")

			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			wantFailure(t, s.Call(ctx, Call{Timeout: time.Hour}),
				hive.FailTimeout, "did not finish before its deadline")

			short := skillIn(t, e, g.bytes(), hive.Manifest{Limits: hive.SkillLimits{Time: 30 * time.Millisecond}})
			wantFailure(t, short.Call(t.Context(), Call{Timeout: time.Hour}),
				hive.FailTimeout, "did not finish within 30ms")
		})
	}
	if after.Load() {
		t.Error("a sleeping guest went on after its attempt ended")
	}
}

func TestCancelTellsItsCause(t *testing.T) {
	spinner := command(call(0), spin)
	spinner.imports = []imported{told}
	begun := make(chan struct{}, 1)
	e := newEngine(t, tell(func(context.Context) { begun <- struct{}{} }))
	s := skillIn(t, e, spinner.bytes(), hive.Manifest{})

	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-begun
		cancel(errors.New("the spore drains"))
	}()
	wantFailure(t, s.Call(ctx, Call{Timeout: time.Hour}), hive.FailHost, "the spore drains")
	// The same context again: the guest does not even begin.
	wantFailure(t, s.Call(ctx, Call{Timeout: time.Hour}), hive.FailHost, "the spore drains")
}

// counter answers how often its instance was called: in a global and in memory.
func counter() guest {
	g := reactor(
		getGlobal(), num(1), add, setGlobal(),
		num(0), load(0), num(1), add, store(),
		num(4), getGlobal(), store(),
		num(0), num(8), call(1))
	g.globals = 1
	return g
}

const once = "\x01\x00\x00\x00\x01\x00\x00\x00"

func TestCounterAnswersOne(t *testing.T) {
	s := skillOf(t, counter().bytes(), hive.Manifest{})
	for range 100 {
		wantResult(t, s.Call(t.Context(), Call{}), once)
	}
}

func TestConcurrentCalls(t *testing.T) {
	count, echo := skillOf(t, counter().bytes(), hive.Manifest{}), goSkill(t, "probe", hive.Manifest{})
	var calls sync.WaitGroup
	for i := range 8 {
		calls.Go(func() {
			for range 25 {
				wantResult(t, count.Call(t.Context(), Call{}), once)
			}
			payload := fmt.Appendf(nil, "payload %d", i)
			wantResult(t, probe(t, echo, "echo", Call{Payload: payload}), string(payload))
		})
	}
	calls.Wait()
}

// TestTablesAreBounded grows a table that declares no upper limit.
func TestTablesAreBounded(t *testing.T) {
	tableGrow := []byte{0xfc, 15, 0}
	grown := func(by int32) string {
		g := reactor(num(0), []byte{0xd0, 0x70}, num(by), tableGrow, store(), num(0), num(4), call(1))
		g.tables = [][]byte{{0x70, 0, 5}, {0x6f, 1, 0, 7}}
		return string(skillOf(t, g.bytes(), hive.Manifest{}).Call(t.Context(), Call{}).Result)
	}
	if got := grown(maxTableSize - 5); got != "\x05\x00\x00\x00" {
		t.Errorf("growth within the limit answers %x", got)
	}
	if got := grown(maxTableSize - 4); got != "\xff\xff\xff\xff" {
		t.Errorf("growth beyond the limit answers %x", got)
	}
}

// TestPanicOfAHostFunction: a guest may find arguments that nobody thought of.
func TestPanicOfAHostFunction(t *testing.T) {
	var none []int
	e := newEngine(t, tell(func(context.Context) { none[len(none)] = 1 }))
	g := command(call(0))
	g.imports = []imported{told}
	out := skillIn(t, e, g.bytes(), hive.Manifest{}).Call(t.Context(), Call{})
	wantFailure(t, out, hive.FailTrap, "a host call failed: runtime error: index out of range [0] with length 0 in test.tell")
}
