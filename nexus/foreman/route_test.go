package foreman

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

var update = flag.Bool("update", false, "rewrite testdata/*.txt with what Route decides")

// now is the time of every test.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// TestRoute runs the scripts in testdata: blocks that begin with a command line
// and end with an empty one. See testdata/README.txt.
func TestRoute(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s script
	var got []string
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		input, _, _ := strings.Cut(block, "\n----")
		if output := s.run(t, input); output != "" {
			input += "\n----\n" + output
		}
		got = append(got, input)
	}
	result := strings.Join(got, "\n\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(result), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if result != string(text) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(-update rewrites the file; then check it by eye)", file, result, text)
	}
}

// TestRouteOddInput has what a script cannot say: what nobody should send, and
// must not hurt.
func TestRouteOddInput(t *testing.T) {
	node := hive.Node{Online: true}
	node.ID, node.Slots, node.Skills = "a", 3, []hive.SkillID{{Name: "echo"}}
	broken := node
	broken.ID, broken.Slots, broken.Active = "b", -5, -1
	echo := hive.SkillRef{Name: "echo"}
	got := new(Router).Route([]Lane{
		{Name: "below all", Skill: echo, Priority: -7, Count: 9},
		{Name: "minus", Skill: echo, Count: -1},
		{Name: "age unknown", Skill: echo, Priority: 10, Count: 1},
		{Name: "above all", Skill: echo, Priority: 99, Count: 1, Oldest: now},
	}, []hive.Node{broken, node}, now)
	want := []Grant{{"age unknown", "a", 1}, {"above all", "a", 1}, {"below all", "a", 1}}
	if !slices.Equal(got, want) {
		t.Errorf("Route = %v, want %v", got, want)
	}
}

// TestRouterForgets has more lanes come and go than a Router may remember, beside
// one that waits for ever and so keeps the round from ending.
func TestRouterForgets(t *testing.T) {
	node := hive.Node{Online: true}
	node.ID, node.Slots, node.Skills = "a", 1, []hive.SkillID{{Name: "echo"}}
	stuck := Lane{Name: "stuck", Skill: hive.SkillRef{Name: "none"}, Count: 1}
	var r Router
	for i := range 3 * maxRound {
		l := Lane{Name: fmt.Sprint("l", i), Skill: hive.SkillRef{Name: "echo"}, Count: 1, Oldest: now}
		if got := r.Route([]Lane{stuck, l}, []hive.Node{node}, now); len(got) != 1 {
			t.Fatalf("pass %d: Route = %v, want one grant", i, got)
		}
		if n := len(r.books[0].accounts[""].round); n > maxRound+1 {
			t.Fatalf("pass %d: %d lanes remembered, want at most %d", i, n, maxRound+1)
		}
	}
}

// TestRouterForgetsTenants is the same of tenants.
func TestRouterForgetsTenants(t *testing.T) {
	node := hive.Node{Online: true}
	node.ID, node.Slots, node.Skills = "a", 1, []hive.SkillID{{Name: "echo"}}
	var r Router
	for i := range 3 * maxRound {
		name := fmt.Sprint("t", i)
		l := Lane{Name: name, Tenant: name, Skill: hive.SkillRef{Name: "echo"}, Count: 1, Oldest: now}
		if got := r.Route([]Lane{l}, []hive.Node{node}, now); len(got) != 1 {
			t.Fatalf("pass %d: Route = %v, want one grant", i, got)
		}
		if n := len(r.books[0].accounts); n > maxRound+1 {
			t.Fatalf("pass %d: %d tenants remembered, want at most %d", i, n, maxRound+1)
		}
	}
}

// TestRouteShares has three tenants that always have tasks share what there is, by their
// weights, however much of it there is at a time; and one that comes late gets no more for
// having had nothing.
func TestRouteShares(t *testing.T) {
	const passes = 3000
	for _, slots := range []int{1, 7, 100} {
		node := hive.Node{Online: true}
		node.ID, node.Slots, node.Skills = "a", slots, []hive.SkillID{{Name: "echo"}}
		lane := func(tenant string, weight int) Lane {
			return Lane{Name: tenant, Tenant: tenant, Weight: weight, Skill: hive.SkillRef{Name: "echo"}, Count: 1 << 20, Oldest: now}
		}
		lanes := []Lane{lane("one", 1), lane("two", 2), lane("seven", 7)}
		var r Router
		for _, late := range []bool{false, true} {
			total := 10
			if late {
				lanes, total = append(lanes, lane("late", 10)), 20
			}
			got := map[string]int{}
			for range passes {
				for _, g := range r.Route(lanes, []hive.Node{node}, now) {
					got[g.Lane] += g.Count
				}
			}
			for _, l := range lanes {
				want := passes * slots * l.Weight / total
				if diff := got[l.Name] - want; diff < -2*quantum || diff > 2*quantum {
					t.Errorf("%d slots: %s got %d of %d, want %d", slots, l.Name, got[l.Name], passes*slots, want)
				}
			}
		}
	}
}

