package ota

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"sync"
	"time"

	"github.com/hive-spore/hive/bundle"
)

// Prefix is where a Server answers.
const Prefix = "/repo/"

// maxMoving bounds the files that are read whole to be served, in bytes.
const maxMoving = bundle.MaxEnvelope

// What a repository holds for others, by its path below Prefix. Whatever else lies in
// the folder is nobody's business.
var (
	moving  = regexp.MustCompile(`^(metadata/timestamp|assignments)\.json$`)
	forever = regexp.MustCompile(`^(metadata/[1-9][0-9]{0,18}\.(root|targets|snapshot)\.json` +
		`|targets/([a-z0-9][a-z0-9-]{0,63}/){1,4}[0-9a-f]{64}\.[A-Za-z0-9][A-Za-z0-9.-]{0,99}` +
		`|blobs/sha256/[0-9a-f]{64}\.wasm)$`)
)

// Server serves a repository's folder as any file server would, but only what belongs
// to a repository, and with what caches need to know. Nothing in it is secret.
type Server struct {
	dir string

	mu   sync.Mutex
	root *os.Root
}

// NewServer opens the folder of a repository.
func NewServer(dir string) (*Server, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("serve the repository: %w", err)
	}
	return &Server{dir: dir, root: root}, nil
}

// Close frees the folder. It is safe to call twice.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.root.Close()
}

// folder is the one that has the name now: somebody may have put a copy in its place.
func (s *Server) folder() (*os.Root, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here, err := os.Stat(s.dir)
	if err != nil {
		return nil, errors.New(err.Error()) // no file is missing: the folder is
	}
	if open, err := s.root.Stat("."); err == nil && os.SameFile(open, here) {
		return s.root, nil
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, err
	}
	_ = s.root.Close()
	s.root = root
	return root, nil
}

// ServeHTTP answers GET and HEAD below Prefix.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed)
		return
	}
	name := ""
	if len(r.URL.Path) > len(Prefix) && r.URL.Path[:len(Prefix)] == Prefix && r.URL.RawPath == "" {
		name = r.URL.Path[len(Prefix):]
	}
	switch {
	case moving.MatchString(name):
		s.serveMoving(w, r, name)
	case forever.MatchString(name):
		s.serveForever(w, r, name)
	default:
		answer(w, http.StatusNotFound)
	}
}

// serveForever serves a file whose name says what is in it.
func (s *Server) serveForever(w http.ResponseWriter, r *http.Request, name string) {
	f, err := s.open(name)
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer f.Close()
	header(w, name, "public, max-age=31536000, immutable", `"`+path.Base(name)+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
}

// serveMoving serves a file that is replaced: two within a second differ, so that only
// what is in it can say whether a cache has it.
func (s *Server) serveMoving(w http.ResponseWriter, r *http.Request, name string) {
	f, err := s.open(name)
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxMoving+1))
	if err == nil && len(data) > maxMoving {
		err = errors.New("larger than it may be")
	}
	if err != nil {
		refuseFile(w, err)
		return
	}
	sum := sha256.Sum256(data)
	header(w, name, "no-cache", `"`+hex.EncodeToString(sum[:])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// open opens a file of the folder, and no pipe, which would be waited for.
func (s *Server) open(name string) (*os.File, error) {
	root, err := s.folder()
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	return root.Open(name)
}

func header(w http.ResponseWriter, name, caching, tag string) {
	kind := "application/json"
	if path.Ext(name) == ".wasm" {
		kind = "application/wasm"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", caching)
	w.Header().Set("ETag", tag)
}

// refuseFile says 404 only of what is not there: to a client, that is the word that
// there is no newer root.
func refuseFile(w http.ResponseWriter, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		answer(w, http.StatusNotFound)
		return
	}
	answer(w, http.StatusInternalServerError)
}

// answer says no, which nobody is to remember: the next root is not there until it is.
func answer(w http.ResponseWriter, status int) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}
