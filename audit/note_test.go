package audit

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func note(t testing.TB, actor, action string) Note {
	t.Helper()
	n, err := NewNote(Entry{Actor: actor, Action: action, Outcome: OK}, start)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustIntake(t testing.TB, dir string) *Intake {
	t.Helper()
	in, err := OpenIntake(dir, Options{Now: ticking()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

func mustTake(t testing.TB, in *Intake, notes ...Note) {
	t.Helper()
	if err := in.Take(notes...); err != nil {
		t.Fatal(err)
	}
}

// wantActions checks the log's records, the oldest first.
func wantActions(t testing.TB, dir string, want ...string) []Record {
	t.Helper()
	mustVerify(t, dir)
	records, err := List(dir, Query{Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := len(records) - 1; i >= 0; i-- {
		got = append(got, records[i].Actor+" "+records[i].Action)
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Fatalf("records %q, want %q", got, want)
	}
	return records
}

func TestNoteTravels(t *testing.T) {
	t.Parallel()
	hostile := strings.Repeat("\x00\xff", 4000)
	long := Entry{Actor: hostile, Action: "a", Subject: hostile, Outcome: OK, Reason: hostile, Fields: map[string]string{}}
	for i := range maxFields - 2 {
		long.Fields["f"+strings.Repeat("x", 60)+strconv.Itoa(i)] = hostile
	}
	for _, e := range []Entry{entry(1), long} {
		n, err := NewNote(e, start.Add(time.Microsecond))
		if err != nil {
			t.Fatal(err)
		}
		data, err := n.Encode()
		if err != nil || len(data) > MaxNote {
			t.Fatalf("Encode = %d bytes, %v", len(data), err)
		}
		got, err := ReadNote(data)
		if err != nil || got.mark() != n.mark() || !got.Time.Equal(start) || got.Reason != n.Reason || len(got.Fields) != len(n.Fields) {
			t.Errorf("ReadNote = %+v, %v, want %+v", got, err, n)
		}
		dir := t.TempDir()
		in := mustIntake(t, dir)
		mustTake(t, in, got)
		r := wantActions(t, dir, got.Actor+" "+e.Action)[0]
		if r.Fields["id"] != n.ID || r.Fields["at"] != "2026-01-02T03:04:05Z" {
			t.Errorf("record %+v, want id and time of the note", r)
		}
	}
}

func TestNoteRefused(t *testing.T) {
	t.Parallel()
	good, err := note(t, "a", "b.c").Encode()
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	for _, bad := range []string{
		"", "null", "{}", "[]", text + text, text + " ", text[:len(text)-1], strings.Repeat(" ", MaxNote) + text,
		strings.Replace(text, `"id":"`, `"id":"../`, 1), strings.Replace(text, "b.c", "B", 1), strings.Replace(text, "ok", "fine", 1),
		strings.Replace(text, "{", `{"seq":1,`, 1), strings.Replace(text, "{", `{"fields":{"id":"x"},`, 1),
	} {
		if n, err := ReadNote([]byte(bad)); err == nil {
			t.Errorf("ReadNote(%.200q) = %+v, want an error", bad, n)
		}
	}
}

func FuzzReadNote(f *testing.F) {
	n, err := NewNote(entry(1), start)
	if err != nil {
		f.Fatal(err)
	}
	good, err := n.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"id":"a","time":"0001-01-01T00:00:00+23:59","action":"a","outcome":"ok"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := ReadNote(data)
		if err != nil {
			return
		}
		again, err := n.Encode()
		if err != nil || len(again) > MaxNote {
			t.Fatalf("Encode = %d bytes, %v", len(again), err)
		}
		if err := mustIntake(t, t.TempDir()).Take(n); err != nil {
			t.Fatalf("Take(%+v) = %v", n, err)
		}
	})
}

// A note that comes again is in the log once: at once, and after a restart. What
// another actor gives the same id is another note.
func TestEachNoteOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := note(t, "spore/a", "one"), note(t, "spore/b", "two")
	b.ID = a.ID
	in := mustIntake(t, dir)
	mustTake(t, in, a, a)
	mustTake(t, in, a)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	mustTake(t, in, a, b) // it opens the log again
	in.Close()
	again := mustIntake(t, dir)
	mustTake(t, again, b, a, note(t, "spore/a", "three"))
	wantActions(t, dir, "spore/a one", "spore/b two", "spore/a three")
}

// What is remembered does not grow without end.
func TestWindow(t *testing.T) {
	t.Parallel()
	in := mustIntake(t, t.TempDir())
	notes := make([]Note, window+10)
	for i := range notes {
		notes[i] = note(t, "a", "b")
	}
	mustTake(t, in, notes...)
	if len(in.seen) != window || len(in.order) != window || in.seen[notes[0].mark()] || !in.seen[notes[10].mark()] {
		t.Errorf("%d marks are remembered, in order %d, want %d, without the oldest", len(in.seen), len(in.order), window)
	}
}

// A write that fails loses nothing: the log is opened again, and what is taken again
// is there once.
func TestTakeAgain(t *testing.T) {
	t.Parallel()
	for what, bad := range map[string]shortDisk{
		"full": {room: 300}, "full and stuck": {room: 300, failUndo: true}, "no sync": {room: 1 << 20, failSync: true},
	} {
		dir := t.TempDir()
		in := mustIntake(t, dir)
		one, two := note(t, "a", "one"), note(t, "a", "two")
		bad.file = in.log.f
		in.log.f = &bad
		if err := in.Take(one, two); err == nil {
			t.Fatalf("%s: Take succeeded", what)
		}
		mustTake(t, in, one, two)
		got, err := List(dir, Query{Action: "two"})
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v, %v, want one record", what, got, err)
		}
		mustVerify(t, dir)
	}
}

func TestSpool(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "log") // none yet
	leave := func(action string) {
		t.Helper()
		if err := Leave(dir, note(t, "user/x", action)); err != nil {
			t.Fatal(err)
		}
	}
	leave("one")
	leave("two")
	in := mustIntake(t, dir)
	// A crash between append and removal.
	paths, err := Pending(dir)
	if err != nil || len(paths) != 2 {
		t.Fatalf("Pending = %v, %v", paths, err)
	}
	data, err := readSpooled(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	first, err := ReadNote(data)
	if err != nil {
		t.Fatal(err)
	}
	mustTake(t, in, first)
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Fatalf("Open = %v, want it locked", err)
	}
	leave("three") // whoever holds the lock
	write(t, filepath.Join(dir, spoolName, "zz.json"), []byte("{"))
	write(t, filepath.Join(dir, spoolName, ".begun.json"), []byte("{"))
	if err := os.Mkdir(filepath.Join(dir, spoolName, "zy.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := in.Spool(); err != nil {
			t.Fatal(err)
		}
	}
	records := wantActions(t, dir, "user/x one", "user/x two", "user/x three", "audit audit.unreadable", "audit audit.unreadable")
	if r := records[0]; r.Subject != "pending/zz.json" || r.Outcome != Refused {
		t.Errorf("%+v, want what was refused", r)
	}
	if paths, err = Pending(dir); err != nil || len(paths) != 0 {
		t.Errorf("Pending = %v, %v, want none", paths, err)
	}
	if _, err := os.Stat(filepath.Join(dir, spoolName, "zz.json.bad")); err != nil {
		t.Error(err)
	}
}

// A note that cannot be read stays, and keeps no other from being taken in.
func TestSpoolUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Leave(dir, note(t, "user/x", "one")); err != nil {
		t.Fatal(err)
	}
	paths, err := Pending(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := mustIntake(t, dir)
	gone := filepath.Join(dir, spoolName, "0.json") // by whoever held the log before
	if err := in.spool(append([]string{gone}, paths...)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("spool = %v, want that one is not there", err)
	}
	wantActions(t, dir, "user/x one")
}

// An export is the lines of the log and a head; it is held against the log that it
// came from, and finds that one shorter.
func TestExport(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := newLog(t, 40, Options{MaxFile: 2000})
	path := filepath.Join(t.TempDir(), "export")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := Export(dir, f, private)
	if err != nil || r.Last != 40 || r.Files < 2 {
		t.Fatalf("Export = %+v, %v", r, err)
	}
	head, err := ReadHeadOf(path, public)
	if err != nil || head != r.Head {
		t.Fatalf("ReadHeadOf = %+v, %v, want %+v", head, err, r.Head)
	}
	mustVerify(t, dir, head)
	files, err := logFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, file := range files {
		all = append(all, read(t, file.path)...)
	}
	if text := string(read(t, path)); !strings.HasPrefix(text, string(all)) || strings.Count(text, "\n") != 41 {
		t.Errorf("the export is not the log and a line")
	}
	last := files[len(files)-1].path
	write(t, last, read(t, last)[:10])
	if _, err := Verify(dir, head); err == nil {
		t.Error("a cut tail is not found")
	}
	if err := os.Remove(files[0].path); err != nil {
		t.Fatal(err)
	}
	if _, err := Export(dir, f, private); err == nil {
		t.Error("a damaged log is exported")
	}
}

func TestSaveHead(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	in := mustIntake(t, t.TempDir())
	for range 2 {
		mustTake(t, in, note(t, "a", "b"))
		head, err := in.Head()
		if err != nil {
			t.Fatal(err)
		}
		if err := head.Save(in.dir, private); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(in.dir, HeadFile)
		if got, err := ReadHeadOf(path, public); err != nil || got.Hash != head.Hash {
			t.Errorf("ReadHeadOf = %+v, %v, want %+v", got, err, head)
		}
		if _, err := ReadHeadOf(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("without keys: %v, want an error that names the file", err)
		}
	}
}
