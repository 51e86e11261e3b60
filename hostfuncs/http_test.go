package hostfuncs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hive-spore/hive"
)

// loopback is what the tests' servers need to be reached.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// surfer is a guest that may ask the servers given, at 127.0.0.1, and others named.
func surfer(t testing.TB, o HTTPOptions, allow ...string) *grantee {
	t.Helper()
	return newGrantee(t, &Attempt{Allow: hive.Allow{HTTP: allow}, HTTP: NewHTTP(o)})
}

// serve starts a server and returns its URL and HOST:PORT.
func serve(t testing.TB, h http.HandlerFunc) (string, string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL, strings.TrimPrefix(s.URL, "http://")
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header()["Date"] = nil // so that answers can be compared
	w.Header().Set("X-Told", fmt.Sprintf("%q %q %q", r.Header.Get("X-Bee"), r.Header.Get("Authorization"), r.Header.Get("Cookie")))
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.UserAgent(), body)
}

func TestHTTP(t *testing.T) {
	url, host := serve(t, echo)
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	g.gets("200\ncontent-length: 29\ncontent-type: text/plain\nx-told: \"a  b\" \"t\" \"\"\n\nPOST /v1/items?q=1 hive {\"a\"}",
		"http", "POST "+url+"/v1/items?q=1\nX-Bee:  a  b\t\nauthorization:t\n", `{"a"}`)
	g.gets("200\ncontent-length: 11\ncontent-type: text/plain\nx-told: \"\" \"\" \"\"\n\nGET / me/1 ",
		"http", "GET "+url+"\nuser-agent: me/1", "")
	g.gets("200\ncontent-length: 12\ncontent-type: text/plain\nx-told: \"\" \"\" \"\"\n\n", "http", "HEAD "+url, "")
}

func TestHTTPIsNotThere(t *testing.T) {
	g := newGrantee(t, &Attempt{Allow: hive.Allow{HTTP: []string{"example.com"}}})
	if got := g.wants(errUnavailable, "http", "GET https://example.com", ""); got != "this spore has no HTTP" {
		t.Errorf("it says %q", got)
	}
}

func TestHTTPPointers(t *testing.T) {
	g := surfer(t, HTTPOptions{}, "example.com")
	g.refuses("http", []uint64{0, 0, 0, 0}, 0, 2)
}

// TestHTTPHeads: what is no request is refused before anything is asked.
func TestHTTPHeads(t *testing.T) {
	url, host := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	get := "GET " + url
	for _, head := range []string{"", "\n", "GET", "GET ", " " + url, "GET  " + url, "G@T " + url, "connect " + url, "TRACE " + url,
		get + "/a b", get + " HTTP/1.1", get + "/é", get + "/%zz", "GET //" + host, "GET http:" + host, "GET http://", "GET http://:80",
		"GET http://exämple.com", "GET http://ex%C3%A4mple.com", "GET http://\u212Aelvin.com", "GET http://127.1", "GET http://2130706433",
		"GET http://0x7f000001", "GET http://127.0.0.0x1", "GET http://0x" + strings.Repeat("f", 20), "GET http://a..b", "GET http://a_b:0", "GET http://a:65536", "GET http://[fe80::1%25lo]",
		get + "\nno colon", get + "\n: x", get + "\nx y: z", get + "\nx : z", get + "\n\nx: y", get + "\n x: y", get + "\nx: a\n b",
		get + "\nx: a\r", get + "\r\nx: a", get + "\nx: a\x00", get + "\nx: a\x7f", get + "\nx: \xff", get + "\nx\u00e9: y",
		get + "\nhost: a", get + "\nHost: a", get + "\nContent-Length: 1", get + "\ntransfer-encoding: chunked", get + "\nconnection: close",
		get + "\nProxy-Authorization: x", get + "\nproxy-: x", get + "\nupgrade: h2c", get + "\nte: trailers", get + "\ntrailer: x",
		get + "\nexpect: 100-continue", get + "\nkeep-alive: 1"} {
		g.wants(errInvalid, "http", head, "")
	}
	for _, head := range []string{
		get + strings.Repeat("\nx: y", maxHTTPHeaders+1), get + "\nx: " + strings.Repeat("y", maxHTTPLine),
		get + "/" + strings.Repeat("y", maxHTTPLine), strings.Repeat("x", maxHTTPHead+1)} {
		g.wants(errFull, "http", head, "")
	}
	g.wants(errFull, "http", get, strings.Repeat("x", maxHTTPBody+1))
}

