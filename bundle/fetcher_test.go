package bundle

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// each file of a repository, in the order in which a client asks for them.
func (w *world) files() map[string]string {
	w.Helper()
	listed, err := w.repo.Targets()
	if err != nil {
		w.Fatal(err)
	}
	version := latest[metadata.SnapshotType](w, w.dir, metadata.SNAPSHOT).Signed.Version
	list := latest[metadata.TargetsType](w, w.dir, metadata.TARGETS).Signed.Version
	return map[string]string{
		"root":      metadataName(2, metadata.ROOT),
		"timestamp": metadataDir + "/timestamp.json",
		"snapshot":  metadataName(version, metadata.SNAPSHOT),
		"targets":   metadataName(list, metadata.TARGETS),
		"target":    "targets/bundles/crow/" + listed[targetOf("crow", "2.0.0")][len("sha256:"):] + ".2.0.0.json",
	}
}

// Endless data, data that drips, and data that stops: each ends, with its reason,
// for each file.
func TestSlowAndEndless(t *testing.T) {
	t.Parallel()
	block := make([]byte, 64<<10)
	for what, serve := range map[string]struct {
		reason string
		do     func(http.ResponseWriter, *http.Request)
	}{
		"endless": {ReasonTooLarge, func(rw http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := rw.Write(block); err != nil {
					return
				}
			}
		}},
		"said to be long": {ReasonTooLarge, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "9000000000000000000")
		}},
		"drips": {ReasonTooSlow, func(rw http.ResponseWriter, r *http.Request) {
			for tick := time.NewTicker(20 * time.Millisecond); r.Context().Err() == nil; <-tick.C {
				_, _ = rw.Write([]byte(" "))
				rw.(http.Flusher).Flush()
			}
		}},
		"stops": {ReasonTooSlow, func(rw http.ResponseWriter, r *http.Request) {
			_, _ = rw.Write([]byte("{"))
			rw.(http.Flusher).Flush()
			<-r.Context().Done()
		}},
		"says nothing": {ReasonTooSlow, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		"ends early": {ReasonUnreachable, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "10")
			_, _ = rw.Write([]byte("{"))
		}},
		"hangs up": {ReasonUnreachable, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		for _, role := range []string{"root", "timestamp", "snapshot", "targets", "target"} {
			t.Run(what+" "+role, func(t *testing.T) {
				t.Parallel()
				testFault(t, role, serve.reason, serve.do)
			})
		}
	}
}

func testFault(t *testing.T, role, reason string, serve func(http.ResponseWriter, *http.Request)) {
	w := newWorld(t)
	c := w.client(w.clientOptions())
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0")
	w.pass(time.Hour)
	w.publish("crow", "2.0.0")
	w.seal()
	ask := func() error { _, err := c.Refresh(t.Context()); return err }
	if role == "target" {
		w.refresh(c, true)
		ask = func() error { _, err := c.Target(t.Context(), targetOf("crow", "2.0.0")); return err }
	}
	path := "/" + w.files()[role]
	w.fault.Store(fault(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == path {
			serve(rw, r)
		}
		return r.URL.Path == path
	}))
	if reason == ReasonTooSlow {
		c.fetch.patience, c.fetch.rate = 100*time.Millisecond, 1<<30
	}
	if err := ask(); Reason(err) != reason {
		t.Errorf("%v (%s), want %s", err, Reason(err), reason)
	}
	if role != "target" {
		w.believes(c, "crow", "1.0.0")
	}
	c.fetch.patience, c.fetch.rate = patience, leastRate
	w.honest()
	w.refresh(c, role != "target")
	w.believes(c, "crow", "1.0.0", "2.0.0")
}

func TestStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	ctx, cancel := context.WithCancelCause(t.Context())
	w.fault.Store(fault(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel(errors.New("the spore drains"))
		<-r.Context().Done()
		return true
	}))
	if _, err := c.Refresh(ctx); Reason(err) != ReasonStopped || !strings.Contains(err.Error(), "the spore drains") {
		t.Errorf("Refresh = %v", err)
	}
	if _, err := c.Refresh(ctx); Reason(err) != ReasonStopped {
		t.Errorf("Refresh of one that was stopped = %v", err)
	}
	w.honest()
	w.refresh(c, true)
}

func TestHosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	asked := false
	w.fault.Store(fault(func(http.ResponseWriter, *http.Request) bool { asked = true; return false }))
	for _, hosts := range [][]string{{"example.com"}, {"127.0.0.1"}, {"127.0.0.1:1"}, {"*.0.0.1:" + own.Port()[1:]}} {
		o := w.clientOptions()
		o.Hosts = hosts
		if _, err := NewClient(o); Reason(err) != ReasonHostRefused {
			t.Errorf("NewClient with %q: %v", hosts, err)
		}
	}
	for _, hosts := range [][]string{{"*"}, {"http://example.com"}, {""}, {"Example.com"}} {
		o := w.clientOptions()
		o.Hosts = hosts
		if _, err := NewClient(o); Reason(err) != ReasonInvalid {
			t.Errorf("NewClient with %q: %v", hosts, err)
		}
	}
	for _, bad := range []string{"ftp://example.com", "https://", "http://user:secret@example.com", "http://example.com/?x", "file:///etc"} {
		o := w.clientOptions()
		o.Repository = bad
		if _, err := NewClient(o); Reason(err) != ReasonInvalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("NewClient of %q: %v", bad, err)
		}
	}
	if asked {
		t.Error("a host was asked that is not allowed")
	}
	o := w.clientOptions()
	o.Hosts = []string{"example.com", own.Host}
	w.refresh(w.client(o), true)
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, m := range []struct {
		pattern, url string
		want         bool
	}{
		{"example.com", "https://example.com/x", true},
		{"example.com", "https://EXAMPLE.com/x", true},
		{"example.com", "http://example.com", true},
		{"example.com", "https://example.com:443", true},
		{"example.com", "https://example.com:8443", false},
		{"example.com", "http://example.com:443", false},
		{"example.com:8443", "https://example.com:8443", true},
		{"example.com:8443", "https://example.com", false},
		{"example.com", "https://example.com.evil.org", false},
		{"example.com", "https://a.example.com", false},
		{"*.example.com", "https://a.example.com", true},
		{"*.example.com", "https://example.com", false},
		{"*.example.com", "https://evilexample.com", false},
		{"[::1]:80", "http://[::1]", true},
		{"[::1]", "http://[::1]:81", false},
	} {
		u, err := url.Parse(m.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := matches(m.pattern, u); got != m.want {
			t.Errorf("matches(%s, %s) = %v", m.pattern, m.url, got)
		}
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := newWorld(t)
	reached := false
	other.fault.Store(fault(func(http.ResponseWriter, *http.Request) bool { reached = true; return false }))
	send := func(to string) {
		w.fault.Store(fault(func(rw http.ResponseWriter, r *http.Request) bool {
			http.Redirect(rw, r, to+r.URL.Path, http.StatusFound)
			return true
		}))
	}
	o := w.clientOptions()
	c := w.client(o)
	for _, to := range []string{other.server.URL, "ftp://" + w.server.Listener.Addr().String()} {
		send(to)
		w.refused(c, ReasonHostRefused)
	}
	if reached {
		t.Error("the other host was asked")
	}
	send(w.server.URL) // in a circle
	w.refused(c, ReasonUnreachable)
	w.honest()
	w.refresh(c, true)

	o = w.clientOptions()
	o.Hosts = []string{w.server.Listener.Addr().String(), other.server.Listener.Addr().String()}
	send(other.server.URL) // which shows the same, made with the same keys
	w.refresh(w.client(o), true)
	if !reached {
		t.Error("an allowed host was not asked")
	}
}

func TestNoRedirectToPlainText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secure := httptest.NewTLSServer(http.RedirectHandler(w.server.URL, http.StatusFound))
	t.Cleanup(secure.Close)
	o := w.clientOptions()
	o.Repository, o.Transport = secure.URL, secure.Client().Transport
	o.Hosts = []string{secure.Listener.Addr().String(), w.server.Listener.Addr().String()}
	w.refused(w.client(o), ReasonHostRefused)
}

func TestFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.clientOptions()
	o.Repository = w.dir
	c := w.client(o)
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0")
	o.Repository = filepath.Join(w.dir, "nowhere")
	if _, err := NewClient(o); Reason(err) != ReasonUnreachable {
		t.Errorf("NewClient of no folder: %v", err)
	}
	w.server.Close()
	c = w.client(w.clientOptions())
	w.refused(c, ReasonUnreachable)
}
