package runtime

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

func TestReactorInGo(t *testing.T) {
	s := goSkill(t, "upper-reactor", hive.Manifest{})
	wantResult(t, s.Call(t.Context(), Call{Payload: []byte("drei Bienen")}), "DREI BIENEN")
	out := s.Call(t.Context(), Call{})
	wantFailure(t, out, hive.FailSkill, "upper: nothing to do")
	if out.Failure != nil && !out.Failure.Permanent {
		t.Error("the failure is not permanent, as it said")
	}
}

// The selectors of the dialer: which function it calls.
const (
	dialInput = iota + 1
	dialOutput
	dialFail
)

// dialer calls one host function with three numbers, all taken from its
// payload, and answers what the function answered. What the function wrote or
// said is kept.
func dialer() guest {
	is := func(n int32) []byte { return code(load(0), num(n), equal, do) }
	g := reactor(
		num(0), num(16), num(0), call(0), drop,
		is(dialInput), num(16), load(4), load(8), load(12), call(0), store(), end,
		is(dialOutput), num(16), load(4), load(8), call(1), store(), end,
		is(dialFail), load(4), load(8), load(12), call(2), num(7), give, end,
		num(16), num(4), call(1), drop,
		num(0))
	g.data = strings.Repeat("\x00", 32) + "why not"
	return g
}

func dial(which, a, b, c uint32) []byte {
	var payload []byte
	for _, n := range []uint32{which, a, b, c} {
		payload = binary.LittleEndian.AppendUint32(payload, n)
	}
	return payload
}

func TestPointersAreChecked(t *testing.T) {
	s := skillOf(t, dialer().bytes(), hive.Manifest{})
	const top = pageSize // of its memory
	tests := []struct {
		which, a, b, c uint32
		answer         int32
	}{
		{dialInput, 100, 16, 0, 16},
		{dialInput, 100, 5, 0, 5},
		{dialInput, 100, 16, 12, 4},
		{dialInput, 100, 0, 0, 0},
		{dialInput, 100, 16, 16, 0},
		{dialInput, 100, 16, 1<<32 - 1, 0},
		{dialInput, top - 16, 16, 0, 16},
		{dialInput, top - 15, 16, 0, errRange},
		{dialInput, top, 0, 0, 0},
		{dialInput, top + 1, 0, 0, errRange},
		{dialInput, 1<<32 - 1, 1, 0, errRange},
		{dialInput, 1<<32 - 1, 1<<32 - 1, 0, errRange},
		{dialInput, 0, 1<<32 - 1, 0, errRange},
		{dialOutput, 100, 0, 0, 0},
		{dialOutput, top, 1, 0, errRange},
		{dialOutput, 1, 1<<32 - 1, 0, errRange},
		{dialOutput, 1<<32 - 1, 2, 0, errRange},
	}
	for _, tt := range tests {
		out := s.Call(t.Context(), Call{Payload: dial(tt.which, tt.a, tt.b, tt.c)})
		if len(out.Result) != 4 || int32(binary.LittleEndian.Uint32(out.Result)) != tt.answer {
			t.Errorf("function %d(%d, %d, %d) answers %x, %v, want %d",
				tt.which, tt.a, tt.b, tt.c, out.Result, out.Failure, tt.answer)
		}
	}
	wantResult(t, s.Call(t.Context(), Call{Payload: dial(dialOutput, 32, 7, 0)}), "why not\x00\x00\x00\x00")
}

func TestFail(t *testing.T) {
	s := skillOf(t, dialer().bytes(), hive.Manifest{})
	for _, tt := range []struct {
		a, b, flags uint32
		message     string
		permanent   bool
	}{
		{32, 7, 0, "why not", false},
		{32, 7, 1, "why not", true},
		{32, 7, 2, "why not", false}, // a flag of the future
		{32, 0, 0, "hive_run returned 7", false},
		{pageSize, 1, 0, "failed for a reason that lies outside of its memory", false},
		{1<<32 - 1, 1<<32 - 1, 1, "failed for a reason that lies outside of its memory", true},
		{100, pageSize - 100, 0, strings.Repeat("\x00", hive.MaxMessage-3) + "…", false},
	} {
		out := s.Call(t.Context(), Call{Payload: dial(dialFail, tt.a, tt.b, tt.flags)})
		wantFailure(t, out, hive.FailSkill, tt.message)
		if out.Failure != nil && out.Failure.Permanent != tt.permanent {
			t.Errorf("flags %d: permanent = %v", tt.flags, out.Failure.Permanent)
		}
	}
}

// TestReactorEnds covers the ways a reactor ends beside its answer.
func TestReactorEnds(t *testing.T) {
	quits := reactor(num(0), call(3), num(0))
	quits.imports = append(quits.imports, exit)
	ready := reactor(load(0), isZero) // 0 if _initialize ran
	ready.funcs = append(ready.funcs, body{exportInit, 0, 0, code(num(0), num(1), store())})
	broken := reactor(num(0))
	broken.funcs = append(broken.funcs, body{exportInit, 0, 0, unreachable})
	write := func(fd int32) []byte { return code(num(fd), num(0), num(1), num(32), call(3), drop) }
	talks := reactor(write(1), write(2), num(9))
	talks.imports = append(talks.imports, imported{wasiModule, "fd_write", 4, 1})
	talks.data = "\x10\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00hello\n"

	wantFailure(t, skillOf(t, quits.bytes(), hive.Manifest{}).Call(t.Context(), Call{}),
		hive.FailExit, "exit code 0 instead of returning from hive_run")
	wantResult(t, skillOf(t, ready.bytes(), hive.Manifest{}).Call(t.Context(), Call{}), "")
	wantFailure(t, skillOf(t, broken.bytes(), hive.Manifest{}).Call(t.Context(), Call{}),
		hive.FailTrap, "unreachable executed in $4")
	says := code(num(0), num(7), num(1), call(2))
	traps := reactor(says, unreachable)
	traps.data = "why not"
	wantFailure(t, skillOf(t, traps.bytes(), hive.Manifest{}).Call(t.Context(), Call{}),
		hive.FailTrap, "unreachable executed in $3: why not")
	leaves := reactor(says, num(3), call(3), num(0))
	leaves.imports, leaves.data = append(leaves.imports, exit), "why not"
	wantFailure(t, skillOf(t, leaves.bytes(), hive.Manifest{}).Call(t.Context(), Call{}),
		hive.FailExit, "exit code 3: why not")
	out := skillOf(t, talks.bytes(), hive.Manifest{}).Call(t.Context(), Call{})
	wantFailure(t, out, hive.FailSkill, "hive_run returned 9: hello")
	if string(out.Log) != "hello\nhello\n" {
		t.Errorf("log = %q, want what went to both streams", out.Log)
	}
}

func FuzzPointers(f *testing.F) {
	f.Add(uint32(dialInput), uint32(0), uint32(16), uint32(0))
	f.Add(uint32(dialOutput), uint32(1<<16-1), uint32(2), uint32(0))
	f.Add(uint32(dialFail), uint32(1<<32-1), uint32(1<<32-1), uint32(1))
	s := skillOf(f, dialer().bytes(), hive.Manifest{})
	f.Fuzz(func(t *testing.T, which, a, b, c uint32) {
		out := s.Call(t.Context(), Call{Payload: dial(which, a, b, c)})
		if out.Failure != nil && out.Failure.Kind != hive.FailSkill && out.Failure.Kind != hive.FailOutput {
			t.Errorf("function %d(%d, %d, %d): %v", which, a, b, c, out.Failure)
		}
	})
}
