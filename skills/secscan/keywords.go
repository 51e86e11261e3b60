package main

// keywordIndex finds the keywords of all rules in one pass over a text. Regular expressions are slow in
// WebAssembly, so a rule is only tried where one of its keywords stands.
//
// Branches are slow there too. The pass over the text therefore does one thing per byte: it looks up the
// last three bytes in a table of how keywords start. Only where they do is a keyword looked for.
type keywordIndex struct {
	classes [256]uint8 // folds case and gives each byte of a keyword a small number; 0 is any other byte
	used    uint8      // the last number given
	starts  []bool     // by the classes of three bytes
	nodes   []keywordNode
}

type keywordNode struct {
	next [maxClasses]uint16
	ids  []int
}

const (
	classBits  = 6
	maxClasses = 1 << classBits // more than the bytes of all keywords
	startMask  = 1<<(startLength*classBits) - 1
	// startLength is the length of the shortest keyword.
	startLength = 3
)

func newKeywordIndex() *keywordIndex {
	return &keywordIndex{nodes: make([]keywordNode, 1), starts: make([]bool, startMask+1)}
}

// add files a keyword, in lower case, under an id.
func (x *keywordIndex) add(keyword string, id int) {
	at, start := uint16(0), 0
	for i := range len(keyword) {
		class := x.class(keyword[i])
		at = x.child(at, class)
		if i < startLength {
			start = start<<classBits | int(class)
		}
	}
	x.starts[start] = true
	x.nodes[at].ids = append(x.nodes[at].ids, id)
}

func (x *keywordIndex) class(b byte) uint8 {
	if x.classes[b] == 0 {
		x.used++
		x.classes[b] = x.used
		if 'a' <= b && b <= 'z' {
			x.classes[b-'a'+'A'] = x.used
		}
	}
	return x.classes[b]
}

func (x *keywordIndex) child(at uint16, class uint8) uint16 {
	if next := x.nodes[at].next[class]; next != 0 {
		return next
	}
	x.nodes = append(x.nodes, keywordNode{})
	next := uint16(len(x.nodes) - 1)
	x.nodes[at].next[class] = next
	return next
}

// each calls found with the place and the ids of every keyword in text.
func (x *keywordIndex) each(text string, found func(at span, ids []int)) {
	last := 0
	for i := range len(text) {
		last = (last<<classBits | int(x.classes[text[i]])) & startMask
		if x.starts[last] {
			x.from(text, i-startLength+1, found)
		}
	}
}

// from finds the keywords that start at one place. There is none before the start of the text: class 0,
// which the pass starts with, is in no keyword.
func (x *keywordIndex) from(text string, start int, found func(at span, ids []int)) {
	node := &x.nodes[0]
	for end := start; end < len(text); end++ {
		next := node.next[x.classes[text[end]]]
		if next == 0 {
			return
		}
		node = &x.nodes[next]
		if len(node.ids) > 0 {
			found(span{start, end + 1}, node.ids)
		}
	}
}
