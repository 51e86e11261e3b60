package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unicode"
)

// chunk is the size of the read buffer, and all the memory count needs.
const chunk = 64 << 10

// counts holds what wc(1) prints.
type counts struct {
	lines int64 // newline bytes, so an unterminated last line is not one
	words int64 // runs of anything but Unicode white space
	bytes int64
}

// count reads r to its end. A byte that is not valid UTF-8 is an ordinary
// character: it counts as itself and belongs to a word.
func count(r io.Reader) (counts, error) {
	var c counts
	in := bufio.NewReaderSize(r, chunk)
	inWord := false
	for {
		char, size, err := in.ReadRune()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		inWord = c.add(char, size, inWord)
	}
}

// add counts one character and reports whether it is part of a word.
func (c *counts) add(char rune, size int, inWord bool) bool {
	c.bytes += int64(size)
	if char == '\n' {
		c.lines++
	}
	if unicode.IsSpace(char) {
		return false
	}
	if !inWord {
		c.words++
	}
	return true
}

// writeJSON formats by hand: encoding/json would be most of the module's size.
func (c *counts) writeJSON(w io.Writer) error {
	_, err := fmt.Fprintf(w, `{"lines":%d,"words":%d,"bytes":%d}`, c.lines, c.words, c.bytes)
	return err
}
