package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	defaultSentences = 3
	maxSentences     = 50
	// maxText bounds time and memory. JSON may need six bytes for one of text
	// ("\u003c"), hence maxRequest.
	maxText    = 2 << 20
	maxRequest = 6*maxText + 4096
)

// request is what the skill is asked for; see input.schema.json.
type request struct {
	Path      string  `json:"path"`
	Text      *string `json:"text"` // a pointer tells a missing text from an empty one
	Sentences *int    `json:"sentences"`
}

// readRequest reads and checks a request. Its errors are one line long.
func readRequest(r io.Reader) (request, error) {
	var req request
	limited := &io.LimitedReader{R: r, N: maxRequest}
	decoder := json.NewDecoder(limited)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&req)
	if limited.N == 0 {
		return req, fmt.Errorf("request is larger than %d bytes", maxRequest-1)
	}
	if err != nil {
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
	case n < 1 || n > maxSentences:
		return fmt.Errorf(`invalid request: "sentences" is %d, want 1 to %d`, n, maxSentences)
	}
	return nil
}

func (r request) sentences() int {
	if r.Sentences == nil {
		return defaultSentences
	}
	return *r.Sentences
}
