package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/bench/engine/work"
)

// The tests do not have the compilers of the guests: this one was put together
// by hand. It answers "ok" unless its payload is empty, on which it goes on for
// ever.
//
//	(module
//	  (import "hive" "output_write" (func $write (param i32 i32) (result i32)))
//	  (memory (export "memory") 1)
//	  (data (i32.const 0) "ok")
//	  (func (export "hive_run") (param i32) (result i32)
//	    (if (i32.eqz (local.get 0)) (then (loop (br 0))))
//	    (call $write (i32.const 0) (i32.const 2)))
//	  (func (export "seven") (result i32) (i32.const 7)))
const answers = "\x00asm\x01\x00\x00\x00" +
	"\x01\x10\x03\x60\x02\x7f\x7f\x01\x7f\x60\x01\x7f\x01\x7f\x60\x00\x01\x7f" + // types
	"\x02\x15\x01\x04hive\x0coutput_write\x00\x00" + // imports: function 0
	"\x03\x03\x02\x01\x02" + // functions 1 and 2
	"\x05\x03\x01\x00\x01" + // memory: one page
	"\x07\x1d\x03\x06memory\x02\x00\x08hive_run\x00\x01\x05seven\x00\x02" + // exports
	"\x0a\x1a\x02\x13\x00\x20\x00\x45\x04\x40\x03\x40\x0c\x00\x0b\x0b\x41\x00\x41\x02\x10\x00\x0b" + // code: hive_run
	"\x04\x00\x41\x07\x0b" + // seven
	"\x0b\x08\x01\x00\x41\x00\x0b\x02ok" // data at 0

// order is one for the guest above.
func order(t *testing.T, kind work.Kind, subject work.Subject) work.Order {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "answers.wasm")
	if err := os.WriteFile(file, []byte(answers), 0o644); err != nil {
		t.Fatal(err)
	}
	return work.Order{Kind: kind, Subject: subject, Contract: work.Reactor, Wasm: file, Beside: file, Cache: dir,
		Scratch: filepath.Join(dir, "ours"), Functions: []string{"seven"}, Kills: 2, Limit: 2 * time.Millisecond}
}

// TestMain is also the child that admits guests.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == admitCommand {
		main()
		return
	}
	os.Exit(m.Run())
}

var okay = []work.Example{{Payload: []byte("x"), Result: []byte("ok")}}

func TestReactors(t *testing.T) {
	cores, gogc := runtime.GOMAXPROCS(0), debug.SetGCPercent(100)
	t.Cleanup(func() {
		runtime.GOMAXPROCS(cores)
		debug.SetGCPercent(gogc)
	})
	for _, subject := range []work.Subject{work.Ours, work.OursFresh, work.Warm, work.WarmMetered, work.Plain, work.PlainClose, work.Wasmtime} {
		t.Run(string(subject), func(t *testing.T) {
			s, err := open(t.Context(), order(t, work.Tasks, subject))
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			if err := check(t.Context(), s, okay, nil); err != nil {
				t.Fatal(err)
			}
			if err := check(t.Context(), s, []work.Example{{Payload: []byte("x"), Result: []byte("no")}}, nil); err == nil {
				t.Error("a wrong result passes the check")
			}
			for _, setting := range work.Settings {
				got, err := measureSetting(t.Context(), s, setting, time.Millisecond, 1)
				if err != nil || got.Micros <= 0 || got.Setting != setting {
					t.Errorf("measureSetting(%v) = %v, %v", setting, got, err)
				}
			}
		})
	}
}

func TestNative(t *testing.T) {
	t.Parallel()
	if err := check(t.Context(), native{"/bin/cat"}, []work.Example{{Payload: []byte("x"), Result: []byte("x")}}, nil); err != nil {
		t.Error(err)
	}
}

func TestKernels(t *testing.T) {
	r, err := measureKernels(t.Context(), order(t, work.Kernels, ""))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Kernels) != 1 || r.Kernels[0].Micros <= 0 || r.Kernels[0].Metered <= 0 || r.Kernels[0].Closing <= 0 {
		t.Errorf("kernels are %v, want times of seven", r.Kernels)
	}
}

func TestKill(t *testing.T) {
	u, err := openOurs(t.Context(), order(t, work.Kills, work.Ours))
	if err != nil {
		t.Fatal(err)
	}
	defer u.close()
	late, err := kill(t.Context(), u.skill, 2, 2*time.Millisecond)
	if err != nil || len(late) != 2 {
		t.Errorf("kill = %v, %v, want 2 times", late, err)
	}
	times, err := beside(t.Context(), u.skill, work.Calm, func() error { return wait(t.Context(), time.Millisecond) })
	if err != nil || len(times) == 0 {
		t.Errorf("beside = %v, %v, want times of tasks", times, err)
	}
}

// TestMeeting lets all go once the last one comes.
func TestMeeting(t *testing.T) {
	t.Parallel()
	m := newMeeting(2)
	gone, leave := context.WithCancel(t.Context())
	leave()
	m.join(gone) // has come, and does not wait
	select {
	case <-m.all:
		t.Fatal("one of two was enough")
	default:
	}
	m.join(t.Context())
}

// TestWorker is the worker's whole way: an order in, a result out.
func TestWorker(t *testing.T) {
	o := order(t, work.Kernels, "")
	in, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := carryOut(t.Context(), bytes.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"seven"`) {
		t.Errorf("the result is %s, want seven's", &out)
	}
	out.Reset()
	o = order(t, work.Tasks, work.Extism) // is no plugin
	if in, err = json.Marshal(o); err != nil {
		t.Fatal(err)
	}
	if err := carryOut(t.Context(), bytes.NewReader(in), &out); err != nil || !strings.Contains(out.String(), "no Extism plugin") {
		t.Errorf("the result is %s, %v, want why the guest cannot run", &out, err)
	}
	if err := carryOut(context.Background(), strings.NewReader("{}"), &out); err == nil {
		t.Error("an order of nothing is carried out")
	}
}
