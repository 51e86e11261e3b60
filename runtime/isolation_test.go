package runtime

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime/prepare"
)

// waysToRestore are those of this system, by what Info calls them.
func waysToRestore() map[string]func([]byte) image {
	ways := map[string]func([]byte) image{"whole copy": newHeapImage}
	for how, newImage := range mappedImages() {
		ways[how] = newImage
	}
	return ways
}

// eachWay runs a test with an engine that restores in each way.
func eachWay(t *testing.T, test func(t *testing.T, e *Engine)) {
	for how, newImage := range waysToRestore() {
		t.Run(how, func(t *testing.T) {
			e := newEngine(t, Options{CacheDir: codeCache(t)})
			e.newImage = newImage
			test(t, e)
		})
	}
}

// scribbler is a reactor with all that an attempt can leave behind: five globals
// of all types, all bits of which it sets, and a memory of three pages. Its
// payload is a list of (address, value) that it stores, one of 0 and n of pages
// to grow by, and it traps at the end if the last value is odd. First of all it
// answers with its globals and the first word of the memory as they are.
func scribbler() []byte {
	i64Set := func(global byte) []byte { return []byte{0x23, global, 0x42, 0x7f, 0x85, 0x24, global} } // ^= -1
	run := code(
		// input_read(1024, length, 0)
		num(1024), []byte{0x20, 0}, num(0), call(0), drop,
		// answer: globals at 0..39 were stored by nobody: store them at 512, write, and make them different
		num(512), []byte{0x23, 0, 0x36, 2, 0}, // i32
		num(520), []byte{0x23, 1, 0x37, 3, 0}, // i64
		num(528), []byte{0x23, 2, 0x38, 2, 0}, // f32
		num(536), []byte{0x23, 3, 0x39, 3, 0}, // f64
		num(544), load(0), store(),
		num(512), num(40), call(1), drop,
		// globals
		[]byte{0x23, 0}, num(-1), []byte{0x73, 0x24, 0},
		i64Set(1),
		num(0x7fc12345), []byte{0xbe, 0x24, 2}, // f32.reinterpret: a NaN with a payload
		[]byte{0x42}, sleb(0x7ff8_1234_5678_9abc), []byte{0xbf, 0x24, 3},
		// grow
		num(1024), []byte{0x28, 2, 0}, grow, drop,
		// stores: local 1 = 1028; while local 1 < 1024 + length: store
		num(1028), []byte{0x21, 1},
		[]byte{0x02, 0x40, 0x03, 0x40},
		[]byte{0x20, 1}, num(1024), []byte{0x20, 0, 0x6a, 0x4f, 0x0d, 1}, // br_if 1 if local1 >= 1024 + length
		[]byte{0x20, 1, 0x28, 2, 0}, []byte{0x20, 1, 0x28, 2, 4}, []byte{0x36, 2, 0},
		[]byte{0x20, 1}, num(8), []byte{0x6a, 0x21, 1, 0x0c, 0, 0x0b, 0x0b},
		// trap if the last value is odd
		[]byte{0x20, 1}, num(4), []byte{0x6b, 0x28, 2, 0}, num(1), []byte{0x71}, do, unreachable, end,
		num(0),
	)
	g := reactor(run)
	types := vec(funcType(3, 1), funcType(2, 1), funcType(3, 0), funcType(1, 1))
	imports := vec(
		slices.Concat(text(hiveModule), text("input_read"), []byte{0, 0}),
		slices.Concat(text(hiveModule), text("output_write"), []byte{0, 1}),
		slices.Concat(text(hiveModule), text("fail"), []byte{0, 2}))
	globals := vec([]byte{0x7f, 1, 0x41, 7, 0x0b}, []byte{0x7e, 1, 0x42, 7, 0x0b},
		[]byte{0x7d, 1, 0x43, 0, 0, 0x80, 0x3f, 0x0b}, []byte{0x7c, 1, 0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x0b})
	body := slices.Concat([]byte{1, 1, 0x7f}, g.funcs[0].code, end)
	return slices.Concat(header, section(1, types), section(2, imports), section(3, vec(uleb(3))),
		section(5, vec([]byte{0, 3})), section(6, globals),
		section(7, vec(slices.Concat(text(exportRun), []byte{0, 3}))),
		section(10, vec(append(uleb(len(body)), body...))),
		section(11, vec(slices.Concat([]byte{0, 0x41, 0, 0x0b}, text("bees")))))
}

// scribbled is what the scribbler answers at first: 7, 7, 1.0, 1.0, "bees".
var scribbled = "\x07\x00\x00\x00\x00\x00\x00\x00" + "\x07\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x80\x3f\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\xf0\x3f" + "bees\x00\x00\x00\x00"

