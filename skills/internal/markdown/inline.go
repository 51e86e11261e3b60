package markdown

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plainText removes inline marks: emphasis, code, links, images, references
// to notes, tags and escapes. What remains is what a browser would show.
func plainText(text string) string {
	if !strings.ContainsAny(text, "*_`[]<&\\~") {
		return text
	}
	in := inline{src: text}
	for in.pos < len(in.src) {
		in.step()
	}
	return html.UnescapeString(in.out.String())
}

// inline copies src to out without its marks.
type inline struct {
	src string
	pos int
	out strings.Builder
}

func (in *inline) step() {
	switch c := in.src[in.pos]; c {
	case '\\':
		in.escape()
	case '*', '_', '~':
		in.emphasis(c)
	case '`':
		in.pos++
	case '!':
		in.image()
	case '[':
		in.link()
	case '<':
		in.tag()
	default:
		in.copy(1)
	}
}

func (in *inline) copy(n int) {
	in.out.WriteString(in.src[in.pos : in.pos+n])
	in.pos += n
}

// escape copies the character behind a backslash.
func (in *inline) escape() {
	in.pos++
	if in.pos == len(in.src) {
		return // a hard line break
	}
	if c := in.src[in.pos]; c < utf8.RuneSelf && !unicode.IsLetter(rune(c)) && !unicode.IsDigit(rune(c)) {
		in.copy(1)
		return
	}
	in.out.WriteByte('\\')
}

// emphasis drops a run of marks that can open or close emphasis, and keeps it
// in "2 * 3", "5*3" and "snake_case".
func (in *inline) emphasis(mark byte) {
	run := len(in.src[in.pos:]) - len(strings.TrimLeft(in.src[in.pos:], string(mark)))
	before, _ := utf8.DecodeLastRuneInString(in.src[:in.pos])
	after, _ := utf8.DecodeRuneInString(in.src[in.pos+run:])
	isWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	isGap := func(r rune) bool { return r == utf8.RuneError || unicode.IsSpace(r) }
	switch {
	case isGap(before) && isGap(after), isWord(before) && isWord(after), mark == '~' && run == 1:
		in.copy(run)
	default:
		in.pos += run
	}
}

// maxLink bounds the search for the end of a link, and thereby the cost of
// text full of opening brackets.
const maxLink = 1000

// link keeps the text of "[text](target)" and "[text][name]" and drops
// "[^note]". Brackets that belong to no link, as in "[sic]", are copied.
func (in *inline) link() {
	label, target := linkSize(in.src[in.pos:])
	isNote := strings.HasPrefix(in.src[in.pos:], "[^")
	if label == 0 || target == 0 && !isNote {
		in.copy(1)
		return
	}
	if !isNote {
		in.out.WriteString(plainText(in.src[in.pos+1 : in.pos+label-1]))
	}
	in.pos += label + target
}

// image drops "![text](target)".
func (in *inline) image() {
	label, target := linkSize(in.src[in.pos+1:])
	if label == 0 || target == 0 {
		in.copy(1)
		return
	}
	in.pos += 1 + label + target
}

// linkSize returns the lengths of the two parts of the link that text begins
// with, each 0 if it is missing.
func linkSize(text string) (label, target int) {
	text = text[:min(len(text), maxLink)]
	label = bracketed(text, '[', ']')
	rest := text[label:]
	return label, max(bracketed(rest, '(', ')'), bracketed(rest, '[', ']'))
}

// maxNesting is how deep brackets may be nested in a link.
const maxNesting = 4

// bracketed returns the length of the bracketed text that text begins with, up
// to and with the bracket that closes it, or 0.
func bracketed(text string, open, closing byte) int {
	if text == "" || text[0] != open {
		return 0
	}
	depth := 0
	for i := 0; i < len(text) && depth <= maxNesting; i++ {
		switch text[i] {
		case open:
			depth++
		case closing:
			depth--
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

// tag drops an HTML tag and keeps the address in "<https://…>".
func (in *inline) tag() {
	window := in.src[in.pos+1 : min(len(in.src), in.pos+maxLink)]
	end := strings.IndexAny(window, "<>")
	if end < 1 || window[end] != '>' || !(isLetter(window[0]) || window[0] == '/' || window[0] == '!') {
		in.copy(1)
		return
	}
	content := window[:end]
	if strings.ContainsAny(content, ":@") && !strings.ContainsAny(content, " =") {
		in.out.WriteString(content)
	}
	in.pos += end + 2
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
