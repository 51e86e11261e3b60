package htmltext

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// spell writes the tokens of a page as "<tag attrs>", "</tag>" and text.
func spell(src string) []string {
	var all []string
	t := tokenizer{src: src}
	for {
		tok, ok := t.next()
		if !ok {
			return all
		}
		switch tok.kind {
		case startToken:
			all = append(all, fmt.Sprintf("<%s%s>", tok.tag, tok.data))
		case endToken:
			all = append(all, "</"+tok.tag+">")
		default:
			all = append(all, tok.data)
		}
	}
}

func TestTokenizer(t *testing.T) {
	tests := []struct {
		name, src string
		want      []string
	}{
		{"empty", "", nil},
		{"text", "a & b", []string{"a & b"}},
		{"elements", `<P Class="x">a<br/>b</p >`, []string{`<p Class="x">`, "a", "<br/>", "b", "</p>"}},
		{"a less-than sign is text", "1 < 2 <3 <> </ <", []string{"1 ", "< 2 ", "<3 ", "<> ", "</ ", "<"}},
		{"comments", "a<!-- <p> -->b<!-->c<!---->d", []string{"a", "b", "c", "d"}},
		{"unclosed comment", "a<!-- b", []string{"a"}},
		{"declarations", "<!doctype html><?php echo ?>a<![CDATA[<b>]]>", []string{"a"}},
		{"greater-than sign in a value", `<a b=">" c='>'>d`, []string{`<a b=">" c='>'>`, "d"}},
		{"quotation mark in a name", `<a b"c>d"`, []string{`<a b"c>`, `d"`}},
		{"unclosed value", `<a b="c>d`, []string{`<a b="c>`, "d"}},
		{"unclosed value after a closed one", `<a b=">" c='>d<e f=">">g`, []string{`<a b=">" c='>`, "d", `<e f=">">`, "g"}},
		{"unfinished tag", "a<b c", []string{"a"}},
		{"script", "<script>if (a<b) '</p>'</SCRIPT>c", []string{"<script>", "if (a<b) '</p>'", "</script>", "c"}},
		{"unclosed script", "<script>a</scrip", []string{"<script>", "a</scrip"}},
		{"title", "<title>a<b></title>", []string{"<title>", "a<b>", "</title>"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := spell(tt.src); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestAttr(t *testing.T) {
	n := &node{attrs: ` ID = a  class="b c" hidden Data-x='"' /checked=checked empty="" last=`}
	tests := []struct {
		name, want string
		ok         bool
	}{
		{"id", "a", true}, {"class", "b c", true}, {"hidden", "", true}, {"data-x", `"`, true},
		{"checked", "checked", true}, {"empty", "", true}, {"last", "", true}, {"lass", "", false},
	}
	for _, tt := range tests {
		if got, ok := n.attr(tt.name); got != tt.want || ok != tt.ok {
			t.Errorf("attr(%q) = %q, %v; want %q, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

// outline writes the structure of a tree: "p(b())".
func (n *node) outline() string {
	if n.tag == "" {
		return strings.TrimSpace(n.text)
	}
	var inner []string
	for _, child := range n.children {
		inner = append(inner, child.outline())
	}
	return n.tag + "(" + strings.Join(inner, " ") + ")"
}

func TestTree(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"nesting", "<div><p>a <b>c</b></p></div>", "#root(div(p(a b(c))))"},
		{"paragraphs close each other", "<p>a<p>b<div>c</div>", "#root(p(a) p(b) div(c))"},
		{"inline elements are closed with them", "<p><i>a<p>b", "#root(p(i(a)) p(b))"},
		{"items", "<ul><li>a<li>b<ul><li>c</ul><li>d</ul>", "#root(ul(li(a) li(b ul(li(c))) li(d)))"},
		{"definitions", "<dl><dt>a<dd>b<dt>c</dl>", "#root(dl(dt(a) dd(b) dt(c)))"},
		{"tables", "<table><tr><td>a<td><p>b<tr><th>c</table>d", "#root(table(tr(td(a) td(p(b))) tr(th(c))) d)"},
		{"nested table", "<table><td><table><td>a</table>b<td>c</table>", "#root(table(td(table(td(a)) b) td(c)))"},
		{"void elements", "a<br>b<img src=x>c", "#root(a br() b img() c)"},
		{"stray end tags", "</div>a</p>b<table></div><td>c</table>", "#root(a b table(td(c)))"},
		{"end tags close what is inside", "<div><span><b>a</div>b", "#root(div(span(b(a))) b)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parse(tt.src).outline(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestTreeIsBounded feeds pages that are nothing but tags.
func TestTreeIsBounded(t *testing.T) {
	depth := 0
	for n := parse(strings.Repeat("<div>", 10*maxDepth)); len(n.children) > 0; n = n.children[len(n.children)-1] {
		depth++
	}
	if depth > maxDepth {
		t.Errorf("tree is %d elements deep, want at most %d", depth, maxDepth)
	}
	nodes := 0
	for range parse(strings.Repeat("<a>", maxNodes+10)).all() {
		nodes++
	}
	if nodes > maxNodes+1 {
		t.Errorf("tree has %d nodes, want at most %d", nodes, maxNodes+1)
	}
}
