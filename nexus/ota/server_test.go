package ota

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/bundle"
)

// serve serves a shop's repository and returns the server's URL.
func serve(s *shop) (base string, server *Server) {
	s.Helper()
	server, err := NewServer(s.dir)
	if err != nil {
		s.Fatal(err)
	}
	web := httptest.NewServer(server)
	s.Cleanup(func() { web.Close(); _ = server.Close() })
	return web.URL, server
}

// ask asks the handler itself, as no client of HTTP could be made to ask.
func ask(server *Server, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	if u, err := url.Parse(path); err == nil {
		r.URL = u
	} else {
		r.URL.Path = path
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w
}

// A spore's client takes all it needs from the server.
func TestServeClient(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Now())
	base, _ := serve(s)
	want := s.publish("crow", "1.0.0")
	s.seal()
	c := s.client(base + "/repo")
	if changed, err := c.Refresh(t.Context()); !changed || err != nil {
		t.Fatalf("Refresh = %v, %v", changed, err)
	}
	got, err := c.Bundle(t.Context(), "crow", "1.0.0")
	if err != nil || got.Digest() != want.Digest() {
		t.Fatalf("Bundle = %v, %v, want %v", got, err, want)
	}
	file, err := c.Blob(t.Context(), got.Skills[0].Digest, got.Skills[0].Size)
	if err != nil || !bytes.Equal(must(os.ReadFile(file)), program) {
		t.Fatalf("Blob = %s, %v", file, err)
	}
	s.publish("crow", "1.1.0")
	s.seal()
	if changed, err := c.Refresh(t.Context()); !changed || err != nil {
		t.Fatalf("Refresh after another version = %v, %v", changed, err)
	}
}

