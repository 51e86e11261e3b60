package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive/skills/internal/article"
	"github.com/hive-spore/hive/skills/internal/markdown"
)

// document is the result; see output.schema.json. It is a request to summarize as it
// is.
type document struct {
	URL       string         `json:"url"` // where it came from after redirects
	Status    int            `json:"status"`
	Title     string         `json:"title,omitempty"`
	Text      string         `json:"text"`
	Format    article.Format `json:"format"` // of the text: Text or Markdown
	Truncated bool           `json:"truncated,omitempty"`
}

// newDocument reads a page. Of HTML the text is the article in Markdown; all else is
// its own text already.
func newDocument(format article.Format, text string) *document {
	parsed := format.Parse(text)
	d := &document{Title: clean(parsed.Title), Text: text, Format: format}
	if format == article.HTML {
		d.Text, d.Format = markdown.Write(parsed.Blocks), article.Markdown
	}
	d.Text = strings.TrimSpace(clean(d.Text))
	return d
}

// clean drops control characters, which no article has, but what separates lines
// and columns.
func clean(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

const (
	// maxText bounds the text as it is written in JSON, in bytes: with all else it
	// stays below the 1 MiB that a result and a payload may have.
	maxText  = 900_000
	maxTitle = 1000 // characters
)

// fit cuts the text to what is asked for, and to what a result can have.
func (d *document) fit(maxChars *int) {
	d.Title, _ = cut(d.Title, maxTitle)
	limit := maxText
	if maxChars != nil {
		limit = min(limit, *maxChars)
	}
	d.Text, d.Truncated = cut(d.Text, limit)
}

// cut returns at most that many characters of text, and of maxText, and whether
// there were more. It cuts between words, unless one is all there is.
func cut(text string, chars int) (string, bool) {
	size := 0
	for at, r := range text {
		if size += encoded(r); chars > 0 && size <= maxText {
			chars--
			continue
		}
		head := text[:at]
		if before := strings.LastIndexAny(head, " \n\t"); before > 0 && !unicode.IsSpace(r) {
			head = head[:before]
		}
		return strings.TrimSpace(head), true
	}
	return text, false
}

// encoded is how many bytes a character takes in JSON.
func encoded(r rune) int {
	switch r {
	case '"', '\\', '\n', '\t':
		return 2
	case '\u2028', '\u2029':
		return 6
	}
	return utf8.RuneLen(r)
}

// encode writes text as it is, without escaping it for a page.
func (d *document) encode() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(d)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
