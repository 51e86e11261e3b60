package runtime

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

func TestMounts(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	write := func(dir, name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(outside, "secret", "secret")
	write(inside, "facts", "bees have five eyes")
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(inside, "link")); err != nil {
		t.Fatal(err)
	}
	s := goSkill(t, "probe", hive.Manifest{})
	c := Call{Mounts: []Mount{{inside, "/data"}}}
	wantResult(t, probe(t, s, "/data/facts", c), "bees have five eyes")
	wantResult(t, probe(t, s, "list", c), "[- facts L link] <nil>\n")
	wantResult(t, probe(t, s, "write-file", c), "true\n") // an error
	for _, path := range []string{"/data/link", "/data/../" + filepath.Base(outside) + "/secret", "/data/missing"} {
		if out := probe(t, s, path, c); out.Failure == nil || out.Failure.Kind != hive.FailExit {
			t.Errorf("reading %s: %q, %v", path, out.Result, out.Failure)
		}
	}
	wantResult(t, probe(t, s, "hoard", c), "63 <nil>\n") // and the directory
	if out := probe(t, s, "/data/facts", Call{}); out.Failure == nil {
		t.Error("an attempt without mounts sees those of another")
	}
	if entries, _ := os.ReadDir(inside); len(entries) != 2 {
		t.Errorf("the mounted directory was changed: %v", entries)
	}
}

func TestMountsThatCannotBe(t *testing.T) {
	s := skillOf(t, command().bytes(), hive.Manifest{})
	there := Mount{t.TempDir(), "/there"}
	for message, mounts := range map[string][]Mount{
		"mount /data: ":                      {there, {filepath.Join(t.TempDir(), "gone"), "/data"}},
		"65 mounts, at most 64 are possible": slices.Repeat([]Mount{there}, 65),
	} {
		out := s.Call(t.Context(), Call{Mounts: mounts})
		if out.Failure == nil || out.Failure.Kind != hive.FailHost || !strings.HasPrefix(out.Failure.Message, "cannot make a sandbox: "+message) {
			t.Errorf("failure = %v, want %s", out.Failure, message)
		}
	}
	wantResult(t, s.Call(t.Context(), Call{Mounts: slices.Repeat([]Mount{there}, 64)}), "")
}

// TestMountedAttemptsAreRestored: a command with mounts runs in the instance that
// ran others, is metered as they are, and what it read is gone afterwards.
func TestMountedAttemptsAreRestored(t *testing.T) {
	eachWay(t, func(t *testing.T, e *Engine) {
		s := skillIn(t, e, goGuest(t, "probe"), hive.Manifest{})
		var first *instance
		for i := range 10 {
			dir, text := t.TempDir(), strings.Repeat(fmt.Sprint(i), 300_000)
			if err := os.WriteFile(filepath.Join(dir, "facts"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out := probe(t, s, "/data/facts", Call{Mounts: []Mount{{dir, "data"}}})
			wantResult(t, out, text)
			if r := out.Receipt; r.HostCalls < 5 || r.Fuel <= 0 || r.CPU <= 0 || r.PeakMemory <= 0 {
				t.Errorf("receipt = %+v", r)
			}
			if out := probe(t, s, "/data/facts", Call{}); out.Failure == nil {
				t.Error("an attempt without mounts sees those of another")
			}
			ran := idle(t, s)
			if first == nil {
				first = ran
			}
			if begin := snapshotBytes(t, s); ran != first || !bytes.Equal(ran.memory.bytes[:len(begin)], begin) {
				t.Error("an attempt with mounts left something, or another instance")
			}
		}
	})
}

// prestat is what programs do as they begin: it asks whether there is a directory
// given to it, and keeps the answer at 0.
var prestat = imported{wasiModule, "fd_prestat_get", 2, 1}

// TestMountsAreSeenAtTheStart: programs that learn what they have before their
// snapshot is taken are started with each attempt that has more.
func TestMountsAreSeenAtTheStart(t *testing.T) {
	asks := func(f int) []byte { return code(num(0), num(3), num(8), call(f), store()) }
	r := reactor(load(0)) // hive_run returns it
	r.imports = append(r.imports, prestat)
	r.funcs = append(r.funcs, body{exportInit, 0, 0, asks(3)})
	c := command(load(0), call(1))
	c.imports = []imported{prestat, exit}
	c.funcs = append(c.funcs, body{code: asks(0)})
	c.start = true
	e := newEngine(t, Options{})
	for failure, g := range map[string]guest{"hive_run returned 8": r, "exit code 8": c} { // EBADF
		s := skillIn(t, e, g.bytes(), hive.Manifest{})
		if got := s.Info(); got.Mode != ModeRestored {
			t.Errorf("mode %s: %s", got.Mode, got.Reason)
		}
		for range 3 {
			wantResult(t, s.Call(t.Context(), Call{Mounts: []Mount{{t.TempDir(), "/data"}}}), "")
			if out := s.Call(t.Context(), Call{}); out.Failure == nil || out.Failure.Message != failure {
				t.Errorf("failure = %v, want %s", out.Failure, failure)
			}
		}
	}
}
