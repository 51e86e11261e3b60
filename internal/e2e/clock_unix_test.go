//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// wrongClock is the folder of both programs as they are where the clock is wrong: built
// with a time.Now of their own, which an environment variable moves.
var wrongClock = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(skills.dir, "wrong-clock")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	was := string(text)
	const read = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {"
	changed := strings.Replace(strings.Replace(was, read, strings.Replace(read, "\n", "\n\tsec += wrongBy()\n", 1), 1),
		"import (\n", "import (\n\t\"syscall\"\n", 1) + `
func wrongBy() int64 {
	switch by, _ := syscall.Getenv("CLOCK_WRONG_BY"); by {
	case "1h":
		return 3600
	case "-1h":
		return -3600
	}
	return 0
}
`
	if !strings.Contains(changed, "sec += wrongBy()") {
		return "", fmt.Errorf("%s has another time.Now than this test knows", source)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {source: filepath.Join(dir, "time.go")}})
	if err != nil {
		return "", err
	}
	for name, text := range map[string]string{"time.go": changed, "overlay.json": string(overlay)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-ldflags=-s -w", "-o", dir+"/", "../../cmd/nexus", "../../cmd/spore")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	return dir, nil
})

// TestWrongClocks: the clock of a nexus and a client is an hour off, that of a spore an
// hour the other way. Tasks are routed, retried and taken back all the same, at the same
// time; who looks at them by such a clock is told how old they are by Redis'.
func TestWrongClocks(t *testing.T) {
	for _, by := range []string{"1h", "-1h"} {
		t.Run(by, func(t *testing.T) {
			c := newCluster(t)
			dir, err := wrongClock()
			if err != nil {
				t.Fatal(err)
			}
			other := map[string]string{"1h": "-1h", "-1h": "1h"}[by]
			at := func(by, program string, args ...string) *process {
				t.Helper()
				return start(t, "", "env", append([]string{"CLOCK_WRONG_BY=" + by, filepath.Join(dir, program), "--redis", c.url}, args...)...)
			}
			// What is installed was signed and read by right clocks: see docs/repository.md
			// on what is from the future.
			first := c.nexus("n1")
			for _, p := range []*process{c.spore("a"), c.spore("b"), first} {
				p.signal(syscall.SIGTERM)
				p.ends(0)
			}

			at(by, "nexus", "serve", "--config", c.config("nexus = { name = \"wrong\" }"))
			a := at(other, "spore", "--name", "a", "--config", c.config("spore = { slots = 4 }"))
			does := func(args ...string) string {
				t.Helper()
				p := at(by, "nexus", args...)
				p.ends(0)
				return p.out.String()
			}
			submit := func(payload string) string {
				return strings.TrimSpace(does("submit", "guest", "--retries", "1", "--payload", payload))
			}
			fails := submit("exit 3")
			if r := c.awaitTask(fails, "over", final); r.State != hive.Failed || r.Attempts != 2 || r.Failures != 2 {
				t.Errorf("%s after %d attempts, %d failures", r.State, r.Attempts, r.Failures)
			}
			long := submit("sleep 4s")
			c.awaitTask(long, "running", running)
			a.kill()
			died := time.Now()
			at("0", "spore", "--name", "b", "--config", c.config(""))
			c.awaitTask(long, "back", func(r *hive.Record) bool { return r.State != hive.Running || r.Attempts > 1 })
			t.Logf("what ran was back %v after its spore's death", time.Since(died).Round(10*time.Millisecond))
			if r := c.awaitTask(long, "over", final); r.State != hive.Completed || r.Attempts != 2 || r.Failures != 1 || r.Node != "b" {
				t.Errorf("%s on %s after %d attempts, %d failures", r.State, r.Node, r.Attempts, r.Failures)
			}
			seconds := regexp.MustCompile(`\b(created|started|finished) +([0-9]+m)?[0-9]{1,2}s ago\n`)
			if said := does("status", long); len(seconds.FindAllString(said, -1)) != 3 {
				t.Errorf("nexus status says\n%s", said)
			}
			listed := regexp.MustCompile(` ([0-9]+m)?[0-9]{1,2}s ago`)
			if said := does("tasks"); len(listed.FindAllString(said, -1)) != 2 {
				t.Errorf("nexus tasks says\n%s", said)
			}
			c.awaitIdle(hive.Stats{Completed: 1, Failed: 1})
		})
	}
}
