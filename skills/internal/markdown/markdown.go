// Package markdown reads the text of a Markdown document: CommonMark's blocks
// and inline marks, GitHub's tables and the front matter of static site
// generators. Code, tables, images and comments are dropped.
package markdown

import (
	"strings"

	"github.com/hive-spore/hive/skills/internal/block"
	"github.com/hive-spore/hive/skills/internal/plain"
)

// Parse splits text into blocks. The title is the first heading of the first
// level, or else the title in the front matter.
func Parse(text string) block.Document {
	r := reader{lines: strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")}
	r.frontMatter()
	for r.pos < len(r.lines) {
		r.line()
	}
	r.flush()
	if r.heading != "" {
		r.doc.Title = r.heading
	}
	return r.doc
}

// reader goes through the lines of a document.
type reader struct {
	doc     block.Document
	heading string // the first heading of level 1
	lines   []string
	pos     int

	kind block.Kind // of the block being collected
	text []string   // its lines
}

// frontMatter skips the YAML between the "---" lines at the top.
func (r *reader) frontMatter() {
	if r.lines[0] != "---" {
		return
	}
	for i, line := range r.lines[1:] {
		if line == "---" {
			r.pos = i + 2
			return
		}
		if title, ok := strings.CutPrefix(line, "title:"); ok {
			r.doc.Title = strings.Trim(block.Collapse(title), `"'`)
		}
	}
	r.doc.Title = "" // never closed: it was a rule
}

// line handles the line at pos.
func (r *reader) line() {
	indented := unquote(r.lines[r.pos])
	line := strings.TrimSpace(indented)
	r.pos++
	switch {
	case line == "":
		r.flush()
	case r.isCode(indented):
		return
	case isFence(line):
		r.skipFence(line[:3])
	case strings.HasPrefix(line, "<!--"):
		r.skipComment(line)
	case len(r.text) > 0 && r.kind == block.Paragraph && isUnderline(line):
		r.kind = block.Heading
		r.finishHeading(line[0] == '=')
	case isRule(line), r.isDefinition(line), r.isTable(line):
		r.flush()
	case headingLevel(line) > 0:
		r.atxHeading(line)
	default:
		r.collect(line)
	}
}

// isCode recognises an indented code block. Below an item of a list the
// indented lines belong to the item.
func (r *reader) isCode(line string) bool {
	n := len(r.doc.Blocks)
	return len(r.text) == 0 && (strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")) &&
		(n == 0 || r.doc.Blocks[n-1].Kind != block.Item)
}

// unquote removes the marks of a block quotation.
func unquote(line string) string {
	for {
		rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), ">")
		if !ok {
			return line
		}
		line = rest
	}
}

func isFence(line string) bool {
	return strings.HasPrefix(line, "```") || strings.HasPrefix(line, "~~~")
}

// skipFence skips the code up to the closing fence.
func (r *reader) skipFence(fence string) {
	r.flush()
	for r.pos < len(r.lines) {
		r.pos++
		if strings.HasPrefix(strings.TrimSpace(unquote(r.lines[r.pos-1])), fence) {
			return
		}
	}
}

// skipComment skips a comment that begins a line.
func (r *reader) skipComment(line string) {
	for !strings.Contains(line, "-->") && r.pos < len(r.lines) {
		line = r.lines[r.pos]
		r.pos++
	}
}

// isUnderline recognises the second line of a setext heading.
func isUnderline(line string) bool {
	return strings.Trim(line, "=") == "" || len(line) > 1 && strings.Trim(line, "-") == ""
}

func isRule(line string) bool {
	compact := strings.ReplaceAll(line, " ", "")
	return len(compact) >= 3 && strings.Contains("-*_", compact[:1]) && strings.Trim(compact, compact[:1]) == ""
}

// isDefinition recognises "[name]: https://…" and "[^1]: note".
func (r *reader) isDefinition(line string) bool {
	name, _, ok := strings.Cut(line, "]:")
	return ok && len(r.text) == 0 && strings.HasPrefix(name, "[") && !strings.Contains(name, "](")
}

// isTable recognises the rows of a table. Rows need not begin with a bar if
// the row of dashes follows or if a row precedes.
func (r *reader) isTable(line string) bool {
	if strings.HasPrefix(line, "|") {
		return true
	}
	if !strings.Contains(line, "|") {
		return false
	}
	following := ""
	if r.pos < len(r.lines) {
		following = r.lines[r.pos]
	}
	return isDashRow(line) || isDashRow(following) || strings.Count(line, " | ") >= 2
}

func isDashRow(line string) bool {
	return strings.Contains(line, "|") && strings.Contains(line, "-") && strings.Trim(line, "|-: ") == ""
}

// headingLevel returns the number of "#" of an ATX heading, or 0.
func headingLevel(line string) int {
	level := len(line) - len(strings.TrimLeft(line, "#"))
	if level > 6 || level < len(line) && line[level] != ' ' {
		return 0
	}
	return level
}

func (r *reader) atxHeading(line string) {
	r.flush()
	level := headingLevel(line)
	r.kind = block.Heading
	text := strings.TrimSpace(line[level:])
	if open := strings.TrimRight(text, "#"); open == "" || strings.HasSuffix(open, " ") { // not "C#"
		text = strings.TrimRight(open, " ")
	}
	r.text = []string{text}
	r.finishHeading(level == 1)
}

// finishHeading ends the heading being collected and remembers the first of
// the first level.
func (r *reader) finishHeading(top bool) {
	if top && r.heading == "" {
		r.heading = block.Collapse(plainText(strings.Join(r.text, " ")))
	}
	r.flush()
}

// collect adds a line to the block being collected, or begins an item. A
// number in the middle of a paragraph begins none: the line may go on with
// "3. Oktober".
func (r *reader) collect(line string) {
	isNumber := '0' <= line[0] && line[0] <= '9'
	inParagraph := len(r.text) > 0 && r.kind == block.Paragraph
	if item, ok := plain.CutMarker(line); ok && !(isNumber && inParagraph) {
		r.flush()
		r.kind = block.Item
		line = item
	}
	r.text = append(r.text, line)
}

// flush ends the block being collected. A paragraph all in bold type is a
// heading in disguise.
func (r *reader) flush() {
	text := strings.Join(r.text, " ")
	if r.kind == block.Paragraph && isBold(text) && block.LooksLikeHeading(plainText(text)) {
		r.kind = block.Heading
	}
	r.doc.Add(r.kind, plainText(text))
	r.kind, r.text = block.Paragraph, nil
}

func isBold(text string) bool {
	return len(text) > 4 && (text[:2] == "**" || text[:2] == "__") &&
		strings.Index(text[2:], text[:2]) == len(text)-4
}
