package hostfuncs

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// What the head of a request has at most.
const (
	maxHTTPHeaders = 100
	maxHTTPLine    = 16 << 10 // bytes, the URL's line included
)

// request is one that a guest asks for, or that it was redirected to.
type request struct {
	method string
	url    *url.URL
	header http.Header
	body   string
}

// forbiddenHeaders are the connection's own: a guest that could set them could
// speak of another host than the one that was checked, or smuggle a second
// request. Those that begin with "proxy-" are forbidden as well.
var forbiddenHeaders = []string{"host", "content-length", "transfer-encoding", "connection",
	"upgrade", "te", "trailer", "expect", "keep-alive"}

// forbiddenMethods ask for a tunnel, or for credentials to be read back.
var forbiddenMethods = []string{"CONNECT", "TRACE", "TRACK"}

// parseHead reads the head of a request: the method and the URL, then a line for
// each header. The last line may end or not.
func parseHead(text string) (*request, int32) {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, isBreak) {
		return nil, errInvalid
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines)-1 > maxHTTPHeaders || slices.ContainsFunc(lines, func(s string) bool { return len(s) > maxHTTPLine }) {
		return nil, errFull
	}
	method, address, _ := strings.Cut(lines[0], " ")
	if !isToken(method) || slices.ContainsFunc(forbiddenMethods, func(s string) bool { return strings.EqualFold(s, method) }) {
		return nil, errInvalid
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errInvalid
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errInvalid
	}
	q := &request{method: method, url: u, header: http.Header{}}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) || isForbidden(name) {
			return nil, errInvalid
		}
		q.header.Add(name, strings.Trim(value, " \t"))
	}
	if q.header.Get("User-Agent") == "" {
		q.header.Set("User-Agent", "hive")
	}
	return q, 0
}

// isBreak reports what no line of a head may hold: control characters but the
// newline between two lines, and the tab, which headers may have.
func isBreak(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }

func isForbidden(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "proxy-") || slices.Contains(forbiddenHeaders, name)
}

// isToken reports what a method or a header's name can be (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// errNoLocation answers a redirect that leads nowhere.
var errNoLocation = errors.New("redirected to what is no URL")

// redirected returns the request that a response asks for, nil if it asks for
// none. As in browsers the method becomes GET after 303, and after 301 and 302
// if it was POST (Fetch, HTTP-redirect fetch, step 12).
func (q *request) redirected(r *http.Response) (*request, error) {
	location := r.Header.Get("Location")
	if location == "" {
		return nil, nil
	}
	get := false
	switch r.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound:
		get = q.method == http.MethodPost
	case http.StatusSeeOther:
		get = q.method != http.MethodGet && q.method != http.MethodHead
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	u, err := q.url.Parse(escape(location))
	if err != nil {
		return nil, errNoLocation
	}
	next := &request{q.method, u, q.header.Clone(), q.body}
	if get {
		next.method, next.body = http.MethodGet, ""
		for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"} {
			next.header.Del(name)
		}
	}
	// What was meant for one server is not told to another, nor in the clear to the
	// same one. The way back does not bring it back.
	if !sameOrigin(q.url, u) {
		next.header.Del("Authorization")
		next.header.Del("Cookie")
	}
	return next, nil
}

// sameOrigin compares two URLs of which the first has been permitted.
func sameOrigin(from, to *url.URL) bool {
	t, err := targetOf(to)
	f, _ := targetOf(from)
	return err == nil && from.Scheme == to.Scheme && t.host == f.host && t.port == f.port
}

// escape writes what servers forget to: a location is ASCII without spaces.
func escape(location string) string {
	var b strings.Builder
	for i := range len(location) {
		if c := location[i]; c > ' ' && c <= '~' {
			b.WriteByte(c)
		} else {
			const digits = "0123456789ABCDEF"
			b.WriteString("%" + string(digits[c>>4]) + string(digits[c&15]))
		}
	}
	return b.String()
}
