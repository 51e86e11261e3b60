// Package block is the common form into which plain text, Markdown and HTML
// are read: a title and the blocks of the body in document order.
package block

import (
	"strings"
	"unicode/utf8"
)

// Kind says what a block is, and thereby whether it can hold sentences.
type Kind uint8

// A Heading never holds sentences; an Item of a list does when it ends like
// one; a Paragraph normally does.
const (
	Paragraph Kind = iota
	Item
	Heading
)

// Block is a run of text that no sentence crosses.
type Block struct {
	Kind Kind
	Text string // white space collapsed, see Collapse
}

// Document is an article.
type Document struct {
	Title  string // "" when unknown
	Blocks []Block
}

// MaxHeadline is the number of words up to which a line without a full stop
// is taken for a headline. The longest headlines of daily papers have about
// fifteen words.
const MaxHeadline = 20

// Add appends a block unless its text is empty.
func (d *Document) Add(kind Kind, text string) {
	if text = Collapse(text); text != "" {
		d.Blocks = append(d.Blocks, Block{Kind: kind, Text: text})
	}
}

// Collapse turns every run of Unicode white space into one space, drops soft
// hyphens, zero-width spaces and byte order marks, and replaces bytes that are
// not UTF-8.
func Collapse(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	if strings.ContainsAny(text, invisible) {
		text = strings.Map(dropInvisible, text)
	}
	return strings.Join(strings.Fields(text), " ")
}

const invisible = "\u00ad\u200b\ufeff"

func dropInvisible(r rune) rune {
	if strings.ContainsRune(invisible, r) {
		return -1
	}
	return r
}

// LooksLikeHeading reports whether a line is short enough for a headline and
// does not end the way a sentence or an unfinished clause does.
func LooksLikeHeading(line string) bool {
	return !EndsSentence(line) && !strings.ContainsAny(line[max(0, len(line)-1):], ",;:") &&
		len(strings.Fields(line)) <= MaxHeadline
}

// EndsSentence reports whether text ends in a full stop, an exclamation mark,
// a question mark or an ellipsis, possibly inside quotes or brackets.
func EndsSentence(text string) bool {
	text = strings.TrimRight(text, Closers)
	last, _ := utf8.DecodeLastRuneInString(text)
	return strings.ContainsRune(Terminators, last)
}

// Terminators end a sentence; Closers may follow them immediately.
const (
	Terminators = ".!?…"
	Closers     = "\"'”“’‘»«›‹)]}"
)
