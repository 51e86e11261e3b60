//go:build unix

package runtime

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hive-spore/hive"
)

// compiler returns the path of a tool for guests, installed by the script that
// benchmarks use if it is missing and that may be done.
func compiler(t *testing.T, flag string) string {
	t.Helper()
	caches, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "../bench/guests/install", filepath.Join(caches, "hive-bench"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("no compilers for guests: %v", err)
	}
	_, after, _ := strings.Cut(string(out), flag+"\n")
	path, _, _ := strings.Cut(after, "\n")
	return path
}

func compile(t *testing.T, out string, command ...string) []byte {
	t.Helper()
	if said, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, said)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// TestCompiledGuestsAreRestored: programs that count their calls, in C,
// AssemblyScript and Go, answer 1 in 20,000 of 20,000 attempts, and count up
// where nobody restores them.
func TestCompiledGuestsAreRestored(t *testing.T) {
	dir := t.TempDir()
	asc := compiler(t, "--asc")
	c, as := filepath.Join(dir, "c.wasm"), filepath.Join(dir, "as.wasm")
	for language, wasm := range map[string][]byte{
		"C": compile(t, c, "clang", "--target=wasm32", "-nostdlib", "-O2", "-Wl,--no-entry", "-o", c, "testdata/counter/counter.c"),
		"AssemblyScript": compile(t, as, asc, "testdata/counter/counter.ts", "-O3", "--runtime", "incremental",
			"--exportStart", "_initialize", "--use", "abort=testdata/counter/counter/abort", "-o", as),
		"Go": goGuest(t, "counter-reactor"),
	} {
		t.Run(language, func(t *testing.T) {
			no := false
			e := newEngine(t, Options{CacheDir: codeCache(t)})
			s := skillIn(t, e, wasm, hive.Manifest{Warmup: &no})
			if got := s.Info(); got.Mode != ModeRestored {
				t.Fatalf("mode %s: %s", got.Mode, got.Reason)
			}
			want := snapshotBytes(t, s)
			var callers sync.WaitGroup
			for range 2 {
				callers.Go(func() {
					for range 10_000 {
						if out := s.Call(t.Context(), Call{}); string(out.Result) != "1" {
							t.Errorf("answers %q, %v", out.Result, out.Failure)
							return
						}
					}
				})
			}
			callers.Wait()
			for _, i := range s.pool.all() {
				if !bytes.Equal(i.memory.bytes, want) {
					t.Error("the memory is not the snapshot")
				}
				s.pool.keep(i)
			}
			countsUp(t, s)
		})
	}
}

// countsUp calls one instance again and again without restoring it.
func countsUp(t *testing.T, s *Skill) {
	t.Helper()
	a := s.attempt(t.Context(), Call{Log: NewLog(0)}, 0)
	defer a.over()
	i, err := s.next(a)
	if err != nil {
		t.Fatal(err)
	}
	defer i.close()
	for _, want := range []string{"1", "2", "3"} {
		a.result.bytes = nil
		if f := a.in(i); f != nil || string(a.result.bytes) != want {
			t.Errorf("not restored, it answers %q, %v, want %s", a.result.bytes, f, want)
		}
	}
}
