package hostfuncs

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stuck is a server that says when it was asked, and answers only when the test ends.
func stuck(t *testing.T, first string) (url, host string, asked chan struct{}) {
	asked = make(chan struct{}, 1)
	end := make(chan struct{})
	url, host = serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(first))
		w.(http.Flusher).Flush()
		asked <- struct{}{}
		<-end
	})
	t.Cleanup(func() { close(end) }) // before the server is closed
	return url, host, asked
}

// TestHTTPEndsWithTheAttempt: whether the server is silent or stops in the middle.
func TestHTTPEndsWithTheAttempt(t *testing.T) {
	for _, first := range []string{"", "the beginning"} {
		url, host, asked := stuck(t, first)
		g := surfer(t, HTTPOptions{Private: loopback}, host)
		ctx, cancel := context.WithCancel(t.Context())
		g.ctx = ctx
		go func() { <-asked; cancel() }()
		if why := g.wants(errUnavailable, "http", "GET "+url, ""); why != errOver.Error() {
			t.Errorf("it says %q", why)
		}
		if why := g.wants(errUnavailable, "http", "GET "+url, ""); why != errOver.Error() { // it is over already
			t.Errorf("it says %q", why)
		}
	}
}

func TestHTTPTimeout(t *testing.T) {
	url, host, _ := stuck(t, "the beginning")
	g := surfer(t, HTTPOptions{Private: loopback, Timeout: 50 * time.Millisecond}, host)
	if why := g.wants(errUnavailable, "http", "GET "+url, ""); why != "no answer in time: 50ms" {
		t.Errorf("it says %q", why)
	}
}

// borrowed is a context that the engine takes back when the call has returned. As
// the engine's it has a channel of its own, for which package context would start
// a goroutine that asks the context.
type borrowed struct {
	context.Context
	done chan struct{}
	back atomic.Bool
	late *atomic.Int32 // how often it was touched after that
}

func (b *borrowed) touch() {
	if b.back.Load() {
		b.late.Add(1)
	}
}

func (b *borrowed) Deadline() (time.Time, bool) { b.touch(); return b.Context.Deadline() }
func (b *borrowed) Done() <-chan struct{}       { b.touch(); return b.done }
func (b *borrowed) Value(key any) any           { b.touch(); return b.Context.Value(key) }

func (b *borrowed) Err() error {
	b.touch()
	select {
	case <-b.done:
		return context.Canceled
	default:
		return nil
	}
}

// TestHTTPGivesTheContextBack: the engine recycles the contexts of attempts, so
// nothing may touch one when the call has returned, however the call ended.
func TestHTTPGivesTheContextBack(t *testing.T) {
	url, host := serve(t, echo)
	var late atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		g := surfer(t, HTTPOptions{Private: loopback}, host)
		all.Go(func() {
			for n := range 100 {
				b := &borrowed{Context: t.Context(), done: make(chan struct{}), late: &late}
				g.ctx = b
				switch n % 5 {
				case 0:
					close(b.done) // over before it begins
					g.asks("http", "GET "+url, "")
				case 1:
					g.asks("http", "GET "+url, "")
				default: // so short that a goroutine of its would begin after it
					g.asks("http", "GET http://example.com", "")
				}
				b.back.Store(true)
			}
		})
	}
	all.Wait()
	if n := late.Load(); n > 0 {
		t.Errorf("the context was touched %d times after its call", n)
	}
}

// hoarder takes requests and does not let go of them, as goroutines of net/http may.
type hoarder struct{ kept *http.Request }

func (h *hoarder) RoundTrip(r *http.Request) (*http.Response, error) {
	h.kept = r
	return nil, io.ErrUnexpectedEOF
}

// TestHTTPKeepsNoMemory: what was asked for is a copy of what the guest had.
func TestHTTPKeepsNoMemory(t *testing.T) {
	g := surfer(t, HTTPOptions{}, "example.com")
	var h hoarder
	g.HTTP.transport.(*http.Transport).RegisterProtocol("http", &h)
	g.wants(errUnavailable, "http", "POST http://example.com/path\nx-bee: buzz", "body")
	memory, _ := g.module.Memory().Read(0, page)
	clear(memory)
	body, err := io.ReadAll(h.kept.Body)
	if got := fmt.Sprintf("%s %s %s %s %v", h.kept.Method, h.kept.URL, h.kept.Header["X-Bee"], body, err); got != "POST http://example.com/path [buzz] body <nil>" {
		t.Errorf("after the guest went on the request is %q", got)
	}
	if h.kept.Context().Err() == nil {
		t.Error("what goes on behind the call's back is not told to end")
	}
}

// TestHTTPWithoutAnswer: what is no answer, such as another protocol on the same
// connection, is not waited for.
func TestHTTPWithoutAnswer(t *testing.T) {
	for _, head := range []string{"101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade", "000 None"} {
		url, host := serve(t, func(w http.ResponseWriter, q *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", head)
			t.Cleanup(func() { conn.Close() }) // it is held open, and nothing follows
		})
		g := surfer(t, HTTPOptions{Private: loopback}, host)
		if why := g.wants(errUnavailable, "http", "GET "+url, ""); !strings.Contains(why, "which is no answer") {
			t.Errorf("%s: %q", head, why)
		}
	}
}
