package audit

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// forge rewrites the log from record seq on as its writer would have written it: a
// chain that holds.
func forge(t *testing.T, dir string, seq int64) {
	t.Helper()
	path := onlyFile(t, dir)
	lines := bytes.SplitAfter(read(t, path), []byte("\n"))
	lines = lines[:len(lines)-1]
	prev := ""
	for i := seq - 1; i < int64(len(lines)); i++ {
		r, err := decode(bytes.TrimSuffix(lines[i], []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		if r.Subject = "forged"; prev != "" {
			r.Prev = prev
		}
		line, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		lines[i], prev = append(line, '\n'), hashOf(line)
	}
	write(t, path, bytes.Join(lines, nil))
}

// edit changes the lines of a log of one file.
func edit(f func(lines []string) []string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path := onlyFile(t, dir)
		lines := strings.SplitAfter(string(read(t, path)), "\n")
		write(t, path, []byte(strings.Join(f(lines[:len(lines)-1]), "")))
	}
}

func replace(line int, old, new string) func(*testing.T, string) {
	return edit(func(l []string) []string {
		l[line-1] = strings.Replace(l[line-1], old, new, 1)
		return l
	})
}

// TestVerifyNamesTheFirstBadRecord damages a log of six records. What is found
// without a head is 0 where only a head finds it.
func TestVerifyNamesTheFirstBadRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage        func(*testing.T, string)
		alone, headed int64
		why           string
	}{
		"text changed":          {replace(3, "secscan", "secscaN"), 3, 3, "it was changed: record 4"},
		"first text changed":    {replace(1, "secscan", "secscaN"), 1, 1, "it was changed: record 2"},
		"link changed":          {replace(3, `"prev":"`, `"prev":"0`), 3, 3, "not a record"},
		"link to nowhere":       {edit(func(l []string) []string { l[3] = l[3][:len(l[3])-67] + origin + "\"}\n"; return l }), 4, 4, "neither record 3 nor what follows"},
		"first link":            {replace(1, origin[:9], "000000001"), 1, 1, "there is none"},
		"last text changed":     {replace(6, "secscan", "secscaN"), 0, 6, "a head names"},
		"last is no record":     {replace(6, `"outcome"`, `"income"`), 6, 6, ""},
		"last link changed":     {edit(func(l []string) []string { l[5] = l[5][:len(l[5])-67] + origin + "\"}\n"; return l }), 5, 6, ""},
		"text of 5":             {replace(5, "secscan", "secscaN"), 5, 5, ""},
		"removed":               {edit(func(l []string) []string { return slices.Delete(l, 2, 3) }), 3, 3, "missing: record 4"},
		"first removed":         {edit(func(l []string) []string { return l[1:] }), 1, 1, "its name says 1"},
		"last removed":          {edit(func(l []string) []string { return l[:5] }), 0, 6, "the log ends before it"},
		"all removed":           {edit(func([]string) []string { return nil }), 0, 1, "the log ends before it"},
		"doubled":               {edit(func(l []string) []string { return slices.Insert(l, 2, l[1]) }), 3, 3, "missing: record 2"},
		"swapped":               {edit(func(l []string) []string { l[1], l[2] = l[2], l[1]; return l }), 2, 2, "missing: record 3"},
		"empty line":            {edit(func(l []string) []string { return slices.Insert(l, 2, "\n") }), 3, 3, "not a record"},
		"long line":             {edit(func(l []string) []string { return slices.Insert(l, 2, strings.Repeat("x", MaxLine)+"\n") }), 3, 3, "more than"},
		"written anew from 4":   {func(t *testing.T, dir string) { forge(t, dir, 4) }, 0, 6, "a head names"},
		"written anew from 1":   {func(t *testing.T, dir string) { forge(t, dir, 1) }, 0, 6, "a head names"},
		"file under other name": {func(t *testing.T, dir string) { rename(t, dir, 1, 2) }, 1, 1, "its name says 2"},
		"file removed":          {func(t *testing.T, dir string) { remove(t, onlyFile(t, dir)) }, 0, 1, "the log ends before it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newLog(t, 6, Options{})
			head := mustVerify(t, dir).Head
			c.damage(t, dir)
			_, err := Verify(dir)
			checkDamage(t, "without a head", err, c.alone)
			if _, err = Verify(dir, head); err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v, want %q in it", err, c.why)
			}
			checkDamage(t, "with a head", err, c.headed)
		})
	}
}

func checkDamage(t *testing.T, how string, err error, want int64) {
	t.Helper()
	var d *Damage
	switch {
	case want == 0 && err != nil:
		t.Errorf("%s: %v, want nothing", how, err)
	case want > 0 && (!errors.As(err, &d) || d.Seq != want):
		t.Errorf("%s: %v, want record %d named", how, err, want)
	}
}

func rename(t *testing.T, dir string, from, to int64) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, fileName(from)), filepath.Join(dir, fileName(to))); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// Old files may be moved away when a head of their last record is kept.
func TestVerifyWhatIsLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{MaxFile: 1, NoSync: true})
	mustAppend(t, l, 2)
	head, err := l.Head()
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, 2)
	remove(t, filepath.Join(dir, fileName(1)))
	remove(t, filepath.Join(dir, fileName(2)))
	_, err = Verify(dir)
	checkDamage(t, "without a head", err, 1)
	if r := mustVerify(t, dir, head); r.First != 3 || r.Last != 4 {
		t.Errorf("Verify = %+v, want records 3 to 4", r)
	}
	head.Hash = origin
	_, err = Verify(dir, head)
	checkDamage(t, "another log's head", err, 1)
	remove(t, filepath.Join(dir, fileName(3)))
	_, err = Verify(dir, head)
	checkDamage(t, "a file more is gone", err, 1)
}

