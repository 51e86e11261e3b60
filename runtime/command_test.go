package runtime

import (
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
