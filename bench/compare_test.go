package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// comparison is a repository with the script and a benchmark of its own.
type comparison struct {
	*testing.T
	dir     string
	cache   string // of the script
	goCache string // of Go: all is compiled there already
}

func newComparison(t *testing.T) *comparison {
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := &comparison{t, t.TempDir(), t.TempDir(), strings.TrimSpace(string(goCache))}
	for _, name := range []string{"compare", "go.mod", "go.sum"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c.write("bench/"+name, string(text))
	}
	c.write("go.mod", "module github.com/hive-spore/hive\n\ngo 1.26.0\n")
	c.write("broker/broker.go", "package broker\n")
	c.git("init", "--quiet")
	c.commit()
	return c
}

// newShallow is a clone of its last commit only.
func newShallow(of *comparison) *comparison {
	c := &comparison{of.T, of.TempDir(), of.cache, of.goCache}
	c.git("clone", "--quiet", "--depth", "1", "file://"+of.dir, ".")
	return c
}

func (c *comparison) write(name, text string) {
	c.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		c.Fatal(err)
	}
}

// cost has a task take as much of Redis as it says.
func (c *comparison) cost(micros string) {
	c.write("broker/bench_test.go", `package broker

import "testing"

func BenchmarkTask(b *testing.B) { b.ReportMetric(`+micros+`, "redis-µs/task") }
`)
}

func (c *comparison) git(words ...string) string {
	c.Helper()
	words = append([]string{"-C", c.dir, "-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false"}, words...)
	said, err := exec.Command("git", words...).CombinedOutput()
	if err != nil {
		c.Fatalf("git: %v\n%s", err, said)
	}
	return string(said)
}

func (c *comparison) commit() {
	c.Helper()
	c.git("add", "-A")
	c.git("commit", "--quiet", "--message", "x")
}

// compare returns all that the script says.
func (c *comparison) compare(words ...string) (string, error) {
	cmd := exec.Command(filepath.Join(c.dir, "bench", "compare"), words...)
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+c.cache, "GOCACHE="+c.goCache)
	said, err := cmd.CombinedOutput()
	return string(said), err
}

func (c *comparison) refuses(want string, words ...string) {
	c.Helper()
	said, err := c.compare(words...)
	if err == nil || !strings.HasSuffix(said, want+"\n") {
		c.Errorf("bench/compare %q = %v, %s\nwant an error: %s", words, err, said, want)
	}
}

// killed leaves what a run does that was killed: the work tree of its base.
func (c *comparison) killed() (tree string) {
	c.Helper()
	tree = filepath.Join(c.cache, "hive-bench", "compare", strings.TrimSpace(c.git("rev-parse", "HEAD")))
	c.git("worktree", "add", "--quiet", "--detach", tree, "HEAD")
	return tree
}

func TestCompare(t *testing.T) {
	t.Parallel()
	c := newComparison(t)
	const usage = "usage: bench/compare BASE [--quick] [--count N] [PATTERN]"
	c.refuses("bench/compare: " + usage)
	c.refuses("bench/compare: unknown flag --slow; "+usage, "HEAD", "--slow")
	c.refuses("bench/compare: --count 0 is not a number of runs", "HEAD", "--count", "0")
	c.refuses("bench/compare: unknown revision HEAD^", "HEAD^")
	c.refuses("bench/compare: HEAD is what the work tree has: there is nothing to compare", "HEAD")

	left := c.killed()
	c.write("broker/more.go", "package broker\n")
	c.refuses("bench/compare: no benchmark of ./broker matches ^BenchmarkTask$", "HEAD", "--quick")
	c.cost("20")
	c.refuses("bench/compare: no benchmark that matches ^BenchmarkTask$ is in both HEAD and the work tree", "HEAD", "--quick")
	c.commit()
	c.cost("30") // which is not committed
	said, err := c.compare("HEAD", "--quick", "--count", "5")
	if err != nil || !strings.Contains(said, "\nbeyond noise, worse than ") || !strings.Contains(said, "redis-µs/task +50.00%\n") {
		t.Errorf("bench/compare of 20 and 30 = %v, %s", err, said)
	}
	c.commit()
	c.cost("15")
	if said, err := c.compare("HEAD", "--quick", "--count", "5"); err != nil || !strings.Contains(said, "redis-µs/task -50.00%\n") || strings.Contains(said, "worse") {
		t.Errorf("bench/compare of 30 and 15 = %v, %s", err, said)
	}
	if trees := c.git("worktree", "list"); strings.Count(trees, "\n") != 1 {
		t.Errorf("a work tree is left: %s", trees)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("what a killed run left is still there: %v", err)
	}
	shallow := newShallow(c)
	shallow.refuses("bench/compare: no revision HEAD^ in this shallow clone: git fetch --unshallow", "HEAD^", "--quick")
	if err := os.RemoveAll(filepath.Join(c.dir, ".git")); err != nil {
		t.Fatal(err)
	}
	c.refuses("is not a git repository", "HEAD")
}
