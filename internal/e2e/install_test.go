package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/client"
)

// So many spores are killed at random moments of an install, so many times: a spore
// that was killed waits until its lease has ended, so they do it together.
const (
	doomed = 10
	deaths = 5
)

// flock are spores that have their bundles from a static server, which may be away.
type flock struct {
	*cluster
	config string
	away   atomic.Bool
	names  []string
	spores map[string]*process
	born   map[string]time.Time // when the process was started
}

func newFlock(c *cluster, size int) *flock {
	f := &flock{cluster: c, spores: map[string]*process{}, born: map[string]time.Time{}}
	files := http.FileServer(http.Dir(c.pub.Dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.away.Load() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		files.ServeHTTP(w, r)
	}))
	c.Cleanup(server.Close)
	keep := c.ota
	c.ota = fmt.Sprintf("[ota]\nurl = %q\nroot = %q\nstate_dir = %q\nupdate_every = \"0s\"\nlook = \"1s\"\n",
		server.URL+"/", filepath.Join(c.pub.Keys, bundle.FirstRoot), c.TempDir())
	f.config, c.ota = c.config(""), keep
	for i := range size {
		f.names = append(f.names, fmt.Sprint("s", i))
	}
	return f
}

func (f *flock) start() {
	f.Helper()
	for _, name := range f.names {
		f.born[name] = time.Now()
		f.spores[name] = f.bare(name, f.config, "--tags", "spore="+name, "--slots", "1")
	}
}

// kill kills each spore at a random moment within a time.
func (f *flock) kill(within time.Duration) {
	for _, p := range f.spores {
		time.AfterFunc(rand.N(within), func() { _ = p.cmd.Process.Kill() })
	}
	for _, p := range f.spores {
		<-p.done
	}
}

// offered waits until each process offers a bundle, and returns which. From its first
// report on it has nothing but one of these, or the test fails.
func (f *flock) offered(of ...*bundle.Bundle) map[string]*bundle.Bundle {
	f.Helper()
	found := map[string]*bundle.Bundle{}
	await(f.T, "all spores", func() (bool, error) {
		nodes, err := f.road.Nodes(f.Context())
		for i := range nodes {
			n := &nodes[i]
			if !n.Online || n.Started.Before(f.born[n.ID]) || found[n.ID] != nil {
				continue
			}
			at := slices.IndexFunc(of, func(b *bundle.Bundle) bool { return hasOnly(n, b) })
			if at < 0 {
				f.Fatalf("%s runs %v and offers %v, want one of %v", n.ID, n.Bundles, n.Skills, of)
			}
			if !offers(n, of[at]) {
				continue // it prepares the rest
			}
			found[n.ID] = of[at]
		}
		return len(found) == len(f.names), err
	})
	return found
}

// complete runs each skill of what each spore has there.
func (f *flock) complete(submitter *client.Client, has map[string]*bundle.Bundle) {
	f.Helper()
	var ids []string
	var want []hive.SkillID
	for name, b := range has {
		for i := range b.Skills {
			require, err := hive.ParseSelector("spore=" + name)
			if err != nil {
				f.Fatal(err)
			}
			id, err := submitter.Submit(f.Context(), hive.Task{Skill: hive.SkillRef{Name: b.Skills[i].Name}, Payload: []byte(name), Require: require})
			if err != nil {
				f.Fatal(err)
			}
			ids, want = append(ids, id), append(want, b.Skills[i].ID())
		}
	}
	for i, id := range ids {
		if r := f.awaitTask(id, "over", final); r.State != hive.Completed || r.Failures != 0 || r.Ran != want[i] {
			f.Errorf("%s: %s by %v, %v; want %v", id, r.State, r.Ran, r.Failure, want[i])
		}
	}
}

// TestSporeKilledWhileItInstalls: what a spore runs after kill -9 at any moment of an
// install is the version before or the next one, as a whole, by its own disk alone: the
// repository is away. When that is back it has the next one.
func TestSporeKilledWhileItInstalls(t *testing.T) {
	c := newEmptyCluster(t)
	c.nexus("n1")
	f := newFlock(c, doomed)
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	edition := func(version string) *bundle.Bundle {
		b := c.edition("birds", version, map[string][]byte{
			"crow": program(t, skills.cat, "crow "+version), "jay": program(t, skills.cat, "jay "+version)})
		c.give(b)
		return b
	}
	first := edition("0.1.0")
	f.start()
	c.awaitAll(doomed, first)
	began := time.Now()
	before := edition("1.0.0")
	c.awaitAll(doomed, before)
	took := time.Since(began)
	done := map[bool]int{}
	for round := range deaths {
		next := edition(fmt.Sprintf("2.%d.0", round))
		f.kill(took * 5 / 4)
		f.away.Store(true)
		f.start()
		found := f.offered(before, next)
		for _, b := range found {
			done[b == next]++
		}
		f.complete(submitter, found)
		f.away.Store(false)
		c.awaitAll(doomed, next)
		before = next
	}
	t.Logf("an install on %d spores took %v; of %d kills %d left the old version, %d the new one", doomed, took, doomed*deaths, done[false], done[true])
}
