package runtime

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

func TestLogIsCut(t *testing.T) {
	for _, tt := range []struct {
		limit  int64
		writes []string
		want   string
	}{
		{20, []string{"hello\n", "bees\n"}, "hello\nbees\n"},
		{20, []string{"01234567890123456789"}, "01234567890123456789"},
		{20, []string{"0123456789", "01234567890", "more"}, "0123\n[log cut here]\n"},
		{20, []string{strings.Repeat("x", 1000)}, "xxxx\n[log cut here]\n"},
		{5, []string{"123456"}, "\n[log"},
		{0, []string{"x"}, ""},
		{-1, []string{"x"}, ""},
		{20, nil, ""},
	} {
		l := NewLog(tt.limit)
		for _, w := range tt.writes {
			if n, err := l.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("Write(%q) = %d, %v", w, n, err)
			}
		}
		if got := string(l.Bytes()); got != tt.want {
			t.Errorf("log of %q, limit %d = %q, want %q", tt.writes, tt.limit, got, tt.want)
		}
	}
}

func TestLastWords(t *testing.T) {
	for _, tt := range []struct{ log, want string }{
		{"", ""},
		{"\n \n", ""},
		{"one\ntwo", "two"},
		{"one\ntwo\n\n\r\n", "two"},
		{"\x1b[31mred\x07 alert\xff\n", "[31mred  alert\uFFFD"},
		{"panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:5 +0x2\n", "panic: boom"},
		{"fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1:\n", "fatal error: all goroutines are asleep - deadlock!"},
		{strings.Repeat("x", 1000), strings.Repeat("x", logLine-len("…")) + "…"},
		{strings.Repeat("noise\n", 10_000) + "the reason\n", "the reason"},
	} {
		l := NewLog(100)
		for chunk := range strings.SplitAfterSeq(tt.log, "\n") {
			l.Write([]byte(chunk))
		}
		if got := l.lastWords(); got != tt.want {
			t.Errorf("last words of %.60q = %q, want %q", tt.log, got, tt.want)
		}
	}
}

// TestLogOfAnAttempt: the limit is the manifest's unless the caller brings a log.
func TestLogOfAnAttempt(t *testing.T) {
	g := reactor(num(2), num(0), num(1), num(32), call(3), drop, num(0))
	g.imports = append(g.imports, imported{wasiModule, "fd_write", 4, 1})
	g.data = "\x10\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00 a long story"
	s := skillOf(t, g.bytes(), hive.Manifest{Limits: hive.SkillLimits{Log: 5}})
	if out := s.Call(t.Context(), Call{}); string(out.Log) != "\n[log" {
		t.Errorf("log = %q", out.Log)
	}
	l := NewLog(100)
	fmt.Fprintln(l, "before")
	if out := s.Call(t.Context(), Call{Log: l}); string(out.Log) != "before\n a long stor" {
		t.Errorf("log = %q", out.Log)
	}
}
