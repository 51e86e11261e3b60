package markdown

import (
	"slices"
	"testing"

	"github.com/hive-spore/hive/skills/internal/block"
)

// Shorthands for the tables.
func p(text string) block.Block { return block.Block{Kind: block.Paragraph, Text: text} }
func h(text string) block.Block { return block.Block{Kind: block.Heading, Text: text} }
func i(text string) block.Block { return block.Block{Kind: block.Item, Text: text} }

var parseTests = []struct {
	name, text, title string
	want              []block.Block
}{
	{name: "empty"},
	{
		name: "headings", text: "# Rain #\nIt rained.\n## Again\n\nIt poured.\n#no heading", title: "Rain",
		want: []block.Block{h("Rain"), p("It rained."), h("Again"), p("It poured. #no heading")},
	},
	{
		name: "setext headings", text: "The *rain*\n====\nIt rained.\n\nAgain\n---\nIt poured.", title: "The rain",
		want: []block.Block{h("The rain"), p("It rained."), h("Again"), p("It poured.")},
	},
	{
		name: "front matter", text: "---\ntitle: \"Rain\"\ndate: 2024\n---\nIt rained.", title: "Rain",
		want: []block.Block{p("It rained.")},
	},
	{
		name: "a heading beats the front matter", text: "---\ntitle: A\n---\n# B\nIt rained.", title: "B",
		want: []block.Block{h("B"), p("It rained.")},
	},
	{
		name: "unclosed front matter is text", text: "---\ntitle: A\nIt rained.",
		want: []block.Block{p("title: A It rained.")},
	},
	{
		name: "lists", text: "Buy:\n- nails\n  and screws\n- glue.\n\n1. First\n2) Second\n\nDone.",
		want: []block.Block{p("Buy:"), i("nails and screws"), i("glue."), i("First"), i("Second"), p("Done.")},
	},
	{
		name: "a number in a wrapped paragraph is no item", text: "It was on the\n3. of May.",
		want: []block.Block{p("It was on the 3. of May.")},
	},
	{
		name: "quotation", text: "> It rained.\n> > It poured.\n\nIt stopped.",
		want: []block.Block{p("It rained. It poured."), p("It stopped.")},
	},
	{
		name: "code, tables, comments, rules and definitions are dropped",
		text: "A.\n\n```go\nfmt.Println()\n```\n\n    indented()\n\n| a | b |\n|---|---|\n| c | d |\n\n" +
			"e | f\n--|--\ng | h | i\n\n<!-- not\nfor you -->\n\n* * *\n\n[1]: http://example.org\n[^2]: A note.\n\nB.",
		want: []block.Block{p("A."), p("B.")},
	},
	{
		name: "unclosed code swallows the rest", text: "A.\n~~~\nB.", want: []block.Block{p("A.")},
	},
	{
		name: "bold line is a heading", text: "**Rain**\n\n**It** rained **hard**",
		want: []block.Block{h("Rain"), p("It rained hard")},
	},
}

func TestParse(t *testing.T) {
	for _, tt := range parseTests {
		t.Run(tt.name, func(t *testing.T) {
			got := Parse(tt.text)
			if got.Title != tt.title {
				t.Errorf("title = %q, want %q", got.Title, tt.title)
			}
			if !slices.Equal(got.Blocks, tt.want) {
				t.Errorf("blocks:\ngot  %q\nwant %q", got.Blocks, tt.want)
			}
		})
	}
}

func TestPlainText(t *testing.T) {
	tests := []struct{ text, want string }{
		{"It rained.", "It rained."},
		{"It *really* rained __hard__, ***very*** hard.", "It really rained hard, very hard."},
		{"2 * 3 and 5*3 and snake_case and ~3 days", "2 * 3 and 5*3 and snake_case and ~3 days"},
		{"~~no~~ yes", "no yes"},
		{"Run `go test` now.", "Run go test now."},
		{"See [the *map*](https://example.org/a_(b) \"title\") here.", "See the map here."},
		{"See [the map][1] and [^2] here.", "See the map and  here."},
		{"An ![image](a.png) and a [![badge](b.png)](c).", "An  and a ."},
		{"He said [sic] so, a[0] too.", "He said [sic] so, a[0] too."},
		{"Write <b>to</b> <me@example.org> or <https://example.org>.", "Write to me@example.org or https://example.org."},
		{"1 < 2 and 3 > 2", "1 < 2 and 3 > 2"},
		{`\*not\* C:\dir \`, `*not* C:\dir `},
		{"R&amp;D &ndash; yes", "R&D – yes"},
		{"[unclosed", "[unclosed"},
		{"![", "!["},
		{"<", "<"},
	}
	for _, tt := range tests {
		if got := plainText(tt.text); got != tt.want {
			t.Errorf("plainText(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("---\ntitle: a\n---\n# b\n- [c](d) `e` *f*\n\n> g | h\n--|--\n```\ni")
	f.Add("[[[[[[](](](<a<a<!--\\")
	f.Fuzz(func(t *testing.T, text string) {
		for _, b := range Parse(text).Blocks {
			if b.Text == "" || b.Text != block.Collapse(b.Text) {
				t.Errorf("block %q is empty or not collapsed", b.Text)
			}
		}
	})
}
