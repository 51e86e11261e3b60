// Package article reads an article from plain text, Markdown or HTML.
package article

import (
	"path"
	"regexp"
	"strings"

	"github.com/hive-spore/hive/skills/internal/block"
	"github.com/hive-spore/hive/skills/internal/htmltext"
	"github.com/hive-spore/hive/skills/internal/markdown"
	"github.com/hive-spore/hive/skills/internal/plain"
)

// Format is a way to write an article.
type Format string

// The formats.
const (
	Text     Format = "text" // plain
	Markdown Format = "markdown"
	HTML     Format = "html"
)

// Parse reads an article; name, which may be empty, is the path it was found
// at.
func Parse(name, text string) block.Document { return Detect(name, text).Parse(text) }

// Parse reads an article that is written in a format.
func (f Format) Parse(text string) block.Document {
	text = strings.TrimPrefix(text, "\ufeff")
	switch f {
	case HTML:
		return htmltext.Parse(text)
	case Markdown:
		return markdown.Parse(text)
	default:
		return plain.Parse(text)
	}
}

// head is how much of a text Detect looks at.
const head = 8 << 10

var (
	htmlStart = regexp.MustCompile(`(?i)^\s*(<\?xml[^>]*>\s*)?(<!--[^>]*-->\s*)*<(!doctype\s+html|html|head|body)\b`)
	anyTag    = regexp.MustCompile(`<[A-Za-z!]`)
	htmlTags  = regexp.MustCompile(`(?i)</(p|div|article|section|h[1-6]|ul|table)>|<(p|br|div)\b[^<>]*>`)
	// A heading, a fence or front matter; bold type alone is no evidence.
	markdownStart = regexp.MustCompile("(?m)^(#{1,6} \\S|```|~~~|\\[[^\\]]+\\]: ?http)|\\A---\n\\w+:|\\]\\(https?://")
)

// Detect decides by the content where that is unmistakable, then by the
// extension of the name, and then by the content again.
func Detect(name, text string) Format {
	text = strings.TrimPrefix(text, "\ufeff")
	text = text[:min(len(text), head)]
	extension := strings.ToLower(path.Ext(name))
	switch {
	case htmlStart.MatchString(text):
		return HTML
	case extension == ".md" || extension == ".markdown":
		return Markdown
	case extension == ".html" || extension == ".htm" || extension == ".xhtml":
		if anyTag.MatchString(text) {
			return HTML
		}
	case len(htmlTags.FindAllStringIndex(text, 2)) == 2:
		return HTML
	case markdownStart.MatchString(text):
		return Markdown
	}
	return Text
}
