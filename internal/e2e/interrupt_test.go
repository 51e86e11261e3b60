//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/cli"
)

func TestInterruptedRunCancelsItsTasks(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	c.spore("a", "--slots", "2")
	const tasks = 10
	run := start(t, strings.Repeat("sleep 1h\n", tasks), "nexus", "run", "guest", "--each", "line", "-", "--redis", c.url)
	await(t, "running tasks", func() (bool, error) {
		held, err := c.road.Holds(t.Context(), "a")
		return len(held) == 2, err
	})
	run.signal(os.Interrupt)
	run.ends(130)
	if said := run.out.String(); said != "nexus: interrupted\n" {
		t.Errorf("it says %q", said)
	}
	c.awaitIdle(hive.Stats{Cancelled: tasks})
}

// It runs in this process, and so not beside other tests.
func TestInterruptedEmbeddedRunLeavesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole hive")
	}
	makeSkills(t)
	t.Setenv("XDG_CACHE_HOME", caches)
	before := goleak.IgnoreCurrent()
	var out, errs bytes.Buffer
	code := make(chan int)
	go func() {
		code <- cli.Nexus([]string{"run", skills.guest, "--each", "line", "-"}, cli.IO{
			In: strings.NewReader("spin\nsleep 1h\n"), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
		})
	}()
	await(t, "running attempts", func() (bool, error) { return goroutinesIn("runtime.(*attempt).command(") == 2, nil })
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != 130 || out.Len() > 0 || errs.String() != "nexus: interrupted\n" {
		t.Errorf("exit code %d, want 130; it prints %q and says %q", got, &out, &errs)
	}
	goleak.VerifyNone(t, before)
}

// goroutinesIn counts the goroutines that are in a function.
func goroutinesIn(function string) int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), function)
}

func TestInterruptedBuildLeavesNoProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("starts whole programs")
	}
	t.Parallel()
	dir := t.TempDir()
	manifest := `manifest_version = 1
name = "slow"
version = "1.0.0"
build = { command = ["sh", "-c", "echo $$ >../pid && mv ../pid ../started && exec sleep 3600"] }
`
	if err := os.Mkdir(filepath.Join(dir, "slow"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "slow", "skill.toml"), []byte(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	run := start(t, "payload", "nexus", "run", filepath.Join(dir, "slow"), "-")
	var pid int
	await(t, "the build", func() (bool, error) {
		text, err := os.ReadFile(filepath.Join(dir, "started"))
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return pid > 0, err
	})
	run.signal(os.Interrupt)
	run.ends(130)
	await(t, fmt.Sprintf("the end of process %d", pid), func() (bool, error) {
		return syscall.Kill(pid, 0) == syscall.ESRCH, nil
	})
	if said := run.out.String(); said != "nexus: interrupted\n" {
		t.Errorf("it says %q", said)
	}
}
