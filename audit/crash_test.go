package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A crash at every byte of the last record, also of the first one: what was whole
// stays, and the log goes on and says so.
func TestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	for _, records := range []int{1, 2} {
		whole := read(t, onlyFile(t, newLog(t, records, Options{})))
		dir := t.TempDir()
		path := filepath.Join(dir, fileName(1))
		for cut := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1; cut < len(whole); cut++ {
			write(t, path, whole[:cut])
			kept := int64(bytes.Count(whole[:cut], []byte("\n")))
			torn := int64(cut - bytes.LastIndexByte(whole[:cut], '\n') - 1)
			if r := mustVerify(t, dir); r.Last != kept || r.Unfinished != torn {
				t.Fatalf("cut at %d: Verify = %+v, want %d records and %d bytes", cut, r, kept, torn)
			}
			l, err := Open(dir, Options{NoSync: true})
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			mustAppend(t, l, 1)
			mustClose(t, l)
			got, err := List(dir, Query{Action: actionRepair})
			if err != nil || l.Repaired() != torn || (len(got) == 1) != (torn > 0) {
				t.Fatalf("cut at %d: repaired %d, records of it %v, %v, want %d bytes", cut, l.Repaired(), got, err, torn)
			}
			if torn > 0 {
				kept++
				if got[0].Fields["bytes"] != fmt.Sprint(torn) {
					t.Fatalf("cut at %d: %v, want %d bytes", cut, got[0], torn)
				}
			}
			if r := mustVerify(t, dir); r.Last != kept+1 || r.Unfinished != 0 {
				t.Fatalf("cut at %d: Verify = %+v, want %d records", cut, r, kept+1)
			}
		}
	}
}

// A crash while the next file is made: it has no record, or half of one.
func TestCutInNewFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", `{"seq":3,`} {
		dir := newLog(t, 2, Options{})
		write(t, filepath.Join(dir, fileName(3)), []byte(text))
		l := mustOpen(t, dir, Options{})
		mustAppend(t, l, 1)
		want := int64(3)
		if text != "" {
			want++
		}
		if r := mustVerify(t, dir); r.Last != want || r.Files != 2 {
			t.Errorf("%q: Verify = %+v, want %d records in 2 files", text, r, want)
		}
	}
}

func TestOpenRefusesDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, dir string){
		"the last line is not a record": func(t *testing.T, dir string) {
			path := onlyFile(t, dir)
			b := read(t, path)
			write(t, path, append(b[:len(b)-40], "\n"...))
		},
		"a line of more than": func(t *testing.T, dir string) {
			path := onlyFile(t, dir)
			write(t, path, append(read(t, path), bytes.Repeat([]byte("x"), MaxLine)...))
		},
		"the record before it is missing: the last one is 2": func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, fileName(4)), nil)
		},
		"is a directory": func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, fileName(3)), 0o700); err != nil {
				t.Fatal(err)
			}
		},
	} {
		dir := newLog(t, 2, Options{})
		damage(t, dir)
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Open = %v, want %q in it", err, name)
		}
		if _, err := Open(dir, Options{}); errors.Is(err, ErrLocked) {
			t.Error("a log that was not opened stays locked")
		}
	}
}
