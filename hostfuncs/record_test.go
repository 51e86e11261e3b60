package hostfuncs

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

var recorded = &hive.Manifest{Name: "bees", Version: "1.0.0"}

// told runs a guest that asks for something of everything, and returns what it was
// told. path is what it asks for first.
func (g *grantee) told(path string) string {
	g.Helper()
	var b strings.Builder
	w := g.World()
	fmt.Fprintln(&b, w.Realtime(), w.Monotonic())
	n, text := g.asks("kv_get", "", path)
	fmt.Fprintln(&b, n, text)
	random := make([]byte, 8)
	_, _ = w.Read(random)
	fmt.Fprintf(&b, "%x\n", random)
	n, text = g.asks("secret", "API_TOKEN")
	fmt.Fprintln(&b, n, len(text))
	n, _ = g.asks("kv_set", "", "with a secret", text, 0)
	fmt.Fprintln(&b, n)
	n, text = g.asks("kv_get", "", "broken")
	fmt.Fprintln(&b, n, text)
	w.Sleep(time.Millisecond)
	fmt.Fprintln(&b, w.Realtime())
	n, text = g.asks("task")
	fmt.Fprintln(&b, n, text)
	return b.String()
}

// record returns the recording of such a guest, and what it was told.
func record(t testing.TB, most int) (recording []byte, told string) {
	t.Helper()
	g := newGrantee(t, &Attempt{
		Record: most, Skill: bees, KV: fakeKV{"s.bees/a": "one s3cret-value", "s.bees/b": "two"}, Task: Task{ID: "d237", Attempt: 3},
		Allow:   hive.Allow{Secrets: []string{"API_TOKEN"}},
		Secrets: func(string) (string, bool) { return "s3cret-value", true },
	})
	told = g.told("a")
	return g.Recording(recorded), told
}

