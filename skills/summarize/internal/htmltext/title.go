package htmltext

import (
	"html"
	"strings"

	"github.com/hive-spore/hive/skills/summarize/internal/block"
)

// title returns the headline of the page, "" if there is none. An <h1> is the
// headline if it is the only one or if the page's own title repeats it; the
// name of the site is often an <h1>, too.
func title(root *node) string {
	page, openGraph, headings := titles(root)
	for _, heading := range headings {
		if strings.Contains(page, heading) || heading == openGraph {
			return heading
		}
	}
	switch {
	case len(headings) == 1:
		return headings[0]
	case openGraph != "":
		return openGraph
	}
	return withoutSite(page)
}

// titles collects what may be the headline.
func titles(root *node) (page, openGraph string, headings []string) {
	for n := range root.all() {
		switch n.tag {
		case "title":
			if page == "" {
				page = n.innerText()
			}
		case "meta":
			if openGraph == "" && n.is("property", set("og:title")) {
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
