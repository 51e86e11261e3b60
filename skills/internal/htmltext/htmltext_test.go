package htmltext

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hive-spore/hive/skills/internal/block"
)

// Shorthands for the tables.
func p(text string) block.Block { return block.Block{Kind: block.Paragraph, Text: text} }
func h(text string) block.Block { return block.Block{Kind: block.Heading, Text: text} }
func i(text string) block.Block { return block.Block{Kind: block.Item, Text: text} }

// prose is long enough to be found by the extraction.
const (
	one = "The council met on Monday, and after a long debate, it decided to build a bridge."
	two = "Nobody had asked for a bridge, but everybody, or nearly everybody, was pleased."
)

var parseTests = []struct {
	name, src, title string
	want             []block.Block
}{
	{name: "empty"},
	{name: "no text", src: "<html><body><div></div></body></html>"},
	{name: "fragment", src: "<p>" + one + "</p>", want: []block.Block{p(one)}},
	{name: "text without elements", src: one, want: []block.Block{p(one)}},
	{name: "unclosed paragraphs", src: "<p>" + one + "<p>" + two, want: []block.Block{p(one), p(two)}},
	{
		name: "navigation, footer and script", title: "News",
		src: "<title>News</title><nav><ul><li>" + one + "</ul></nav><main><p>" + two + "</main><footer>" + one +
			"</footer><script>" + one + "</script>",
		want: []block.Block{p(two)},
	},
	{
		name: "roles and names",
		src: `<div role=dialog>` + one + `</div><div class="js-CookieLayer">` + one + `</div><div><p>` + one + `<p>` +
			two + `</div><div id="shareButtons">` + one + `</div><div class="komentarze-lista">` + one + `</div>`,
		want: []block.Block{p(one), p(two)},
	},
	{
		name: "what holds most of the text stays whatever its name",
		src:  `<body class="has-sidebar with-comments"><p>` + one + `<p>` + two,
		want: []block.Block{p(one), p(two)},
	},
	{
		name: "hidden elements",
		src: `<p>` + one + `<p hidden>` + two + `<p style="display: none">` + two + `<p aria-hidden="true">` + two +
			`<p style="VISIBILITY:hidden">` + two,
		want: []block.Block{p(one)},
	},
	{
		name: "tables, figures and forms",
		src: `<p>` + one + `<table><tr><td>` + two + `</table><figure><figcaption>` + two + `</figure><form>` + two +
			`</form>`,
		want: []block.Block{p(one)},
	},
	{
		name: "a page laid out with a table is read all the same",
		src:  `<table><tr><td><a href=x>Home</a><td><p>` + one + `<p>` + two + `</table>`,
		want: []block.Block{p(one), p(two)},
	},
	{
		name: "headings and items are blocks of their own",
		src:  `<h2>Bridge</h2><p>` + one + `<ul><li>` + two + `<li><p>` + one + `</ul>`,
		want: []block.Block{h("Bridge"), p(one), i(two), i(one)},
	},
	{
		name: "bold paragraph as heading",
		src:  `<p><b>The bridge</b></p><p><b>` + one + `</b></p><p>` + two,
		want: []block.Block{h("The bridge"), p(one), p(two)},
	},
	{
		name: "paragraphs that are links",
		src:  `<p>` + one + `<p><b>Read more:</b> <a href=x>` + two + `</a><p>` + two,
		want: []block.Block{p(one), p(two)},
	},
	{
		name: "line breaks",
		src:  `<p>` + one + `<br><br>` + two + `<br/>Title<br>` + one + `<br>and so on.`,
		want: []block.Block{p(one), p(two), p("Title"), p(one + " and so on.")},
	},
	{
		name: "entities and inline elements",
		src:  `<p>The co&uuml;ncil&nbsp;met &#8211; <i>once</i>&#x2026; It&apos;s <q>R&amp;D</q>, <b>is</b>n&rsquo;t&shy; it?<sup><a href=#1>[1]</a></sup></p>`,
		want: []block.Block{p("The coüncil met – once… It's “R&D”, isn’t it?")},
	},
	{
		name: "text above the headline", title: "Bridge",
		src:  `<article><span>Traffic</span><h1>Bridge</h1><p>` + one + `<h2>Two</h2><p>` + two + `</article>`,
		want: []block.Block{p(one), h("Two"), p(two)},
	},
}

func TestParse(t *testing.T) {
	for _, tt := range parseTests {
		t.Run(tt.name, func(t *testing.T) {
			got := Parse(tt.src)
			if got.Title != tt.title {
				t.Errorf("title = %q, want %q", got.Title, tt.title)
			}
			if !slices.Equal(got.Blocks, tt.want) {
				t.Errorf("blocks:\ngot  %q\nwant %q", got.Blocks, tt.want)
			}
		})
	}
}

func TestTitle(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"none", "<p>a", ""},
		{"only heading", "<title>The Courier</title><h1>A <i>bridge</i> for all</h1>", "A bridge for all"},
		{"heading that the page repeats", "<title>A bridge - Courier</title><h1>Courier</h1><h1>A bridge</h1>", "A bridge"},
		{"Open Graph", `<meta property="og:title" content="R&amp;D"><title>x</title><h1>a</h1><h1>b</h1>`, "R&D"},
		{"page", "<title>A bridge for all | The Courier</title>", "A bridge for all"},
		{"page without site", "<title>A bridge – for all</title>", "A bridge – for all"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := title(parse(tt.src)); got != tt.want {
				t.Errorf("title = %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzParse checks that any input gives clean blocks; that it does not panic
// goes without saying.
func FuzzParse(f *testing.F) {
	f.Add("<!doctype html><title>a | b</title><div id=c class='d e'><p>" + one + "<br><br>" + two + "<p>f<li>g<td>h&amp;")
	f.Add("<a b='<c d=\"></e><!-- f --><![CDATA[ g <script>h</scrip")
	f.Add("<table><tr><td><p>" + one + "<table></div></td><q>" + two + "</table></table>\xff")
	f.Fuzz(func(t *testing.T, src string) {
		for _, b := range Parse(src).Blocks {
			if b.Text == "" || b.Text != block.Collapse(b.Text) || !utf8.ValidString(b.Text) {
				t.Errorf("block %q is empty, not collapsed or not UTF-8", b.Text)
			}
			if strings.Contains(src, "&") { // entities may spell anything
				continue
			}
			if strings.Contains(b.Text, "<script") {
				t.Errorf("tag in the text: %q", b.Text)
			}
		}
	})
}
