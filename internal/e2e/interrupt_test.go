//go:build unix

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/cli"
)

func TestInterruptedRunPrintsWhatItHas(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	c.spore("a", "--slots", "2")
	const left = 10
	tasks := "echo done\nexit 3\n" + strings.Repeat("sleep 1h\n", left)
	begin := func(args ...string) *process {
		return start(t, tasks, "nexus", append(args, "run", "guest", "--retries", "0", "--each", "line", "-", "--redis", c.url)...)
	}
	over := int64(0)
	interrupt := func(run *process) {
		over += 2 // "echo done" and "exit 3", which come first
		await(t, "running tasks", func() (bool, error) {
			s, err := c.road.Stats(t.Context())
			return err == nil && s.Running == 2 && s.Completed+s.Failed == over, err
		})
		run.signal(os.Interrupt)
		run.ends(130)
	}
	run := begin()
	interrupt(run)
	want := regexp.MustCompile(`^INPUT  RESULT\n-:1    done\nnexus: -:2: exit: exit code 3\n` +
		`completed 1/12, failed 1, left 10, \d+\.\d s, 2 sandboxes\nnexus: interrupted\n$`)
	if said := run.out.String(); !want.MatchString(said) {
		t.Errorf("it says %q, want %s", said, want)
	}
	c.awaitIdle(hive.Stats{Completed: 1, Failed: 1, Cancelled: left})

	run = begin("--json")
	interrupt(run)
	said, ok := strings.CutSuffix(run.out.String(), "nexus: interrupted\n")
	var got struct {
		Summary struct{ Completed, Failed, Left int }
		Results []struct{ Status hive.State }
	}
	if err := json.Unmarshal([]byte(said), &got); err != nil || !ok {
		t.Fatalf("it says %q: %v", run.out.String(), err)
	}
	if s := got.Summary; s.Completed != 1 || s.Failed != 1 || s.Left != left || len(got.Results) != 2 {
		t.Errorf("it says %+v", got)
	}
	c.awaitIdle(hive.Stats{Completed: 2, Failed: 2, Cancelled: 2 * left})
}

func TestInterruptedBenchLeavesNothing(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	c.spore("a", "--slots", "2")
	bench := start(t, "", "nexus", "bench", "guest", "--payload", "sleep 1s", "--tasks", "50", "--redis", c.url)
	await(t, "running tasks of many", func() (bool, error) {
		s, err := c.road.Stats(t.Context())
		return err == nil && s.Running == 2 && s.Pending > 0, err
	})
	bench.signal(os.Interrupt)
	bench.ends(130)
	if said := bench.out.String(); !strings.HasSuffix(said, "nexus: interrupted\n") || strings.Contains(said, "full rate") {
		t.Errorf("it says %q", said)
	}
	await(t, "an empty road", func() (bool, error) {
		s, err := c.road.Stats(t.Context())
		return err == nil && s.Failed == 0 && s.Running+s.Pending+s.Assigned == 0 && s.Completed+s.Cancelled >= 50, err
	})
}

// It runs in this process, and so not beside other tests.
func TestInterruptedEmbeddedRunLeavesNothing(t *testing.T) {
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
	await(t, "running attempts", func() (bool, error) { return goroutinesIn("runtime.(*attempt).guest(") == 2, nil })
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`^completed 0/2, failed 0, left 2, \d+\.\d s, 0 sandboxes\nnexus: interrupted\n$`)
	if got := <-code; got != 130 || out.Len() > 0 || !said.MatchString(errs.String()) {
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

// Lines that are interrupted leave nothing; those of a batch stay, and the same command goes on
// with them.
func TestInterruptedLines(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	c.spore("a", "--slots", "2")
	const n = 40
	lines := filepath.Join(t.TempDir(), "lines")
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "sleep %dms\n", 300+i)
	}
	if err := os.WriteFile(lines, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	stats := func() hive.Stats {
		s, err := c.road.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, batch := range [][]string{nil, {"--batch", "b"}} {
		args := append([]string{"submit", "guest", "--lines", lines, "--wait", "--redis", c.url}, batch...)
		p := start(t, "", "nexus", args...)
		before := stats().Completed
		await(t, "some that are done", func() (bool, error) { return stats().Completed >= before+3, nil })
		p.signal(os.Interrupt)
		p.ends(130)
		if said := p.out.String(); !strings.Contains(said, "nexus: completed ") || !strings.Contains(said, ", left ") {
			t.Errorf("it says %q", said)
		}
		if s := stats(); batch == nil && s.Pending+s.Assigned+s.Running > 0 || batch != nil && s.Pending == 0 {
			t.Errorf("with %v it left %+v", batch, s)
		}
	}
	again := start(t, "", "nexus", "submit", "guest", "--lines", lines, "--wait", "--batch", "b", "--redis", c.url)
	again.ends(0)
	if said := again.out.String(); !strings.Contains(said, fmt.Sprintf("nexus: completed %d/%d, failed 0\n", n, n)) {
		t.Errorf("it says %q", said)
	}
	if s := stats(); s.Completed+s.Cancelled != 2*n {
		t.Errorf("%+v, want %d that are over", s, 2*n)
	}
}
