package hive_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func valid() hive.Task {
	t := hive.Task{ID: "t1", Skill: hive.SkillRef{Name: "secscan"}, Payload: []byte("x"), Priority: hive.HighPriority}
	return t.WithDefaults()
}

func TestTaskWithDefaults(t *testing.T) {
	t.Parallel()
	empty := hive.Task{}.WithDefaults()
	if hive.CheckID(empty.ID) != nil || empty.Timeout != 300*time.Second || empty.Retries != 3 || empty.Priority != 0 {
		t.Errorf("WithDefaults() of an empty task = %+v", empty)
	}
	given := hive.Task{ID: "mine", Timeout: time.Second, Retries: hive.NoRetries}
	if got := given.WithDefaults(); got.ID != "mine" || got.Timeout != time.Second || got.Retries != hive.NoRetries {
		t.Errorf("WithDefaults() = %+v, want what was given", got)
	}
}

func TestTaskValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		mutate func(*hive.Task)
		want   string
	}{
		{"valid", func(*hive.Task) {}, ""},
		{"no retries", func(t *hive.Task) { t.Retries = hive.NoRetries }, ""},
		{"most retries", func(t *hive.Task) { t.Retries = 1000 }, ""},
		{"shortest timeout", func(t *hive.Task) { t.Timeout = time.Millisecond }, ""},
		{"longest timeout", func(t *hive.Task) { t.Timeout = 24 * time.Hour }, ""},
		{"largest payload", func(t *hive.Task) { t.Payload = make([]byte, 1<<20) }, ""},
		{"no payload", func(t *hive.Task) { t.Payload = nil }, ""},
		{"pinned", func(t *hive.Task) { t.Skill.Pin = digest }, ""},
		{"id", func(t *hive.Task) { t.ID = "T 1" }, `task id "T 1": 'T' is not one of a-z, 0-9 and '-'`},
		{"no id", func(t *hive.Task) { t.ID = "" }, `task id "": want 1 to 64 characters`},
		{"no skill", func(t *hive.Task) { t.Skill.Name = "" }, `skill name "": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{"pin", func(t *hive.Task) { t.Skill.Pin = "latest" }, `version "latest": want a semantic version such as 1.2.3`},
		{"priority", func(t *hive.Task) { t.Priority = 11 }, `priority 11: want 0 to 10, high or background`},
		{"no timeout", func(t *hive.Task) { t.Timeout = 0 }, `timeout 0s: want 1ms to 24h0m0s`},
		{"short timeout", func(t *hive.Task) { t.Timeout = 999 * time.Microsecond }, `timeout 999µs: want 1ms to 24h0m0s`},
		{"long timeout", func(t *hive.Task) { t.Timeout = 24*time.Hour + 1 }, `timeout 24h0m0.000000001s: want 1ms to 24h0m0s`},
		{"few retries", func(t *hive.Task) { t.Retries = -2 }, `retries -2: want 0 to 1000`},
		{"many retries", func(t *hive.Task) { t.Retries = 1001 }, `retries 1001: want 0 to 1000`},
		{"payload", func(t *hive.Task) { t.Payload = make([]byte, 64<<20+1) }, `payload: 67108865 bytes, at most 67108864 allowed: too large`},
		{"payload and blob", func(t *hive.Task) { t.Payload, t.PayloadBlob.Digest = []byte("x"), "sha256:"+strings.Repeat("0", 64) }, `payload and blob: want one of them`},
		{"digest", func(t *hive.Task) { t.Payload, t.PayloadBlob.Digest = nil, "md5:0" }, `blob "md5:0": want sha256: and 64 hexadecimal digits`},
		{"blob", func(t *hive.Task) {
			t.Payload, t.PayloadBlob = nil, hive.Blob{Digest: "sha256:" + strings.Repeat("0", 64), Size: 64<<20 + 1}
		}, `blob of 67108865 bytes: at most 67108864 allowed: too large`},
	} {
		task := valid()
		test.mutate(&task)
		if got := message(task.Validate()); got != test.want {
			t.Errorf("%s: Validate = %q, want %q", test.name, got, test.want)
		}
	}
}

// A selector made by hand must be one ParseSelector reads back: the road keeps
// its text.
func TestTaskValidateSelector(t *testing.T) {
	t.Parallel()
	var long hive.Selector
	for i := range 100 {
		long = append(long, hive.Requirement{Key: fmt.Sprintf("key%07d", i), Op: hive.OpExists})
	}
	for _, test := range []struct {
		selector hive.Selector
		want     string
	}{
		{hive.Selector{{"zone", hive.OpIn, []string{"us", "eu"}}, {"gpu", hive.OpExists, nil}}, ""},
		{hive.Selector{{"A|B", hive.OpExists, nil}}, `selector "A|B": tag key "A|B": ` + wantKey + ` (requirements look like gpu=true, zone in (eu,us), !spot, mem_gb>=16)`},
		{hive.Selector{{"a", hive.OpEqual, nil}}, `selector "a=": tag a: operator "=" cannot take 0 values`},
		{hive.Selector{{"a", hive.OpAtLeast, []string{"1", "2"}}}, `selector "a>=1,2": tag a: operator ">=" cannot take 2 values`},
		{hive.Selector{{"a", hive.OpIn, nil}}, `selector "a in ()": tag a: operator "in" cannot take 0 values`},
		{hive.Selector{{"a", hive.OpAbsent, []string{"x"}}}, `selector "!a": tag a: operator "!" cannot take 1 values`},
		{hive.Selector{{"a", "~", []string{"x"}}}, `selector "a~x": tag a: operator "~" cannot take 1 values`},
		{hive.Selector{{}}, `selector "": tag key "": ` + wantKey + ` (requirements look like gpu=true, zone in (eu,us), !spot, mem_gb>=16)`},
		{hive.Selector{{"a", hive.OpLess, []string{"x"}}}, `selector "a<x": a<x: "x" is not a number`},
		{hive.Selector{{"a", hive.OpEqual, []string{"x|y"}}}, `selector "a=x|y": tag a: value "x|y": ` + wantValue},
		{long, `selector: 1099 bytes, at most 1024 allowed`},
	} {
		task := valid()
		task.Require = test.selector
		if got := message(task.Validate()); got != test.want {
			t.Errorf("Validate of a task that requires %.80q = %q, want %q", test.selector, got, test.want)
		}
	}
}

func TestTaskValidateTellsAllAtOnce(t *testing.T) {
	t.Parallel()
	task := hive.Task{
		ID: "No", Skill: hive.SkillRef{Name: "No"}, Payload: make([]byte, hive.MaxPayload+1), Priority: -1, Timeout: -1, Retries: math.MinInt,
		Require: hive.Selector{{Key: "a", Op: hive.OpEqual}}, Deadline: noon, RunAt: noon, Tenant: "x y", Parents: []string{"x"},
		Backoff: hive.Backoff{Base: 1}, Retain: 1, Unique: strings.Repeat("k", hive.MaxUnique+1),
	}
	err := task.Validate()
	want := []string{"task id", "skill name", "priority", "selector", "timeout", "retries", "payload", "backoff", "deadline", "retain", "unique key", "tenant", "parents"}
	lines := strings.Split(message(err), "\n")
	if len(lines) != len(want) {
		t.Fatalf("Validate = %d complaints, want %d:\n%v", len(lines), len(want), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("complaint %d = %q, want one about the %s", i, line, want[i])
		}
	}
	if !errors.Is(err, hive.ErrTooLarge) || !errors.Is(err, hive.ErrNotSupported) {
		t.Errorf("Validate = %v, want it to be ErrTooLarge and ErrNotSupported", err)
	}
}

func TestTaskValidateBounds(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*hive.Task){
		"": func(t *hive.Task) {
			t.RunAt, t.Deadline, t.Retain, t.Unique, t.UniqueFor = noon, noon.Add(1), time.Minute, "k", time.Hour
		},
		"deadline 2025-06-01 12:00:00 +0000 UTC: want one after the time the task is to begin, 2025-06-01 12:00:00 +0000 UTC": func(t *hive.Task) {
			t.RunAt, t.Deadline = noon, noon
		},
		"run-at 1969-12-31 00:00:00 +0000 UTC: want a time from 1970 to 9999": func(t *hive.Task) { t.RunAt = time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC) },
		"retain 1s: want 1m0s to 8760h0m0s":                                   func(t *hive.Task) { t.Retain = time.Second },
		"unique-for: want a unique key too, which it is to hold":              func(t *hive.Task) { t.UniqueFor = time.Second },
		"unique-for 1µs: want 1ms to 8760h0m0s":                               func(t *hive.Task) { t.Unique, t.UniqueFor = "k", time.Microsecond },
	} {
		task := valid()
		change(&task)
		if got := message(task.Validate()); got != want {
			t.Errorf("Validate = %q, want %q", got, want)
		}
	}
}

func TestTaskValidateAt(t *testing.T) {
	t.Parallel()
	task := valid()
	task.RunAt = noon
	task.Deadline = noon.Add(time.Hour)
	if !task.Timed() || message(task.ValidateAt(noon.Add(-time.Second))) != "" {
		t.Errorf("ValidateAt before = %v", task.ValidateAt(noon.Add(-time.Second)))
	}
	got := strings.Split(message(task.ValidateAt(noon.Add(2*time.Hour))), "\n")
	if len(got) != 2 || !strings.HasPrefix(got[0], "run-at 2025-06-01T12:00:00Z: that is past") || !strings.HasPrefix(got[1], "deadline 2025-06-01T13:00:00Z: that is past") {
		t.Errorf("ValidateAt after both = %q", got)
	}
}

func TestTaskValidateUnsupported(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mutate func(*hive.Task)
		want   string
	}{
		{func(t *hive.Task) { t.Parents = []string{"t0"} }, "parents: not supported yet"},
	} {
		task := valid()
		test.mutate(&task)
		if err := task.Validate(); message(err) != test.want || !errors.Is(err, hive.ErrNotSupported) {
			t.Errorf("Validate = %v, want %q", err, test.want)
		}
	}
}

func TestStatsJSON(t *testing.T) {
	t.Parallel()
	s := hive.Stats{High: 1, Background: 2, Scheduled: 3, Blocked: 4, Pending: 5, Assigned: 6, Running: 7, Completed: 8, Failed: 9, Cancelled: 10, Mended: 11, Foreign: 12}
	const want = `{"high_priority_queue":1,"background_queue":2,"tasks_scheduled":3,"tasks_blocked":4,"tasks_pending":5,` +
		`"tasks_assigned":6,"tasks_running":7,"tasks_completed":8,"tasks_failed":9,"tasks_cancelled":10,"mended":11,"foreign":12}`
	if got, err := json.Marshal(s); string(got) != want || err != nil {
		t.Errorf("Marshal = %s, %v, want %s", got, err, want)
	}
	for _, state := range hive.States {
		if !strings.Contains(want, `"tasks_`+string(state)+`"`) {
			t.Errorf("Stats do not count %s tasks", state)
		}
	}
}
