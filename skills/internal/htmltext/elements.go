package htmltext

import (
	"strings"

	"github.com/hive-spore/hive/skills/internal/wordset"
)

// traits are the properties of an element that depend on its tag alone.
type traits uint8

const (
	void       traits = 1 << iota // has no content and no end tag
	rawText                       // its content is not markup
	blockLevel                    // interrupts a paragraph, and its start closes an open <p>
	barrier                       // an implied end tag does not reach out of it
	neverText                     // its content is not for reading
	// aroundText surrounds an article or interrupts it. Pages from before
	// HTML 5 may keep the article itself in a table or a form, which is why
	// extraction has a second, lenient try without this trait.
	aroundText
)

// elements holds the traits of the elements that have any.
var elements = traitsTable(map[traits]string{
	void:    `area base basefont br col embed frame hr img input keygen link meta param source track wbr`,
	rawText: `script style textarea title xmp iframe noembed noframes`,
	blockLevel: `address article aside audio blockquote body canvas caption center dd details dialog dir div dl
		dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe legend li
		main menu nav noscript object ol option p pre search section select summary table tbody td template
		textarea tfoot th thead title tr ul video`,
	barrier: `article aside blockquote body div dl footer form header html main menu nav ol section select table
		td th ul`,
	neverText: `audio canvas embed head iframe map math noembed noframes noscript object script style svg template
		textarea title video xmp`,
	aroundText: `aside button caption dialog fieldset figcaption figure footer form header label menu nav picture pre
		select table`,
})

func traitsTable(lists map[traits]string) map[string]traits {
	table := make(map[string]traits)
	for t, list := range lists {
		for tag := range strings.FieldsSeq(list) {
			table[tag] |= t
		}
	}
	return table
}

// closes lists the open elements that the start tag of an element implicitly
// closes, besides the <p> that every block-level element closes.
var closes = map[string]wordset.Set{
	"li":     wordset.Of("li"),
	"dt":     wordset.Of("dt dd"),
	"dd":     wordset.Of("dt dd"),
	"option": wordset.Of("option"),
	"tr":     wordset.Of("tr td th"),
	"td":     wordset.Of("td th"),
	"th":     wordset.Of("td th"),
	"thead":  wordset.Of("thead tbody tfoot tr td th"),
	"tbody":  wordset.Of("thead tbody tfoot tr td th"),
	"tfoot":  wordset.Of("thead tbody tfoot tr td th"),
}