// TestHTTPDenied: a refusal says what was refused, and nothing is asked.
func TestHTTPDenied(t *testing.T) {
	url, host := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	_, port, _ := strings.Cut(host, ":")
	for _, tt := range []struct {
		options HTTPOptions
		allow   string
		url     string
		why     string
	}{
		{HTTPOptions{}, host, url, "at a loopback address"},
		{HTTPOptions{Private: loopback}, hive.AnyHost, url, "manifest does not allow"}, // another port
		// All names are permitted; what some lead to is not.
		{HTTPOptions{}, hive.AnyHost, "http://127.0.0.1", "at a loopback address"},
		{HTTPOptions{}, hive.AnyHost, "http://localhost", "at a loopback address"},
		{HTTPOptions{}, hive.AnyHost, "https://[fd00::1]", "at a private address"},
		{HTTPOptions{}, hive.AnyHost, "http://169.254.169.254/latest/meta-data", "at a cloud's metadata address"},
		{HTTPOptions{Private: loopback, Hosts: []string{"example.com"}}, hive.AnyHost, "http://127.0.0.1", "this spore does not allow"},
		// The name is permitted; what it resolves to is not.
		{HTTPOptions{}, "localhost:" + port, "http://localhost:" + port, "at a loopback address"},
		{HTTPOptions{Private: loopback}, "example.com", url, "manifest does not allow"},
		{HTTPOptions{Private: loopback}, "127.0.0.1", url, "manifest does not allow"}, // another port
		{HTTPOptions{Private: loopback}, "*.0.0.1:" + port, url, "manifest does not allow"},
		{HTTPOptions{Private: loopback, Hosts: []string{"example.com"}}, host, url, "this spore does not allow"},
		{HTTPOptions{Private: loopback, Hosts: []string{"::not a host::"}}, host, url, "this spore does not allow"},
		{HTTPOptions{Private: loopback}, host, "http://me@" + host, "user's name"},
		{HTTPOptions{Private: loopback}, host, "ftp://" + host, "only http and https"},
		{HTTPOptions{Private: loopback}, host, "file:///etc/passwd", "only http and https"},
		{HTTPOptions{}, "[::ffff:127.0.0.1]:" + port, "http://[::ffff:127.0.0.1]:" + port, "at an IPv4-mapped address"},
		{HTTPOptions{}, "169.254.169.254", "http://169.254.169.254/latest/meta-data", "at a cloud's metadata address"},
	} {
		g := surfer(t, tt.options, tt.allow)
		if why := g.wants(errDenied, "http", "GET "+tt.url, ""); !strings.Contains(why, tt.why) {
			t.Errorf("%s is refused with %q, want %q", tt.url, why, tt.why)
		}
	}
}

// TestHTTPWithoutGrant: nothing is told, not even what an earlier call was.
func TestHTTPWithoutGrant(t *testing.T) {
	g := newAsking(t, &Attempt{Grants: []hive.Grant{hive.GrantLog}})
	if n, _ := g.asks("task"); n <= 0 {
		t.Fatalf("task is answered %d", n)
	}
	if why := g.wants(errDenied, "http", "GET https://example.com", ""); why != "" {
		t.Errorf("it says %q", why)
	}
}

// TestHTTPHidesItsNetwork: what cannot be had is told without the spore's addresses.
func TestHTTPHidesItsNetwork(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	if why := g.wants(errUnavailable, "http", "GET "+s.URL, ""); strings.Contains(why, "127.0.0.1") || !strings.Contains(why, "refused") {
		t.Errorf("a server that is not there: %q", why)
	}
}

func TestPlain(t *testing.T) {
	for want, err := range map[string]error{
		"no such host": &net.DNSError{Err: "no such host", Name: "a", Server: "10.0.0.53:53", IsNotFound: true},
		"the host's name cannot be resolved now": &net.OpError{Op: "dial", Err: &net.DNSError{
			Err: "read udp 10.0.0.2:4->10.0.0.53:53: i/o timeout", Server: "10.0.0.53:53", IsTimeout: true}},
		"read: connection reset": fmt.Errorf("read tcp 10.0.0.2:4->1.1.1.1:80: %w",
			&net.OpError{Op: "read", Addr: &net.TCPAddr{}, Err: errors.New("connection reset")}),
		"unexpected EOF": io.ErrUnexpectedEOF,
	} {
		if got := plain(err).Error(); got != want {
			t.Errorf("%v is told as %q, want %q", err, got, want)
		}
	}
}

