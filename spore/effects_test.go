package spore_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/build"
	"github.com/hive-spore/hive/skills/sdk"
	"github.com/hive-spore/hive/spore"
)

// counting is a skill that changes keys, spawns and emits as its payload says.
const counting = `//go:build wasip1

package main

import (
	"errors"
	"strconv"
)

func run(input []byte) ([]byte, error) {
	switch string(input) {
	case "add":
		n, err := KVIncr("", "added", 1)
		return strconv.AppendInt(nil, n, 10), err
	case "swap":
		old, err := KVGet("", "swapped")
		if err != nil {
			return nil, err
		}
		n, _ := strconv.Atoi(string(old))
		done, err := KVCAS("", "swapped", old, strconv.AppendInt(nil, int64(n+1), 10))
		if err == nil && !done {
			err = errors.New("it changed while this attempt looked")
		}
		return nil, err
	case "begin":
		return nil, KVSet("", "swapped", []byte("0"), 0)
	case "spawn":
		id, err := Spawn("counting", []byte("add"))
		return []byte(id), err
	case "fail":
		KVIncr("", "added", 1)
		Spawn("counting", []byte("add"))
		Emit([]byte("void"))
		return nil, errors.New("it fails after all")
	case "look":
		_, err := KVGet("others", "x")
		return nil, Permanent(err)
	case "emit":
		Progress(1, 2, "half")
		return nil, errors.Join(Emit([]byte("one")), Emit([]byte("two")), Progress(2, 2, ""))
	}
	return nil, Permanent(errors.New("what?"))
}
`

// publishCounting builds the skill with the SDK that authors get.
func publishCounting(w *world) {
	t := w.T
	t.Helper()
	dir := filepath.Join(t.TempDir(), "counting")
	if err := sdk.Write("go", "counting", dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(counting), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, unused := range []string{"count.go", "count_test.go"} {
		if err := os.Remove(filepath.Join(dir, unused)); err != nil {
			t.Fatal(err)
		}
	}
	s, program, err := build.Builder{}.Skill(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Output, s.Example = nil, []byte("warm")
	s.Grants = []hive.Grant{hive.GrantKV, hive.GrantSpawn, hive.GrantEmit, hive.GrantProgress}
	s.Allow = hive.Allow{Spawn: []string{"counting"}}
	w.pub.RegisterSkill(s, program)
}

// TestDeniedCalls are logged with the attempt, counted, and told to the audit log.
func TestDeniedCalls(t *testing.T) {
	t.Parallel()
	w, c, spores := hiveOf(t, spore.Options{Name: "a", Slots: 1})
	publishCounting(w)
	r, err := c.Run(t.Context(), task("look"))
	if err != nil || r.State != hive.Failed || !strings.HasPrefix(r.Failure.Message, "kv_get: denied (see grants") || string(r.Log) != "warn: kv_get is denied\n" {
		t.Errorf("ended %s with %v, log %q, %v", r.State, r.Failure, r.Log, err)
	}
	answer := httptest.NewRecorder()
	spores[0].Metrics().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if want := `hive_denied_calls_total{function="kv_get",skill="counting"} 1`; !strings.Contains(answer.Body.String(), want) {
		t.Errorf("the metrics lack %s", want)
	}
	told := hearUntil(t, w.road, "a", action("grant.deny"))
	if n := told[len(told)-1]; n.Subject != r.Ran.String() || n.Fields["grant"] != "kv" || n.Fields["task"] != r.ID {
		t.Errorf("told %+v", n)
	}
}

// countingHive is a hive of two spores that has the skill.
func countingHive(t *testing.T) (*broker.Broker, *client.Client) {
	t.Helper()
	w := newWorld(t)
	publishCounting(w)
	for _, name := range []string{"a", "b"} {
		w.start(spore.Options{Name: name, Slots: 4})
	}
	return w.road, w.client()
}

func task(payload string) hive.Task {
	return hive.Task{Skill: hive.SkillRef{Name: "counting"}, Payload: []byte(payload), Retries: hive.NoRetries}
}

// number reads a key of the skill.
func number(t *testing.T, road *broker.Broker, key string) int {
	t.Helper()
	value, _, err := road.KV().Get(t.Context(), hive.KVSpace("counting", ""), key)
	n, errNumber := strconv.Atoi(string(value))
	if err != nil || errNumber != nil {
		t.Fatalf("%s = %q, %v", key, value, err)
	}
	return n
}

// TestEffectsHappenOnce: every task that completes counts once, whatever tasks it
// runs beside, and one that fails leaves nothing.
func TestEffectsHappenOnce(t *testing.T) {
	t.Parallel()
	road, c := countingHive(t)
	all := func(payload string, n int, want hive.State) {
		t.Helper()
		records, err := c.Map(t.Context(), client.MapOptions{Task: task("")}, slices.Repeat([][]byte{[]byte(payload)}, n))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if r.State != want || want == hive.Completed && r.Failures > 0 {
				t.Fatalf("%s: %s after %d attempts, %d failures: %v", payload, r.State, r.Attempts, r.Failures, r.Failure)
			}
		}
	}
	all("begin", 1, hive.Completed)
	all("add", 100, hive.Completed)
	all("fail", 20, hive.Failed)
	if n := number(t, road, "added"); n != 100 {
		t.Errorf("100 tasks added one each: %d", n)
	}
	all("swap", 20, hive.Completed) // conflicts are attempts, not failures
	if n := number(t, road, "swapped"); n != 20 {
		t.Errorf("20 tasks counted by compare and set: %d", n)
	}
	all("spawn", 10, hive.Completed)
	for number(t, road, "added") < 110 {
	}
	if n := number(t, road, "added"); n != 110 {
		t.Errorf("10 spawned tasks added one each: %d", n)
	}
}

// TestEmitReachesTheWatcher while the task runs, and is void if it fails.
func TestEmitReachesTheWatcher(t *testing.T) {
	t.Parallel()
	_, c := countingHive(t)
	watch := func(payload string) (said []string) {
		t.Helper()
		id, err := c.Submit(t.Context(), task(payload))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Watch(t.Context(), id, func(e client.Event) {
			switch {
			case e.Part != nil:
				said = append(said, string(e.Part.Data))
			case e.Void > 0:
				said = append(said, "void "+strconv.Itoa(e.Void))
			case e.Progress.Done == 2:
				said = append(said, "done")
			}
		}); err != nil {
			t.Fatal(err)
		}
		return said
	}
	if said := watch("emit"); !slices.Equal(said, []string{"one", "two", "done"}) {
		t.Errorf("emitted %q", said)
	}
	if said := watch("fail"); !slices.Equal(said, []string{"void", "void 1"}) {
		t.Errorf("emitted %q", said)
	}
}
