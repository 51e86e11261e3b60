package hostfuncs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Responses are what servers answer in a rehearsal, by "METHOD URL": each as the
// function http gives it, or as curl -i prints it. It is a transport of HTTPOptions.
type Responses map[string][]byte

// RoundTrip implements http.RoundTripper.
func (r Responses) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Body != nil {
		_ = q.Body.Close()
	}
	asked := q.Method + " " + q.URL.String()
	text, ok := r[asked]
	if !ok {
		return nil, fmt.Errorf("nothing in [example.http] of skill.toml answers %q", asked)
	}
	response, err := readResponse(text)
	if err != nil {
		return nil, fmt.Errorf("what [example.http] of skill.toml names for %q: %w", asked, err)
	}
	return response, nil
}

// readResponse reads a status, a line for each header, an empty line, and a body
// that is not encoded for the transfer.
func readResponse(text []byte) (*http.Response, error) {
	status, rest, _ := bytes.Cut(text, []byte("\n"))
	words := strings.Fields(string(status))
	if len(words) > 1 && strings.HasPrefix(words[0], "HTTP/") {
		words = words[1:]
	}
	r := &http.Response{Header: http.Header{}}
	if len(words) > 0 {
		r.StatusCode, _ = strconv.Atoi(words[0])
	}
	if r.StatusCode < 100 || r.StatusCode > 999 {
		return nil, errors.New("line 1: want a status such as 200")
	}
	for n := 2; ; n++ {
		line, after, found := bytes.Cut(rest, []byte("\n"))
		text := strings.TrimSuffix(string(line), "\r")
		if rest = after; text == "" || !found {
			r.Body = io.NopCloser(bytes.NewReader(rest))
			return r, nil
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok || !isToken(name) {
			return nil, fmt.Errorf("line %d: want a header, as content-type: text/html", n)
		}
		if !strings.EqualFold(name, "Transfer-Encoding") {
			r.Header.Add(name, strings.TrimSpace(value))
		}
	}
}
