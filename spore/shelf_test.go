package spore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

// silent is a program that does nothing: a memory, and a _start that returns.
const silent = "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x05\x03\x01\x00\x01" +
	"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x00\x0a\x04\x01\x02\x00\x0b"

// TestSkillIsReplaced: an attempt that runs ends on the old program, the next one runs
// the new, and what nobody runs any more is given up, be it replaced by another program
// or by another manifest.
func TestSkillIsReplaced(t *testing.T) {
	t.Parallel()
	w, c, spores := hiveOf(t, spore.Options{Name: "a", Slots: 2})
	ref := hive.SkillRef{Name: "draft"}
	version := 0
	replace := func(program []byte, most int64) string {
		t.Helper()
		version++
		return w.pub.Register(ref.Name, program, func(m *hive.Manifest) {
			m.Version, m.Limits.Output = fmt.Sprintf("1.0.%d", version), most
		}).Digest
	}
	// next is the program that attempts run, when it is no longer the last one.
	next := func(last *spore.Program) *spore.Program {
		t.Helper()
		for {
			if p, err := spores[0].Program(t.Context(), ref); err == nil && p != last {
				return p
			}
			if t.Context().Err() != nil {
				t.Fatal("the spore keeps to the old program")
			}
			time.Sleep(time.Millisecond)
		}
	}
	old := replace(testkit.Guest(t), 0)
	first := next(nil)
	task := hive.Task{Skill: ref, Payload: []byte("sleep 500ms"), Retries: hive.NoRetries}
	running, err := c.Submit(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	awaitState(t, c, running, hive.Running)
	changed := replace([]byte(silent), 0)
	second := next(first)
	if r, err := c.Run(t.Context(), task); err != nil || r.State != hive.Completed || r.Ran.Digest != changed {
		t.Errorf("an attempt after the swap = %+v, %v", r, err)
	}
	if r, err := c.Wait(t.Context(), running); err != nil || r.State != hive.Completed || r.Ran.Digest != old {
		t.Errorf("an attempt that began before the swap = %+v, %v", r, err)
	}
	closed(t, first)
	replace([]byte(silent), 1<<20)
	if third := next(second); third.Info().Digest != changed || third.Info().Limits.Output != 1<<20 {
		t.Errorf("with another manifest it is %+v", third.Info())
	}
	closed(t, second)
}

// closed waits until a program takes no more calls.
func closed(t *testing.T, p *spore.Program) {
	t.Helper()
	for {
		out := p.Call(t.Context(), runtime.Call{Log: runtime.NewLog(1)})
		if out.Failure != nil && out.Failure.Message == "the skill is closed" {
			return
		}
		if t.Context().Err() != nil {
			t.Fatalf("what nobody runs is not given up: %+v", out)
		}
		time.Sleep(time.Millisecond)
	}
}
