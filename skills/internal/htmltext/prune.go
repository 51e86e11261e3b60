package htmltext

import (
	"slices"
	"strings"
	"unicode"

	"github.com/hive-spore/hive/skills/internal/wordset"
)

// otherRoles are ARIA roles of anything but an article.
var otherRoles = wordset.Of(`navigation banner contentinfo complementary dialog alertdialog alert search form menu
	menubar toolbar tablist status`)

// otherNames are words in a class or an id that mark boilerplate; otherParts
// do so even as part of a longer word ("topmenu", "komentarze"). The idea is
// that of Readability.js; the words are English, Polish and German.
var (
	otherNames = wordset.Of(`ad ads advert adslot advertisement author autor autorzy anzeige anzeigen banner bio byline
		caption czytaj figcaption legal login meta modal more mehr nav pager pagination pagetools polecane polecamy
		print privacy rail rodo shadow share sharing shareline sharebar skip tag tags tagi teilen tool tools toolbar
		trending udostepnij udostępnij verfasser widget zobacz teaser teasers outbrain taboola signup datenschutz
		impressum empfehlungen powiazane powiązane recirculation paywall`)
	otherParts = []string{
		"cookie", "consent", "gdpr", "comment", "komentar", "kommentar", "disqus", "newsletter", "sidebar",
		"breadcrumb", "brotkrume", "related", "footer", "stopka", "fusszeile", "advert", "reklam", "werbung",
		"sponsor", "promo", "subscri", "social", "masthead", "navbar", "navigation", "menu", "popup", "recommend",
		"mostread", "meistgelesen", "najczesciej", "randspalte",
	}
)

// prune removes every element that cannot belong to an article. Judging by
// names is a guess, so an element that holds most of the text of the page is
// kept whatever its name ("has-sidebar" on the body).
func prune(root *node, lenient bool) {
	removeIf(root, func(n *node) bool {
		return n.has(neverText) || !lenient && n.has(aroundText) || isHidden(n) || isNoteReference(n)
	})
	root.weigh()
	if lenient {
		return
	}
	most := root.measure.text / 2
	removeIf(root, func(n *node) bool {
		return n.tag != "" && n.measure.text <= most && (n.is("role", otherRoles) || hasOtherName(n))
	})
	root.weigh()
}

// removeIf removes the topmost nodes below n for which unwanted is true.
func removeIf(n *node, unwanted func(*node) bool) {
	n.children = slices.DeleteFunc(n.children, unwanted)
	for _, child := range n.children {
		removeIf(child, unwanted)
	}
}

var truthy = wordset.Of("true 1")

func isHidden(n *node) bool {
	if n.attrs == "" {
		return false
	}
	if _, ok := n.attr("hidden"); ok || n.is("aria-hidden", truthy) {
		return true
	}
	style, _ := n.attr("style")
	style = strings.ToLower(strings.ReplaceAll(style, " ", ""))
	return strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden")
}

// isNoteReference recognises the raised "[1]" that links to a note.
func isNoteReference(n *node) bool {
	return n.tag == "sup" && slices.ContainsFunc(n.children, func(c *node) bool { return c.tag == "a" })
}

// hasOtherName reports whether the class or the id of n marks boilerplate.
func hasOtherName(n *node) bool {
	if n.attrs == "" {
		return false
	}
	class, _ := n.attr("class")
	id, _ := n.attr("id")
	return namesOther(class) || namesOther(id)
}

func namesOther(name string) bool {
	if name == "" {
		return false
	}
	lower := strings.ToLower(name)
	if slices.ContainsFunc(otherParts, func(part string) bool { return strings.Contains(lower, part) }) {
		return true
	}
	for word := range strings.FieldsFuncSeq(splitCamel(name), notAlphanumeric) {
		if otherNames[strings.ToLower(word)] {
			return true
		}
	}
	return false
}

// splitCamel turns "shareButtons" into "share Buttons".
func splitCamel(name string) string {
	var b strings.Builder
	wasLower := false
	for _, r := range name {
		if wasLower && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		wasLower = unicode.IsLower(r)
		b.WriteRune(r)
	}
	return b.String()
}

func notAlphanumeric(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