// All that a repository holds is served, and of what else lies there nothing.
func TestServeAll(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Now())
	_, server := serve(s)
	s.publish("crow", "1.0.0")
	s.seal()
	for _, name := range []string{".lock", "nexus.key", "metadata/.tmp-1", "metadata/x.json", "metadata/1.mirrors.json", "targets/secret", "blobs/sha256/x.wasm"} {
		if err := os.WriteFile(filepath.Join(s.dir, filepath.FromSlash(name)), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	served := 0
	err := fs.WalkDir(os.DirFS(s.dir), ".", func(name string, d fs.DirEntry, err error) error {
		w := ask(server, http.MethodGet, Prefix+name)
		var want []byte
		if !d.IsDir() {
			want = must(os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(name))))
		}
		if d.IsDir() || string(want) == "secret" {
			if w.Code != http.StatusNotFound {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
			return err
		}
		served++
		if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("%s: %d, %d bytes, want %d", name, w.Code, w.Body.Len(), len(want))
		}
		return err
	})
	if err != nil || served != 7 { // a root, two lists, a snapshot, a timestamp, a bundle, a program
		t.Errorf("%d files were served, %v", served, err)
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Now())
	s.seal()
	_, server := serve(s)
	outside := filepath.Join(filepath.Dir(s.dir), "outside.json")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(s.dir, "metadata", "7.root.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "metadata", "8.root.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"":                                   http.StatusNotFound,
		"/":                                  http.StatusNotFound,
		"/repo":                              http.StatusNotFound,
		"/repo/":                             http.StatusNotFound,
		"/metadata/1.root.json":              http.StatusNotFound,
		"/repo/metadata":                     http.StatusNotFound,
		"/repo/metadata/":                    http.StatusNotFound,
		"/repo//metadata/1.root.json":        http.StatusNotFound,
		"/repo/./metadata/1.root.json":       http.StatusNotFound,
		"/repo/../repo/metadata/1.root.json": http.StatusNotFound,
		"/repo/metadata/../../outside.json":  http.StatusNotFound,
		"/repo/metadata/%2e%2e/%2e%2e/outside.json": http.StatusNotFound,
		"/repo/metadata%2f1.root.json":              http.StatusNotFound,
		"/repo/metadata\\1.root.json":               http.StatusNotFound,
		"/repo/metadata/1.root.json\x00":            http.StatusNotFound,
		"/repo/metadata/1.root.json/":               http.StatusNotFound,
		"/repo/metadata/1.root.json\n":              http.StatusNotFound,
		"/repo/METADATA/1.root.json":                http.StatusNotFound,
		"/repo/metadata/01.root.json":               http.StatusNotFound,
		"/repo/metadata/2.root.json":                http.StatusNotFound,
		"/repo/metadata/7.root.json":                http.StatusInternalServerError, // leads out of the folder
		"/repo/metadata/8.root.json":                http.StatusNotFound,
		"/repo/" + strings.Repeat("a/", 1<<16):      http.StatusNotFound,
	} {
		w := ask(server, http.MethodGet, path)
		if w.Code != want || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%.60q: %d %q %v, want %d", path, w.Code, w.Body, w.Header(), want)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND"} {
		if w := ask(server, method, "/repo/metadata/1.root.json"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
}

// What moves is asked for every time, and told apart by what is in it; the rest is
// kept for ever.
func TestServeCaching(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Now())
	s.seal()
	_, server := serve(s)
	const stamp, root = "/repo/metadata/timestamp.json", "/repo/metadata/1.root.json"
	first := ask(server, http.MethodGet, stamp)
	if got := first.Header(); got.Get("Cache-Control") != "no-cache" || got.Get("Content-Type") != "application/json" || got.Get("Last-Modified") != "" {
		t.Errorf("%s: %v", stamp, got)
	}
	tag := first.Header().Get("ETag")
	if w := ask(server, http.MethodGet, stamp, "If-None-Match", tag); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("%s, known: %d %s", stamp, w.Code, w.Body)
	}
	s.seal() // within the same second
	if w := ask(server, http.MethodGet, stamp, "If-None-Match", tag); w.Code != http.StatusOK || bytes.Equal(w.Body.Bytes(), first.Body.Bytes()) {
		t.Errorf("%s, sealed anew: %d %s", stamp, w.Code, w.Body)
	}
	w := ask(server, http.MethodGet, root)
	if got := w.Header(); got.Get("Cache-Control") != "public, max-age=31536000, immutable" || got.Get("ETag") == "" {
		t.Errorf("%s: %v", root, got)
	}
	if part := ask(server, http.MethodGet, root, "Range", "bytes=3-9"); part.Code != http.StatusPartialContent || !bytes.Equal(part.Body.Bytes(), s.root[3:10]) {
		t.Errorf("%s, a part: %d %s", root, part.Code, part.Body)
	}
	if head := ask(server, http.MethodHead, root); head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") {
		t.Errorf("%s, HEAD: %d %v", root, head.Code, head.Header())
	}
	blob := Prefix + "blobs/sha256/" + strings.TrimPrefix(digestOfBytes(program), "sha256:") + ".wasm"
	if w := ask(server, http.MethodGet, blob); w.Header().Get("Content-Type") != "application/wasm" || !bytes.Equal(w.Body.Bytes(), program) {
		t.Errorf("%s: %v", blob, w.Header())
	}
	big := filepath.Join(s.dir, bundle.AssignmentsFile)
	if err := os.WriteFile(big, make([]byte, maxMoving+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if w := ask(server, http.MethodGet, Prefix+bundle.AssignmentsFile); w.Code != http.StatusInternalServerError {
		t.Errorf("a set that is too large: %d", w.Code)
	}
}

// Over a real connection no path is cleaned on the way.
func TestServeOverTheWire(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Now())
	base, _ := serve(s)
	response, err := http.Get(base + "/repo/metadata/..%2f..%2frepo/metadata/1.root.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	if body, err := io.ReadAll(response.Body); response.StatusCode != http.StatusNotFound || err != nil {
		t.Errorf("%d %s %v", response.StatusCode, body, err)
	}
	if _, err := NewServer(filepath.Join(s.dir, "none")); err == nil {
		t.Error("a folder that is not there is served")
	}
}

// A copy that is put in the place of the folder is served, and while there is none nobody
// is told that something is not there.
func TestServeReplacedFolder(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Now())
	_, server := serve(s)
	s.publish("crow", "1.0.0")
	s.seal()
	const stamp = "/repo/metadata/timestamp.json"
	before := ask(server, "GET", stamp).Body.String()
	away := s.dir + ".away"
	if err := os.Rename(s.dir, away); err != nil {
		t.Fatal(err)
	}
	if got := ask(server, "GET", stamp).Code; got != http.StatusInternalServerError {
		t.Errorf("without a folder it answers %d", got)
	}
	if err := os.CopyFS(s.dir, os.DirFS(away)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // a timestamp's version is a second
	s.seal()
	if now := ask(server, "GET", stamp).Body.String(); now == before || now == "" {
		t.Errorf("of the folder that is there now it answers %q", now)
	}
}
