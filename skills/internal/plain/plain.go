// Package plain reads plain text: paragraphs between blank lines, wrapped at
// some column or not, with headings, lists and tables as people type them.
package plain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive/skills/internal/block"
)

// Parse splits text into blocks. A headline on the first line is the title.
func Parse(text string) block.Document {
	var doc block.Document
	for paragraph := range Paragraphs(text) {
		addLines(&doc, paragraph)
	}
	takeTitle(&doc)
	return doc
}

// Paragraphs yields the lines between blank lines.
func Paragraphs(text string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		var lines []string
		for line := range strings.Lines(text) {
			if line = strings.TrimRightFunc(line, unicode.IsSpace); line != "" {
				lines = append(lines, line)
				continue
			}
			if len(lines) > 0 && !yield(lines) {
				return
			}
			lines = nil
		}
		if len(lines) > 0 {
			yield(lines)
		}
	}
}

// addLines adds the blocks of a paragraph: what lies between deliberate line
// breaks.
func addLines(doc *block.Document, lines []string) {
	width := widest(lines)
	for start := 0; start < len(lines); {
		_, inList := CutMarker(lines[start])
		end := start + 1
		for end < len(lines) && !deliberate(lines[end-1], lines[end], width, inList) {
			end++
		}
		addBlock(doc, lines[start:end])
		start = end
	}
}

func widest(lines []string) int {
	width := 0
	for _, line := range lines {
		width = max(width, utf8.RuneCountInString(line))
	}
	return width
}

// slack is how many columns must remain free before a line break counts as
// deliberate; hand-wrapped text is ragged.
const slack = 8

// deliberate reports whether the break between two lines was made by the
// author. An editor breaks a line because the next word does not fit, so a
// break before a word that would have fitted was meant. It still only counts
// where a new sentence or an item of a list may begin; and "3. Oktober" at the
// beginning of a line is an item only if the line before does not need it.
func deliberate(line, following string, width int, inList bool) bool {
	if isRule(following) || isTableRow(line) || isTableRow(following) {
		return true
	}
	fits := fitted(line, following, width)
	if _, isItem := CutMarker(following); isItem {
		return inList || fits || block.EndsSentence(line) || strings.HasSuffix(line, ":")
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimSpace(following))
	return fits && !unicode.IsLower(first) && !strings.HasSuffix(line, ",")
}

// fitted reports whether the first word of a line would have had room on the
// line before it.
func fitted(line, following string, width int) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(following), " ")
	return utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word)+slack <= width
}

// addBlock adds one block. Rules ("-----") and rows of tables are dropped.
func addBlock(doc *block.Document, lines []string) {
	text := strings.TrimSpace(strings.Join(lines, " "))
	if isRule(text) || isTableRow(text) {
		return
	}
	if item, ok := CutMarker(text); ok {
		doc.Add(block.Item, item)
		return
	}
	kind := block.Paragraph
	if len(lines) == 1 && block.LooksLikeHeading(text) {
		kind = block.Heading
	}
	doc.Add(kind, text)
}

// takeTitle makes the first block the title if it is a headline; one may also
// be a question or an exclamation.
func takeTitle(doc *block.Document) {
	if len(doc.Blocks) < 2 {
		return
	}
	first := &doc.Blocks[0]
	if first.Kind == block.Paragraph && strings.HasSuffix(first.Text, "?") &&
		len(strings.Fields(first.Text)) <= block.MaxHeadline {
		first.Kind = block.Heading
	}
	if first.Kind == block.Heading {
		doc.Title = first.Text
	}
}

// CutMarker removes the bullet or the number in front of a list item.
func CutMarker(line string) (item string, ok bool) {
	line = strings.TrimSpace(line)
	for _, bullet := range []string{"- ", "* ", "+ ", "• ", "· ", "▪ "} {
		if item, ok := strings.CutPrefix(line, bullet); ok {
			return strings.TrimSpace(item), true
		}
	}
	digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
	if digits < 1 || digits > 3 {
		return line, false
	}
	if rest := line[digits:]; strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") ") {
		return strings.TrimSpace(rest[2:]), true
	}
	return line, false
}

// isRule recognises a line drawn with punctuation.
func isRule(line string) bool {
	return len(line) >= 3 && strings.Trim(line, "-=_*~#+ ") == ""
}

// isTableRow recognises columns separated by bars or by tabulators.
func isTableRow(line string) bool {
	return strings.Count(line, "|") >= 2 || strings.Count(strings.TrimSpace(line), "\t") >= 2
}
