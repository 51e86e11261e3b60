package hostfuncs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/hive-spore/hive"
)

const maxURL = 200 // bytes of one in a message

// extismResponse is what an Extism plugin may ask about its last request.
type extismResponse struct {
	status  int32
	headers map[string]string // by name in lower case; values of one name joined by ", "
}

// extismHTTP is the name of the function that makes requests.
const extismHTTP = "http_request"

// extismHTTPRequest is http_request(request, body i64) -> i64: it makes a request,
// described in JSON, and answers a new block with the body of the response. A
// request that is not allowed or gets no response ends the guest, as in Extism.
func extismHTTPRequest(ctx context.Context, a *Attempt, stack []uint64) {
	e := a.Extism
	e.response = extismResponse{}
	head, url := extismHead(e.take(extismHTTP, stack[0], maxHTTPHead))
	body := e.take(extismHTTP, stack[1], hive.MaxInline)
	if !a.granted(hive.GrantHTTP) {
		a.deny(extismHTTP)
		fail("HTTP request to %q is not allowed: the grant http is missing", url)
	}
	c := &call{Attempt: a, ctx: ctx}
	var args arguments
	args.bytes(c.mask(withoutCredentials(head)))
	args.bytes(c.mask(body))
	c.answer = nil
	n := c.recorded("http", args, func(c *call) int32 { return c.request(head, body) })
	answer := c.answer
	c.answer = nil
	switch {
	case n == errDenied:
		a.deny(extismHTTP)
		fail("HTTP request to %q is not allowed: %s", url, answer)
	case n == errFull:
		fail("HTTP request to %q: it or its response is too large", url)
	case n == errInvalid:
		fail("HTTP request to %q: it is none", url)
	case n < 0:
		fail("HTTP request to %q: %s", url, answer)
	}
	stack[0] = e.memory.put(e.respond(answer))
}

// extismHead returns the head of a request as httpRequest reads it.
func extismHead(text []byte) (head []byte, url string) {
	var q struct {
		URL     string
		Method  string
		Headers map[string]string
	}
	if err := json.Unmarshal(text, &q); err != nil {
		fail("http_request: %v", err)
	}
	if q.Method == "" {
		q.Method = "GET"
	}
	url = hive.Clip(q.URL, maxURL)
	line := func(s string) string { // what is two lines would be a header of its own
		if strings.ContainsFunc(s, unicode.IsControl) {
			fail("HTTP request to %q: control characters in it", url)
		}
		return s
	}
	b := fmt.Appendf(nil, "%s %s\n", line(q.Method), line(q.URL))
	for _, name := range slices.Sorted(maps.Keys(q.Headers)) {
		if !isToken(name) {
			fail("HTTP request to %q: %.80q is no header's name", url, name)
		}
		b = fmt.Appendf(b, "%s: %s\n", name, line(q.Headers[name]))
	}
	return b, url
}

// respond takes a response apart, as httpRequest answers it, and returns its body.
func (e *Extism) respond(answer []byte) []byte {
	head, body, _ := bytes.Cut(answer, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	status, _ := strconv.ParseUint(lines[0], 10, 16)
	e.response = extismResponse{int32(status), map[string]string{}}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		if before, twice := e.response.headers[name]; twice {
			value = before + ", " + value
		}
		e.response.headers[name] = value
	}
	return body
}

// extismHTTPStatus is http_status_code() -> i32: that of the last response, or 0.
func extismHTTPStatus(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = uint64(uint32(a.Extism.response.status))
}

// extismHTTPHeaders is http_headers() -> i64: a new block with the headers of the
// last response as a JSON object, or 0.
func extismHTTPHeaders(_ context.Context, a *Attempt, stack []uint64) {
	stack[0] = 0
	if headers := a.Extism.response.headers; headers != nil {
		text, _ := json.Marshal(headers) // a map of texts is always JSON
		stack[0] = a.Extism.memory.put(text)
	}
}
