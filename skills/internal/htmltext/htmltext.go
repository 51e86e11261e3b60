// Package htmltext reduces an HTML page to the article on it: its title and
// the blocks of its text, without navigation, advertisements, tables, captions
// and comments.
//
// It consists of a tolerant tokenizer and tree builder, which read any input
// in linear time, and of an extraction in the manner of Arc90's Readability
// and its successor, Mozilla's Readability.js: prune what is boilerplate by
// its tag, role or name, then find the element in which most paragraphs of
// prose with few links are.
package htmltext

import (
	"iter"

	"github.com/hive-spore/hive/skills/internal/block"
)

// Parse extracts the article of a page.
func Parse(src string) block.Document {
	doc := extract(src, false)
	if len(doc.Blocks) == 0 {
		doc = extract(src, true)
	}
	return doc
}

func extract(src string, lenient bool) block.Document {
	root := parse(src)
	doc := block.Document{Title: title(root)}
	prune(root, lenient)
	e := emitter{doc: &doc}
	for _, n := range content(root) {
		e.emit(n)
	}
	e.flush()
	dropHeadline(&doc)
	return doc
}

// dropHeadline removes the headline from the blocks together with the kicker
// or the date above it. Anything above that is a sentence stays.
func dropHeadline(doc *block.Document) {
	for i, b := range doc.Blocks {
		if b.Kind == block.Heading && b.Text == doc.Title {
			doc.Blocks = doc.Blocks[i+1:]
			return
		}
		if block.EndsSentence(b.Text) {
			return
		}
	}
}

// all yields n and what is below it in document order.
func (n *node) all() iter.Seq[*node] {
	return func(yield func(*node) bool) { n.walk(yield) }
}

func (n *node) walk(yield func(*node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, child := range n.children {
		if !child.walk(yield) {
			return false
		}
	}
	return true
}
