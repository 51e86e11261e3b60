package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func selector(t testing.TB, s string) hive.Selector {
	t.Helper()
	sel, err := hive.ParseSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return sel
}

func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60)
	for _, test := range []struct {
		name string
		task hive.Task
	}{
		{"plain", hive.Task{Skill: hive.SkillRef{Name: "echo"}, Payload: []byte("x"), Timeout: time.Second, Priority: 10}},
		{"pinned", hive.Task{Skill: hive.SkillRef{Name: "echo", Pin: "1.2.3"}, Timeout: time.Hour, Retries: 7}},
		{"selector", hive.Task{Skill: hive.SkillRef{Name: "echo"}, Require: selector(t, "zone in (eu,us),gpu"), Timeout: time.Second}},
		{"hashed class", hive.Task{Skill: hive.SkillRef{Name: "echo"}, Require: selector(t, long+"=1,b="+long), Timeout: time.Second}},
	} {
		test.task.ID = hive.NewID()
		record, lane := packTask(&test.task, "")
		got, err := unpack(test.task.ID, record)
		if err != nil {
			t.Fatalf("%s: unpack = %v", test.name, err)
		}
		if len(got.Payload) == 0 {
			got.Payload = nil
		}
		if !reflect.DeepEqual(got.Task, test.task) {
			t.Errorf("%s: round trip\n got %+v\nwant %+v", test.name, got.Task, test.task)
		}
		if got.State != hive.Pending || len(lane) > maxClass+3 {
			t.Errorf("%s: state %s, lane %q", test.name, got.State, lane)
		}
	}
}

func TestRecordSize(t *testing.T) {
	t.Parallel()
	task := hive.Task{ID: hive.NewID(), Skill: hive.SkillRef{Name: "wordcount"}, Payload: make([]byte, 200), Timeout: time.Minute}
	record, _ := packTask(&task, "")
	// With Redis' 4 bytes around a string, up to 320 fit one allocation; the key
	// fits 32. One byte more of either costs every queued task 16 or 64.
	if len(record) > 316 {
		t.Errorf("a task of 200 bytes makes a record of %d", len(record))
	}
	if key := newKeys("h").record(task.ID); len(key) > 28 {
		t.Errorf("key %q is %d bytes long", key, len(key))
	}
}

func TestLaneNames(t *testing.T) {
	t.Parallel()
	text, hashed := Class{hive.SkillRef{Name: "echo", Pin: "1.0.0"}, selector(t, "zone in (us, eu), gpu=true"), "acme", ""}.Text()
	if hashed || text != "echo@1.0.0|gpu=true,zone in (eu,us)|acme" {
		t.Fatalf("class = %q, %v", text, hashed)
	}
	back, p, ok := splitLane(laneName(text, 7))
	if back != text || p != 7 || !ok {
		t.Errorf("splitLane = %q, %d, %v", back, p, ok)
	}
	for _, key := range []string{"", "example.com:443"} {
		c := Class{hive.SkillRef{Name: "echo", Pin: "1.0.0"}, selector(t, "zone in (eu,us),gpu=true"), "acme", key}
		text, _ := c.Text()
		if back, ok := splitClass(text); !ok || !reflect.DeepEqual(back, c) {
			t.Errorf("splitClass(%q) = %+v, %v, want %+v", text, back, ok, c)
		}
	}
	for _, bad := range []string{"echo", "echo|", "echo|||", "echo||acme|", "echo||acme|a|b", "e cho||", "echo|=|"} {
		if _, ok := splitClass(bad); ok {
			t.Errorf("splitClass(%q) = ok", bad)
		}
	}
	for _, bad := range []string{"", "echo||", "echo||:11", "echo||:-1", "echo||:x"} {
		if _, _, ok := splitLane(bad); ok {
			t.Errorf("splitLane(%q) = ok", bad)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	task := hive.Task{ID: "a", Skill: hive.SkillRef{Name: "echo"}, Payload: []byte("payload"), Timeout: time.Second}
	good, _ := packTask(&task, "inbox")
	for n := range good {
		if _, err := unpack("a", good[:n]); err == nil {
			t.Fatalf("a record cut to %d of %d bytes was accepted", n, len(good))
		}
	}
	for _, test := range []struct {
		name   string
		mutate func([]byte)
	}{
		{"version", func(b []byte) { b[0] = '2' }},
		{"state", func(b []byte) { b[1] = '?' }},
		{"field length", func(b []byte) { binary.BigEndian.PutUint32(b[54:], 1<<31) }},
		{"payload length", func(b []byte) { binary.BigEndian.PutUint32(b[58:], 1<<31) }},
		{"outcome length", func(b []byte) { binary.BigEndian.PutUint32(b[62:], 1<<31) }},
		{"class", func(b []byte) { copy(b[headLen+4:], "????") }},
	} {
		bad := bytes.Clone(good)
		test.mutate(bad)
		if _, err := unpack("a", bad); err == nil {
			t.Errorf("%s: accepted", test.name)
		}
	}
}

// What names a blob in a way that nobody here understands is not taken for nothing.
func TestUnpackRefusesBlobs(t *testing.T) {
	t.Parallel()
	blob := hive.Blob{Digest: digestName + strings.Repeat("a", 64), Size: 5}
	good, _ := packTask(&hive.Task{ID: "a", Skill: hive.SkillRef{Name: "echo"}, PayloadBlob: blob, Timeout: time.Second}, "")
	if r, err := unpack("a", good); err != nil || r.PayloadBlob != blob {
		t.Fatalf("unpack = %+v, %v", r, err)
	}
	outcome := packOutcome(&hive.Outcome{ResultBlob: blob})
	for name, bad := range map[string][]byte{
		"digest":        bytes.Replace(good, []byte("aaaa"), []byte("AAAA"), 1),
		"size":          bytes.Replace(good, append48([]byte("aa"), 5), append48([]byte("aa"), hive.MaxPayload+1), 1),
		"result's size": append(bytes.Clone(good), bytes.Replace(outcome, append48([]byte("aa"), 5), append48([]byte("aa"), -1), 1)...),
	} {
		if name == "result's size" {
			binary.BigEndian.PutUint32(bad[62:], uint32(len(outcome)))
		}
		if _, err := unpack("a", bad); !errors.Is(err, errRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	task := hive.Task{ID: "a", Skill: hive.SkillRef{Name: "echo"}, Payload: []byte("payload"), Timeout: time.Second}
	record, _ := packTask(&task, "inbox")
	f.Add(record)
	outcome := packOutcome(&hive.Outcome{Failure: hive.NewFailure(hive.FailTrap, "why"), Log: []byte("log"), Elapsed: 1})
	done := append(bytes.Clone(record), outcome...)
	binary.BigEndian.PutUint32(done[62:], uint32(len(outcome)))
	f.Add(append(done, "result"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := unpack("a", b)
		if err != nil {
			return
		}
		if len(r.Payload)+len(r.Result)+len(r.Log) > len(b) {
			t.Errorf("a record of %d bytes holds %d", len(b), len(r.Payload)+len(r.Result)+len(r.Log))
		}
	})
}
