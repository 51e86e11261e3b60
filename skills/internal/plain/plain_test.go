package plain

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
	{name: "blank", text: " \n\t\r\n"},
	{
		name: "one paragraph has no title", text: "It rained. It poured.\n",
		want: []block.Block{p("It rained. It poured.")},
	},
	{
		name: "title and paragraphs", text: "Rain\n\nIt rained.\r\n\r\nIt poured.", title: "Rain",
		want: []block.Block{h("Rain"), p("It rained."), p("It poured.")},
	},
	{
		name: "question as title", text: "Will it rain?\n\nIt will.", title: "Will it rain?",
		want: []block.Block{h("Will it rain?"), p("It will.")},
	},
	{
		name: "wrapped lines are joined",
		text: "The council of the town met on Monday and then\ndecided to build a bridge. Nobody had asked for a\nBridge. It came.",
		want: []block.Block{p("The council of the town met on Monday and then decided to build a bridge. Nobody had asked for a Bridge. It came.")},
	},
	{
		name: "heading directly above its paragraph",
		text: "The bridge\nThe council met on Monday and decided to build a bridge that nobody had asked for.", title: "The bridge",
		want: []block.Block{h("The bridge"), p("The council met on Monday and decided to build a bridge that nobody had asked for.")},
	},
	{
		name: "lines broken at clauses are joined",
		text: "The council,\nwhich met on Monday,\ndecided to build a bridge that nobody had ever asked for.",
		want: []block.Block{p("The council, which met on Monday, decided to build a bridge that nobody had ever asked for.")},
	},
	{
		name: "list items",
		text: "You need:\n- a hammer,\n- nails that\n  are long\n2. Time.",
		want: []block.Block{p("You need:"), i("a hammer,"), i("nails that are long"), i("Time.")},
	},
	{
		name: "an ordinal at the beginning of a wrapped line is no item",
		text: "Die Stadt feiert in diesem Jahr wie immer am\n3. Oktober ein Fest. Alle sind eingeladen.",
		want: []block.Block{p("Die Stadt feiert in diesem Jahr wie immer am 3. Oktober ein Fest. Alle sind eingeladen.")},
	},
	{
		name: "tables and rules are dropped",
		text: "Prices rose.\n\n| a | b |\n|---|---|\n\nname\tprice\tchange\n\n=====\n\nThey fell.",
		want: []block.Block{p("Prices rose."), p("They fell.")},
	},
	{
		name: "a dialogue dash is no bullet", text: "– Nie wiem. – Wstał.",
		want: []block.Block{p("– Nie wiem. – Wstał.")},
	},
	{
		name: "a year is no list number", text: "2024. That was a year.",
		want: []block.Block{p("2024. That was a year.")},
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
