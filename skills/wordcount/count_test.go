package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
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
			got, err := count(strings.NewReader(tt.input))
			if err != nil || got != tt.want {
				t.Errorf("count(%q) = %+v, %v; want %+v", tt.input, got, err, tt.want)
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

// TestCountAcrossBuffers puts a multi-byte space on every offset around the
// edge of the read buffer and feeds it whole and byte by byte.
func TestCountAcrossBuffers(t *testing.T) {
	for offset := chunk - 5; offset <= chunk+1; offset++ {
		data := []byte(strings.Repeat("x", offset) + "\u3000" + "y\n")
		whole, err := count(bytes.NewReader(data))
		if err != nil || whole != naive(data) {
			t.Errorf("offset %d: count = %+v, %v; want %+v", offset, whole, err, naive(data))
		}
		trickled, err := count(iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil || trickled != whole {
			t.Errorf("offset %d, byte by byte: count = %+v, %v; want %+v", offset, trickled, err, whole)
		}
	}
}

// endless yields n copies of "ab \n" without holding them.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	const unit = "ab \n"
	n := min(int64(len(p)/len(unit)), e.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range n {
		copy(p[i*int64(len(unit)):], unit)
	}
	e.left -= n
	return int(n) * len(unit), nil
}

func TestCountNeedsConstantMemory(t *testing.T) {
	const lines = 1 << 20
	perRun := testing.AllocsPerRun(1, func() {
		got, err := count(&endless{left: lines})
		if want := (counts{lines, lines, 4 * lines}); err != nil || got != want {
			t.Errorf("count = %+v, %v; want %+v", got, err, want)
		}
	})
	if perRun > 8 {
		t.Errorf("count allocated %v times for 4 MiB; it should need its buffer and no more", perRun)
	}
}

func FuzzCount(f *testing.F) {
	for _, seed := range []string{"", "a b\nc", "\xff\xfe", "x\u2003y\u0085z", "\xe2\x80"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := count(bytes.NewReader(data))
		if want := naive(data); err != nil || got != want {
			t.Errorf("count(%q) = %+v, %v; want %+v", data, got, err, want)
		}
	})
}
