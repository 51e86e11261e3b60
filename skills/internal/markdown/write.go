package markdown

import (
	"html"
	"regexp"
	"strings"

	"github.com/hive-spore/hive/skills/internal/block"
)

// Write writes blocks as Markdown that Parse, like any reader of CommonMark, reads as
// the same blocks: headings of the second level, items on lines of their own, an
// empty line between all else. What could be taken for a mark is escaped.
func Write(blocks []block.Block) string {
	var b strings.Builder
	for i, part := range blocks {
		item := part.Kind == block.Item
		if i > 0 {
			b.WriteByte('\n')
			if !item || blocks[i-1].Kind != block.Item {
				b.WriteByte('\n')
			}
		}
		b.WriteString([...]string{block.Paragraph: "", block.Item: "- ", block.Heading: "## "}[part.Kind])
		b.WriteString(escaped(part.Text))
	}
	return b.String()
}

var (
	// inlineMarks are what stands for something else wherever it is. Brackets alone do
	// not, as in "[sic]": what follows them does.
	inlineMarks = regexp.MustCompile("[\\\\`*|]|~~+|<[A-Za-z/!?]|\\]+[(\\[:]|\\[\\^")
	// lineMarks are what does at the beginning of a block.
	lineMarks = regexp.MustCompile(`^(\d*)([#>+-]|[.)]( |$))`)
	closing   = regexp.MustCompile(` (#+)$`) // of a heading
	underline = regexp.MustCompile(`(^|[^\pL\pN])_+|_+([^\pL\pN]|$)`)
)

// escaped writes a line of text so that it is read as what it is.
func escaped(text string) string {
	if html.UnescapeString(text) != text {
		text = strings.ReplaceAll(text, "&", "&amp;")
	}
	if strings.ContainsAny(text, "\\`*|~<][") { // prose has few of them, and expressions take their time
		text = inlineMarks.ReplaceAllStringFunc(text, escapeMark)
	}
	if strings.Contains(text, "_") {
		text = underline.ReplaceAllStringFunc(text, func(s string) string { return strings.ReplaceAll(s, "_", `\_`) })
	}
	text = lineMarks.ReplaceAllString(text, `$1\$2`)
	if strings.HasSuffix(text, "#") {
		text = closing.ReplaceAllString(text, ` \$1`)
	}
	return text
}

func escapeMark(mark string) string {
	switch {
	case mark[0] == '~':
		return strings.ReplaceAll(mark, "~", `\~`)
	case mark[0] == ']':
		return mark[:len(mark)-1] + `\` + mark[len(mark)-1:]
	case mark[0] == '[':
		return `[\^`
	}
	return `\` + mark
}
