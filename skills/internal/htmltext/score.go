package htmltext

import (
	"slices"
	"strings"

	"github.com/hive-spore/hive/skills/internal/wordset"
)

// measure is what the scoring knows about the text below a node.
type measure struct {
	text   int // bytes of text
	link   int // of these, bytes inside links
	commas int // a sign of prose: menus and teasers have none
}

// weigh measures every node below n.
func (n *node) weigh() {
	n.measure = measure{}
	if n.tag == "" {
		text := strings.TrimSpace(n.text)
		n.measure = measure{text: len(text), commas: strings.Count(text, ",")}
		return
	}
	for _, child := range n.children {
		child.weigh()
		n.measure.text += child.measure.text
		n.measure.link += child.measure.link
		n.measure.commas += child.measure.commas
	}
	if n.tag == "a" {
		n.measure.link = n.measure.text
	}
}

// linkDensity is the share of the text that is inside links.
func (m measure) linkDensity() float64 {
	if m.text == 0 {
		return 0
	}
	return float64(m.link) / float64(m.text)
}

// The constants are those of Arc90's Readability (2009), whose idea this is:
// paragraphs vote for the elements around them, links count against them.
const (
	minParagraph   = 25  // bytes of text from which a paragraph counts
	perLength      = 100 // bytes that count as much as one comma
	maxLengthScore = 3
	namedContent   = 25  // bonus for a telling class, id or tag
	siblingShare   = 0.2 // score, relative to the best, from which a sibling joins
	siblingText    = 80  // bytes from which a stray paragraph joins
	maxDensity     = 0.25
)

// contentNames are words in a class, id or itemprop that mark an article.
var contentNames = wordset.Of(`article articlebody artykul artykuł artikel beitrag body content entry hentry
	inhalt main post story text tresc treść`)

// scores maps the elements that contain paragraphs to their score.
type scores map[*node]float64

// content returns the elements that hold the article, in document order.
func content(root *node) []*node {
	s := scores{}
	s.vote(root)
	top := s.best(root)
	if top == nil {
		return []*node{root}
	}
	if article := enclosing(top, "article"); article != nil {
		return []*node{article}
	}
	return s.withSiblings(top)
}

// vote lets every paragraph below n vote.
func (s scores) vote(n *node) {
	for _, child := range n.children {
		s.vote(child)
	}
	if !n.has(blockLevel) {
		return
	}
	own := prose(n)
	if own.text < minParagraph {
		return
	}
	points := 1 + float64(own.commas) + min(float64(own.text)/perLength, maxLengthScore)
	if n.tag != "p" && n.tag != "blockquote" {
		s[n] += points // the element itself is the container of its paragraphs
		points /= 2
	}
	for holder := n.parent; holder != nil && points >= 1; holder = holder.parent {
		s[holder] += points
		points /= 2
	}
}

// prose measures the text that is directly in n, not in blocks within it.
func prose(n *node) measure {
	var m measure
	for _, child := range n.children {
		if !child.has(blockLevel) {
			m.text += child.measure.text - child.measure.link
			m.commas += child.measure.commas
		}
	}
	return m
}

// best returns the element with the highest score. Ties go to the first in
// document order, so that the result does not depend on the map's order.
func (s scores) best(n *node) *node {
	var top *node
	for candidate := range n.all() {
		if score, ok := s[candidate]; ok {
			s[candidate] = (score + bonus(candidate)) * (1 - candidate.measure.linkDensity())
			if top == nil || s[candidate] > s[top] {
				top = candidate
			}
		}
	}
	return top
}

func bonus(n *node) float64 {
	if n.tag == "article" || n.tag == "main" {
		return namedContent
	}
	for _, name := range []string{"class", "id", "itemprop"} {
		value, _ := n.attr(name)
		for word := range strings.FieldsFuncSeq(value, notAlphanumeric) {
			if contentNames[strings.ToLower(word)] {
				return namedContent
			}
		}
	}
	return 0
}

// enclosing returns n or its nearest ancestor with the tag.
func enclosing(n *node, tag string) *node {
	for n != nil && n.tag != tag {
		n = n.parent
	}
	return n
}

// withSiblings returns top together with those siblings that look like parts
// of the same article: the introduction in a box of its own, a second column.
func (s scores) withSiblings(top *node) []*node {
	if top.parent == nil {
		return []*node{top}
	}
	threshold := s[top] * siblingShare
	return slices.DeleteFunc(slices.Clone(top.parent.children), func(n *node) bool {
		stray := n.tag == "p" && n.measure.text >= siblingText
		return n != top && (n.measure.linkDensity() > maxDensity || s[n] < threshold && !stray)
	})
}
