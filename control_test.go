package hive_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func drain() hive.Envelope {
	return hive.Envelope{
		ID: "c1", Issuer: "nexus", Target: "spore-a", Command: hive.CommandDrain, Data: json.RawMessage(`{"n":1}`),
		Generation: 7, Issued: noon, Expires: noon.Add(time.Minute),
	}
}

func TestEnvelopeCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		mutate func(*hive.Envelope)
		after  time.Duration // now, counted from noon
		want   string
	}{
		{"fresh", func(*hive.Envelope) {}, 0, ""},
		{"to all", func(e *hive.Envelope) { e.Target = "*" }, 0, ""},
		{"in its last moment", func(*hive.Envelope) {}, time.Minute, ""},
		{"valid for as long as may be", func(e *hive.Envelope) { e.Expires = noon.Add(120 * time.Second) }, 0, ""},
		{"from a clock ahead", func(*hive.Envelope) {}, -120 * time.Second, ""},
		{"to another", func(e *hive.Envelope) { e.Target = "spore-b" }, 0, `command DRAIN is for "spore-b"`},
		{"to nobody", func(e *hive.Envelope) { e.Target = "" }, 0, `command DRAIN is for ""`},
		{"expired", func(*hive.Envelope) {}, time.Minute + 1, "command has expired"},
		{"without times", func(e *hive.Envelope) { e.Issued, e.Expires = time.Time{}, time.Time{} }, 0, "command has expired"},
		{"valid for too long", func(e *hive.Envelope) { e.Expires = noon.Add(121 * time.Second) }, 0,
			"command is valid for 2m1s, at most 2m0s allowed"},
		{"valid for ever", func(e *hive.Envelope) { e.Issued = time.Time{} }, 0,
			"command is valid for 2562047h47m16.854775807s, at most 2m0s allowed"},
		{"from the future", func(*hive.Envelope) {}, -120*time.Second - 1, "command is from the future"},
	} {
		e := drain()
		test.mutate(&e)
		if got := message(e.Check("spore-a", noon.Add(test.after))); got != test.want {
			t.Errorf("%s: Check = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestEnvelopeJSON(t *testing.T) {
	t.Parallel()
	const want = `{"id":"c1","issuer":"nexus","target":"spore-a","command":"DRAIN","data":{"n":1},"generation":7,` +
		`"issued":"2025-06-01T12:00:00Z","expires":"2025-06-01T12:01:00Z"}`
	got, err := json.Marshal(drain())
	if string(got) != want || err != nil {
		t.Fatalf("Marshal = %s, %v, want %s", got, err, want)
	}
	var again hive.Envelope
	if err := json.Unmarshal(got, &again); err != nil || !reflect.DeepEqual(again, drain()) {
		t.Errorf("Unmarshal = %+v, %v", again, err)
	}
}