func read(t testing.TB, b []byte) *Recording {
	t.Helper()
	r, err := ReadRecording(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// parts returns why a guest of a replay was ended.
func parts(g *grantee, f func()) (why string) {
	defer func() {
		if _, is := recover().(fault); is {
			why = g.Replay.Diverged()
		}
	}()
	f()
	return ""
}

func TestReplay(t *testing.T) {
	b, told := record(t, hive.MaxRecording)
	r := read(t, b)
	if r.Attempt != 3 || r.Cut || r.Calls != 5 || !r.Of(recorded) || r.Of(&hive.Manifest{}) {
		t.Errorf("recorded %+v", r)
	}
	for _, loose := range []bool{false, true} {
		g := newGrantee(t, &Attempt{Replay: r.Replay(loose)})
		if got := g.told("a"); got != told || g.Replay.Replayed() != 5 || g.Replay.Diverged() != "" {
			t.Errorf("loose %v: told\n%swant\n%s", loose, got, told)
		}
		if list := g.Effects(); !list.None() {
			t.Errorf("it asks for %+v", list)
		}
	}
}

// TestReplayDiverges: at the first call that is another one.
func TestReplayDiverges(t *testing.T) {
	b, _ := record(t, hive.MaxRecording)
	r := read(t, b)
	for _, tt := range []struct {
		name  string
		loose bool
		ask   func(*grantee)
		want  string
	}{
		{"argument", true, func(g *grantee) { g.told("b") },
			`after 0 of 5 calls it was recorded to ask for kv_get("", "a"), and now asks for kv_get("", "b")`},
		{"function", true, func(g *grantee) { g.asks("file_list", "models") },
			`after 0 of 5 calls it was recorded to ask for kv_get("", "a"), and now asks for file_list("models")`},
		{"order", false, func(g *grantee) { g.asks("kv_get", "", "a") },
			`after 0 of 5 calls it was recorded to ask for the time, and now asks for kv_get("", "a")`},
		{"kind", false, func(g *grantee) { g.World().Sleep(time.Second) },
			`after 0 of 5 calls it was recorded to ask for the time, and now asks for a sleep of 1s`},
		{"end", true, func(g *grantee) { g.told("a"); g.asks("kv_incr", "", "n", 1) },
			`after 5 of 5 calls nothing more was recorded, and it asks for kv_incr("", "n", 1)`},
		{"end of another kind", false, func(g *grantee) { g.told("a"); g.World().Realtime() },
			`after 5 of 5 calls nothing more was recorded, and it asks for the time`},
		{"what is not shown", true, func(g *grantee) { g.asks("kv_get", "", "a"+strings.Repeat("a", 80)) },
			`after 0 of 5 calls it was recorded to ask for kv_get("", "a"), and now asks for kv_get("", "` + strings.Repeat("a", maxArgument) + `"…)`},
	} {
		g := newGrantee(t, &Attempt{Replay: r.Replay(tt.loose)})
		if got := parts(g, func() { tt.ask(g) }); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestLooseReplay: another build has its own way with time and chance.
func TestLooseReplay(t *testing.T) {
	b, told := record(t, hive.MaxRecording)
	g := newGrantee(t, &Attempt{Replay: read(t, b).Replay(true)})
	w := g.World()
	last := w.Realtime()
	for range 5 {
		now := w.Realtime()
		if now <= last {
			t.Errorf("after %d comes %d", last, now)
		}
		last = now
	}
	first, rest := make([]byte, 3), make([]byte, 105)
	w.Read(first)
	w.Read(rest)
	w.Sleep(time.Hour)
	if !strings.Contains(told, fmt.Sprintf("\n%x%x\n", first, rest[:5])) || bytes.Count(rest[5:], []byte{0}) > 20 {
		t.Errorf("random bytes %x %x, recorded %s", first, rest, told)
	}
	if n, text := g.asks("kv_get", "", "a"); n != 16 || text != "one s3cret-value" { // before it was read as a secret
		t.Errorf("kv_get = %d %q", n, text)
	}
}

// TestSecretsAreNotRecorded, whatever the answer or the argument that holds one.
func TestSecretsAreNotRecorded(t *testing.T) {
	g := newGrantee(t, &Attempt{
		Record: hive.MaxRecording, KV: fakeKV{"s.bees/a": "it is s3cret-value here"}, Skill: bees,
		Allow:   hive.Allow{Secrets: []string{"API_TOKEN"}},
		Secrets: func(string) (string, bool) { return "s3cret-value", true },
	})
	g.asks("secret", "API_TOKEN")
	g.asks("kv_get", "", "a")
	g.asks("kv_set", "", "b", "s3cret-value", 0)
	if bytes.Contains(g.tape.entries, []byte("s3cret")) {
		t.Errorf("recorded %q", g.tape.entries)
	}
	r := read(t, g.Recording(recorded))
	g = newGrantee(t, &Attempt{Replay: r.Replay(false)})
	g.gets("xxxxxxxxxxxx", "secret", "API_TOKEN")
	g.gets("it is xxxxxxxxxxxx here", "kv_get", "", "a")
	g.wants(0, "kv_set", "", "b", "what the secret makes of it", 0)
	const doubt = `call 3 was recorded as kv_set("", "b", "xxxxxxxxxxxx", 0), and is now kv_set("", "b", "what the secret makes of it", 0)`
	if got := g.Replay.Doubt(); got != doubt || g.Replay.Diverged() != "" {
		t.Errorf("it doubts %s, want %s", got, doubt)
	}
}

// TestCredentialsAreNotRecorded, also where they are made of what is no secret.
func TestCredentialsAreNotRecorded(t *testing.T) {
	url, host := serve(t, echo)
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	g.Record = hive.MaxRecording
	g.asks("http", "GET "+url+"\nauthorization: Basic dTpw\nX-API-Key:k3y\nX-Bee: bee", "")
	entries := string(g.tape.entries)
	if strings.Contains(entries, "dTpw\n") || strings.Contains(entries, "k3y") || !strings.Contains(entries, "authorization: [secret]") {
		t.Errorf("recorded %q", entries)
	}
	g = newGrantee(t, &Attempt{Replay: read(t, g.Recording(recorded)).Replay(false)})
	if n, _ := g.asks("http", "GET "+url+"\nauthorization: Basic b3RoZXI=\nX-API-Key:another\nX-Bee: bee", ""); n <= 0 {
		t.Errorf("http = %d", n)
	}
}

// TestOutOfTime: what an attempt waited for at its end is not recorded, and its
// replay is over there.
func TestOutOfTime(t *testing.T) {
	g := newGrantee(t, &Attempt{Record: hive.MaxRecording, KV: fakeKV{}, Skill: bees})
	g.wants(errAbsent, "kv_get", "", "a")
	ctx, cancel := context.WithCancel(g.ctx)
	cancel()
	g.ctx = ctx
	g.wants(errAbsent, "kv_get", "", "b")
	r := read(t, g.Recording(recorded))
	if r.Calls != 1 {
		t.Errorf("recorded %d calls", r.Calls)
	}
	r.OutOfTime = true
	g = newGrantee(t, &Attempt{Replay: r.Replay(false)})
	g.wants(errAbsent, "kv_get", "", "a")
	if why := parts(g, func() { g.asks("kv_get", "", "b") }); why != "" || !g.Replay.Over() {
		t.Errorf("parts with %q, over %v", why, g.Replay.Over())
	}
}

// TestRecordingIsBounded: what does not fit is left out, and so is all after it.
func TestRecordingIsBounded(t *testing.T) {
	b, told := record(t, 40)
	r := read(t, b)
	if !r.Cut || r.Calls != 0 || len(r.entries) == 0 {
		t.Errorf("recorded %d entries, %d calls, cut %v", len(r.entries), r.Calls, r.Cut)
	}
	g := newGrantee(t, &Attempt{Replay: r.Replay(false)})
	const want = `after 0 of 0 calls the recording is full there, and it asks for kv_get("", "a")`
	if got := parts(g, func() { g.told("a") }); got != want {
		t.Errorf("%s\nwant %s (%s)", got, want, told)
	}
	long := newGrantee(t, &Attempt{Record: hive.MaxRecording})
	for range 1000 {
		long.World().Realtime()
	}
	if b := long.Recording(recorded); len(b) > 2*len(long.tape.entries) || len(read(t, b).entries) != 1000 {
		t.Errorf("%d bytes of %d", len(b), len(long.tape.entries))
	}
	none := newGrantee(t, &Attempt{KV: fakeKV{}})
	none.asks("kv_get", "", "a")
	none.World().Realtime()
	if b := none.Recording(recorded); b != nil || none.tape.entries != nil {
		t.Errorf("recorded %q", b)
	}
}

// FuzzReadRecording: bytes from the road are a recording or they are not.
func FuzzReadRecording(f *testing.F) {
	b, _ := record(f, hive.MaxRecording)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte("1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ReadRecording(b)
		if err != nil {
			return
		}
		for _, loose := range []bool{false, true} {
			g := newGrantee(t, &Attempt{Replay: r.Replay(loose)})
			parts(g, func() { g.told("a") })
			for i := range r.entries {
				_ = r.entries[i].String()
			}
		}
	})
}

// FuzzEntries does so below the packing.
func FuzzEntries(f *testing.F) {
	g := newGrantee(f, &Attempt{Record: hive.MaxRecording, KV: fakeKV{"s.bees/a": "x"}, Skill: bees})
	g.told("a")
	f.Add(bytes.Clone(g.tape.entries))
	f.Fuzz(func(t *testing.T, entries []byte) {
		d := decoder{rest: entries}
		for len(d.rest) > 0 && !d.bad {
			e := d.entry()
			_ = e.String()
		}
	})
}
