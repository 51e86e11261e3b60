package htmltext

import "strings"

// tokenKind says what a token is. Comments, doctypes and processing
// instructions produce no tokens.
type tokenKind uint8

const (
	textToken tokenKind = iota
	startToken
	endToken
)

// token is a piece of the source. Its strings alias the source, except for
// tag names that had to be lowered.
type token struct {
	kind   tokenKind
	tag    string // name of the element in lower case
	traits traits // of the element
	data   string // text before entities are decoded, or the source of the attributes
}

// tokenizer follows the outline of the HTML standard, section 13.2.5, with
// the states that matter for reading text. It never fails: whatever is not a
// tag is text, and every call makes progress.
type tokenizer struct {
	src string
	pos int
	raw string // name of the raw text element that has just been opened
}

// next returns the next token; ok is false at the end of the source.
func (t *tokenizer) next() (tok token, ok bool) {
	for t.pos < len(t.src) {
		if t.raw != "" {
			tok, ok = t.rawContent(), true
		} else if t.src[t.pos] == '<' {
			tok, ok = t.markup()
		} else {
			tok, ok = t.text(0), true
		}
		if ok {
			return tok, true
		}
	}
	return token{}, false
}

// text reads up to the next '<' that is at least skip bytes away.
func (t *tokenizer) text(skip int) token {
	start := t.pos
	t.pos = len(t.src)
	if i := strings.IndexByte(t.src[start+skip:], '<'); i >= 0 {
		t.pos = start + skip + i
	}
	return token{kind: textToken, data: t.src[start:t.pos]}
}

// markup reads what begins with '<'. It reports false for what is skipped.
func (t *tokenizer) markup() (token, bool) {
	rest := t.src[t.pos:]
	switch {
	case strings.HasPrefix(rest, "<!--"):
		t.skipPast("-->", len("<!")) // "<!-->" is a whole comment
		return token{}, false
	case strings.HasPrefix(rest, "<![CDATA["):
		t.skipPast("]]>", len("<![CDATA["))
		return token{}, false
	case len(rest) > 1 && (rest[1] == '!' || rest[1] == '?'):
		t.skipPast(">", len("<!"))
		return token{}, false
	case len(rest) > 1 && isLetter(rest[1]):
		return t.tag(startToken, 1)
	case len(rest) > 2 && rest[1] == '/' && isLetter(rest[2]):
		return t.tag(endToken, 2)
	}
	return t.text(1), true // "a < b"
}

// skipPast moves behind the next occurrence of end, or to the end.
func (t *tokenizer) skipPast(end string, from int) {
	if i := strings.Index(t.src[t.pos+from:], end); i >= 0 {
		t.pos += from + i + len(end)
		return
	}
	t.pos = len(t.src)
}

// tag reads a start or end tag whose name begins at offset. An unfinished tag
// swallows the rest of the source, as it does in browsers.
func (t *tokenizer) tag(kind tokenKind, offset int) (token, bool) {
	name := t.src[t.pos+offset:]
	if i := strings.IndexAny(name, " \t\r\n\f/>"); i >= 0 {
		name = name[:i]
	}
	attrs := t.src[t.pos+offset+len(name):]
	size := tagLength(attrs)
	if size < 0 {
		t.pos = len(t.src)
		return token{}, false
	}
	t.pos += offset + len(name) + size + 1
	tok := token{kind: kind, tag: strings.ToLower(name), data: attrs[:size]}
	tok.traits = elements[tok.tag]
	if kind == startToken && tok.traits&rawText != 0 {
		t.raw = tok.tag
	}
	return tok, true
}

// tagLength returns the offset of the '>' that closes a tag, passing over
// quoted attribute values. A quotation mark that is never closed is taken for
// a typing error. Finding that out costs a scan to the end of the source, but
// the tokenizer moves behind that mark, which is the last of its kind, so it
// happens at most once for each of the two kinds.
func tagLength(attrs string) int {
	for i := 0; i < len(attrs); i++ {
		switch c := attrs[i]; c {
		case '>':
			return i
		case '"', '\'':
			if !followsEquals(attrs[:i]) {
				continue
			}
			end := strings.IndexByte(attrs[i+1:], c)
			if end < 0 {
				return indexFrom(attrs, i, '>')
			}
			i += end + 1
		}
	}
	return -1
}

// indexFrom is strings.IndexByte for a search that starts at from.
func indexFrom(s string, from int, c byte) int {
	if i := strings.IndexByte(s[from:], c); i >= 0 {
		return from + i
	}
	return -1
}

// followsEquals reports whether a quotation mark opens an attribute value.
func followsEquals(attrs string) bool {
	return strings.HasSuffix(strings.TrimRight(attrs, " \t\r\n\f"), "=")
}

// rawContent reads the content of a raw text element up to its end tag.
func (t *tokenizer) rawContent() token {
	rest := t.src[t.pos:]
	end := indexEndTag(rest, t.raw)
	t.raw = ""
	t.pos += end
	return token{kind: textToken, data: rest[:end]}
}

// indexEndTag returns where "</name" begins, in any case, or the end.
func indexEndTag(src, name string) int {
	for from := 0; ; {
		i := strings.Index(src[from:], "</")
		if i < 0 {
			return len(src)
		}
		from += i + 2
		if len(src)-from >= len(name) && strings.EqualFold(src[from:from+len(name)], name) {
			return from - 2
		}
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
