package manifest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/hive-spore/hive"
)

// Ask is one grant that a manifest asks for.
type Ask struct {
	Grant hive.Grant `json:"grant"`
	Allow []string   `json:"allow,omitempty"` // what for, as in skill.toml; of a source: live or task
}

// Asks lists what a manifest asks for, each grant once.
func Asks(m *hive.Manifest) (asks []Ask) {
	for i, g := range m.Grants {
		if !slices.Contains(m.Grants[:i], g) {
			asks = append(asks, Ask{g, allowed(m, g)})
		}
	}
	return asks
}

func allowed(m *hive.Manifest, g hive.Grant) []string {
	switch g {
	case hive.GrantHTTP:
		return m.Allow.HTTP
	case hive.GrantKV:
		return m.Allow.KV
	case hive.GrantSpawn:
		return m.Allow.Spawn
	case hive.GrantSecrets:
		return m.Allow.Secrets
	case hive.GrantFiles:
		return m.Allow.Files
	case hive.GrantClock:
		return []string{source(m.Allow.Clock)}
	case hive.GrantRandom:
		return []string{source(m.Allow.Random)}
	}
	return nil
}

func source(s hive.Source) string { return cmp.Or(string(s), "live") }

// String is the line that shows a grant to a person: "http: example.com:443".
func (a Ask) String() string {
	if words := a.words(); words != "" {
		return string(a.Grant) + ": " + words
	}
	return string(a.Grant)
}

// words says what a grant is for.
func (a Ask) words() string {
	switch a.Grant {
	case hive.GrantLog:
		return "lines in the log of its tasks"
	case hive.GrantKV:
		if len(a.Allow) == 0 {
			return "own keys"
		}
		return "own keys and " + a.names()
	case hive.GrantEmit:
		return "parts of its result before its end"
	case hive.GrantProgress:
		return "how far it is"
	}
	return a.names()
}

// names are the words for what [allow] names.
func (a Ask) names() string {
	list := strings.Join(a.Allow, ", ")
	switch a.Grant {
	case hive.GrantKV:
		quoted := make([]string, len(a.Allow))
		for i, space := range a.Allow {
			quoted[i] = strconv.Quote(space)
		}
		return "shared " + many(len(quoted), "namespace") + " " + strings.Join(quoted, ", ")
	case hive.GrantSpawn:
		return "tasks of " + list
	case hive.GrantFiles:
		return many(len(a.Allow), "folder") + " " + list + " of the spore, for reading"
	case hive.GrantHTTP:
		if i := slices.Index(a.Allow, hive.AnyHost); i >= 0 {
			rest := slices.Delete(slices.Clone(a.Allow), i, i+1)
			return strings.Join(append([]string{"ANY HOST of the internet (ports 443 and 80)"}, rest...), ", ")
		}
	case hive.GrantClock, hive.GrantRandom:
		if list == string(hive.SourceTask) {
			return "made from the task's id, the same in each attempt"
		}
	}
	return list
}

func many(n int, one string) string {
	if n == 1 {
		return one
	}
	return one + "s"
}

// Widening is what one version of a skill may do that another may not.
type Widening struct {
	Ask        // of its Allow, what the other does not have
	Wider bool `json:"wider"` // the other has the grant, for less
}

// String is "http (example.com:443)", or "http also for example.com:443".
func (w Widening) String() string {
	switch {
	case w.Wider:
		return string(w.Grant) + " also for " + w.names()
	case w.words() == "":
		return string(w.Grant)
	}
	return string(w.Grant) + " (" + w.words() + ")"
}

// Widened lists what next asks for beyond what before does. What before has and
// next gives up is none of it.
func Widened(before, next *hive.Manifest) (wider []Widening) {
	for _, ask := range Asks(next) {
		if !slices.Contains(before.Grants, ask.Grant) {
			wider = append(wider, Widening{Ask: ask})
			continue
		}
		had := allowed(before, ask.Grant)
		ask.Allow = slices.DeleteFunc(slices.Clone(ask.Allow), func(name string) bool { return within(ask.Grant, had, name) })
		if len(ask.Allow) > 0 {
			wider = append(wider, Widening{ask, true})
		}
	}
	for _, g := range []hive.Grant{hive.GrantClock, hive.GrantRandom} { // WASI's need no grant
		ask := Ask{g, allowed(next, g)}
		if !slices.Contains(next.Grants, g) && !within(g, allowed(before, g), ask.Allow[0]) {
			wider = append(wider, Widening{ask, true})
		}
	}
	return wider
}

// within reports whether name allows nothing that had does not.
func within(g hive.Grant, had []string, name string) bool {
	if slices.Contains(had, name) {
		return true
	}
	switch g {
	case hive.GrantHTTP:
		return reached(had, name)
	case hive.GrantClock, hive.GrantRandom: // what is made from the task tells nothing new
		return name == string(hive.SourceTask)
	}
	return false
}

// reached reports whether all that pattern leads to is led to by one of had.
func reached(had []string, pattern string) bool {
	host, ports := places(pattern)
	for _, port := range ports {
		if !slices.ContainsFunc(had, func(other string) bool {
			host2, ports2 := places(other)
			below, star := strings.CutPrefix(host2, "*")
			return slices.Contains(ports2, port) && (host == host2 || star && len(host) > len(below) && strings.HasSuffix(host, below))
		}) {
			return false
		}
	}
	return true
}

// places takes HOST, HOST:PORT or *.HOST apart, the ports with it. AnyHost is all
// that ends in nothing.
func places(pattern string) (host string, ports []string) {
	host, port, given := hive.SplitHostPattern(pattern)
	if !given {
		return host, []string{"443", "80"}
	}
	return host, []string{port}
}
