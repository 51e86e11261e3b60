package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"

	"github.com/hive-spore/hive/skills/internal/block"
	"github.com/hive-spore/hive/skills/summarize/internal/lang"
	"github.com/hive-spore/hive/skills/summarize/internal/rank"
	"github.com/hive-spore/hive/skills/summarize/internal/sentence"
)

// summary is the result; see output.schema.json.
type summary struct {
	URL       string   `json:"url,omitempty"`
	Title     string   `json:"title,omitempty"`
	Sentences []string `json:"sentences"` // verbatim, in the order of the article
	Words     int      `json:"words"`     // words of the sentences of the body
}

func summarize(req request) summary {
	doc := req.document()
	language := lang.Detect(bodyText(doc))
	body := bodySentences(doc, language)
	result := summary{URL: req.URL, Title: doc.Title, Sentences: []string{}}
	for _, s := range body {
		result.Words += len(strings.Fields(s.Text))
	}
	for _, i := range rank.Select(body, language, req.sentences()) {
		result.Sentences = append(result.Sentences, body[i].Text)
	}
	return result
}

// bodyText joins the blocks of a document.
func bodyText(doc block.Document) string {
	var b strings.Builder
	for _, part := range doc.Blocks {
		b.WriteString(part.Text)
		b.WriteByte(' ')
	}
	return b.String()
}

// bodySentences returns the sentences of everything but headings.
func bodySentences(doc block.Document, l lang.Language) []rank.Sentence {
	var all []rank.Sentence
	for i, b := range doc.Blocks {
		if b.Kind == block.Heading {
			continue
		}
		for _, s := range sentence.Split(b.Text, l) {
			if isSentence(s, b.Kind) {
				all = append(all, rank.Sentence{Text: s, Block: i})
			}
		}
	}
	return all
}

// maxBytes is longer than any sentence; what is longer is data.
const maxBytes = 2000

// isSentence tells sentences from other pieces of text: items of lists, lines
// of verse and captions end without a full stop. Only in a paragraph, and only
// if it is longer than any headline, may the stop be missing.
func isSentence(text string, kind block.Kind) bool {
	if len(text) > maxBytes || !strings.ContainsFunc(text, unicode.IsLetter) {
		return false
	}
	return block.EndsSentence(text) ||
		kind == block.Paragraph && len(strings.Fields(text)) > block.MaxHeadline
}

// encode writes text as it is: a summary is not going to be put into a page
// without escaping, and "R&D" is easier to read than "R\u0026D".
func encode(s summary) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(s)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
