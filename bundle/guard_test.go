package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

var me = Spore{"spore-1", hive.Tags{"zone": "eu"}}

func openGuard(t testing.TB, path string, now time.Time) *Guard {
	t.Helper()
	g, err := OpenGuard(path, now)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGuard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mutate func(*Command)
		at     time.Duration
		want   string
	}{
		"for all":         {nil, 0, ""},
		"for me":          {func(c *Command) { c.Target.Spores = []string{"x", "spore-1"} }, 0, ""},
		"for my tags":     {func(c *Command) { c.Target.Selector = must(hive.ParseSelector("zone=eu")) }, 0, ""},
		"for another":     {func(c *Command) { c.Target.Spores = []string{"spore-10"} }, 0, ReasonOtherTarget},
		"for other tags":  {func(c *Command) { c.Target.Selector = must(hive.ParseSelector("zone=us")) }, 0, ReasonOtherTarget},
		"last moment":     {nil, time.Minute - 1, ""},
		"expired":         {nil, time.Minute, ReasonExpired},
		"a year late":     {nil, 8760 * time.Hour, ReasonExpired},
		"skew":            {nil, -30 * time.Second, ""},
		"from the future": {nil, -30*time.Second - 1, ReasonFuture},
		"a year early":    {nil, -8760 * time.Hour, ReasonFuture},
		"for ever":        {func(c *Command) { c.Expires = c.Expires.AddDate(1, 0, 0) }, 0, ReasonInvalid},
		"unknown":         {func(c *Command) { c.Command = "RUN" }, 0, ReasonInvalid},
	} {
		g := openGuard(t, filepath.Join(t.TempDir(), "seen"), midnight)
		if err := g.Accept(command(c.mutate), midnight.Add(c.at), me); Reason(err) != c.want {
			t.Errorf("%s: Accept = %v, want %q", name, err, c.want)
		}
		_, err := os.Stat(g.path)
		if kept := err == nil; kept != (c.want == "") {
			t.Errorf("%s: remembered %v", name, kept)
		}
	}
}

func numbered(n int, expires time.Duration) *Command {
	return command(func(c *Command) {
		c.ID = fmt.Sprintf("cmd-%d", n)
		c.Issued, c.Expires = midnight.Add(expires-time.Minute), midnight.Add(expires)
	})
}

// A command passes once: at once, after a restart, and from several goroutines.
func TestGuardOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "seen")
	g := openGuard(t, path, midnight)
	var passed atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := g.Accept(command(nil), midnight, me); err == nil {
				passed.Add(1)
			} else if Reason(err) != ReasonReplayed {
				t.Errorf("Accept = %v, want %s", err, ReasonReplayed)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 1 {
		t.Errorf("passed %d times", passed.Load())
	}
	g = openGuard(t, path, midnight)
	if err := g.Accept(command(nil), midnight, me); Reason(err) != ReasonReplayed {
		t.Errorf("after a restart: Accept = %v, want %s", err, ReasonReplayed)
	}
	if err := g.Accept(numbered(1, time.Minute), midnight, me); err != nil {
		t.Errorf("another one: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v, want the file alone", entries, err)
	}
}

// A clock that went ahead and comes back: what was forgotten meanwhile stays refused,
// what is issued later passes.
func TestGuardClockGoesBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "seen")
	g := openGuard(t, path, midnight)
	year := 8760 * time.Hour
	for _, c := range []struct {
		command *Command
		at      time.Duration
	}{{numbered(1, time.Minute), 0}, {numbered(2, year+time.Minute), year}} {
		if err := g.Accept(c.command, midnight.Add(c.at), me); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(g.state.Seen); n != 1 {
		t.Fatalf("%d remembered, want the one that has not expired", n)
	}
	g = openGuard(t, path, midnight)
	if err := g.Accept(numbered(1, time.Minute), midnight, me); Reason(err) != ReasonReplayed {
		t.Errorf("forgotten: Accept = %v, want %s", err, ReasonReplayed)
	}
	if err := g.Accept(numbered(3, time.Minute+1), midnight.Add(time.Second), me); err != nil {
		t.Errorf("later: %v", err)
	}
}

