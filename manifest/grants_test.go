package manifest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hive-spore/hive"
)

// told is what a list says to a person.
func told[T fmt.Stringer](list []T) (said []string) {
	for _, item := range list {
		said = append(said, item.String())
	}
	return said
}

// asking is a manifest of these grants.
func asking(allow hive.Allow, grants ...hive.Grant) *hive.Manifest {
	return &hive.Manifest{Grants: grants, Allow: allow}
}

func TestAsks(t *testing.T) {
	t.Parallel()
	all := asking(hive.Allow{
		HTTP: []string{"example.com:443", "*.example.org"}, KV: []string{"counts"}, Spawn: []string{"wordcount", "secscan"},
		Secrets: []string{"API_KEY"}, Files: []string{"corpus"}, Random: hive.SourceTask,
	}, hive.Grants...)
	want := []string{
		"log: lines in the log of its tasks",
		`kv: own keys and shared namespace "counts"`,
		"http: example.com:443, *.example.org",
		"spawn: tasks of wordcount, secscan",
		"emit: parts of its result before its end",
		"progress: how far it is",
		"secrets: API_KEY",
		"files: folder corpus of the spore, for reading",
		"clock: live",
		"random: made from the task's id, the same in each attempt",
	}
	if got := told(Asks(all)); !slices.Equal(got, want) {
		t.Errorf("Asks() = %q, want %q", got, want)
	}
	few := asking(hive.Allow{KV: []string{"a", "b"}, Files: []string{"a", "b"}}, hive.GrantKV, hive.GrantFiles, "other", hive.GrantKV)
	want = []string{`kv: own keys and shared namespaces "a", "b"`, "files: folders a, b of the spore, for reading", "other"}
	if got := told(Asks(few)); !slices.Equal(got, want) {
		t.Errorf("Asks() = %q, want %q", got, want)
	}
	any := asking(hive.Allow{HTTP: []string{"a.example:8443", "*"}}, hive.GrantHTTP)
	want = []string{"http: ANY HOST of the internet (ports 443 and 80), a.example:8443"}
	if got := told(Asks(any)); !slices.Equal(got, want) {
		t.Errorf("Asks() = %q, want %q", got, want)
	}
	if got := told(Asks(asking(hive.Allow{}, hive.GrantKV))); !slices.Equal(got, []string{"kv: own keys"}) {
		t.Errorf("Asks(kv) = %q", got)
	}
	if got := Asks(asking(hive.Allow{HTTP: []string{"example.com"}})); got != nil {
		t.Errorf("Asks() without grants = %q", got)
	}
}

func TestWidened(t *testing.T) {
	t.Parallel()
	http := func(hosts ...string) *hive.Manifest { return asking(hive.Allow{HTTP: hosts}, hive.GrantHTTP) }
	kv := func(spaces ...string) *hive.Manifest { return asking(hive.Allow{KV: spaces}, hive.GrantKV) }
	clock := func(s hive.Source) *hive.Manifest { return asking(hive.Allow{Clock: s}, hive.GrantClock) }
	none := asking(hive.Allow{})
	for _, tt := range []struct {
		name         string
		before, next *hive.Manifest
		want         []string
	}{
		{"nothing", none, none, nil},
		{"WASI's clock", asking(hive.Allow{Clock: hive.SourceTask}), none, []string{"clock also for live"}},
		{"WASI's clock given up", none, asking(hive.Allow{Clock: hive.SourceTask}), nil},
		{"the same", http("example.com"), http("example.com"), nil},
		{"in another order", http("a.example", "b.example"), http("b.example", "a.example"), nil},
		{"a grant", none, http("example.com:443"), []string{"http (example.com:443)"}},
		{"grants", kv(), asking(hive.Allow{Spawn: []string{"a"}}, hive.GrantKV, hive.GrantSpawn, hive.GrantEmit),
			[]string{"spawn (tasks of a)", "emit (parts of its result before its end)"}},
		{"an unknown grant", none, asking(hive.Allow{}, "root"), []string{"root"}},
		{"a grant given up", asking(hive.Allow{}, hive.GrantKV, hive.GrantLog), asking(hive.Allow{}, hive.GrantLog), nil},
		{"one grant for another", kv(), asking(hive.Allow{}, hive.GrantLog), []string{"log (lines in the log of its tasks)"}},
		{"a namespace", kv(), kv("counts"), []string{`kv also for shared namespace "counts"`}},
		{"namespaces", kv("a"), kv("b", "a", "c"), []string{`kv also for shared namespaces "b", "c"`}},
		{"a namespace given up", kv("a", "b"), kv("b"), nil},
		{"what was allowed without the grant", asking(hive.Allow{KV: []string{"a"}}), kv("a"), []string{`kv (own keys and shared namespace "a")`}},
		{"a host", http("example.com"), http("example.com", "example.org"), []string{"http also for example.org"}},
		{"a port more", http("example.com:443"), http("example.com"), []string{"http also for example.com"}},
		{"another port", http("example.com"), http("example.com:8080"), []string{"http also for example.com:8080"}},
		{"a port less", http("example.com"), http("example.com:443"), nil},
		{"both ports by one name", http("example.com:443", "example.com:80"), http("example.com"), nil},
		{"names below", http("example.com"), http("*.example.com"), []string{"http also for *.example.com"}},
		{"the name above", http("*.example.com"), http("example.com"), []string{"http also for example.com"}},
		{"a name below", http("*.example.com"), http("api.example.com", "*.a.example.com:80"), nil},
		{"a name that ends alike", http("*.example.com"), http("badexample.com"), []string{"http also for badexample.com"}},
		{"a port below", http("*.example.com:443"), http("api.example.com"), []string{"http also for api.example.com"}},
		{"any host", http("example.com"), http("example.com", "*"), []string{"http also for ANY HOST of the internet (ports 443 and 80)"}},
		{"one of any", http("*"), http("example.com", "*.example.com:443", "[::1]:80", "*"), nil},
		{"a port that not any host has", http("*"), http("*", "example.com:8080"), []string{"http also for example.com:8080"}},
		{"an address", http("[::1]:80"), http("[::1]"), []string{"http also for [::1]"}},
		{"a live clock", clock(hive.SourceTask), clock(hive.SourceLive), []string{"clock also for live"}},
		{"a clock of the task", clock(hive.SourceLive), clock(hive.SourceTask), nil},
	} {
		if got := told(Widened(tt.before, tt.next)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: Widened() = %q, want %q", tt.name, got, tt.want)
		}
	}
}
