package hostfuncs

import (
	"context"
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

// borrowed is a context that the engine takes back when the call has returned.
type borrowed struct {
	context.Context
	back atomic.Bool
	late *atomic.Int32 // how often it was touched after that
}

func (b *borrowed) touch() {
	if b.back.Load() {
		b.late.Add(1)
	}
}

func (b *borrowed) Deadline() (time.Time, bool) { b.touch(); return b.Context.Deadline() }
func (b *borrowed) Done() <-chan struct{}       { b.touch(); return b.Context.Done() }
func (b *borrowed) Err() error                  { b.touch(); return b.Context.Err() }
func (b *borrowed) Value(key any) any           { b.touch(); return b.Context.Value(key) }

// TestHTTPGivesTheContextBack: the engine recycles the contexts of attempts, so
// nothing may touch one when the call has returned, however the call ended.
func TestHTTPGivesTheContextBack(t *testing.T) {
	url, host := serve(t, echo)
	var late atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		g := surfer(t, HTTPOptions{Private: loopback}, host)
		all.Go(func() {
			for n := range 50 {
				ctx, cancel := context.WithCancel(context.Background())
				b := &borrowed{Context: ctx, late: &late}
				g.ctx = b
				if n%2 == 0 {
					cancel() // over before it begins
				}
				g.asks("http", "GET "+url, "")
				b.back.Store(true)
				cancel() // the next attempt's end
			}
		})
	}
	all.Wait()
	if n := late.Load(); n > 0 {
		t.Errorf("the context was touched %d times after its call", n)
	}
}

// TestHTTPKeepsNoMemory: a request is a copy of what the guest had, and what the
// guest has is not written to but by answer_read.
func TestHTTPKeepsNoMemory(t *testing.T) {
	url, host, asked := stuck(t, "")
	g := surfer(t, HTTPOptions{Private: loopback}, host)
	ctx, cancel := context.WithCancel(t.Context())
	g.ctx = ctx
	go func() { <-asked; cancel() }()
	body := strings.Repeat("b", maxHTTPBody)
	g.asks("http", "POST "+url, body)
	// net/http may still be sending the body: under the race detector this write
	// would meet its read if it were the same memory.
	memory, _ := g.module.Memory().Read(0, granteePages*page)
	before := string(memory)
	clear(memory)
	if !strings.Contains(before, body) {
		t.Error("the guest's memory was written to")
	}
}
