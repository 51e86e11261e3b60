// Package sentence splits a paragraph of English, Polish or German into its
// sentences.
//
// It is a rule system in the tradition of Grefenstette and Tapanainen ("What
// is a word, what is a sentence?", COMPLEX 1994): every full stop that is
// followed by white space is a boundary unless a rule says it belongs to an
// abbreviation, an initial or an ordinal number. The rules look at one word
// before and one word after; the word after is the strongest evidence, since
// a capitalised function word ("The", "Die", "Po") hardly ever follows an
// abbreviation inside a sentence (Mikheev, "Periods, Capitalized Words, etc.",
// Computational Linguistics 28/3, 2002).
package sentence

import (
	"strings"
	"unicode/utf8"

	"github.com/hive-spore/hive/skills/internal/block"
	"github.com/hive-spore/hive/skills/summarize/internal/lang"
)

// Split returns the sentences of a paragraph whose white space is collapsed.
// Joined by single spaces they give the paragraph again.
func Split(text string, l lang.Language) []string {
	var sentences []string
	start := 0
	for pos := 0; pos < len(text); {
		s, ok := nextStop(text, pos)
		if !ok {
			break
		}
		pos = s.end
		if s.end < len(text) && isBoundary(text[start:], s.shifted(start), l) {
			sentences = append(sentences, text[start:s.end])
			start = s.end + 1 // the space
		}
	}
	if start < len(text) {
		sentences = append(sentences, text[start:])
	}
	return sentences
}

// stop is a place where a sentence may end: text[mark:closers] are the
// terminators, text[closers:end] what closes after them, and text[end] is a
// space unless the text is over.
type stop struct {
	mark, closers, end int
}

func (s stop) shifted(by int) stop {
	return stop{mark: s.mark - by, closers: s.closers - by, end: s.end - by}
}

// nextStop finds the first stop at or after pos. Terminators inside a number,
// an address or a file name are not followed by a space and thus are none.
func nextStop(text string, pos int) (stop, bool) {
	for pos < len(text) {
		size := terminator(text[pos:])
		if size == 0 {
			pos++
			continue
		}
		s := stop{mark: pos}
		for ; size > 0; size = terminator(text[pos:]) {
			pos += size
		}
		s.closers = pos
		pos += closing(text[pos:])
		s.end = pos
		if pos == len(text) || text[pos] == ' ' {
			return s, true
		}
	}
	return stop{}, false
}

// terminator returns the length of the terminator text begins with, or 0.
func terminator(text string) int {
	switch {
	case text == "":
		return 0
	case text[0] == '.', text[0] == '!', text[0] == '?':
		return 1
	case strings.HasPrefix(text, "…"):
		return len("…")
	}
	return 0
}

// closing returns the length of the quotes, brackets and note references
// ("[12]") that follow a terminator without a space. Whether a quotation mark
// opens or closes depends on the language (“ does both); next to a full stop
// it closes.
func closing(text string) int {
	n := 0
	for n < len(text) {
		r, size := utf8.DecodeRuneInString(text[n:])
		switch {
		case strings.ContainsRune(block.Closers, r):
			n += size
		case r == '[' && reference(text[n:]) > 0:
			n += reference(text[n:])
		default:
			return n
		}
	}
	return n
}

// reference returns the length of a note reference such as "[12]", or 0.
func reference(text string) int {
	end := 1
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	if end == 1 || end == len(text) || text[end] != ']' {
		return 0
	}
	return end + 1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isBoundary decides about a stop; sentence begins where the current sentence
// does and runs to the end of the paragraph.
func isBoundary(sentence string, s stop, l lang.Language) bool {
	after := following(sentence[s.end:])
	if !after.mayBegin() {
		return false
	}
	if sentence[s.mark:s.closers] != "." {
		return true // "!", "?" and ellipses abbreviate nothing
	}
	c := context{before: preceding(sentence[:s.mark]), after: after, lang: l}
	return c.endsSentence()
}
