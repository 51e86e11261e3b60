package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is the time of the first record of most tests; each next one is a second
// later.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func ticking() func() time.Time {
	next := start
	return func() time.Time {
		defer func() { next = next.Add(time.Second) }()
		return next
	}
}

func mustOpen(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, l) })
	return l
}

func mustClose(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// entry is the nth of a series: no two neighbours are alike.
func entry(n int64) Entry {
	return Entry{
		Actor: fmt.Sprintf("spore-%d", n%3), Action: []string{"bundle.install", "bundle.publish", "command"}[n%3],
		Subject: "secscan@1.3.0", Outcome: []Outcome{OK, Refused}[n%2], Reason: "rollback: generation 4 is below 7",
		Fields: map[string]string{"digest": "sha256:" + strings.Repeat("ab", 32)},
	}
}

func mustAppend(t testing.TB, l *Log, n int) {
	t.Helper()
	for range n {
		if _, err := l.Append(entry(l.head.Seq + 1)); err != nil {
			t.Fatal(err)
		}
	}
}

func mustVerify(t testing.TB, dir string, heads ...Head) Report {
	t.Helper()
	r, err := Verify(dir, heads...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// newLog writes a log of n records and returns its directory.
func newLog(t testing.TB, n int, o Options) string {
	t.Helper()
	dir := t.TempDir()
	if o.Now == nil {
		o.Now = ticking()
	}
	o.NoSync = true
	l := mustOpen(t, dir, o)
	mustAppend(t, l, n)
	mustClose(t, l)
	return dir
}

func onlyFile(t testing.TB, dir string) string {
	t.Helper()
	files, err := logFiles(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("files of the log: %v, %v, want one", files, err)
	}
	return files[0].path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLogIsReadBack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "audit")
	l := mustOpen(t, dir, Options{Now: ticking()})
	sent := Entry{Actor: "nexus", Action: "bundle.publish", Subject: "secscan@1.3.0", Outcome: OK,
		Reason: "a\nb\x1b[2J\u202e\u00e9\U0001F41D\x7f\xff<&>", Fields: map[string]string{"size": "12", "a.b": ""}}
	first, err := l.Append(sent)
	if err != nil {
		t.Fatal(err)
	}
	if first.Seq != 1 || first.Prev != origin || !first.Time.Equal(start) {
		t.Fatalf("first record: %+v", first)
	}
	mustAppend(t, l, 2)
	mustClose(t, l)
	for _, c := range read(t, onlyFile(t, dir)) {
		if c != '\n' && (c < ' ' || c > '~') {
			t.Fatalf("byte %#x in the log, want printable ASCII", c)
		}
	}
	got, err := List(dir, Query{})
	if err != nil || len(got) != 3 {
		t.Fatalf("List = %v, %v, want 3 records", got, err)
	}
	sent.Reason = strings.ToValidUTF8(sent.Reason, "\uFFFD")
	if fmt.Sprint(got[2].Entry) != fmt.Sprint(sent) || got[2].Seq != 1 {
		t.Errorf("the oldest = %+v, want %+v", got[2].Entry, sent)
	}
	if r := mustVerify(t, dir); r.First != 1 || r.Last != 3 || r.Files != 1 || !r.Head.Time.Equal(got[0].Time) {
		t.Errorf("Verify = %+v", r)
	}
	info, err := os.Stat(onlyFile(t, dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range maxFields + 1 {
		many[fmt.Sprintf("f%d", i)] = ""
	}
	for want, mutate := range map[string]func(*Entry){
		`action ""`:                  func(e *Entry) { e.Action = "" },
		`action "Bundle publish"`:    func(e *Entry) { e.Action = "Bundle publish" },
		`action "a.` + "\\n" + `"`:   func(e *Entry) { e.Action = "a.\n" },
		`outcome "fine"`:             func(e *Entry) { e.Outcome = "fine" },
		"17 fields: at most 16":      func(e *Entry) { e.Fields = many },
		`field "a b"`:                func(e *Entry) { e.Fields = map[string]string{"a b": ""} },
		"at most 64 of a-z, 0-9 and": func(e *Entry) { e.Action = strings.Repeat("a", 65) },
	} {
		l := mustOpen(t, t.TempDir(), Options{NoSync: true})
		e := entry(1)
		mutate(&e)
		if _, err := l.Append(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Append(%+v) = %v, want %q in it", e, err, want)
		}
		if r := mustVerify(t, l.dir); r.Last != 0 {
			t.Errorf("a refused entry left %d records", r.Last)
		}
	}
}

// The longest entry, of bytes that take the most room, still fits in a line.
func TestLongTextsAreClipped(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\x01", 5000)
	e := Entry{Actor: long, Action: strings.Repeat("a", maxName), Subject: long, Outcome: Refused, Reason: long, Fields: map[string]string{}}
	for i := range maxFields {
		e.Fields[fmt.Sprintf("%s%02d", strings.Repeat("f", maxName-2), i)] = long
	}
	l := mustOpen(t, t.TempDir(), Options{NoSync: true})
	r, err := l.Append(e)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Reason) != maxText || len(r.Actor) != maxActor || len(e.Fields["ff"]) != 0 {
		t.Errorf("kept %d and %d bytes, want %d and %d", len(r.Reason), len(r.Actor), maxText, maxActor)
	}
	if n := len(read(t, onlyFile(t, l.dir))); n > MaxLine || n < 6*maxFields*(maxText-8) {
		t.Errorf("line of %d bytes, want at most %d", n, MaxLine)
	}
	if got, err := List(l.dir, Query{}); err != nil || len(got) != 1 {
		t.Errorf("List = %d records, %v", len(got), err)
	}
}

func TestOneWriter(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, t.TempDir(), Options{})
	if _, err := Open(l.dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Fatalf("second Open = %v, want %v", err, ErrLocked)
	}
	mustClose(t, l)
	if _, err := l.Append(entry(1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Append after Close = %v, want %v", err, os.ErrClosed)
	}
	mustAppend(t, mustOpen(t, l.dir, Options{}), 1)
}

func TestAppendAtOnce(t *testing.T) {
	t.Parallel()
	const writers, each = 16, 25
	l := mustOpen(t, t.TempDir(), Options{MaxFile: 8 << 10})
	var wg sync.WaitGroup
	seen := make([]map[int64]bool, writers)
	for w := range writers {
		seen[w] = map[int64]bool{}
		wg.Go(func() {
			for range each {
				r, err := l.Append(entry(int64(w)))
				if err != nil {
					t.Error(err)
				}
				seen[w][r.Seq] = true
				if _, err := l.Head(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	all := map[int64]bool{}
	for _, s := range seen {
		for seq := range s {
			all[seq] = true
		}
	}
	head, err := l.Head()
	if err != nil {
		t.Fatal(err)
	}
	if r := mustVerify(t, l.dir, head); len(all) != writers*each || r.Last != writers*each || r.Head != head || r.Files < 10 {
		t.Errorf("%d numbers given out, %+v, want %d records in 10 files or more, head %v", len(all), r, writers*each, head)
	}
}

// A log that is opened again and again, in files of one record and of several, is
// one chain.
func TestFilesAreOneChain(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{1, 1000, 1 << 20} {
		dir := t.TempDir()
		for i := range 10 {
			l := mustOpen(t, dir, Options{MaxFile: size, NoSync: true})
			mustAppend(t, l, i%4)
			mustClose(t, l)
		}
		r := mustVerify(t, dir)
		files, err := logFiles(dir)
		if err != nil || r.Last != 13 || r.Files != len(files) {
			t.Errorf("files of %d bytes: Verify = %+v, %d files, want 13 records", size, r, len(files))
		}
		if size == 1 && r.Files != 13 {
			t.Errorf("%d files, want one per record", r.Files)
		}
	}
}

// Each record has one spelling: no other is read.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good := `{"seq":1,"time":"2026-01-02T03:04:05Z","actor":"\u00e9","action":"a.b","outcome":"ok","fields":{"a":"","b":""},"prev":"` + origin + `"}`
	if _, err := decode([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for old, bad := range map[string]string{
		`"seq":1`:          `"seq":0`,
		`{"seq":1`:         `{"seq":1,"seq":1`,
		`,"outcome"`:       `,"x":1,"outcome"`,
		`"prev"`:           `"PREV"`,
		`000"}`:            `00g"}`,
		origin:             "",
		`\u00e9`:           `\u00E9`,
		`"\u00e9"`:         `"é"`,
		`"actor":"`:        `"actor":"` + "\x7f",
		`":"a.b"`:          `": "a.b"`,
		`a.b`:              `a b`,
		`"ok"`:             `"good"`,
		`:05Z`:             `:05.000Z`,
		`"a":"","b":""`:    `"b":"","a":""`,
		`"fields":{"a":"`:  `"fields":{"A":"`,
		`,"outcome":"ok",`: `,"outcome":"ok","reason":"",`,
		`"}`:               `"}}`,
	} {
		line := strings.Replace(good, old, bad, 1)
		if r, err := decode([]byte(line)); line == good || err == nil {
			t.Errorf("decode(%s) = %+v", line, r)
		}
	}
}
