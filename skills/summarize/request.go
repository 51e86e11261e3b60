package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	defaultSentences = 3
	maxSentences     = 50
	maxText          = 2 << 20 // bounds time and memory
)

// request is what the skill is asked for; see input.schema.json.
type request struct {
	Path      string  `json:"path"`
	Text      *string `json:"text"` // a pointer tells a missing text from an empty one
	Sentences *int    `json:"sentences"`
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
