package htmltext

// node is an element or, with an empty tag, a piece of text.
type node struct {
	tag      string
	traits   traits
	text     string // of a text node, entities not yet decoded
	attrs    string // source of the attributes, see attr
	parent   *node
	children []*node
	measure  measure
}

// has reports whether the element has one of the traits.
func (n *node) has(t traits) bool { return n.traits&t != 0 }

// The tree of a hostile page stays bounded: elements nested deeper than
// maxDepth become leaves, and what comes after maxNodes is not read. Real
// pages have some thousands of nodes and are about 50 elements deep.
const (
	maxDepth = 200
	maxNodes = 100_000
)

// builder turns tokens into a tree.
type builder struct {
	root *node
	open []*node // the open elements, root first
	size int
}

// parse builds the tree of a page. It is total: any source gives a tree.
func parse(src string) *node {
	b := builder{root: &node{tag: "#root", traits: blockLevel}}
	b.open = append(b.open, b.root)
	t := tokenizer{src: src}
	for b.size < maxNodes {
		tok, ok := t.next()
		if !ok {
			break
		}
		b.add(tok)
	}
	return b.root
}

func (b *builder) add(tok token) {
	switch tok.kind {
	case textToken:
		b.append(&node{text: tok.data})
	case startToken:
		b.start(tok)
	case endToken:
		b.end(tok.tag)
	}
}

func (b *builder) append(n *node) {
	top := b.open[len(b.open)-1]
	n.parent = top
	top.children = append(top.children, n)
	b.size++
}

func (b *builder) start(tok token) {
	if tok.traits&blockLevel != 0 {
		b.closeParagraph()
		b.closeImplied(tok.tag)
	}
	n := &node{tag: tok.tag, traits: tok.traits, attrs: tok.data}
	b.append(n)
	if !n.has(void) && len(b.open) < maxDepth {
		b.open = append(b.open, n)
	}
}

// closeParagraph closes the open <p>, looking no further than the nearest
// barrier.
func (b *builder) closeParagraph() {
	for i := len(b.open) - 1; i > 0 && !b.open[i].has(barrier); i-- {
		if b.open[i].tag == "p" {
			b.open = b.open[:i]
			return
		}
	}
}

// closeImplied closes the outermost open element whose end the start of tag
// implies. An <li> does not reach out of its list; but a table row may close
// cells and rows with all that is in them, and stops only at the table.
func (b *builder) closeImplied(tag string) {
	implied := closes[tag]
	if implied == nil {
		return
	}
	depth := len(b.open)
	for i := len(b.open) - 1; i > 0; i-- {
		if implied[b.open[i].tag] {
			depth = i
		} else if b.open[i].tag == "table" || !implied["td"] && b.open[i].has(barrier) {
			break
		}
	}
	b.open = b.open[:depth]
}

// end closes the nearest open element of that name and all within. An end tag
// without a start tag is ignored, and none but its own closes a table.
func (b *builder) end(name string) {
	for i := len(b.open) - 1; i > 0; i-- {
		if b.open[i].tag == name {
			b.open = b.open[:i]
			return
		}
		if b.open[i].tag == "table" {
			return
		}
	}
}
