package main

import (
	"bytes"
	"testing"
)

func TestCount(t *testing.T) {
	tests := []struct {
		name  string
		input string
		want  counts
	}{
		{"empty", "", counts{0, 0, 0}},
		{"one word", "hive", counts{0, 1, 4}},
		{"one line", "hive\n", counts{1, 1, 5}},
		{"only newlines", "\n\n\n", counts{3, 0, 3}},
		{"only spaces", " \t \v\f\r ", counts{0, 0, 7}},
		{"unterminated last line", "a b\nc", counts{1, 3, 5}},
		{"CRLF", "a b\r\nc\r\n", counts{2, 3, 8}},
		{"lone carriage return is a space", "a\rb", counts{0, 2, 3}},
		{"surrounding space", "  a  b  ", counts{0, 2, 8}},
		{"NUL is no space", "a\x00b", counts{0, 1, 3}},
		{"two-byte letters", "zażółć gęślą jaźń\n", counts{1, 3, 27}},
		{"no-break space separates", "10\u00a0km", counts{0, 2, 6}},
		{"ideographic space separates", "蜂\u3000巣", counts{0, 2, 9}},
		{"zero-width space does not", "a\u200bb", counts{0, 1, 5}},
		{"next line U+0085 separates", "a\u0085b", counts{0, 2, 4}},
		{"emoji", "🐝 🐝🐝", counts{0, 2, 13}},
		{"invalid byte is a word", "\xff", counts{0, 1, 1}},
		{"raw 0x85 and 0xA0 are no spaces", "a\x85b\xa0c", counts{0, 1, 5}},
		{"truncated rune at the end", "a \xe2\x82", counts{0, 2, 4}},
		{"surrogate half", "\xed\xa0\x80 x", counts{0, 2, 5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := count([]byte(tt.input)); got != tt.want {
				t.Errorf("count(%q) = %+v, want %+v", tt.input, got, tt.want)
			}
		})
	}
}

// naive is the specification: three calls to the standard library.
func naive(data []byte) counts {
	return counts{
		lines: int64(bytes.Count(data, []byte{'\n'})),
		words: int64(len(bytes.Fields(data))),
		bytes: int64(len(data)),
	}
}

func TestJSON(t *testing.T) {
	if got, want := string(count([]byte("to bee\nor not\n")).json()), `{"lines":2,"words":4,"bytes":14}`; got != want {
		t.Errorf("json() = %s, want %s", got, want)
	}
}

func TestCountNeedsNoMemory(t *testing.T) {
	const lines = 1 << 18
	data := bytes.Repeat([]byte("ab \n"), lines)
	perRun := testing.AllocsPerRun(1, func() {
		if got, want := count(data), (counts{lines, lines, 4 * lines}); got != want {
			t.Errorf("count = %+v, want %+v", got, want)
		}
	})
	if perRun > 0 {
		t.Errorf("count allocated %v times", perRun)
	}
}

func FuzzCount(f *testing.F) {
	for _, seed := range []string{"", "a b\nc", "\xff\xfe", "x\u2003y\u0085z", "\xe2\x80"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := count(data), naive(data); got != want {
			t.Errorf("count(%q) = %+v, want %+v", data, got, want)
		}
	})
}