// More commands than are remembered: the first to expire are refused, not let in
// again.
func TestGuardIsBounded(t *testing.T) {
	t.Parallel()
	g := openGuard(t, filepath.Join(t.TempDir(), "seen"), midnight)
	for i := range maxSeen {
		g.state = g.state.with(numbered(i, time.Minute+time.Duration(i)), midnight)
	}
	for i := range 3 {
		if err := g.Accept(numbered(maxSeen+i, 50*time.Second+time.Minute), midnight.Add(50*time.Second), me); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(g.state.Seen); n != maxSeen {
		t.Errorf("%d remembered, want %d", n, maxSeen)
	}
	for _, i := range []int{0, 1, 2, 3, maxSeen - 1, maxSeen + 2} {
		again := numbered(i, time.Minute+time.Duration(i))
		if err := g.Accept(again, midnight, me); Reason(err) != ReasonReplayed {
			t.Errorf("%d: Accept = %v, want %s", i, err, ReasonReplayed)
		}
	}
	if again := openGuard(t, g.path, midnight); len(again.state.Seen) != maxSeen {
		t.Errorf("%d remembered after a restart, want %d", len(again.state.Seen), maxSeen)
	}
}

// A file cut or changed at any byte is put aside, and nothing that may have been seen
// passes; what is issued afterwards does.
func TestGuardOfDamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "seen")
	if err := openGuard(t, path, midnight).Accept(command(nil), midnight, me); err != nil {
		t.Fatal(err)
	}
	whole := must(os.ReadFile(path))
	for i := range whole {
		changed := append([]byte{}, whole...)
		changed[i] ^= 1
		for _, bad := range [][]byte{whole[:i], changed} {
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			g := openGuard(t, path, midnight)
			if err := g.Accept(command(nil), midnight, me); Reason(err) != ReasonReplayed {
				t.Fatalf("damaged at %d: Accept = %v, want %s", i, err, ReasonReplayed)
			}
			if got := must(os.ReadFile(path + ".broken")); string(got) != string(bad) {
				t.Fatalf("damaged at %d: put aside %q", i, got)
			}
		}
	}
	g := openGuard(t, path, midnight) // as the last time left it
	if err := g.Accept(numbered(1, 151*time.Second), midnight.Add(100*time.Second), me); err != nil {
		t.Errorf("issued afterwards: %v", err)
	}
}

// What cannot be remembered is not done; and can be when the disk is well again.
func TestGuardCannotWrite(t *testing.T) {
	t.Parallel()
	g := openGuard(t, filepath.Join(t.TempDir(), "seen"), midnight)
	g.disk.fault = func(string) error { return syscall.ENOSPC }
	if err := g.Accept(command(nil), midnight, me); Reason(err) != ReasonNoSpace {
		t.Errorf("Accept on a full disk = %v, want %s", err, ReasonNoSpace)
	}
	g.disk.fault = nil
	if err := g.Accept(command(nil), midnight, me); err != nil {
		t.Errorf("Accept again = %v", err)
	}
}

// Wherever a spore is killed while it remembers, what it did is not done again, and
// nothing but the file stays.
func TestGuardKilled(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		path, dead := filepath.Join(t.TempDir(), "seen"), false
		g := openGuard(t, path, midnight)
		if err := g.Accept(numbered(1, time.Minute), midnight, me); err != nil {
			t.Fatal(err)
		}
		g.disk.fault = killedAt(n, &dead)
		done := g.Accept(numbered(2, time.Minute), midnight, me) == nil
		g = openGuard(t, path, midnight)
		if entries := must(os.ReadDir(filepath.Dir(path))); len(entries) != 1 {
			t.Errorf("killed at %d: left %v", n, entries)
		}
		if err := g.Accept(numbered(1, time.Minute), midnight, me); Reason(err) != ReasonReplayed {
			t.Errorf("killed at %d: the first one: %v", n, err)
		}
		if err := g.Accept(numbered(2, time.Minute), midnight, me); done && Reason(err) != ReasonReplayed {
			t.Errorf("killed at %d: the second one: %v", n, err)
		}
		if !dead {
			return
		}
	}
}

func TestDiskErrors(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return // not a system that has one
	}
	defer full.Close()
	if err != nil {
		t.Fatal(err)
	}
	_, err = full.Write([]byte("x"))
	if Reason(diskError("x", err)) != ReasonNoSpace {
		t.Errorf("%v has reason %q, want %s", err, Reason(diskError("x", err)), ReasonNoSpace)
	}
}

func FuzzGuardFile(f *testing.F) {
	g := openGuard(f, filepath.Join(f.TempDir(), "seen"), midnight)
	if err := g.Accept(command(nil), midnight, me); err != nil {
		f.Fatal(err)
	}
	whole := must(os.ReadFile(g.path))
	f.Add(whole)
	f.Add([]byte("{}\n44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s guardState
		if parseState(data, &s) {
			s.has(command(nil))
			s.with(command(nil), midnight)
		}
	})
}
