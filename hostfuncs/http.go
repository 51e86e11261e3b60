package hostfuncs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hive-spore/hive"
)

// What HTTP takes and gives at most, if its options say nothing else.
const (
	maxHTTPBody = 1 << 20 // bytes, each way
	httpTimeout = 30 * time.Second

	maxHTTPHead  = 64 << 10 // bytes, each way
	maxRedirects = 10
	dialTimeout  = 10 * time.Second // also of the TLS handshake
)

// HTTPOptions say what attempts may reach, beside what their manifests allow.
type HTTPOptions struct {
	Hosts   []string       // as in hive.Allow.HTTP; none: any that a manifest names
	Private []netip.Prefix // addresses outside of the open internet that may be connected to
	Timeout time.Duration  // of a request with all its redirects; 0: 30 s
	MaxBody int            // bytes, each way; 0: 1 MiB
	RootCAs *x509.CertPool // nil: the system's

	// Transport answers requests that the policies permit; nil: the network does.
	Transport http.RoundTripper
}

// HTTP makes the requests of all attempts of a spore. It keeps nothing of one for
// the next: no connection, no cookie, no credentials.
type HTTP struct {
	options   HTTPOptions
	transport http.RoundTripper
}

// NewHTTP returns what Attempt.HTTP is to be. Hosts that cannot be read match
// nothing.
func NewHTTP(o HTTPOptions) *HTTP {
	if o.Timeout == 0 {
		o.Timeout = httpTimeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = maxHTTPBody
	}
	h := &HTTP{o, o.Transport}
	if h.transport == nil {
		h.transport = h.network()
	}
	return h
}

// network makes a connection for every request, to addresses that are permitted.
func (h *HTTP) network() *http.Transport {
	dialer := &net.Dialer{
		Timeout: dialTimeout, KeepAlive: -1, Control: h.control,
		Resolver: &net.Resolver{PreferGo: true}, // the system's cannot be stopped when an attempt ends
	}
	t := &http.Transport{
		Proxy:       nil, // what the environment says is the spore's own business
		DialContext: dialer.DialContext,
		// A connection that one policy permitted must not serve another.
		DisableKeepAlives: true,
		// Bodies arrive as they were sent: counted in the same bytes the guest sees.
		DisableCompression:     true,
		TLSClientConfig:        &tls.Config{RootCAs: h.options.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    dialTimeout,
		MaxResponseHeaderBytes: maxHTTPHead,
		// One request per connection gains nothing from HTTP/2.
		Protocols: new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}

var httpFunctions = []function{{"http", hive.GrantHTTP, "BB", httpRequest}}

// errNoHTTP answers where no requests are made.
var errNoHTTP = errors.New("this spore has no HTTP")

// httpRequest is http(head_ptr, head_len, body_ptr, body_len i32) -> i32: it makes
// a request and answers the response. Both are copied: nothing that net/http does
// behind the call's back has the guest's memory in its hands.
//
//	head    |POST https://example.com/v1/items\n|content-type: application/json\n|
//	        head_ptr                                                head_ptr+head_len
//	body    |{"name": "bee"}|
//	        body_ptr        body_ptr+body_len
//	answer  |200\n|content-type: application/json\n|\n|{"id": 7}|
func httpRequest(c *call) int32 {
	head, ok := c.view(0)
	body, also := c.view(2)
	if !ok || !also {
		return errRange
	}
	return c.request(head, body)
}

func (c *call) request(head, body []byte) int32 {
	switch {
	case c.HTTP == nil:
		return c.unavailable(errNoHTTP)
	case len(head) > maxHTTPHead || len(body) > c.HTTP.options.MaxBody:
		return errFull
	}
	q, code := parseHead(string(head))
	if code != 0 {
		return code
	}
	q.body = string(body)
	response, err := c.HTTP.fetch(c.ctx, c.Allow.HTTP, q)
	var why refusal
	switch {
	case err == nil:
		return c.reply(response)
	case errors.Is(err, errTooMuch):
		return errFull
	case errors.Is(err, errNoHost):
		return errInvalid
	case errors.As(err, &why):
		c.answer = []byte(hive.Clip(why.Error(), hive.MaxMessage))
		return errDenied
	}
	return c.unavailable(err)
}

var (
	errTooMuch  = errors.New("the response is too long")
	errNoAnswer = errors.New("no answer in time")
	errOver     = errors.New("the attempt is over")
)

// fetch makes a request within the attempt's time and the spore's.
//
// The attempt's context stays here. Goroutines of net/http may outlive the call
// for a moment, and the engine gives the context to another attempt then: they
// get one that ends when it does. Its channel alone is listened to, since
// context.AfterFunc starts a goroutine that asks the context itself, even later.
func (h *HTTP) fetch(attempt context.Context, allow []string, q *request) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), h.options.Timeout, errNoAnswer)
	defer cancel()
	over := attempt.Done()
	go func() {
		select {
		case <-over:
			cancel()
		case <-ctx.Done():
		}
	}()
	response, err := h.follow(ctx, allow, q)
	if err != nil && ctx.Err() != nil {
		if context.Cause(ctx) == errNoAnswer {
			return nil, fmt.Errorf("%w: %v", errNoAnswer, h.options.Timeout)
		}
		return nil, errOver
	}
	return response, err
}

