package bundle

import (
	"cmp"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

var updateAssign = flag.Bool("update", false, "rewrite testdata/assign/*.txt with what is decided")

// midnight is the time that scripts count from.
var midnight = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

// TestAssign runs the scripts in testdata/assign, see README.txt there.
func TestAssign(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/assign/*.txt")
	if err != nil || len(files) < 4 {
		t.Fatalf("scripts in testdata/assign: %v, %v", files, err)
	}
	for _, file := range files {
		if filepath.Base(file) != "README.txt" {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runAssign(t, file) })
		}
	}
}

func runAssign(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s assignScript
	var got []string
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		input, _, _ := strings.Cut(block, "\n----")
		if answer := s.run(t, input); len(answer) > 0 {
			input += "\n----\n" + strings.Join(answer, "\n")
		}
		got = append(got, input)
	}
	result := strings.Join(got, "\n\n") + "\n"
	if *updateAssign {
		if err := os.WriteFile(file, []byte(result), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if result != string(text) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(-update rewrites the file; then check it by eye)", file, result, text)
	}
}

// assignScript is the state of a script while it runs.
type assignScript struct {
	set    AssignmentSet
	spores []Spore
}

func (s *assignScript) run(t *testing.T, block string) (answer []string) {
	lines := slices.DeleteFunc(strings.Split(block, "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
	command, args := strings.Fields(lines[0]), lines[1:]
	switch command[0] {
	case "spores":
		s.spores = nil
		for _, line := range args {
			id, tags, _ := strings.Cut(line, " ")
			s.spores = append(s.spores, Spore{id, must(hive.ParseTags(tags))})
		}
	case "set":
		s.set = AssignmentSet{Generation: int64(must(strconv.Atoi(command[1]))), Issued: midnight, Expires: midnight.Add(24 * time.Hour)}
		for _, line := range args {
			s.set.Assignments = append(s.set.Assignments, parseAssignment(line))
		}
		if err := s.set.validate(); err != nil {
			t.Fatal(err)
		}
	case "runs":
		for _, me := range s.spores {
			answer = append(answer, strings.TrimRight(fmt.Sprintf("%s%s %s", me.ID, s.cohorts(me), showRuns(s.set.For(me))), " "))
		}
	case "decide":
		for _, line := range args {
			answer = append(answer, s.decide(line))
		}
	case "share":
		for _, percent := range []int{0, 1, 5, 25, 50, 99, 100} {
			n := 0
			for i := range 10_000 {
				if Cohort(command[1], fmt.Sprintf("spore-%d", i)) < percent {
					n++
				}
			}
			answer = append(answer, fmt.Sprintf("%d%% %d", percent, n))
		}
	default:
		t.Fatalf("unknown command %q", command)
	}
	return answer
}

// decide runs "ID at TIME floor N runs RUN...".
func (s *assignScript) decide(line string) string {
	words := strings.Fields(line)
	me := s.spores[slices.IndexFunc(s.spores, func(x Spore) bool { return x.ID == words[0] })]
	var running []Run
	for _, word := range words[6:] {
		name, version, _ := strings.Cut(word, "@")
		running = append(running, Run{name, ref(name, version)})
	}
	runs, floor, err := s.set.Decide(me, running, int64(must(strconv.Atoi(words[4]))), midnight.Add(must(time.ParseDuration(words[2]))))
	return strings.TrimRight(fmt.Sprintf("%s floor %d runs %s", cmp.Or(Reason(err), "ok"), floor, showRuns(runs)), " ")
}

// cohorts shows where a spore stands for each bundle with a percentage.
func (s *assignScript) cohorts(me Spore) string {
	var parts []string
	for _, a := range s.set.Assignments {
		if a.Percent < 100 {
			parts = append(parts, fmt.Sprintf(" [%s %d]", a.Bundle, Cohort(a.Bundle, me.ID)))
		}
	}
	return strings.Join(parts, "")
}

// parseAssignment reads "BUNDLE VERSION PERCENT% [if SELECTOR] [else VERSION]".
func parseAssignment(line string) Assignment {
	words := strings.Fields(line)
	r := ref(words[0], words[1])
	a := Assignment{Bundle: words[0], Version: r.Version, Digest: r.Digest, Percent: must(strconv.Atoi(strings.TrimSuffix(words[2], "%")))}
	for i := 3; i < len(words); i += 2 {
		switch words[i] {
		case "if":
			a.Selector = must(hive.ParseSelector(words[i+1]))
		case "else":
			previous := ref(words[0], words[i+1])
			a.Previous = &previous
		}
	}
	return a
}

func ref(name, version string) Ref {
	return Ref{version, fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(name+version)))}
}

func showRuns(runs []Run) string {
	var list []string
	for _, r := range runs {
		show := r.Bundle + "@" + r.Version
		if r.Ref != ref(r.Bundle, r.Version) {
			show += " of another digest"
		}
		list = append(list, show)
	}
	return strings.Join(list, " ")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Whatever the names: a larger percentage has all spores of a smaller one, 0 has
// none and 100 all, and who is not among them runs what was before.
func TestMoreOnlyAdds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		me := Spore{ID: rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,23}`).Draw(t, "spore")}
		name := rapid.StringMatching(`[a-z][a-z0-9-]{0,47}`).Draw(t, "bundle")
		previous := ref(name, "1.0.0")
		was := false
		for percent := range 101 {
			r := ref(name, "1.1.0")
			s := AssignmentSet{Assignments: []Assignment{{Bundle: name, Version: r.Version, Digest: r.Digest, Percent: percent, Previous: &previous}}}
			runs := s.For(me)
			if len(runs) != 1 {
				t.Fatalf("%d%%: %v, want one version", percent, runs)
			}
			is := runs[0].Ref == r
			if was && !is || percent == 0 && is || percent == 100 && !is || !is && runs[0].Ref != previous {
				t.Fatalf("%d%%: %v, one percent less: new %v", percent, runs, was)
			}
			was = is
		}
	})
}
