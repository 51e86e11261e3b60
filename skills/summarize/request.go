package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/hive-spore/hive/skills/internal/article"
	"github.com/hive-spore/hive/skills/internal/block"
)

const (
	defaultSentences = 3
	maxSentences     = 50
	maxText          = 2 << 20 // bounds time and memory
)

// request is what the skill is asked for; see input.schema.json.
type request struct {
	Path      string         `json:"path"`
	Text      *string        `json:"text"`   // a pointer tells a missing text from an empty one
	Format    article.Format `json:"format"` // of the text; "": it is found out
	Title     string         `json:"title"`  // "": it is looked for
	Sentences *int           `json:"sentences"`

	// What fetch says beside the text.
	URL       string `json:"url"`
	Status    int    `json:"status"`
	Truncated bool   `json:"truncated"`
}

// answer returns the summary that a request asks for.
func answer(input []byte) ([]byte, error) {
	request, err := readRequest(input)
	if err != nil {
		return nil, err
	}
	return encode(summarize(request))
}

// readRequest reads and checks a request. Its errors are one line long.
func readRequest(input []byte) (request, error) {
	var req request
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&req); err != nil {
		return req, fmt.Errorf("decode request: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return req, errors.New("decode request: there is more than one JSON value")
	}
	return req, req.check()
}

func (r request) check() error {
	switch n := r.sentences(); {
	case r.Text == nil:
		return errors.New(`invalid request: "text" is missing`)
	case len(*r.Text) > maxText:
		return fmt.Errorf(`invalid request: "text" has %d bytes, more than %d`, len(*r.Text), maxText)
	case !slices.Contains(formats, r.Format):
		return fmt.Errorf(`invalid request: "format" is %.40q, want text, markdown or html`, r.Format)
	case n < 1 || n > maxSentences:
		return fmt.Errorf(`invalid request: "sentences" is %d, want 1 to %d`, n, maxSentences)
	}
	return nil
}

// formats are those that a text can be in.
var formats = []article.Format{"", article.Text, article.Markdown, article.HTML}

// document reads the article.
func (r request) document() block.Document {
	format := r.Format
	if format == "" {
		format = article.Detect(r.Path, *r.Text)
	}
	doc := format.Parse(*r.Text)
	if r.Title != "" {
		doc.Title = block.Collapse(r.Title)
	}
	return doc
}

func (r request) sentences() int {
	if r.Sentences == nil {
		return defaultSentences
	}
	return *r.Sentences
}
