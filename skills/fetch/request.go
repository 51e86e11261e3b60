package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// request is what the skill is asked for; see input.schema.json.
type request struct {
	URL      string `json:"url"`
	MaxChars *int   `json:"max_chars"`
}

// readRequest reads and checks a request. Its errors are one line long.
func readRequest(input []byte) (*request, error) {
	q := &request{}
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(q); err != nil {
		return nil, fmt.Errorf("decode request: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode request: there is more than one JSON value")
	}
	return q, q.check()
}

// check brings the URL into the form in which it is asked for: without a fragment,
// which is the reader's own, and in ASCII but for the host's name.
func (q *request) check() error {
	if q.URL == "" {
		return errors.New(`invalid request: "url" is missing`)
	}
	if q.MaxChars != nil && *q.MaxChars < 1 {
		return fmt.Errorf(`invalid request: "max_chars" is %d, want 1 or more`, *q.MaxChars)
	}
	u, err := url.Parse(strings.TrimSpace(q.URL))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf(`invalid request: "url" is %.200q, want https://HOST/PATH or http://`, q.URL)
	}
	u.Fragment, u.RawFragment = "", ""
	u.RawQuery = escape(u.RawQuery)
	q.URL = u.String()
	return nil
}

// escape writes what is no ASCII, or a space, as browsers do in the query of a URL.
func escape(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
