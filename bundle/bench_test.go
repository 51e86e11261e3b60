package bundle

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkRefresh is what a spore pays to learn of one new bundle among many: a
// refresh over HTTP, all signatures, the list made last, and the bundle's manifest
// fetched and verified. "unchanged" is a refresh that learns nothing.
func BenchmarkRefresh(b *testing.B) {
	for _, bundles := range []int{1, 100, 1000} {
		dir, now := filepath.Join(b.TempDir(), "repo"), began
		o := RepositoryOptions{Now: func() time.Time { return now }}
		r, root := newRepository(b, dir, testRoles(), o)
		many := map[string][]byte{}
		for i := range bundles - 1 {
			version := fmt.Sprintf("1.%d.0", i)
			many[targetOf("crow", version)] = manifestOf("crow", version)
		}
		if _, err := r.Publish(targetsKeys, many); err != nil {
			b.Fatal(err)
		}
		server := httptest.NewServer(http.FileServer(http.Dir(dir)))
		defer server.Close()
		c, err := NewClient(ClientOptions{Repository: server.URL, State: b.TempDir(), Root: root, Now: o.Now})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		n := 0
		publish := func(b *testing.B) string {
			n++
			now = now.Add(time.Second)
			version := fmt.Sprintf("1.%d.0", n)
			name := targetOf("crab", version)
			change := map[string][]byte{name: manifestOf("crab", version)}
			if _, err := r.Publish(targetsKeys, change); err != nil {
				b.Fatal(err)
			}
			if n > 1 { // as many as before
				if _, err := r.Remove(targetsKeys, targetOf("crab", fmt.Sprintf("1.%d.0", n-1))); err != nil {
					b.Fatal(err)
				}
			}
			if err := r.Seal(snapKeys, timeKeys); err != nil {
				b.Fatal(err)
			}
			return name
		}
		b.Run(fmt.Sprintf("bundles=%d/changed", bundles), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				name := publish(b)
				b.StartTimer()
				if changed, err := c.Refresh(b.Context()); err != nil || !changed {
					b.Fatal(changed, err)
				}
				if _, err := c.Target(b.Context(), name); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("bundles=%d/unchanged", bundles), func(b *testing.B) {
			for range b.N {
				if changed, err := c.Refresh(b.Context()); err != nil || changed {
					b.Fatal(changed, err)
				}
			}
		})
	}
}
