package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
)

// admittedBy is the command of this test as the child that compiles programs.
var admittedBy = []string{os.Args[0], "admit"}

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == hungryChild[1] {
		eatMemory()
	}
	if len(os.Args) == 2 && os.Args[1] == admittedBy[1] {
		if err := Admit(context.Background(), Options{}, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(goBuild.dir)
		os.Exit(code)
	}))
}

// newEngine returns an engine that the test closes.
func newEngine(t testing.TB, o Options) *Engine {
	t.Helper()
	e, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	e.trusting = len(o.Admit) == 0
	e.startWithin = time.Minute // of a machine that has much else to do
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return e
}

// skillOf returns a skill of an engine of its own.
func skillOf(t testing.TB, wasm []byte, m hive.Manifest) *Skill {
	t.Helper()
	return skillIn(t, newEngine(t, Options{}), wasm, m)
}

func skillIn(t testing.TB, e *Engine, wasm []byte, m hive.Manifest) *Skill {
	t.Helper()
	if m.Name == "" {
		m.Name, m.Version = "test", "1.0.0"
	}
	s, err := e.Prepare(context.Background(), wasm, &m)
	if err != nil {
		t.Fatalf("Prepare() = %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return s
}

// wantFailure reports an outcome that is not this failure.
func wantFailure(t testing.TB, out hive.Outcome, kind hive.FailureKind, message string) {
	t.Helper()
	if out.Failure == nil || out.Failure.Kind != kind || out.Failure.Message != message {
		t.Errorf("failure = %v, want %s: %s", out.Failure, kind, message)
	}
	if out.Failure != nil && out.Result != nil {
		t.Errorf("failed with a result: %q", out.Result)
	}
}

// wantResult reports an outcome that is not this result.
func wantResult(t testing.TB, out hive.Outcome, result string) {
	t.Helper()
	if out.Failure != nil || string(out.Result) != result {
		t.Errorf("outcome = %q, %v, want %q; log: %q", out.Result, out.Failure, result, out.Log)
	}
}

// goGuests are the programs in testdata and how they are built.
var goGuests = map[string]string{
	"upper":           "-buildmode=exe",
	"upper-reactor":   "-buildmode=c-shared",
	"counter-reactor": "-buildmode=c-shared",
	"probe":           "-buildmode=exe",
}

// goBuild holds them built, and their compiled code in a cache directory.
var goBuild struct {
	sync.Once
	dir string
	err error
}

// goGuest returns a Go program from testdata.
func goGuest(t testing.TB, name string) []byte {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join(filepath.Dir(codeCache(t)), name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// codeCache returns a directory with the compiled code of Go programs from testdata,
// which keeps that of others for this run.
func codeCache(t testing.TB) string {
	t.Helper()
	goBuild.Do(func() { goBuild.dir, goBuild.err = buildGoGuests() })
	if goBuild.err != nil {
		t.Fatal(goBuild.err)
	}
	return filepath.Join(goBuild.dir, "cache")
}

// goSkill returns a Go program from testdata as a skill.
func goSkill(t testing.TB, name string, m hive.Manifest) *Skill {
	t.Helper()
	return skillIn(t, newEngine(t, Options{CacheDir: codeCache(t)}), goGuest(t, name), m)
}

func buildGoGuests() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "hive-runtime-test"); err != nil {
		return "", err
	}
	// wazero does not know its version in a test binary: take the same name.
	precompile := []string{"run", "-ldflags=-X github.com/tetratelabs/wazero/internal/version.version=dev",
		"./testdata/precompile", filepath.Join(dir, "cache")}
	var builds sync.WaitGroup
	errs := make(chan error, len(goGuests))
	for name, mode := range goGuests {
		wasm := filepath.Join(dir, name+".wasm")
		precompile = append(precompile, wasm)
		builds.Go(func() {
			errs <- goTool([]string{"GOOS=wasip1", "GOARCH=wasm"},
				"build", "-trimpath", "-ldflags=-s -w", mode, "-o", wasm, "./testdata/"+name)
		})
	}
	builds.Wait()
	for range goGuests {
		err = errors.Join(err, <-errs)
	}
	return dir, errors.Join(err, goTool(nil, precompile...))
}

func goTool(env []string, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Env = append(append(os.Environ(), "GOFLAGS="), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
