package htmltext

import (
	"html"
	"strings"

	"github.com/hive-spore/hive/skills/internal/block"
	"github.com/hive-spore/hive/skills/internal/wordset"
)

// title returns the headline of the page, "" if there is none. An <h1> is the
// headline if the page's own title repeats it or if it is the only one. The
// name of the site may be an <h1> in the page's title, too, but it is shorter.
func title(root *node) string {
	page, openGraph, headings := titles(root)
	best := ""
	for _, heading := range headings {
		if (strings.Contains(page, heading) || heading == openGraph) && len(heading) > len(best) {
			best = heading
		}
	}
	switch {
	case best != "":
		return best
	case len(headings) == 1:
		return headings[0]
	case openGraph != "":
		return openGraph
	}
	return withoutSite(page)
}

var openGraphTitle = wordset.Of("og:title")

// titles collects what may be the headline.
func titles(root *node) (page, openGraph string, headings []string) {
	for n := range root.all() {
		switch n.tag {
		case "title":
			if page == "" {
				page = n.innerText()
			}
		case "meta":
			if openGraph == "" && n.is("property", openGraphTitle) {
				value, _ := n.attr("content")
				openGraph = block.Collapse(html.UnescapeString(value))
			}
		case "h1":
			if text := n.innerText(); text != "" {
				headings = append(headings, text)
			}
		}
	}
	return page, openGraph, headings
}

func (n *node) innerText() string {
	var b strings.Builder
	for part := range n.all() {
		b.WriteString(html.UnescapeString(part.text))
	}
	return block.Collapse(b.String())
}

// minTitle is the number of words a title must keep when the name of the site
// is cut off; otherwise it may have been the title that was cut off.
const minTitle = 3

// withoutSite cuts " | The Courier" off the title of a page.
func withoutSite(page string) string {
	for _, separator := range []string{" | ", " – ", " — ", " - ", " :: ", " » "} {
		i := strings.LastIndex(page, separator)
		if i > 0 && len(strings.Fields(page[:i])) >= minTitle {
			return page[:i]
		}
	}
	return page
}
