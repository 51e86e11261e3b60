package runtime

import (
	"context"
	"errors"
	"math"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// TestRunawaysAreStopped: whatever a guest is busy with when its time is over,
// it ends, its instance serves the next attempt, and others go on meanwhile.
func TestRunawaysAreStopped(t *testing.T) {
	inHost := command(call(0))
	inHost.imports = []imported{told}
	e := newEngine(t, tell(func(ctx context.Context) { <-ctx.Done() }))
	others := skillIn(t, e, counter().bytes(), hive.Manifest{})
	fill := code([]byte{0x03, 0x40}, num(0), num(1), num(60<<20), []byte{0xfc, 0x0b, 0, 0x0c, 0, 0x0b})
	for name, g := range map[string]guest{
		"loop":         command(spin),
		"memory.fill":  {memory: []byte{0, 0x80, 0x08}, funcs: command(fill).funcs}, // 1,024 pages
		"calls":        {funcs: []body{{exportStart, 0, 0, code([]byte{0x03, 0x40}, call(1), []byte{0x0c, 0, 0x0b})}, {"", 0, 0, nil}}},
		"a host call":  inHost,
		"a long sleep": sleeper(),
	} {
		t.Run(name, func(t *testing.T) {
			s := skillIn(t, e, g.bytes(), hive.Manifest{})
			for range 3 {
				var going sync.WaitGroup
				var over atomic.Bool
				going.Go(func() {
					for ok := true; ok; ok = !over.Load() {
						wantResult(t, others.Call(t.Context(), Call{}), once)
					}
				})
				wantFailure(t, s.Call(t.Context(), Call{Timeout: 5 * time.Millisecond}), hive.FailTimeout, "did not finish within 5ms")
				over.Store(true)
				going.Wait()
				idle(t, s)
			}
		})
	}
}

// TestRecursionIsStopped: by its overflow, or by its time where that comes first.
func TestRecursionIsStopped(t *testing.T) {
	s := skillOf(t, command(call(0)).bytes(), hive.Manifest{})
	wantFailure(t, s.Call(t.Context(), Call{}), hive.FailTrap, "stack overflow")
	if i := idle(t, s); i.stackSize() != i.shallow || i.charged > 2*instanceCost {
		t.Errorf("an idle instance has a stack of %d bytes and is charged %d", i.stackSize(), i.charged)
	}
	deep := skillOf(t, command(call(0)).bytes(), hive.Manifest{Limits: hive.SkillLimits{Fuel: 10_000}})
	wantFailure(t, deep.Call(t.Context(), Call{}), hive.FailFuel, "used up its fuel of 10000")
}

// TestStackSize: it is found in wazero, and grows with the guest's calls.
func TestStackSize(t *testing.T) {
	s := skillOf(t, command(call(0)).bytes(), hive.Manifest{Limits: hive.SkillLimits{Fuel: 1000}})
	a := s.attempt(t.Context(), Call{Log: NewLog(0)}, 0)
	defer a.over()
	i, err := s.get(a)
	if err != nil {
		t.Fatal(err)
	}
	defer s.put(i, false)
	before := i.stackSize()
	a.fuel = 10_000
	a.in(i)
	if after := i.stackSize(); before <= 0 || after <= before {
		t.Errorf("the stack is %d bytes large, after 1,000 calls %d", before, after)
	}
}

// TestStackIsForgotten: how deep an attempt can call does not depend on how deep one
// before it did. wazero's limit does: on what the stack had grown to.
func TestStackIsForgotten(t *testing.T) {
	s := skillOf(t, command(call(0)).bytes(), hive.Manifest{})
	deep := func(fuel uint64) uint64 {
		a := s.attempt(t.Context(), Call{}, 0)
		defer a.over()
		i, err := s.get(a)
		if err != nil {
			t.Fatal(err)
		}
		a.fuel = fuel
		a.in(i)
		s.put(i, true)
		return i.spent
	}
	overflow := deep(math.MaxInt64)
	for _, fuel := range []uint64{1000, 5000, 20_000} {
		deep(fuel)
		if got := deep(math.MaxInt64); got != overflow {
			t.Errorf("after an attempt of %d fuel the stack overflows at %d, before at %d", fuel, got, overflow)
		}
	}
}

// TestTablesAreCharged: instances may hold as much in tables as in memory.
func TestTablesAreCharged(t *testing.T) {
	s := skillOf(t, counter().bytes(), hive.Manifest{})
	s.Call(t.Context(), Call{})
	one := idle(t, s).charged
	g := counter()
	g.tables = [][]byte{append([]byte{0x70, 0}, uleb(1000)...)}
	s = skillOf(t, g.bytes(), hive.Manifest{})
	s.Call(t.Context(), Call{})
	if more := idle(t, s).charged - one; more != 1000*entryCost {
		t.Errorf("1000 entries are charged as %d bytes", more)
	}
}

// TestLongInputsEnd: hundreds of calls that copy much fit in a slice of fuel.
func TestLongInputsEnd(t *testing.T) {
	read := code([]byte{0x03, 0x40}, num(0), num(1<<20), num(0), call(0), drop, []byte{0x0c, 0, 0x0b}, num(0))
	g := reactor(read)
	g.memory = []byte{0, 32}
	s := skillOf(t, g.bytes(), hive.Manifest{})
	out := s.Call(t.Context(), Call{Payload: make([]byte, 1<<20), Timeout: 100 * time.Millisecond})
	wantFailure(t, out, hive.FailTimeout, "did not finish within 100ms")
	if out.Receipt.HostCalls == 0 {
		t.Error("no host call was made")
	}
}

// TestEntryOfTheHost: a program may export what it imports.
func TestEntryOfTheHost(t *testing.T) {
	called := 0
	e := newEngine(t, tell(func(context.Context) { called++ }))
	s := skillIn(t, e, guest{imports: []imported{told}, exports: []export{{exportStart, 0}}}.bytes(), hive.Manifest{})
	for range 3 {
		wantResult(t, s.Call(t.Context(), Call{}), "")
	}
	if called != 3 {
		t.Errorf("called %d times, want 3", called)
	}
}

// TestCollectionDuringSpin: the garbage collector stops the world while a guest
// spins.
func TestCollectionDuringSpin(t *testing.T) {
	s := skillOf(t, command(spin).bytes(), hive.Manifest{})
	ctx, cancel := context.WithCancelCause(t.Context())
	var spinning sync.WaitGroup
	spinning.Go(func() { wantFailure(t, s.Call(ctx, Call{}), hive.FailHost, "enough") })
	for range 20 {
		goruntime.GC()
	}
	cancel(errors.New("enough"))
	spinning.Wait()
}

// TestFuelIsTheSameEveryTime: what an attempt uses, and where it ends.
func TestFuelIsTheSameEveryTime(t *testing.T) {
	wasm := goGuest(t, "upper-reactor")
	payload := Call{Payload: []byte("three bees in a row")}
	unlimited := goSkill(t, "upper-reactor", hive.Manifest{})
	used := unlimited.Call(t.Context(), payload).Receipt.Fuel
	if used <= 0 {
		t.Fatalf("used %d", used)
	}
	for range 10 {
		if got := unlimited.Call(t.Context(), payload).Receipt.Fuel; got != used {
			t.Errorf("used %d, then %d", used, got)
		}
	}
	limited := func(fuel int64) hive.Outcome {
		s := skillIn(t, unlimited.engine, wasm, hive.Manifest{Limits: hive.SkillLimits{Fuel: fuel}})
		return s.Call(t.Context(), payload)
	}
	wantResult(t, limited(used), "THREE BEES IN A ROW")
	wantFailure(t, limited(used-1), hive.FailFuel, "used up its fuel of "+decimal(used-1))
}

func decimal(n int64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return decimal(n/10) + string(rune('0'+n%10))
}

func TestReceipt(t *testing.T) {
	s := skillOf(t, reactor(num(1), grow, drop, num(0), num(8), num(0), call(0), drop, num(0), num(4), call(1)).bytes(), hive.Manifest{})
	for range 3 {
		r := s.Call(t.Context(), Call{Payload: []byte("12345678")}).Receipt
		if r.PeakMemory != 2*pageSize || r.HostCalls != 2 || r.BytesIn != 8 || r.BytesOut != 4 || r.Fuel <= 0 {
			t.Errorf("receipt %+v", r)
		}
	}
	spins := skillOf(t, command(spin).bytes(), hive.Manifest{})
	if r := spins.Call(t.Context(), Call{Timeout: 30 * time.Millisecond}).Receipt; r.CPU <= 0 || r.Fuel <= 0 {
		t.Errorf("receipt of one that spins: %+v", r)
	}
}

// TestLimitsAboveThePolicy are refused with both numbers.
func TestLimitsAboveThePolicy(t *testing.T) {
	e := newEngine(t, Options{Most: hive.SkillLimits{Memory: 64 << 20, Time: time.Minute, Fuel: 1000}})
	wasm := command().bytes()
	for _, tt := range []struct {
		limits hive.SkillLimits
		want   string
	}{
		{hive.SkillLimits{Memory: 128 << 20}, "asks for a memory limit of 128 MiB, this spore allows 64 MiB"},
		{hive.SkillLimits{Memory: 1 << 20, Time: time.Hour}, "asks for a time limit of 1h0m0s, this spore allows 1m0s"},
		{hive.SkillLimits{Memory: 1 << 20, Output: -1}, "limits its output to -1, which is negative"},
		{hive.SkillLimits{Memory: 1 << 20, Fuel: 1001}, "asks for a fuel limit of 1001, this spore allows 1000"},
		{hive.SkillLimits{Memory: 64 << 20, Time: time.Minute, Fuel: 1000}, ""},
	} {
		if got := refused(t, e, wasm, hive.Manifest{Limits: tt.limits}); got != tt.want {
			t.Errorf("Prepare() = %q, want %q", got, tt.want)
		}
	}
}

// TestPoolIsBounded: what does not fit is closed, and what nobody uses as well.
func TestPoolIsBounded(t *testing.T) {
	e := newEngine(t, Options{Pool: 3 * (instanceCost + 10<<10)})
	s := skillIn(t, e, counter().bytes(), hive.Manifest{})
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 50 {
				wantResult(t, s.Call(t.Context(), Call{}), once)
			}
		})
	}
	calls.Wait()
	all := s.pool.all()
	if e.budget.held.Load() > e.budget.most || len(all) == 0 || len(all) > 3 {
		t.Errorf("%d idle instances hold %d bytes of %d", len(all), e.budget.held.Load(), e.budget.most)
	}
	for _, i := range all {
		s.pool.keep(i)
	}
	s.pool.clean()
	s.pool.clean()
	if held := e.budget.held.Load(); held != 0 {
		t.Errorf("after two sweeps %d bytes are held", held)
	}
	wantResult(t, s.Call(t.Context(), Call{}), once)
}

// TestEngineWithoutAChild says what it lacks.
func TestEngineWithoutAChild(t *testing.T) {
	e, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	if _, err := e.Prepare(t.Context(), command().bytes(), &hive.Manifest{}); err == nil || !strings.Contains(err.Error(), "Options.Admit") {
		t.Errorf("Prepare() = %v", err)
	}
}
