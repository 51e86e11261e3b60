package markdown

import (
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive/skills/internal/block"
	"github.com/hive-spore/hive/skills/internal/plain"
)

func TestWrite(t *testing.T) {
	const want = `It rained.

## On Monday

- a
- b

- c \*

1\. d`
	got := Write([]block.Block{{Text: "It rained."}, {Kind: block.Heading, Text: "On Monday"}, {Kind: block.Item, Text: "a"},
		{Kind: block.Item, Text: "b"}})
	if want, _, _ := strings.Cut(want, "\n\n- c"); got != want {
		t.Errorf("Write() = %q, want %q", got, want)
	}
}

// TestEscaped: prose stays as it is but for what would be read as something else.
func TestEscaped(t *testing.T) {
	for text, want := range map[string]string{
		"R&D, 3 < 4, snake_case, [sic], ~5 C#, a/b, it's “so”!": "R&D, 3 < 4, snake_case, [sic], ~5 C#, a/b, it's “so”!",
		"2*3 *a* _b_ `c` ~~d~~ e\\f":                            "2\\*3 \\*a\\* \\_b\\_ \\`c\\` \\~\\~d\\~\\~ e\\\\f",
		"the <p> tag, </p> and <!-- -->":                        `the \<p> tag, \</p> and \<!-- -->`,
		"&copy; &amp &#65; R&D":                                 "&amp;copy; &amp;amp &amp;#65; R&amp;D",
		"[a](b) [c][d] ![e](f) [^g]":                            `[a]\(b) [c]\[d] ![e]\(f) [\^g]`,
		"[a]: https://example.com":                              `[a]\: https://example.com`,
		"# a":                                                   `\# a`,
		"- a":                                                   `\- a`,
		"12. Mai":                                               `12\. Mai`,
		"12) Mai":                                               `12\) Mai`,
		"12.5 million":                                          "12.5 million",
		"> a":                                                   `\> a`,
		"a | b | c":                                             `a \| b \| c`,
		"---":                                                   `\---`,
		"a #":                                                   `a \#`,
	} {
		if got := escaped(text); got != want {
			t.Errorf("escaped(%q) = %q, want %q", text, got, want)
		}
	}
}

// readBack compares blocks with what is read of them. Bullets that Markdown does not
// know are taken for some all the same.
func readBack(t *testing.T, blocks []block.Block) {
	t.Helper()
	if slices.ContainsFunc(blocks, func(b block.Block) bool {
		_, item := plain.CutMarker(b.Text)
		return item && b.Text[0] >= 0x80
	}) {
		return
	}
	if got := Parse(Write(blocks)).Blocks; !slices.Equal(got, blocks) {
		t.Errorf("%q\nis read as %q\nwant       %q", Write(blocks), got, blocks)
	}
}

// hostile are texts that look like marks.
var hostile = []string{"a", "#", "# a", "a #", "## a ##", "C#", "---", "- a", "* a", "+ a", "+", "1. a", "1.", "12) b", "> a", ">", "=", "===", "***", "___",
	"_", "__a__", "a_", "_a", "a _ b", "**a**", "`", "```go", "~~~", "~", "<p>", "<", "<https://a>", "<!-- a", "&amp;", "&", "&copy", "&#65;",
	"[a](b)", "[a][b]", "[a]: b", "[^a]", "[^a]: b", "![a](b)", "[", "]", "[[a]](b)", "](", "|", "| a | b |", "a | b | c", "|-|", `\`, `\a`, `a\`, `\\`, `\#`, "a  ", "title: a"}

func TestReadBack(t *testing.T) {
	for _, first := range hostile {
		for _, second := range hostile {
			for kind := range block.Heading + 1 {
				var doc block.Document
				doc.Add(kind, first)
				doc.Add(block.Paragraph, second)
				doc.Add(block.Item, first)
				doc.Add(kind, second)
				readBack(t, doc.Blocks)
			}
		}
	}
}

func FuzzReadBack(f *testing.F) {
	for i, text := range hostile {
		f.Add(text, uint8(i), hostile[len(hostile)-1-i])
	}
	f.Fuzz(func(t *testing.T, first string, kind uint8, second string) {
		var doc block.Document
		doc.Add(block.Kind(kind%3), first)
		doc.Add(block.Kind(kind/3%3), second)
		doc.Add(block.Paragraph, first+second)
		readBack(t, doc.Blocks)
	})
}
