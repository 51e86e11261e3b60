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

// format is a way to write an article.
type format uint8

const (
	plainText format = iota
	markdownText
	htmlPage
)

// Parse reads an article; name, which may be empty, is the path it was found
// at.
func Parse(name, text string) block.Document {
	text = strings.TrimPrefix(text, "\ufeff")
	switch detect(name, text) {
	case htmlPage:
		return htmltext.Parse(text)
	case markdownText:
		return markdown.Parse(text)
	default:
		return plain.Parse(text)
	}
}

// head is how much of a text detect looks at.
const head = 8 << 10

var (
	htmlStart = regexp.MustCompile(`(?i)^\s*(<\?xml[^>]*>\s*)?(<!--[^>]*-->\s*)*<(!doctype\s+html|html|head|body)\b`)
	anyTag    = regexp.MustCompile(`<[A-Za-z!]`)
	htmlTags  = regexp.MustCompile(`(?i)</(p|div|article|section|h[1-6]|ul|table)>|<(p|br|div)\b[^<>]*>`)
	// A heading, a fence or front matter; bold type alone is no evidence.
	markdownStart = regexp.MustCompile("(?m)^(#{1,6} \\S|```|~~~|\\[[^\\]]+\\]: ?http)|\\A---\n\\w+:|\\]\\(https?://")
)

// detect decides by the content where that is unmistakable, then by the
// extension, and then by the content again.
func detect(name, text string) format {
	text = text[:min(len(text), head)]
	extension := strings.ToLower(path.Ext(name))
	switch {
	case htmlStart.MatchString(text):
		return htmlPage
	case extension == ".md" || extension == ".markdown":
		return markdownText
	case extension == ".html" || extension == ".htm" || extension == ".xhtml":
		if anyTag.MatchString(text) {
			return htmlPage
		}
	case len(htmlTags.FindAllStringIndex(text, 2)) == 2:
		return htmlPage
	case markdownStart.MatchString(text):
		return markdownText
	}
	return plainText
}
