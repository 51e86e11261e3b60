package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// How a repository may answer, if the options say nothing else.
const (
	patience     = 10 * time.Second // for the first byte, and for any next one
	leastRate    = 32 << 10         // bytes per second, on the whole
	maxHead      = 64 << 10         // bytes of an answer's header
	maxRedirects = 5
)

// errSlow ends a transfer that takes too long.
var errSlow = errors.New("too slow")

// source is where a repository's files are: behind a URL, or in a folder. A file
// that is not there is ReasonMissing, and nothing else is.
type source interface {
	// open returns a file and its size, -1 if it is not known.
	open(ctx context.Context, path string) (io.ReadCloser, int64, error)
	close()
}

// fetcher reads files of a repository, each within a size and a time.
type fetcher struct {
	source
	patience time.Duration
	rate     int64 // bytes per second
}

func newFetcher(o ClientOptions) (*fetcher, error) {
	f := &fetcher{patience: o.Patience, rate: int64(o.LeastRate)}
	if f.patience == 0 {
		f.patience = patience
	}
	if f.rate == 0 {
		f.rate = leastRate
	}
	var err error
	if strings.Contains(o.Repository, "://") {
		f.source, err = newWeb(o)
	} else {
		f.source, err = newFolder(o.Repository)
	}
	return f, err
}

// bytes returns a file of at most limit bytes.
func (f *fetcher) bytes(ctx context.Context, path string, limit int64) ([]byte, error) {
	var b bytes.Buffer
	err := f.copy(ctx, &b, path, limit)
	return b.Bytes(), err
}

// copy writes a file of at most limit bytes to w.
func (f *fetcher) copy(ctx context.Context, w io.Writer, path string, limit int64) error {
	whole := f.patience + time.Duration(limit*int64(time.Second)/f.rate)
	ctx, end := context.WithTimeoutCause(ctx, whole, errSlow)
	defer end()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stalled := time.AfterFunc(f.patience, func() { stop(errSlow) })
	defer stalled.Stop()

	body, size, err := f.open(ctx, path)
	if err != nil {
		return netError(ctx, path, err)
	}
	defer body.Close()
	if size > limit {
		return refuse(ReasonTooLarge, path, fmt.Errorf("%d bytes, at most %d expected", size, limit))
	}
	alive := func() { stalled.Reset(f.patience) }
	n, err := io.Copy(w, io.LimitReader(&transfer{ctx, path, body, alive}, limit+1))
	switch {
	case err != nil:
		return diskError(path, err) // what reading says has its reason already
	case n > limit:
		return refuse(ReasonTooLarge, path, fmt.Errorf("at most %d bytes expected", limit))
	}
	return nil
}

// transfer tells failures to read from failures to write.
type transfer struct {
	ctx   context.Context // of this one transfer
	path  string
	body  io.Reader
	alive func()
}

func (t *transfer) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	if n > 0 {
		t.alive()
	}
	if err != nil && err != io.EOF {
		err = netError(t.ctx, t.path, err)
	}
	return n, err
}

// folder is a repository in a directory of this machine.
type folder struct{ root *os.Root }

func newFolder(dir string) (*folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, refuse(ReasonUnreachable, dir, err)
	}
	return &folder{root}, nil
}

func (d *folder) close() { _ = d.root.Close() }

func (d *folder) open(_ context.Context, path string) (io.ReadCloser, int64, error) {
	info, err := d.root.Stat(path) // before it is opened: a pipe would be waited for
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, refuse(ReasonMissing, path, nil)
	}
	if err != nil || !info.Mode().IsRegular() {
		return nil, 0, refuse(ReasonUnreachable, path, errors.Join(err, errors.New("not a file that can be read")))
	}
	f, err := d.root.Open(path)
	return f, info.Size(), err
}

// web is a repository on a server.
type web struct {
	base   *url.URL
	hosts  []string
	client *http.Client
}

func newWeb(o ClientOptions) (*web, error) {
	base, err := url.Parse(o.Repository)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.RawQuery != "" {
		return nil, refuse(ReasonInvalid, "the repository's URL", errors.New("want https://HOST/PATH or http://HOST/PATH"))
	}
	s := &web{base: base, hosts: o.Hosts}
	for _, host := range o.Hosts {
		if err := hive.CheckHostPattern(host); err != nil || host == hive.AnyHost {
			return nil, refuse(ReasonInvalid, fmt.Sprintf("allowed host %.80q", host), errors.New("want HOST, HOST:PORT or *.HOST, in lower case"))
		}
	}
	if len(s.hosts) == 0 {
		s.hosts = []string{hostPort(base)}
	}
	s.client = &http.Client{Transport: o.Transport, CheckRedirect: s.follow}
	if o.Transport == nil {
		s.client.Transport = transport()
	}
	return s, s.allowed(base)
}

func transport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: patience}).DialContext,
		DisableCompression:     true, // sizes are those that were signed for
		MaxResponseHeaderBytes: maxHead,
		TLSHandshakeTimeout:    patience,
		IdleConnTimeout:        patience,
		MaxIdleConnsPerHost:    2,
		ForceAttemptHTTP2:      true,
	}
}

func (s *web) close() { s.client.CloseIdleConnections() }

func (s *web) open(ctx context.Context, path string) (io.ReadCloser, int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base.JoinPath(path).String(), nil)
	if err != nil {
		return nil, 0, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	switch response.StatusCode {
	case http.StatusOK:
		return response.Body, response.ContentLength, nil
	case http.StatusNotFound:
		err = refuse(ReasonMissing, path, nil)
	default:
		err = refuse(ReasonUnreachable, path, fmt.Errorf("the server answers %d", response.StatusCode))
	}
	return nil, 0, errors.Join(err, response.Body.Close())
}

// follow allows redirects to allowed hosts, never from TLS to plain text.
func (s *web) follow(request *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return refuse(ReasonUnreachable, via[0].URL.Path, errors.New("too many redirects"))
	}
	if via[len(via)-1].URL.Scheme == "https" && request.URL.Scheme != "https" {
		return refuse(ReasonHostRefused, via[0].URL.Path, errors.New("a redirect from https to http"))
	}
	return s.allowed(request.URL)
}

func (s *web) allowed(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || !slices.ContainsFunc(s.hosts, func(p string) bool { return matches(p, u) }) {
		return refuse(ReasonHostRefused, u.Path, fmt.Errorf("%.200q", u.Host))
	}
	return nil
}

// matches compares a URL's host and port with HOST, HOST:PORT or *.HOST. A pattern
// without a port means the scheme's own.
func matches(pattern string, u *url.URL) bool {
	host, port, given := hive.SplitHostPattern(pattern)
	if !given {
		port = defaultPort(u)
	}
	at, atPort, _ := hive.SplitHostPattern(hostPort(u))
	if suffix, any := strings.CutPrefix(host, "*"); any {
		return strings.HasSuffix(at, suffix) && atPort == port
	}
	return at == host && atPort == port
}

// hostPort is a URL's host in lower case, with its port.
func hostPort(u *url.URL) string {
	if u.Port() == "" {
		return strings.ToLower(strings.TrimSuffix(u.Host, ":")) + ":" + defaultPort(u)
	}
	return strings.ToLower(u.Host)
}

func defaultPort(u *url.URL) string {
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}
