package runtime

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

func TestCommandInGo(t *testing.T) {
	s := goSkill(t, "upper", hive.Manifest{})
	wantResult(t, s.Call(t.Context(), Call{Payload: []byte("drei Bienen")}), "DREI BIENEN")
	out := s.Call(t.Context(), Call{})
	wantFailure(t, out, hive.FailExit, "exit code 1: upper: nothing to do")
	if string(out.Log) != "upper: nothing to do\n" {
		t.Errorf("log = %q", out.Log)
	}
	want := hive.SkillID{Name: "test", Version: "1.0.0", Digest: Digest(goGuest(t, "upper"))}
	if out.Ran != want || out.Elapsed <= 0 {
		t.Errorf("ran %v in %v, want %v", out.Ran, out.Elapsed, want)
	}
}

// probe calls the probe with one more argument.
func probe(t *testing.T, s *Skill, what string, c Call) hive.Outcome {
	t.Helper()
	c.Args = []string{what}
	return s.Call(t.Context(), c)
}

func TestCommandSeesItsWorld(t *testing.T) {
	s := goSkill(t, "probe", hive.Manifest{
		Name: "probe", Version: "1.2.3", Args: []string{"-v"}, Env: map[string]string{"A": "1", "B": "2"},
	})
	out := probe(t, s, "world", Call{Env: map[string]string{"B": "3"}})
	wantResult(t, out, "probe -v world\nA=1 B=3\n")
	wantResult(t, probe(t, s, "world", Call{}), "probe -v world\nA=1 B=2\n")
}

func TestResultIsBytes(t *testing.T) {
	s := goSkill(t, "probe", hive.Manifest{})
	payload := []byte("\xff\xfe\x00not text\r\n")
	wantResult(t, probe(t, s, "echo", Call{Payload: payload}), string(payload))
	wantResult(t, probe(t, s, "echo", Call{}), "")
}

func TestCommandInGoFails(t *testing.T) {
	s := goSkill(t, "probe", hive.Manifest{Limits: hive.SkillLimits{Memory: 64 << 20}})
	wantFailure(t, probe(t, s, "exit", Call{}), hive.FailExit, "exit code 3: the disk is full")
	wantFailure(t, probe(t, s, "panic", Call{}), hive.FailExit, "exit code 2: panic: boom")
	out := probe(t, s, "hungry", Call{})
	if out.Failure == nil || out.Failure.Kind != hive.FailMemory ||
		!strings.Contains(out.Failure.Message, "of memory, its limit is 64 MiB: exit code 2: fatal error: ") {
		t.Errorf("failure of a hungry program = %v", out.Failure)
	}
}

// TestAttemptsShareNothing runs attempts that spoil what they have.
func TestAttemptsShareNothing(t *testing.T) {
	s := goSkill(t, "probe", hive.Manifest{})
	for range 2 {
		wantResult(t, probe(t, s, "close-stdout", Call{}), "")
		wantResult(t, probe(t, s, "echo", Call{Payload: []byte("still open")}), "still open")
	}
}

func TestClockAndRandomAreLive(t *testing.T) {
	s := goSkill(t, "probe", hive.Manifest{})
	first, second := probe(t, s, "random", Call{}).Result, probe(t, s, "random", Call{}).Result
	if len(first) != 33 || string(first) == string(second) {
		t.Errorf("two attempts drew %q and %q", first, second)
	}
	if now := probe(t, s, "clock", Call{}).Result; string(now) < "1700000000" {
		t.Errorf("clock = %s", now)
	}
}

func TestGoSleepEndsWithTheAttempt(t *testing.T) {
	s := goSkill(t, "probe", hive.Manifest{Limits: hive.SkillLimits{Time: 50e6}})
	wantFailure(t, probe(t, s, "sleep", Call{}), hive.FailTimeout, "did not finish within 50ms")
}

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

func TestMountThatIsNoDirectory(t *testing.T) {
	s := skillOf(t, command().bytes(), hive.Manifest{})
	out := s.Call(t.Context(), Call{Mounts: []Mount{{filepath.Join(t.TempDir(), "gone"), "/data"}}})
	if out.Failure == nil || out.Failure.Kind != hive.FailHost || !strings.HasPrefix(out.Failure.Message, "cannot make a sandbox: mount /data: ") {
		t.Errorf("failure = %v", out.Failure)
	}
}
