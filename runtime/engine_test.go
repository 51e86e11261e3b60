package runtime

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/hive-spore/hive"
)

func TestInfo(t *testing.T) {
	g := dialer()
	g.memory = []byte{0, 3}
	s := skillOf(t, g.bytes(), hive.Manifest{Limits: hive.SkillLimits{Output: 5}})
	want := Info{
		Contract: hive.ContractReactor,
		Digest:   Digest(g.bytes()),
		Size:     int64(len(g.bytes())),
		Imports:  []string{"hive.fail", "hive.input_read", "hive.output_write"},
		Exports:  []string{"hive_run", "memory"},
		Memory:   3 * pageSize,
		Limits:   hive.SkillLimits{Memory: hive.DefaultMemory, Output: 5, Log: hive.MaxLog},
		Mode:     ModeRestored,
		Reason:   "all of its state can be restored (" + s.snapshot.image.how() + ")",
		Warmup:   "no: the manifest has no example input",
		Snapshot: 3 * pageSize,
	}
	if got := s.Info(); !reflect.DeepEqual(got, want) {
		t.Errorf("Info() = %+v, want %+v", got, want)
	}
}

// TestProgramsAreShared: one program for many skills, gone with the last.
func TestProgramsAreShared(t *testing.T) {
	e := newEngine(t, Options{})
	wasm := counter().bytes()
	skills := make([]*Skill, 8)
	var wg sync.WaitGroup
	for i := range skills {
		wg.Go(func() {
			var err error
			if skills[i], err = e.Prepare(t.Context(), wasm, &hive.Manifest{Name: "counter"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, s := range skills {
		if s.program != skills[0].program {
			t.Error("the program was compiled more than once")
		}
	}
	for i, s := range skills {
		wantResult(t, s.Call(t.Context(), Call{}), once)
		for range 2 { // closing again changes nothing
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if left := len(e.programs); (left == 0) != (i == len(skills)-1) {
			t.Errorf("%d programs left after closing %d of %d skills", left, i+1, len(skills))
		}
		wantFailure(t, s.Call(t.Context(), Call{}), hive.FailHost, "the skill is closed")
	}
	wantResult(t, skillIn(t, e, wasm, hive.Manifest{}).Call(t.Context(), Call{}), once)
}

// TestWaitForCompilationEndsWithContext holds up a compilation and has another
// caller wait for it.
func TestWaitForCompilationEndsWithContext(t *testing.T) {
	compiling, goOn := make(chan struct{}), make(chan struct{})
	o := tell(func(context.Context) {})
	add, builds := o.Host["test"], 0
	o.Host["test"] = func(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
		if builds++; builds == 2 { // the first only lists the functions
			close(compiling)
			<-goOn
		}
		return add(b)
	}
	e := newEngine(t, o)
	g := command()
	g.imports = []imported{told}
	var wg sync.WaitGroup
	wg.Go(func() { wantResult(t, skillIn(t, e, g.bytes(), hive.Manifest{}).Call(t.Context(), Call{}), "") })
	<-compiling
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("nobody wants it any more")
	cancel(cause)
	if _, err := e.Prepare(ctx, g.bytes(), &hive.Manifest{}); !errors.Is(err, cause) {
		t.Errorf("Prepare() = %v, want %v", err, cause)
	}
	close(goOn)
	wg.Wait()
}

// TestCloseEndsAttempts closes an engine under a guest that spins, one that
// sleeps, and a host function that takes its time.
func TestCloseEndsAttempts(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	e := newEngine(t, tell(func(context.Context) {
		begun <- struct{}{}
		<-goOn
	}))
	g := command(call(0), spin)
	g.imports = []imported{told}
	s := skillIn(t, e, g.bytes(), hive.Manifest{})
	sleeps := skillIn(t, e, sleeper().bytes(), hive.Manifest{})
	var wg sync.WaitGroup
	for _, s := range []*Skill{s, sleeps} {
		wg.Go(func() { wantFailure(t, s.Call(t.Context(), Call{}), hive.FailHost, errClosed.Error()) })
	}
	<-begun

	impatient, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the second signal"))
	if err := e.Close(impatient); err == nil || err.Error() != "close sandbox engine: the second signal" {
		t.Errorf("Close() while a host function runs = %v", err)
	}
	close(goOn)
	wg.Wait()
	for range 2 {
		if err := e.Close(t.Context()); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
	wantFailure(t, s.Call(t.Context(), Call{}), hive.FailHost, errClosed.Error())
	if _, err := e.Prepare(t.Context(), g.bytes(), &hive.Manifest{}); !errors.Is(err, errClosed) {
		t.Errorf("Prepare() on a closed engine = %v", err)
	}
}

// TestHostAddsToHive: more functions in module hive, but no other ones.
func TestHostAddsToHive(t *testing.T) {
	said := false
	e := newEngine(t, Options{Host: map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder{
		hiveModule: func(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
			b = b.NewFunctionBuilder().WithFunc(func() { said = true }).Export("say")
			return b.NewFunctionBuilder().WithFunc(func(a, b, c uint32) uint32 { return 99 }).Export("input_read")
		},
	}})
	g := reactor(call(3), num(0), num(0), num(4), num(0), call(0), store(), num(0), num(4), call(1))
	g.imports = append(g.imports, imported{hiveModule, "say", 0, 0})
	out := skillIn(t, e, g.bytes(), hive.Manifest{}).Call(t.Context(), Call{Payload: []byte("bees")})
	wantResult(t, out, "\x04\x00\x00\x00")
	if !said {
		t.Error("the added function was not called")
	}
}

func TestHostModuleThatCannotBe(t *testing.T) {
	_, err := New(t.Context(), Options{Host: map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder{
		"bad": func(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
			return b.NewFunctionBuilder().WithFunc("no function").Export("f")
		},
	}})
	if err == nil {
		t.Error("New() = nil")
	}
}