func TestVerifyFiles(t *testing.T) {
	t.Parallel()
	dir := newLog(t, 4, Options{MaxFile: 1})
	middle := filepath.Join(dir, fileName(2))
	whole := read(t, middle)
	write(t, filepath.Join(dir, "audit-3.jsonl"), nil) // not a name that the log gives
	mustVerify(t, dir)
	write(t, middle, whole[:len(whole)-1])
	_, err := Verify(dir)
	checkDamage(t, "a line that is not finished", err, 2)
	remove(t, middle)
	_, err = Verify(dir)
	checkDamage(t, "a file is gone", err, 2)
}

func TestHeadIsSigned(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{})
	for range 2 { // also of an empty log
		head, err := l.Head()
		if err != nil {
			t.Fatal(err)
		}
		data, err := head.Sign(private)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadHead(data, other, nil, public)
		if err != nil || got.Seq != head.Seq || got.Hash != head.Hash || !got.Time.Equal(head.Time) {
			t.Errorf("ReadHead = %v, %v, want %v", got, err, head)
		}
		mustVerify(t, dir, got)
		if _, err := ReadHead(data, other); err == nil || !strings.Contains(err.Error(), "none of the known keys") {
			t.Errorf("by another key: %v", err)
		}
		for i := range bytes.TrimSpace(data) {
			bad := bytes.Clone(data)
			bad[i] ^= 1
			if _, err := ReadHead(bad, public); err == nil {
				t.Errorf("changed at %d: %s is read", i, bad)
			}
		}
		mustAppend(t, l, 1)
	}
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Head{}).Sign(foreign); err == nil || err.Error() != "sign audit head: want an ed25519 key" {
		t.Errorf("Sign by an ECDSA key = %v", err)
	}
	odd, err := Head{Seq: 1, Hash: "../x"}.Sign(private)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(odd), "", "{}", "null", `{"seq":-1}`, strings.Repeat(" ", 2000)} {
		if _, err := ReadHead([]byte(text), public); err == nil {
			t.Errorf("ReadHead(%q) is read", text)
		}
	}
}

// Whatever stands in the file: Verify and List agree, and what Open takes it goes
// on with.
func FuzzLog(f *testing.F) {
	whole := read(f, onlyFile(f, newLog(f, 3, Options{})))
	f.Add(whole)
	f.Add(whole[:len(whole)-9])
	f.Add([]byte("\n"))
	f.Add([]byte(`{"seq":1,"time":"2026-01-02T03:04:05Z","actor":"","action":"a","outcome":"ok","prev":"` + origin + "\"}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, fileName(1)), text)
		report, errVerify := Verify(dir)
		listed, errList := List(dir, Query{Limit: 1 << 20})
		if errVerify == nil && errList == nil && int64(len(listed)) != report.Last {
			t.Fatalf("Verify has %d records, List %d", report.Last, len(listed))
		}
		if _, err := List(dir, Query{Before: 2}); err != nil && errList == nil {
			t.Fatalf("List before 2: %v, List: nil", err)
		}
		l, err := Open(dir, Options{NoSync: true})
		if err != nil {
			return
		}
		mustAppend(t, l, 1)
		mustClose(t, l)
		after, err := Verify(dir)
		if (err == nil) != (errVerify == nil) {
			t.Fatalf("Verify: %v; after another record: %v", errVerify, err)
		}
		if err == nil && after.Last <= report.Last {
			t.Fatalf("%d records, then %d", report.Last, after.Last)
		}
	})
}

// With a head, no change of a byte and no cut goes unseen.
func FuzzEdit(f *testing.F) {
	dir := newLog(f, 4, Options{})
	whole := read(f, onlyFile(f, dir))
	head := mustVerify(f, dir).Head
	f.Add(0, 1, []byte("x"))
	f.Add(len(whole)-1, 1, []byte{})
	f.Add(500, 100, []byte("\n"))
	f.Fuzz(func(t *testing.T, at, cut int, put []byte) {
		if at < 0 || cut < 0 || at > len(whole) || cut > len(whole)-at {
			return
		}
		edited := slices.Concat(whole[:at], put, whole[at+cut:])
		dir := t.TempDir()
		write(t, filepath.Join(dir, fileName(1)), edited)
		report, err := Verify(dir, head)
		if err == nil && !bytes.HasPrefix(edited, whole) || err != nil && bytes.Equal(edited, whole) {
			t.Fatalf("Verify = %+v, %v of %s", report, err, edited)
		}
	})
}

func ExampleVerify() {
	dir, err := os.MkdirTemp("", "audit-")
	if err != nil {
		return
	}
	defer os.RemoveAll(dir)
	l, err := Open(dir, Options{})
	if err != nil {
		return
	}
	for _, version := range []string{"1.2.0", "1.3.0", "1.4.0"} {
		_, _ = l.Append(Entry{Actor: "publisher", Action: "bundle.publish", Subject: "secscan@" + version, Outcome: OK})
	}
	_ = l.Close()
	path := filepath.Join(dir, fileName(1))
	text, _ := os.ReadFile(path)
	_ = os.WriteFile(path, bytes.Replace(text, []byte("1.2.0"), []byte("1.9.0"), 1), 0o600)
	_, err = Verify(dir)
	var damage *Damage
	fmt.Println(errors.As(err, &damage), damage)
	// Output: true record 1 (audit-000000000001.jsonl, line 1): it was changed: record 2 names another one before it
}
