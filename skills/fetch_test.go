package skills_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/runtime"
)

// reached are the options of a spore that lets its skills ask the tests' servers.
var reached = hostfuncs.HTTPOptions{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}

// library serves the articles of the tests, and what else a server may answer.
func library(t *testing.T) (url, host string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/articles/", http.StripPrefix("/articles", http.FileServer(http.Dir("../testdata/articles"))))
	mux.Handle("/moved", http.RedirectHandler("/articles/night-buses.html", http.StatusMovedPermanently))
	mux.Handle("/away", http.RedirectHandler("http://example.com:8080/", http.StatusFound))
	mux.HandleFunc("/status/{status}", func(w http.ResponseWriter, r *http.Request) {
		var status int
		fmt.Sscan(r.PathValue("status"), &status)
		w.WriteHeader(status)
	})
	mux.HandleFunc("/latin2", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=iso-8859-2")
		fmt.Fprint(w, "<h1>\xa3\xf3d\xbc</h1><p>In \xa3\xf3d\xbc it rained on Monday, and it poured on Tuesday.</p>")
	})
	mux.HandleFunc("/pdf", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "application/pdf") })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1<<20+1)) })
	mux.HandleFunc("/script", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<html><div id=root></div><script>1</script>")
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL, strings.TrimPrefix(s.URL, "http://")
}

// get has fetch get a page.
func (s *skill) get(t *testing.T, o hostfuncs.HTTPOptions, url string) hive.Outcome {
	t.Helper()
	payload, _ := json.Marshal(map[string]string{"url": url})
	return s.program.Run(t.Context(), &hostfuncs.Attempt{HTTP: hostfuncs.NewHTTP(o)}, runtime.Call{Payload: payload, Timeout: time.Minute})
}

// TestFetch asks a real server.
func TestFetch(t *testing.T) {
	url, host := library(t)
	s := open(t, "fetch", func(m *hive.Manifest) { m.Allow.HTTP = append(m.Allow.HTTP, host) })
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, tt := range []struct{ path, want string }{
		{"/latin2", `{"url":"` + url + `/latin2","status":200,"title":"Łódź","text":"In Łódź it rained on Monday, and it poured on Tuesday.","format":"markdown"}`},
		{"/moved", `{"url":"` + url + `/articles/night-buses.html","status":200,"title":`},
		{"/articles/sourdough.md", `"format":"markdown"}`},
		{"/script", `{"url":"` + url + `/script","status":200,"text":"","format":"markdown"}`},
	} {
		out := s.get(t, reached, url+tt.path)
		switch {
		case out.Failure != nil || !strings.Contains(string(out.Result), tt.want):
			t.Errorf("%s: %.300s, %v; want %s", tt.path, out.Result, out.Failure, tt.want)
		case tt.path == "/script" && !strings.Contains(string(out.Log), "warn: there is no article"):
			t.Errorf("%s: the log is %q", tt.path, out.Log)
		}
	}
	for _, tt := range []struct {
		url       string
		options   hostfuncs.HTTPOptions
		permanent bool
		want      string
	}{
		{url + "/status/404", reached, true, url + "/status/404: the server answered with status 404"},
		{url + "/status/429", reached, false, "status 429"},
		{url + "/status/503", reached, false, "status 503"},
		{url + "/pdf", reached, true, url + "/pdf: it is application/pdf; HTML"},
		{url + "/large", reached, true, url + "/large: the page is larger than 1 MiB"},
		{closed.URL, reached, true, closed.URL[len("http://"):] + ": the skill's manifest does not allow it ([allow] http in the skill's skill.toml"},
		{url + "/away", reached, true, "redirected: example.com:8080: the skill's manifest does not allow it"},
		{url, hostfuncs.HTTPOptions{}, true, "denied: the host is at a loopback address, which this spore does not allow ("},
		{"http://127.0.0.1/", hostfuncs.HTTPOptions{}, true, "at a loopback address"},
		{"http://localhost/", hostfuncs.HTTPOptions{}, true, "at a loopback address"},
		{"http://169.254.169.254/latest/meta-data", hostfuncs.HTTPOptions{}, true, "at a cloud's metadata address"},
		{"https://example.com/", hostfuncs.HTTPOptions{Hosts: []string{host}}, true, "example.com:443: this spore does not allow it"},
		{"https://exämple.com/", reached, true, "no URL that can be asked for; write names beyond ASCII in punycode"},
		{"https://me:secret@example.com/", reached, true, "a URL must not hold a user's name or password"},
	} {
		f := s.get(t, tt.options, tt.url).Failure
		if f == nil || f.Kind != hive.FailSkill || f.Permanent != tt.permanent || !strings.Contains(f.Message, tt.want) || strings.Contains(f.Message, "\n") {
			t.Errorf("%s: %v, want one with %q, permanent: %v", tt.url, f, tt.want, tt.permanent)
		}
	}
}

// TestFetchWithoutConnection: a server that is not there now may be there later.
func TestFetchWithoutConnection(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	s := open(t, "fetch", func(m *hive.Manifest) { m.Allow.HTTP = []string{strings.TrimPrefix(closed.URL, "http://")} })
	if f := s.get(t, reached, closed.URL).Failure; f == nil || f.Permanent || !strings.Contains(f.Message, closed.URL+": ") {
		t.Errorf("the failure is %v, want one for now that names %s", f, closed.URL)
	}
}

// TestFetchedIsSummarized: what fetch answers is a request to summarize, and says the
// same as the page itself.
func TestFetchedIsSummarized(t *testing.T) {
	url, host := library(t)
	fetch := open(t, "fetch", func(m *hive.Manifest) { m.Allow.HTTP = append(m.Allow.HTTP, host) })
	summarize := open(t, "summarize")
	files, err := os.ReadDir("../testdata/articles")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		address := url + "/articles/" + file.Name()
		page, _ := json.Marshal(map[string]string{"path": file.Name(), "text": read(t, filepath.Join("../testdata/articles", file.Name()))})
		want := `{"url":"` + address + `",` + strings.TrimPrefix(string(summarize.answer(t, page)), "{")
		fetched := fetch.get(t, reached, address)
		if fetched.Failure != nil {
			t.Errorf("%s: %v", file.Name(), fetched.Failure)
		} else if got := summarize.answer(t, fetched.Result); string(got) != want {
			t.Errorf("%s:\n%s\nwant\n%s", file.Name(), got, want)
		}
	}
}