// finalURL is the header that says where a response came from after redirects. No
// server can set it.
const finalURL = "Hive-Url"

// follow makes a request, and those it is redirected to.
func (h *HTTP) follow(ctx context.Context, allow []string, q *request) ([]byte, error) {
	for redirects := 0; ; redirects++ {
		if err := h.permits(allow, q.url); redirects > 0 && err != nil {
			return nil, refusal("redirected: " + err.Error()) // none of the guest's arguments is wrong
		} else if err != nil {
			return nil, err
		}
		if redirects > maxRedirects {
			return nil, fmt.Errorf("more than %d redirects", maxRedirects)
		}
		hr, err := http.NewRequestWithContext(ctx, q.method, q.url.String(), strings.NewReader(q.body))
		if err != nil {
			return nil, err
		}
		hr.Header = q.header
		r, err := h.transport.RoundTrip(hr)
		if err != nil {
			return nil, plain(err)
		}
		if r.StatusCode < 200 { // of 101 the body is the connection itself, which no context ends
			_ = r.Body.Close()
			return nil, fmt.Errorf("the server answered %03d, which is no answer", r.StatusCode)
		}
		next, err := q.redirected(r)
		if r.Header.Del(finalURL); redirects > 0 {
			r.Header.Set(finalURL, q.url.String())
		}
		var response []byte
		if next == nil && err == nil {
			response, err = h.read(r)
		}
		_ = r.Body.Close() // what is left of it is of no interest
		if next == nil || err != nil {
			return response, err
		}
		q = next
	}
}

// plain says what went wrong without the addresses of the spore's own network.
func plain(err error) error {
	var why refusal
	if errors.As(err, &why) {
		return why
	}
	// net/http has no type for it.
	if strings.Contains(err.Error(), "response headers exceeded") {
		return errTooMuch
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok {
		if unknown.IsNotFound {
			return errors.New("no such host")
		}
		return errors.New("the host's name cannot be resolved now") // Err may name the resolver
	}
	if broken, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%s: %w", broken.Op, broken.Err)
	}
	return err
}

// read returns a response as the guest gets it.
func (h *HTTP) read(r *http.Response) ([]byte, error) {
	text := fmt.Appendf(nil, "%d\n", r.StatusCode)
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		if isToken(name) { // net/http lets names with spaces through
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range r.Header[name] {
			text = fmt.Appendf(text, "%s: %s\n", strings.ToLower(name), harmless(value))
		}
	}
	if text = append(text, '\n'); len(text) > maxHTTPHead {
		return nil, errTooMuch
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(h.options.MaxBody)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the response broke off: %w", plain(err))
	case len(body) > h.options.MaxBody:
		return nil, errTooMuch
	}
	return append(text, body...), nil
}

// harmless returns a header's value without what could end its line or move a
// terminal's cursor.
func harmless(value string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(value, "\uFFFD"))
}
