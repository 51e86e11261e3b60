package bulk

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"
)

// library serves a folder of pages twice: below /fast/ at once, below /slow/ after
// some time.
type library struct {
	*httptest.Server
	host  string
	names []string
}

func open(articles string, latency time.Duration) (*library, error) {
	files, err := os.ReadDir(articles)
	if err != nil {
		return nil, fmt.Errorf("pages to fetch: %w", err)
	}
	l := &library{}
	for _, f := range files {
		l.names = append(l.names, f.Name())
	}
	pages := http.FileServer(http.Dir(articles))
	mux := http.NewServeMux()
	mux.Handle("/fast/", http.StripPrefix("/fast", pages))
	mux.Handle("/slow/", http.StripPrefix("/slow", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(latency):
			pages.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})))
	l.Server = httptest.NewServer(mux)
	l.host = strings.TrimPrefix(l.URL, "http://")
	return l, nil
}

func (l *library) url(shelf, name string) string { return l.URL + "/" + shelf + "/" + name }
