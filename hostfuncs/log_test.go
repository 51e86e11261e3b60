package hostfuncs

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

const page = 1 << 16

func TestLog(t *testing.T) {
	f, memory := newGuest(t)
	memory.Write(1000, []byte(strings.Repeat("é", maxLine)))
	memory.Write(20, []byte("two\nlines\n\n"))
	memory.Write(40, []byte("\xff\xfe"))
	for _, tt := range []struct {
		level, ptr, n uint32
		answer        int32
		line          string
	}{
		{0, 0, 5, 0, "debug: hello\n"},
		{1, 0, 10, 0, "info: hello bees\n"},
		{2, 6, 4, 0, "warn: bees\n"},
		{3, 6, 4, 0, "error: bees\n"},
		{1, 0, 0, 0, "info: \n"},
		{1, page, 0, 0, "info: \n"},
		{1, 20, 11, 0, "info: two\nlines\n"},
		{1, 40, 2, 0, "info: \uFFFD\n"},
		{1, 1000, maxLine, 0, "info: " + strings.Repeat("é", maxLine/2) + "\n"},
		{1, 1000, maxLine + 2, 0, "info: " + strings.Repeat("é", maxLine/2-2) + "…\n"},
		{4, 0, 5, errInvalid, ""},
		{1<<32 - 1, 0, 5, errInvalid, ""},
		{1, page, 1, errRange, ""},
		{1, page + 1, 0, errRange, ""},
		{1, 1, page, errRange, ""},
		{1, 1<<32 - 1, 1, errRange, ""},
		{1, 1<<32 - 1, 1<<32 - 1, errRange, ""},
		{1, 2, 1<<32 - 1, errRange, ""},
	} {
		var b bytes.Buffer
		got := ask(t, f, &Attempt{Grants: []hive.Grant{hive.GrantLog}, Log: &b}, tt.level, tt.ptr, tt.n)
		if got != tt.answer || b.String() != tt.line {
			t.Errorf("log(%d, %d, %d) = %d, %.50q, want %d, %.50q", tt.level, tt.ptr, tt.n, got, &b, tt.answer, tt.line)
		}
	}
}

func FuzzLog(f *testing.F) {
	f.Add(uint32(1), uint32(0), uint32(10), []byte("hello"))
	f.Add(uint32(9), uint32(1<<32-1), uint32(1<<32-1), []byte("\xff\n"))
	call, memory := newGuest(f)
	f.Fuzz(func(t *testing.T, level, ptr, n uint32, text []byte) {
		memory.Write(0, text[:min(len(text), page)])
		var b bytes.Buffer
		answer := ask(t, call, &Attempt{Grants: []hive.Grant{hive.GrantLog}, Log: &b}, level, ptr, n)
		if (answer == 0) != (b.Len() > 0) || answer > 0 || answer < errInvalid {
			t.Errorf("log(%d, %d, %d) = %d and wrote %q", level, ptr, n, answer, &b)
		}
		if !utf8.Valid(b.Bytes()) || b.Len() > maxLine+len("debug: \n") {
			t.Errorf("log(%d, %d, %d) wrote %d bytes: %.100q", level, ptr, n, b.Len(), &b)
		}
	})
}
