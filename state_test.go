package hive_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

func TestStateFinal(t *testing.T) {
	t.Parallel()
	final := []hive.State{hive.Completed, hive.Failed, hive.Cancelled}
	for _, s := range append(slices.Clone(hive.States), "") {
		if want := slices.Contains(final, s); s.Final() != want {
			t.Errorf("State(%q).Final() = %v, want %v", s, s.Final(), want)
		}
	}
}

func TestCanMove(t *testing.T) {
	t.Parallel()
	var events []hive.Event
	for _, tr := range hive.Transitions {
		events = append(events, tr.Event)
	}
	legal, states := 0, append(slices.Clone(hive.States), "", "unheard-of")
	for _, event := range append(slices.Compact(slices.Sorted(slices.Values(events))), "", "unheard-of") {
		for _, from := range states {
			for _, to := range states {
				can := hive.CanMove(event, from, to)
				if want := slices.Contains(hive.Transitions, hive.Transition{Event: event, From: from, To: to}); can != want {
					t.Errorf("CanMove(%q, %q, %q) = %v, want %v", event, from, to, can, want)
				}
				if can {
					legal++
				}
			}
		}
	}
	if legal != len(hive.Transitions) {
		t.Errorf("%d moves are legal, want the %d of the table, each once", legal, len(hive.Transitions))
	}
}

// What holds of every task whatever happens to it.
func TestTransitionsKeepTheRules(t *testing.T) {
	t.Parallel()
	reached, cancelled := map[hive.State]bool{"": true}, map[hive.State]bool{}
	for range hive.States { // far enough for the longest way
		for _, tr := range hive.Transitions {
			if reached[tr.From] {
				reached[tr.To] = true
			}
		}
	}
	for _, tr := range hive.Transitions {
		if tr.From.Final() && tr.Event != hive.EventRetry {
			t.Errorf("%v leaves a final state", tr)
		}
		if tr.To == hive.Running && tr.Event != hive.EventFetch || tr.To == hive.Completed && tr.Event != hive.EventComplete {
			t.Errorf("%v: only fetch begins an attempt and only complete completes one", tr)
		}
		if (tr.From == "") != (tr.Event == hive.EventEnqueue) {
			t.Errorf("%v: a task begins by enqueue and is enqueued once", tr)
		}
		if tr.From == tr.To || tr.From != "" && !slices.Contains(hive.States, tr.From) || !slices.Contains(hive.States, tr.To) {
			t.Errorf("%v is no change between two states", tr)
		}
		if tr.Event == hive.EventCancel {
			cancelled[tr.From] = true
		}
	}
	for _, s := range hive.States {
		if !reached[s] {
			t.Errorf("no way leads to %s", s)
		}
		if cancelled[s] == s.Final() {
			t.Errorf("a task that is %s can be cancelled: %v, want %v", s, cancelled[s], !s.Final())
		}
	}
}

// TestStateMachinePage proves that docs/state-machine.md says what
// hive.Transitions says, and that the scripts, methods and tests it names exist.
func TestStateMachinePage(t *testing.T) {
	t.Parallel()
	page := readFile(t, "docs/state-machine.md")
	source, tests := readAll(t, "broker/*.go")
	var table []hive.Transition
	for _, row := range tableRows(page) {
		if len(row) == 6 {
			tr := hive.Transition{Event: hive.Event(row[0]), From: hive.State(row[1]), To: hive.State(row[2])}
			if tr.From == "new" {
				tr.From = ""
			}
			table = append(table, tr)
			if script := "`broker/lua/" + row[0] + ".lua`"; row[3] != script && row[3] != "later" {
				t.Errorf("%v: script %s, want %s", row, row[3], script)
			}
		}
		checkNames(t, row[len(row)-3:], source, tests)
	}
	if !slices.Equal(table, hive.Transitions) {
		t.Errorf("the table of docs/state-machine.md is\n     %v\nwant %v", table, hive.Transitions)
	}
	if drawn := diagram(page); !slices.Equal(drawn, hive.Transitions) {
		t.Errorf("the diagram of docs/state-machine.md is\n     %v\nwant %v", drawn, hive.Transitions)
	}
}

// checkNames checks the last three cells of a row: script, method and test.
func checkNames(t *testing.T, names []string, source, tests string) {
	t.Helper()
	if slices.Equal(names, []string{"later", "later", "later"}) {
		return
	}
	script, method := strings.Trim(names[0], "`"), strings.Trim(names[1], "`")
	test, sub, _ := strings.Cut(strings.Trim(names[2], "`"), "/")
	if _, err := os.Stat(script); err != nil {
		t.Errorf("%v: %v", names, err)
	}
	if !strings.Contains(source, "\nfunc (b *Broker) "+method+"(") {
		t.Errorf("%v: the broker has no method %s", names, method)
	}
	if !strings.Contains(tests, "\nfunc "+test+"(t *testing.T) {") || sub != "" && !strings.Contains(tests, "\n\t\t\""+sub+"\": func(") {
		t.Errorf("%v: the broker has no test %s %s", names, test, sub)
	}
}

// tableRows returns the cells of all table rows of a page but the heads.
func tableRows(page string) (rows [][]string) {
	for line := range strings.Lines(page) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "| ")
		if !ok || strings.HasPrefix(line, "event |") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, " |"), " | ")
		rows = append(rows, cells)
	}
	return rows
}

var arrow = regexp.MustCompile(`(?m)^    (\S+) --> (\S+): (\S+)$`)

// diagram returns the arrows of a mermaid diagram.
func diagram(page string) (drawn []hive.Transition) {
	for _, m := range arrow.FindAllStringSubmatch(page, -1) {
		drawn = append(drawn, hive.Transition{Event: hive.Event(m[3]), From: hive.State(strings.TrimPrefix(m[1], "[*]")), To: hive.State(m[2])})
	}
	return drawn
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readAll joins the Go files of a pattern: sources and tests.
func readAll(t *testing.T, pattern string) (source, tests string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			tests += readFile(t, name)
		} else {
			source += readFile(t, name)
		}
	}
	return source, tests
}
