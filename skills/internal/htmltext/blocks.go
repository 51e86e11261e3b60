package htmltext

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive/skills/internal/block"
)

// emitter walks the elements of an article and writes its blocks.
type emitter struct {
	doc        *block.Document
	kind       block.Kind      // of the block being written
	text       strings.Builder // its text so far
	afterBreak bool            // a <br> was the last thing seen

	inLink, inBold int // how many links and bold elements are open
	link, bold     int // how many bytes of the text are inside them
}

var kinds = map[string]block.Kind{
	"h1": block.Heading, "h2": block.Heading, "h3": block.Heading, "h4": block.Heading,
	"h5": block.Heading, "h6": block.Heading, "legend": block.Heading, "summary": block.Heading,
	"li": block.Item, "dt": block.Item, "dd": block.Item,
}

// emit writes n and what is below it.
func (e *emitter) emit(n *node) {
	switch {
	case n.tag == "":
		e.write(html.UnescapeString(n.text))
	case n.tag == "br":
		e.afterBreak = true
	case n.tag == "q":
		e.write("“")
		e.children(n)
		e.write("”")
	case n.has(blockLevel):
		e.block(n)
	default:
		e.inline(n)
	}
}

func (e *emitter) children(n *node) {
	for _, child := range n.children {
		e.emit(child)
	}
}

// inline notes whether the text below is in a link or in bold type.
func (e *emitter) inline(n *node) {
	switch n.tag {
	case "a":
		e.inLink++
		defer func() { e.inLink-- }()
	case "b", "strong":
		e.inBold++
		defer func() { e.inBold-- }()
	}
	e.children(n)
}

// block separates the content of a block-level element from what surrounds
// it. A paragraph inside a list item is still an item.
func (e *emitter) block(n *node) {
	e.flush()
	outer := e.kind
	if kind, ok := kinds[n.tag]; ok {
		e.kind = kind
	}
	e.children(n)
	e.flush()
	e.kind = outer
}

// write appends text. A line break separates blocks, as in "<b>Title</b><br>
// Text", unless the text goes on in lower case, as in a poem.
func (e *emitter) write(text string) {
	visible := strings.TrimSpace(text)
	if e.afterBreak && visible != "" {
		if first, _ := utf8.DecodeRuneInString(visible); !unicode.IsLower(first) {
			e.flush()
		}
		e.text.WriteByte(' ')
		e.afterBreak = false
	}
	e.text.WriteString(text)
	if e.inLink > 0 {
		e.link += len(visible)
	}
	if e.inBold > 0 {
		e.bold += len(visible)
	}
}

// flush ends the block being written. Text that mostly consists of links is a
// reference to another page, not part of the article.
func (e *emitter) flush() {
	text := block.Collapse(e.text.String())
	kind := e.kind
	if kind == block.Paragraph && 2*e.bold > len(text) && block.LooksLikeHeading(text) {
		kind = block.Heading
	}
	if 2*e.link <= len(text) {
		e.doc.Add(kind, text)
	}
	e.text.Reset()
	e.link, e.bold, e.afterBreak = 0, 0, false
}
