package main

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// counts holds what wc(1) prints.
type counts struct {
	lines int64 // newline bytes, so an unterminated last line is not one
	words int64 // runs of anything but Unicode white space
	bytes int64
}

// count counts in one pass, and needs no memory. A byte that is not valid UTF-8 is
// an ordinary character: it counts as itself and belongs to a word.
func count(input []byte) counts {
	c := counts{bytes: int64(len(input))}
	inWord := false
	for i := 0; i < len(input); {
		char, size := rune(input[i]), 1
		if char >= utf8.RuneSelf {
			char, size = utf8.DecodeRune(input[i:])
		}
		i += size
		if char == '\n' {
			c.lines++
		}
		space := unicode.IsSpace(char)
		if !space && !inWord {
			c.words++
		}
		inWord = !space
	}
	return c
}

// json writes the result without a newline: it is a value, not a line.
func (c counts) json() []byte {
	return fmt.Appendf(nil, `{"lines":%d,"words":%d,"bytes":%d}`, c.lines, c.words, c.bytes)
}
