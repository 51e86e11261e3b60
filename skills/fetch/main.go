//go:build wasip1

// Command fetch is a skill that gets a page and answers the article on it. It takes
// a request as JSON and answers a document as JSON; see README.md for both.
package main

import (
	"errors"
	"fmt"
)

func run(input []byte) ([]byte, error) {
	q, err := readRequest(input)
	if err != nil {
		return nil, Permanent(err) // the same request is as bad the next time
	}
	r, err := q.get()
	if err != nil {
		return nil, err
	}
	d, err := q.read(r)
	switch {
	case errors.As(err, new(passing)):
		return nil, err
	case err != nil:
		return nil, Permanent(err)
	case d.Text == "":
		Log(LevelWarn, "there is no article on the page, or only with JavaScript")
	}
	return d.encode()
}

// accepted is what servers are asked for, best first.
const accepted = "text/html,application/xhtml+xml,text/markdown;q=0.9,text/plain;q=0.8,*/*;q=0.1"

// get asks for the page. No packed body is asked for.
func (q *request) get() (*response, error) {
	r, err := HTTP(Request{URL: q.URL, Headers: []Header{{"accept", accepted}}})
	if err != nil {
		return nil, q.explain(err)
	}
	return &response{r.Status, r.Header("hive-url"), r.Header("content-type"), r.Header("content-encoding"), r.Body}, nil
}

// explain says why there is no response. A server that is not there now may be there
// later.
func (q *request) explain(err error) error {
	host, _ := errors.AsType[*HostError](err)
	switch {
	case host != nil && host.Err == ErrUnavailable:
		return fmt.Errorf("%s: %s", q.URL, host.Why)
	case errors.Is(err, ErrDenied):
		err = errors.New("denied: " + host.Why + " ([allow] http in the skill's skill.toml says which hosts it may ask; http_hosts and http_private say so for the spore)")
	case errors.Is(err, ErrFull):
		err = errors.New("the page is larger than 1 MiB, the most that is fetched")
	case errors.Is(err, ErrInvalid):
		err = errors.New("no URL that can be asked for; write names beyond ASCII in punycode (xn--…)")
	}
	return Permanent(fmt.Errorf("%s: %w", q.URL, err))
}
