package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
)

// articles are pages to fetch.
const articles = "../../testdata/articles"

// latency is what the server of the pages takes to answer, and how much longer the
// first that is asked for takes than the next one: results do not come in order by
// themselves.
const (
	latency = 300 * time.Millisecond
	slower  = 10 * time.Millisecond
)

// TestBulk: a client has twenty pages fetched and summarized. All results are there,
// in the order of the URLs, and say what summarize says of the page itself.
func TestBulk(t *testing.T) {
	c := newCluster(t)
	names := articleNames(t)
	server := slowServer(t, len(names))
	c.registerOurs("fetch", func(m *hive.Manifest) { m.Allow.HTTP = append(m.Allow.HTTP, strings.TrimPrefix(server, "http://")) })
	c.registerOurs("summarize", func(*hive.Manifest) {})
	config := c.config("[spore]\nhttp_private = [\"127.0.0.0/8\"]")
	c.nexus("n1")
	for _, name := range []string{"a", "b", "c"} {
		c.spore(name, "--slots", "2", "--config", config)
	}
	requests := make([][]byte, len(names))
	for i, name := range names {
		requests[i], _ = json.Marshal(map[string]string{"url": server + "/" + name})
	}
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	pages := c.each(submitter, "fetch", requests)
	want := summarized(t, names)
	for i, summary := range c.each(submitter, "summarize", pages) {
		want[i]["url"] = server + "/" + names[i]
		var got map[string]any
		if err := json.Unmarshal(summary, &got); err != nil || !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%s: %s, %v\nwant %v", names[i], summary, err, want[i])
		}
	}
	c.awaitIdle(hive.Stats{Completed: int64(2 * len(names))})
}

func articleNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := os.ReadDir(articles)
	for _, file := range files {
		names = append(names, file.Name())
	}
	if err != nil || len(names) != 20 {
		t.Fatalf("%d articles, %v; want 20", len(names), err)
	}
	slices.Reverse(names) // not the order in which a folder has them
	return names
}

// slowServer serves the articles, the first n requests each a little faster than the
// one before.
func slowServer(t *testing.T, n int) string {
	t.Helper()
	files := http.FileServer(http.Dir(articles))
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(latency + max(0, time.Duration(n-int(asked.Add(1))))*slower):
			files.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// registerOurs builds one of the project's skills and has the spores run it, with changes
// to its manifest.
func (c *cluster) registerOurs(name string, change func(*hive.Manifest)) {
	c.Helper()
	s, program, err := skillFolder(filepath.Join("../../skills", name))
	if err != nil {
		c.Fatal(err)
	}
	file := filepath.Join(c.TempDir(), name+".wasm")
	if err := os.WriteFile(file, program, 0o644); err != nil {
		c.Fatal(err)
	}
	if err := testkit.Precompile(filepath.Join(caches, "hive", "code"), file); err != nil {
		c.Fatal(err)
	}
	change(&s.Manifest)
	c.pub.RegisterSkill(s, program)
}

// each has a skill work on payloads and returns all results.
func (c *cluster) each(submitter *client.Client, skill string, payloads [][]byte) [][]byte {
	c.Helper()
	records, err := submitter.Map(c.Context(), client.MapOptions{Task: hive.Task{Skill: hive.SkillRef{Name: skill}}}, payloads)
	if err != nil {
		c.Fatal(err)
	}
	results := make([][]byte, len(records))
	for i, r := range records {
		if r == nil || r.State != hive.Completed {
			c.Fatalf("%s of %.200s: %+v", skill, payloads[i], r)
		}
		results[i] = r.Result
	}
	return results
}

// summarized is what summarize says of the articles in a hive of one process.
func summarized(t *testing.T, names []string) []map[string]any {
	t.Helper()
	args := []string{"run", "../../skills/summarize", "--json"}
	for _, name := range names {
		args = append(args, filepath.Join(articles, name))
	}
	cmd := exec.Command("nexus", args...)
	cmd.Env = slices.Concat(environment(), []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()})
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Results []struct{ Result map[string]any }
	}
	if err := json.Unmarshal(out, &said); err != nil || len(said.Results) != len(names) {
		t.Fatalf("%d results, %v", len(said.Results), err)
	}
	results := make([]map[string]any, len(names))
	for i, r := range said.Results {
		results[i] = r.Result
	}
	return results
}
