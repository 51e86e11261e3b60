package hostfuncs

import (
	"bufio"
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// FuzzHTTPHead: a head that is accepted becomes exactly one request on the wire,
// with the headers that were read and no others.
func FuzzHTTPHead(f *testing.F) {
	for _, head := range []string{"GET https://example.com", "POST http://a:1/x?y#z\nx-bee: 1\nx-bee: 2\n", "G\rT http://a\n\n",
		"GET http://me@[::1]:80/\nhost: x", "PUT http://a/%2f\na:\tb\t", "GET http://a\nx: \u0085"} {
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, head string) {
		q, code := parseHead(head)
		if (q == nil) != (code == errInvalid || code == errFull) || q != nil && code != 0 {
			t.Fatalf("parseHead(%q) = %v, %d", head, q, code)
		}
		if q == nil {
			return
		}
		if _, err := targetOf(q.url); err != nil {
			return
		}
		sent, err := http.NewRequest(q.method, q.url.String(), nil)
		if err != nil {
			t.Fatalf("%q is accepted and is no request: %v", head, err)
		}
		sent.Header = q.header
		var wire bytes.Buffer
		if err := sent.Write(&wire); err != nil {
			t.Fatalf("%q is accepted and cannot be sent: %v", head, err)
		}
		text, rest := wire.String(), bufio.NewReader(&wire)
		got, err := http.ReadRequest(rest)
		if err != nil {
			t.Fatalf("%q is sent as %q: %v", head, text, err)
		}
		if left, _ := rest.Peek(1); len(left) > 0 || got.Method != q.method || got.Host != q.url.Host || got.ContentLength != 0 {
			t.Errorf("%q is sent as %q", head, text)
		}
		for name := range got.Header {
			if name != "Content-Length" && len(got.Header[name]) != len(q.header[name]) {
				t.Errorf("%q is sent with %s: %q", head, name, got.Header[name])
			}
		}
	})
}

// FuzzHTTPHost: whatever URL and pattern meet, a match means the host the pattern
// names, and a host that was read once is read as the same again.
func FuzzHTTPHost(f *testing.F) {
	for _, pair := range [][2]string{{"example.com", "https://EXAMPLE.com."}, {"*.a.b:81", "http://x.a.b:81"}, {"[::1]:80", "http://[::1]"},
		{"1.2.3.4", "http://1.2.3.4"}, {"*.2.3.4", "http://1.2.3.4"}, {"a", "http://a%00b"}, {"127.1", "http://127.1"}, {"k", "http://\u212A"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, pattern, address string) {
		u, err := url.Parse(address)
		if err != nil {
			return
		}
		at, err := targetOf(u)
		if err != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil {
			t.Fatalf("%q is written %q: %v", address, u, err)
		}
		if twice, err := targetOf(again); err != nil || twice != at || again.Host != u.Host {
			t.Errorf("%q is %v and then %v, %v", address, at, twice, err)
		}
		if !at.matches(pattern) {
			return
		}
		star := strings.HasPrefix(pattern, "*.")
		if star && (at.addr.IsValid() || !strings.HasSuffix(at.host, strings.TrimSuffix(hostPart(pattern[1:]), "."))) {
			t.Errorf("%q matches %q", address, pattern)
		}
		if !star && !at.addr.IsValid() && at.host != strings.TrimSuffix(hostPart(pattern), ".") {
			t.Errorf("%q matches %q", address, pattern)
		}
	})
}

// hostPart is a pattern's host, read in a simpler way: names have no colons.
func hostPart(pattern string) string {
	host, _, _ := strings.Cut(strings.ToLower(pattern), ":")
	return strings.Trim(host, "[]")
}

// FuzzHTTPAddress: what is open is global unicast, and no way to write an address
// of IPv4 into one of IPv6 makes it open.
func FuzzHTTPAddress(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte("0123456789abcdef"))
	h := NewHTTP(HTTPOptions{})
	f.Fuzz(func(t *testing.T, b []byte) {
		addr, ok := netip.AddrFromSlice(b)
		if !ok || h.reaches(addr) != nil {
			return
		}
		if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.Is4In6() {
			t.Errorf("%v is open", addr)
		}
		if !addr.Is4() {
			return
		}
		v4 := addr.As4()
		for _, way := range []struct {
			prefix string
			at     int
		}{{"::ffff:0:0", 12}, {"64:ff9b::", 12}, {"64:ff9b:1::", 12}, {"::", 12}, {"2002::", 2}, {"2001::", 12}} {
			outer := netip.MustParseAddr(way.prefix).As16()
			copy(outer[way.at:], v4[:])
			if outer := netip.AddrFrom16(outer); h.reaches(outer) == nil {
				t.Errorf("%v is open", outer)
			}
		}
	})
}

// FuzzHTTP: whatever a guest passes, no call panics, and none is made.
func FuzzHTTP(f *testing.F) {
	f.Add(uint32(16), uint32(20), uint32(0), uint32(0), []byte("GET http://127.0.0.1"))
	f.Add(uint32(1<<32-1), uint32(1), uint32(1<<31), uint32(1<<31), []byte("x"))
	g := surfer(f, HTTPOptions{}, "127.0.0.1")
	f.Fuzz(func(t *testing.T, p, n, q, m uint32, head []byte) {
		g.TB = t
		g.module.Memory().Write(16, head[:min(len(head), page)])
		if code := g.raw("http", uint64(p), uint64(n), uint64(q), uint64(m)); code >= 0 || code < errUnavailable {
			t.Errorf("http(%d, %d, %d, %d) = %d", p, n, q, m, code)
		}
	})
}