// scribble is a payload: grow by pages, then stores at random addresses below
// size. odd makes the attempt trap at its end.
func scribble(r *rand.Rand, pages uint32, size int, odd bool) []byte {
	p := binary.LittleEndian.AppendUint32(nil, pages)
	for n := r.IntN(200) + 1; n > 0; n-- {
		at := uint32(r.IntN(size-8192)) + 8192 // beyond what it reads its payload to
		value := r.Uint32() &^ 1
		if n == 1 && odd {
			value |= 1
		}
		p = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(p, at), value)
	}
	return p
}

// idle returns the only idle instance of a skill.
func idle(t *testing.T, s *Skill) *instance {
	t.Helper()
	all := s.pool.all()
	for _, i := range all {
		s.pool.keep(i)
	}
	if len(all) != 1 {
		t.Fatalf("%d idle instances, want 1", len(all))
	}
	return all[0]
}

// snapshotBytes returns a copy of what instances are restored to.
func snapshotBytes(t *testing.T, s *Skill) []byte {
	t.Helper()
	in, err := s.snapshot.image.space(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	defer in.free()
	size := s.snapshot.image.size()
	held := in.grow(nil, size, 1<<30)
	if _, err := in.reset(held, size, true); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(held)
}

// TestRestoredIsTheSnapshot: whatever attempts write, however they grow and end,
// the instance is its snapshot again, to the last bit, and its next attempt
// sees nothing of it.
func TestRestoredIsTheSnapshot(t *testing.T) {
	eachWay(t, func(t *testing.T, e *Engine) {
		s := skillIn(t, e, scribbler(), hive.Manifest{Limits: hive.SkillLimits{Memory: 64 << 20}})
		want := snapshotBytes(t, s)
		r := rand.New(rand.NewPCG(1, 2))
		for round := range 200 {
			pages := uint32(r.IntN(4) * r.IntN(40))
			trap := r.IntN(3) == 0
			out := s.Call(t.Context(), Call{Payload: scribble(r, pages, (3+int(pages))*pageSize, trap)})
			if (out.Failure != nil) != trap || !trap && string(out.Result) != scribbled {
				t.Fatalf("round %d: %q, %v", round, out.Result, out.Failure)
			}
			i := idle(t, s)
			if !bytes.Equal(i.memory.bytes, want) {
				t.Fatalf("round %d: the memory of %d bytes is not the snapshot of %d", round, len(i.memory.bytes), len(want))
			}
			for n, g := range i.state {
				if g.Get() != s.snapshot.state[n] {
					t.Fatalf("round %d: global %d is %x, want %x", round, n, g.Get(), s.snapshot.state[n])
				}
			}
			checkBeyond(t, i)
		}
		if len(s.snapshot.state) != 4 {
			t.Errorf("%d globals were looked at, want 4", len(s.snapshot.state))
		}
	})
}

// checkBeyond looks at what the next attempt would see if it grew.
func checkBeyond(t *testing.T, i *instance) {
	t.Helper()
	begin := i.memory.begin
	grown := i.memory.space.grow(i.memory.bytes, begin+128*pageSize, 64<<20)
	if n := slices.IndexFunc(grown[begin:], func(b byte) bool { return b != 0 }); n >= 0 {
		t.Fatalf("byte %d beyond the snapshot is %d", n, grown[int(begin)+n])
	}
}

// TestOneOf20000: a guest that counts its calls answers 1 in every attempt.
func TestOneOf20000(t *testing.T) {
	eachWay(t, func(t *testing.T, e *Engine) {
		attempts := 1_000
		if e.newImage(make([]byte, pageSize)).how() == newImage(make([]byte, pageSize)).how() {
			attempts = 10_000 // the way that is used here
		}
		no := false
		s := skillIn(t, e, counter().bytes(), hive.Manifest{Example: []byte("x"), Warmup: &no})
		var callers sync.WaitGroup
		for range 2 {
			callers.Go(func() {
				for range attempts {
					if out := s.Call(t.Context(), Call{}); string(out.Result) != once {
						t.Errorf("answers %x, %v", out.Result, out.Failure)
						return
					}
				}
			})
		}
		callers.Wait()
	})
}

// TestWithoutRestore is the control of all of these: what restoring undoes is
// really there.
func TestWithoutRestore(t *testing.T) {
	s := skillOf(t, counter().bytes(), hive.Manifest{})
	a := s.attempt(t.Context(), Call{Log: NewLog(0)}, 0)
	defer a.over()
	i, err := s.next(a)
	if err != nil {
		t.Fatal(err)
	}
	defer i.close()
	for n := range uint32(3) {
		a.result.bytes = nil
		if f := a.in(i); f != nil {
			t.Fatal(f)
		}
		if got := binary.LittleEndian.Uint32(a.result.bytes); got != n+1 {
			t.Errorf("call %d answers %d", n+1, got)
		}
	}
	if !i.restore() {
		t.Fatal("cannot restore")
	}
	a.result.bytes = nil
	if a.in(i); string(a.result.bytes) != once {
		t.Errorf("restored, it answers %x", a.result.bytes)
	}
}

// TestWarmup: what the warm-up call did is in the snapshot, once, for all.
func TestWarmup(t *testing.T) {
	s := skillOf(t, counter().bytes(), hive.Manifest{Example: []byte("x")})
	if got := s.Info().Warmup; got != "yes" {
		t.Errorf("warm-up: %s", got)
	}
	const twice = "\x02\x00\x00\x00\x02\x00\x00\x00"
	for range 10 {
		wantResult(t, s.Call(t.Context(), Call{}), twice)
	}
	fails := skillOf(t, reactor(num(3)).bytes(), hive.Manifest{Example: []byte("x")})
	if got := fails.Info(); got.Warmup != "no: the example fails: hive_run returned 3" || got.Mode != ModeRestored {
		t.Errorf("warm-up of one that fails: %q, %s", got.Warmup, got.Mode)
	}
}

// TestSnapshotIsAFunctionOfTheProgram: two engines start a Go program with the
// same bytes.
func TestSnapshotIsAFunctionOfTheProgram(t *testing.T) {
	m := hive.Manifest{Example: []byte("hello")}
	a, b := goSkill(t, "upper-reactor", m), goSkill(t, "upper-reactor", m)
	if a.Info().Warmup != "yes" || !bytes.Equal(snapshotBytes(t, a), snapshotBytes(t, b)) || !slices.Equal(a.snapshot.state, b.snapshot.state) {
		t.Error("the snapshots differ")
	}
}

// TestGoIsRestored: a Go program that keeps what it was given finds nothing.
func TestGoIsRestored(t *testing.T) {
	eachWay(t, func(t *testing.T, e *Engine) {
		s := skillIn(t, e, goGuest(t, "upper-reactor"), hive.Manifest{Example: []byte("hello")})
		want := snapshotBytes(t, s)
		for n := range 200 {
			payload := bytes.Repeat([]byte{byte('a' + n%26)}, 1+n*997)
			wantResult(t, s.Call(t.Context(), Call{Payload: payload}), string(bytes.ToUpper(payload)))
			if i := idle(t, s); !bytes.Equal(i.memory.bytes, want) {
				t.Fatalf("after attempt %d the memory is not the snapshot", n)
			}
		}
	})
}

// TestNotRestorable: programs whose state cannot all be restored run on new
// instances, and say so.
func TestNotRestorable(t *testing.T) {
	g := reactor([]byte{0xd0, 0x70}, num(1), []byte{0xfc, 15, 0}, drop, getGlobal(), num(1), add, setGlobal(),
		num(0), getGlobal(), store(), num(0), num(4), call(1))
	g.tables, g.globals = [][]byte{{0x70, 0, 5}}, 1
	s := skillOf(t, g.bytes(), hive.Manifest{})
	if got := s.Info(); got.Mode != ModeNewInstance || got.Reason != "it changes a table" {
		t.Errorf("mode %s: %s", got.Mode, got.Reason)
	}
	for range 20 {
		wantResult(t, s.Call(t.Context(), Call{}), "\x01\x00\x00\x00")
	}
}

// TestEngineWithoutRestoring: Options.Fresh.
func TestEngineWithoutRestoring(t *testing.T) {
	e := newEngine(t, Options{Fresh: true})
	s := skillIn(t, e, counter().bytes(), hive.Manifest{})
	if got := s.Info(); got.Mode != ModeNewInstance || got.Reason != "this engine restores no instances" {
		t.Errorf("mode %s: %s", got.Mode, got.Reason)
	}
	for range 20 {
		wantResult(t, s.Call(t.Context(), Call{}), once)
	}
}

// TestReservedNames: what prepare adds is not the program's to export.
func TestReservedNames(t *testing.T) {
	g := reactor(num(0))
	g.funcs = append(g.funcs, body{name: prepare.Kill, code: nil})
	if got := refused(t, newEngine(t, Options{}), g.bytes(), hive.Manifest{}); got == "" {
		t.Error("a program exports a reserved name")
	}
}
