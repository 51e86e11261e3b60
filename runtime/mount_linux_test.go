package runtime

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hive-spore/hive"
)

// TestMountedPipe: nobody will ever write to it, and a guest that opens it must
// not wait for that.
func TestMountedPipe(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := goSkill(t, "probe", hive.Manifest{})
	out := probe(t, s, "/data/pipe", Call{Mounts: []Mount{{dir, "/data"}}})
	wantFailure(t, out, hive.FailExit, "exit code 1: open /data/pipe: Operation not permitted")
}

// TestFilesAreClosed: however an attempt ends.
func TestFilesAreClosed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "facts"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := goSkill(t, "probe", hive.Manifest{})
	hostPanics := command(call(0))
	hostPanics.imports = []imported{told}
	broken := skillIn(t, newEngine(t, tell(func(context.Context) { panic("boo") })), hostPanics.bytes(), hive.Manifest{})
	traps := skillOf(t, command(unreachable).bytes(), hive.Manifest{})
	c := Call{Mounts: []Mount{{dir, "/data"}}, Timeout: 200 * time.Millisecond}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	attempts := map[string]func() hive.Outcome{
		"completed":         func() hive.Outcome { return probe(t, s, "hoard", Call{Mounts: c.Mounts}) },
		"exited":            func() hive.Outcome { return probe(t, s, "hold-and-panic", Call{Mounts: c.Mounts}) },
		"killed":            func() hive.Outcome { return probe(t, s, "hold-and-spin", c) },
		"trapped":           func() hive.Outcome { return traps.Call(t.Context(), c) },
		"the host panicked": func() hive.Outcome { return broken.Call(t.Context(), c) },
		"never began":       func() hive.Outcome { return s.Call(over, c) },
		"one is missing": func() hive.Outcome {
			return s.Call(t.Context(), Call{Mounts: []Mount{{dir, "/data"}, {filepath.Join(dir, "gone"), "/gone"}}})
		},
	}
	for _, attempt := range attempts {
		attempt() // instances and their images have files as well
	}
	for how, attempt := range attempts {
		before := openFiles(t)
		if out := attempt(); (out.Failure == nil) != (how == "completed") {
			t.Errorf("%s: %v", how, out.Failure)
		}
		if after := openFiles(t); after > before {
			t.Errorf("%s: %d files are open, before it were %d", how, after, before)
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