func TestHTTPWithTLS(t *testing.T) {
	silent := stdlog.New(io.Discard, "", 0)
	s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	s.Config.ErrorLog = silent
	s.StartTLS()
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "https://")
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	g := surfer(t, HTTPOptions{Private: loopback, RootCAs: pool}, host)
	if n, text := g.asks("http", "GET "+s.URL, ""); n < 0 || !strings.HasPrefix(text, "200\n") {
		t.Errorf("over TLS: %d %q", n, text)
	}
	g = surfer(t, HTTPOptions{Private: loopback}, host)
	if why := g.wants(errUnavailable, "http", "GET "+s.URL, ""); !strings.Contains(why, "certificate") {
		t.Errorf("an unknown certificate: %q", why)
	}
	old := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	old.Config.ErrorLog = silent
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	g = surfer(t, HTTPOptions{Private: loopback, RootCAs: pool}, strings.TrimPrefix(old.URL, "https://"))
	g.wants(errUnavailable, "http", "GET "+old.URL, "")
}

// TestHTTPProxy: what the environment says of proxies holds for the spore alone.
func TestHTTPProxy(t *testing.T) {
	proxy, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy)
	}
	if p := NewHTTP(HTTPOptions{}).network().Proxy; p != nil { // the environment is read once per process
		t.Error("there is a proxy")
	}
	url, host := serve(t, echo)
	if n, text := surfer(t, HTTPOptions{Private: loopback}, host).asks("http", "GET "+url, ""); n < 0 {
		t.Errorf("%d %q", n, text)
	}
}

// TestHTTPConnections: none is kept, so none is used under another policy.
func TestHTTPConnections(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	g := surfer(t, HTTPOptions{Private: loopback}, strings.TrimPrefix(s.URL, "http://"))
	for range 3 {
		g.asks("http", "GET "+s.URL, "")
	}
	if n := opened.Load(); n != 3 {
		t.Errorf("3 requests took %d connections", n)
	}
}

// TestHTTPBodiesAsSent: nothing is unpacked, so nothing small becomes big.
func TestHTTPBodiesAsSent(t *testing.T) {
	url, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("X-Told", r.Header.Get("Accept-Encoding"))
		w.Write([]byte("as if packed"))
	})
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	const head = "200\ncontent-encoding: gzip\ncontent-length: 12\nx-told: "
	g.gets(head+"\n\nas if packed", "http", "GET "+url, "")
	g.gets(head+"gzip\n\nas if packed", "http", "GET "+url+"\naccept-encoding: gzip", "")
}

func TestHTTPLimits(t *testing.T) {
	body, head := 0, 0
	url, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		for n := head; n > 0; n -= 1 << 10 {
			w.Header().Add("X", strings.Repeat("h", min(n, 1<<10)))
		}
		w.Write(make([]byte, body))
	})
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	for _, tt := range []struct {
		body, head int
		full       bool
	}{{maxHTTPBody, 0, false}, {maxHTTPBody + 1, 0, true}, {1, 60 << 10, false}, {1, 66 << 10, true}, {1, 500 << 10, true}} {
		body, head = tt.body, tt.head
		n, text := g.asks("http", "GET "+url, "")
		if full := n == errFull; full != tt.full || !full && n < int32(body+head) {
			t.Errorf("a response of %d and %d bytes: %d %.100q", body, head, n, text)
		}
	}
	small := surfer(t, HTTPOptions{Private: loopback, MaxBody: 10}, host)
	body, head = 10, 0
	if n, _ := small.asks("http", "POST "+url, "ten bytes."); n < 0 {
		t.Errorf("what just fits is answered %d", n)
	}
	small.wants(errFull, "http", "POST "+url, "eleven byte")
	body = 11
	small.wants(errFull, "http", "GET "+url, "")
}

// TestHTTPHostileHeaders: a response cannot make lines of its own, nor escape codes.
func TestHTTPHostileHeaders(t *testing.T) {
	url, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-A: c\xff\u0085d\u2028e\tf\r\nbad name: x\r\nContent-Length: 2\r\n\r\nok")
	})
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	g.gets("200\ncontent-length: 2\nx-a: c\uFFFD d e f\n\nok", "http", "GET "+url, "")
	// net/http refuses these today.
	if got, want := harmless("a\x1b[31m\r\nb\x00c\x7f"), "a [31m  b c "; got != want {
		t.Errorf("harmless = %q, want %q", got, want)
	}
}

// TestHTTPBrokenResponses: what a server does not finish is no answer.
func TestHTTPBrokenResponses(t *testing.T) {
	var says string
	url, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, says)
	})
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	for _, says = range []string{"", "bees\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz", "HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n"} {
		g.wants(errUnavailable, "http", "GET "+url, "")
	}
}