// TestRouteBesidePassersBy: a tenant that always waits gets its share beside others, however
// many they are, that each come with one task and go; and however it is called.
func TestRouteBesidePassersBy(t *testing.T) {
	node := hive.Node{Online: true}
	node.ID, node.Slots, node.Skills = "a", 1, []hive.SkillID{{Name: "echo"}}
	const passes, at = 20_000, 6 // so many of them wait at a time
	for _, name := range []string{"zed", "Abe"} {
		for _, tenants := range []int{500, 1500, 3000, passes} {
			stays := Lane{Name: name, Tenant: name, Skill: hive.SkillRef{Name: "echo"}, Count: 1 << 20, Oldest: now.Add(-time.Hour)}
			var r Router
			var waiting []Lane
			got, next := 0, 0
			for pass := range passes {
				for len(waiting) < at {
					tenant := fmt.Sprint("t", next%tenants)
					next++
					waiting = append(waiting, Lane{Name: tenant, Tenant: tenant, Skill: hive.SkillRef{Name: "echo"}, Count: 1, Oldest: now.Add(time.Duration(pass))})
				}
				granted := r.Route(append([]Lane{stays}, waiting...), []hive.Node{node}, now)
				if len(granted) != 1 {
					t.Fatalf("pass %d: Route = %v", pass, granted)
				}
				if granted[0].Lane == name {
					got++
				}
				waiting = slices.DeleteFunc(waiting, func(l Lane) bool { return l.Name == granted[0].Lane })
			}
			// Each of the others has its share as well, if it comes back before others have had theirs.
			if fair := passes / max(at+1, tenants); got < fair/2 {
				t.Errorf("beside %d tenants %s got %d of %d, want %d or more", tenants, name, got, passes, fair/2)
			}
			if got < passes/(4*at) && tenants == passes {
				t.Errorf("beside newcomers %s got %d of %d", name, got, passes)
			}
		}
	}
}

// script is the state of a script while it runs.
type script struct {
	router Router
	nodes  []hive.Node
	lanes  []Lane
}

// run carries out one block and returns its output.
func (s *script) run(t *testing.T, block string) string {
	var command string
	var args []string
	for line := range strings.SplitSeq(block, "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case command == "":
			command = line
		default:
			args = append(args, line)
		}
	}
	switch command {
	case "":
	case "nodes":
		s.nodes = parseAll(t, args, parseNode)
	case "lanes":
		s.lanes = parseAll(t, args, parseLane)
	case "new router":
		s.router = Router{}
	case "scores":
		return s.scores()
	case "route":
		return s.route()
	default:
		t.Fatalf("unknown command %q", command)
	}
	return ""
}

func (s *script) scores() string {
	var out []string
	for i := range s.nodes {
		out = append(out, fmt.Sprintf("%s %g", s.nodes[i].ID, s.nodes[i].Score()))
	}
	return strings.Join(out, "\n")
}

func (s *script) route() string {
	var out []string
	for _, g := range s.router.Route(s.lanes, s.nodes, now) {
		out = append(out, fmt.Sprintf("%s -> %s x%d", g.Lane, g.Node, g.Count))
	}
	if out == nil {
		return "nothing"
	}
	return strings.Join(out, "\n")
}

func parseAll[T any](t *testing.T, lines []string, parse func(t *testing.T, name string, field map[string]string) T) []T {
	var all []T
	for _, line := range lines {
		words := strings.Fields(line)
		field := map[string]string{}
		for _, w := range words[1:] {
			key, value, _ := strings.Cut(w, "=")
			field[key] = value
		}
		all = append(all, parse(t, words[0], field))
		for key := range field {
			t.Fatalf("%q: unknown field %q", line, key)
		}
	}
	return all
}

// take removes a field and returns it, or what it is by default.
func take(field map[string]string, key, byDefault string) string {
	value, ok := field[key]
	if !ok {
		return byDefault
	}
	delete(field, key)
	return value
}

func parseNode(t *testing.T, id string, field map[string]string) hive.Node {
	n := hive.Node{Online: take(field, "state", "online") != "offline", Active: int(number(t, take(field, "active", "0")))}
	n.ID = id
	n.CPU = number(t, take(field, "cpu", "0"))
	n.Memory = number(t, take(field, "memory", "0"))
	n.Slots = int(number(t, take(field, "slots", "10")))
	n.Prefetch = int(number(t, take(field, "prefetch", "0")))
	_, n.Draining = field["draining"]
	delete(field, "draining")
	n.Tags = must(hive.ParseTags(take(field, "tags", "")))(t)
	for item := range strings.SplitSeq(take(field, "skills", "echo@1.0.0"), ",") {
		name, rest, _ := strings.Cut(item, "@")
		version, digest, _ := strings.Cut(rest, "#")
		n.Skills = append(n.Skills, hive.SkillID{Name: name, Version: version, Digest: longDigest("#" + digest)})
	}
	if prepares := take(field, "preparing", ""); prepares != "" {
		name, version, _ := strings.Cut(prepares, "@")
		n.Preparing = []hive.SkillID{{Name: name, Version: version}}
	}
	return n
}

func parseLane(t *testing.T, name string, field map[string]string) Lane {
	return Lane{
		Name:     name,
		Skill:    must(hive.ParseSkillRef(longDigest(take(field, "skill", "echo"))))(t),
		Require:  must(hive.ParseSelector(take(field, "require", "")))(t),
		Priority: must(hive.ParsePriority(take(field, "priority", "5")))(t),
		Count:    int(number(t, take(field, "count", "1"))),
		Oldest:   now.Add(-must(time.ParseDuration(take(field, "age", "0s")))(t)),
	}
}

var shortDigest = regexp.MustCompile(`#([0-9a-f])`)

// longDigest writes the digest that scripts shorten to #a.
func longDigest(s string) string {
	return shortDigest.ReplaceAllStringFunc(s, func(m string) string { return "sha256:" + strings.Repeat(m[1:], 64) })
}

// number reads 3 or 50%.
func number(t *testing.T, s string) float64 {
	digits, percent := strings.CutSuffix(s, "%")
	n := must(strconv.ParseFloat(digits, 64))(t)
	if percent {
		n /= 100
	}
	return n
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
