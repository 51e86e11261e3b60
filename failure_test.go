package hive_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

// Kinds are stored: their names and what is permanent must never change.
func TestFailureKinds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind      hive.FailureKind
		name      string
		permanent bool
	}{
		{hive.FailTrap, "trap", false},
		{hive.FailExit, "exit", false},
		{hive.FailSkill, "skill", false},
		{hive.FailTimeout, "timeout", false},
		{hive.FailMemory, "memory", false},
		{hive.FailOutput, "output", false},
		{hive.FailInput, "input", true},
		{hive.FailResult, "result", true},
		{hive.FailLoad, "load", true},
		{hive.FailLost, "lost", false},
		{hive.FailHost, "host", false},
		{"of a newer hive", "of a newer hive", false},
	} {
		if string(test.kind) != test.name || test.kind.Permanent() != test.permanent {
			t.Errorf("kind %q, permanent %v, want %q, %v", test.kind, test.kind.Permanent(), test.name, test.permanent)
		}
		if f := hive.NewFailure(test.kind, "because"); *f != (hive.Failure{Kind: test.kind, Message: "because", Permanent: test.permanent}) {
			t.Errorf("NewFailure(%q) = %+v", test.kind, *f)
		}
	}
}

func TestNewFailureClips(t *testing.T) {
	t.Parallel()
	f := hive.NewFailure(hive.FailTrap, strings.Repeat("ü", hive.MaxMessage)+"\xff")
	if len(f.Message) > hive.MaxMessage || len(f.Message) < hive.MaxMessage-3 || !strings.HasSuffix(f.Message, "ü…") {
		t.Errorf("NewFailure keeps %d bytes that end in %q", len(f.Message), f.Message[len(f.Message)-8:])
	}
	if got := hive.NewFailure(hive.FailExit, "exit code 2").String(); got != "exit: exit code 2" {
		t.Errorf("String() = %q", got)
	}
}

func TestFailureJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind hive.FailureKind
		want string
	}{
		{hive.FailTrap, `{"kind":"trap","message":"because"}`},
		{hive.FailInput, `{"kind":"input","message":"because","permanent":true}`},
	} {
		got, err := json.Marshal(hive.NewFailure(test.kind, "because"))
		if string(got) != test.want || err != nil {
			t.Errorf("Marshal = %s, %v, want %s", got, err, test.want)
		}
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		s    string
		n    int
		want string
	}{
		{"", 0, ""},
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "ab…"},
		{"abcdef", 3, "…"},
		{"abcdef", 2, "ab"}, // no room for the mark
		{"abcdef", 0, ""},
		{"abcdef", -1, ""},
		{"äöü", 6, "äöü"},
		{"äöüß", 7, "äö…"},
		{"äöüß", 6, "ä…"},
		{"äöü", 1, ""},
		{"日本語日本語", 10, "日本…"},
		{"a\xffb", 9, "a\uFFFDb"},
		{"a\xff\xfe\xfdb", 9, "a\uFFFDb"},
		{"\xff\xff", 2, ""}, // what stands for the bytes is longer than they were
		{"ab\xe2\x80", 5, "ab\uFFFD"},
	} {
		if got := hive.Clip(test.s, test.n); got != test.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", test.s, test.n, got, test.want)
		}
	}
}

// clips checks what Clip promises of any text and length.
func clips(t interface{ Fatalf(string, ...any) }, s string, n int) {
	got := hive.Clip(s, n)
	valid := strings.ToValidUTF8(s, "\uFFFD")
	kept := strings.TrimSuffix(got, "…")
	switch {
	case !utf8.ValidString(got):
		t.Fatalf("Clip(%q, %d) = %q, want valid UTF-8", s, n, got)
	case len(got) > max(0, n):
		t.Fatalf("Clip(%q, %d) = %q of %d bytes", s, n, got, len(got))
	case len(valid) <= n && got != valid:
		t.Fatalf("Clip(%q, %d) = %q, want %q: it fits", s, n, got, valid)
	case !strings.HasPrefix(valid, kept):
		t.Fatalf("Clip(%q, %d) = %q, want the beginning of %q", s, n, got, valid)
	case len(valid) > n && len(got) < n-utf8.UTFMax+1:
		t.Fatalf("Clip(%q, %d) = %q, want more of it kept", s, n, got)
	}
}

func TestClipKeepsItsPromises(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		clips(t, s, rapid.IntRange(-1, len(s)+4).Draw(t, "n"))
	})
}

func FuzzClip(f *testing.F) {
	for _, s := range []string{"", "abcdef", "äöüß", "日本語", "a\xff\xfeb", "\xe2\x80", "…………"} {
		for _, n := range []int{-1, 0, 2, 5, 100} {
			f.Add(s, n)
		}
	}
	f.Fuzz(func(t *testing.T, s string, n int) { clips(t, s, n) })
}
