package hostfuncs

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestHTTPRedirectMethods: the method and the body change as they do in browsers.
func TestHTTPRedirectMethods(t *testing.T) {
	url, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		if n, _ := fmt.Sscanf(r.URL.Path, "/%d", &status); n == 1 {
			w.Header().Set("Location", "/end?"+r.Method)
			w.WriteHeader(status)
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-End", fmt.Sprintf("%s %s %q %q", r.Method, body, r.Header.Get("Content-Type"), r.Header.Get("Authorization")))
	})
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	for _, tt := range []struct {
		method string
		status int
		end    string
	}{
		{"POST", 301, `GET  "" "t"`}, {"POST", 302, `GET  "" "t"`}, {"POST", 303, `GET  "" "t"`},
		{"POST", 307, `POST body "a/b" "t"`}, {"POST", 308, `POST body "a/b" "t"`},
		{"PUT", 301, `PUT body "a/b" "t"`}, {"PUT", 302, `PUT body "a/b" "t"`}, {"PUT", 303, `GET  "" "t"`},
		{"HEAD", 303, `HEAD body "a/b" "t"`}, {"DELETE", 307, `DELETE body "a/b" "t"`},
	} {
		_, text := g.asks("http", fmt.Sprintf("%s %s/%d\ncontent-type: a/b\nauthorization: t", tt.method, url, tt.status), "body")
		if !strings.Contains(text, "x-end: "+tt.end+"\n") {
			t.Errorf("%s, redirected by %d: %q, want %q", tt.method, tt.status, text, tt.end)
		}
	}
	for _, status := range []int{300, 304, 305, 201} { // these lead nowhere
		if _, text := g.asks("http", fmt.Sprintf("GET %s/%d", url, status), ""); !strings.HasPrefix(text, fmt.Sprint(status, "\n")) {
			t.Errorf("%d is answered %q", status, text)
		}
	}
}

// TestHTTPRedirectCredentials: another server is not told what one was, and the way
// back does not tell it again. Another port is another server.
func TestHTTPRedirectCredentials(t *testing.T) {
	var next string // where all of them send the guest, step by step
	var told []string
	hop := func(w http.ResponseWriter, r *http.Request) {
		told = append(told, r.Header.Get("Authorization")+r.Header.Get("Cookie")+r.Header.Get("X-Bee"))
		to, rest, _ := strings.Cut(next, " ")
		if next = rest; to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}
	one, oneHost := serve(t, hop)
	two, twoHost := serve(t, hop)
	_, port, _ := strings.Cut(oneHost, ":")
	named := "http://localhost:" + port
	g := surfer(t, HTTPOptions{Private: loopback}, oneHost, twoHost, "localhost:"+port)
	for _, tt := range []struct{ next, told string }{
		{"/same", "acx acx"},
		{one + "/same", "acx acx"},
		{named, "acx x"},
		{two, "acx x"},
		{named + " " + one, "acx x x"},
		{two + " " + one + " /again", "acx x x x"},
	} {
		next, told = tt.next, nil
		g.asks("http", "GET "+one+"\nauthorization: a\ncookie: c\nx-bee: x", "")
		if got := strings.Join(told, " "); got != tt.told {
			t.Errorf("from %s by %s the servers are told %q, want %q", one, tt.next, got, tt.told)
		}
	}
}

// TestHTTPRedirectsAreChecked: every step is held against the same rules.
func TestHTTPRedirectsAreChecked(t *testing.T) {
	forbidden, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the forbidden server was asked") })
	_, port, _ := strings.Cut(strings.TrimPrefix(forbidden, "http://"), ":")
	var location string
	url, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusFound)
	})
	g := surfer(t, HTTPOptions{Private: loopback[:1]}, host, "[::1]:"+port, "10.0.0.1")
	for _, tt := range []struct{ location, why string }{
		{forbidden, "manifest does not allow"},
		{"//127.0.0.2:" + port, "manifest does not allow"},
		{"http://[::1]:" + port, "at a loopback address"},
		{"http://10.0.0.1/", "at a private address"},
		{"https://me:pw@" + host, "user's name"},
		{"file:///etc/passwd", "only http and https"},
		{"gopher://" + host, "only http and https"},
		{"http://ex\u00e4mple.com/", "no host name in ASCII"},
		{"http://0x7f000001:" + port, "no host name in ASCII"},
		{"http:" + host, "no host name in ASCII"},
		{"http://127.0.0.1:99999/", "no host name in ASCII"},
		{"http://localhost:" + port, "manifest does not allow"},
		{"http://127.0.0.1.:" + port, "manifest does not allow"},
	} {
		location = tt.location
		if why := g.wants(errDenied, "http", "GET "+url, ""); !strings.Contains(why, tt.why) {
			t.Errorf("redirected to %s it is refused with %q, want %q", tt.location, why, tt.why)
		}
	}
	location = "http://[::1"
	g.wants(errUnavailable, "http", "GET "+url, "")
}

// TestHTTPRedirectCount: ten are followed, the eleventh is not.
func TestHTTPRedirectCount(t *testing.T) {
	asked, redirects := 0, 0
	url, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked <= redirects {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	})
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	for _, redirects = range []int{maxRedirects, maxRedirects + 1} {
		asked = 0
		n, text := g.asks("http", "GET "+url, "")
		if n > 0 != (redirects == maxRedirects) || asked != maxRedirects+1 {
			t.Errorf("with %d redirects it answers %d %q after %d requests", redirects, n, text, asked)
		}
	}
}

// TestHTTPRedirectLocations: what servers write carelessly leads where they meant.
func TestHTTPRedirectLocations(t *testing.T) {
	var location string
	url, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header()["Location"] = []string{location}
			w.WriteHeader(http.StatusFound)
			return
		}
		w.Header().Set("X-At", r.RequestURI)
	})
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	for from, to := range map[string]string{
		"a": "/a", "/a b?c d": "/a%20b?c%20d", "/h\u00e9?\u00e9": "/h%C3%A9?%C3%A9", "//" + host + "/x#part": "/x", "\\\\evil/": "/%5C%5Cevil/",
	} {
		location = from
		if _, text := g.asks("http", "GET "+url+"/", ""); !strings.Contains(text, "x-at: "+to+"\n") {
			t.Errorf("redirected to %q: %q, want %q", from, text, to)
		}
	}
}

// TestHTTPFinalURL: after a redirect the answer says where it came from, and only the
// host can say so.
func TestHTTPFinalURL(t *testing.T) {
	url, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("Hive-Url", "https://example.com")
		if r.URL.Path == "/" {
			w.Header().Set("Location", "/a b?c#d")
			w.WriteHeader(http.StatusFound)
		}
	})
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	g.gets("200\ncontent-length: 0\nhive-url: "+url+"/a%20b?c#d\n\n", "http", "GET "+url, "")
	g.gets("200\ncontent-length: 0\n\n", "http", "GET "+url+"/x", "")
}
