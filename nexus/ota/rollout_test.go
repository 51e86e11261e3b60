package ota

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

var update = flag.Bool("update", false, "rewrite testdata/*.txt with what a plan decides")

// began is the time of every test.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestPlan runs the scripts in testdata. See testdata/README.txt.
func TestPlan(t *testing.T) {
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
	s := script{T: t, now: began, running: map[string]*bundle.Bundle{}}
	var got []string
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		input, _, _ := strings.Cut(block, "\n----")
		if output := s.block(input); output != "" {
			input += "\n----\n" + output
		}
		got = append(got, input)
	}
	compare(t, file, string(text), strings.Join(got, "\n\n")+"\n")
}

// compare has what a script gave against what stands in its file.
func compare(t *testing.T, file, want, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != want {
		t.Errorf("%s: got\n%s\nwant\n%s\n(-update rewrites the file; then check it by eye)", file, got, want)
	}
}

// script is the state of a script while it runs.
type script struct {
	*testing.T
	plan    Plan
	now     time.Time
	running map[string]*bundle.Bundle // the versions that were started, by name@version
}

// block carries out one block and returns what the last command gave.
func (s *script) block(block string) (output string) {
	for line := range strings.SplitSeq(block, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		before := s.plan.Generation
		output = s.command(strings.Fields(line))
		if output != "" && s.plan.Generation > before {
			output += "\nsign:" + s.assigned()
		}
	}
	return output
}

func (s *script) command(words []string) string {
	switch verb, args := words[0], words[1:]; verb {
	case "after":
		s.now = s.now.Add(must(time.ParseDuration(args[0])))
		return ""
	case "start":
		return s.start(args)
	case "window":
		return s.window(args)
	case "allow":
		next, e, err := s.plan.Allow(digestOf(s.running[args[0]]))
		return s.told(next, e, err)
	default:
		next, e, err := s.plan.Tell(args[0], Verb(verb), s.now)
		return s.told(next, e, err)
	}
}

func (s *script) start(args []string) string {
	name, version, _ := strings.Cut(args[0], "@")
	q := Request{Rules: DefaultRules()}
	var grants []hive.Grant
	for _, arg := range args[1:] {
		switch key, value, _ := strings.Cut(arg, "="); key {
		case "steps":
			for text := range strings.SplitSeq(value, "/") {
				q.Steps = append(q.Steps, must(ParseStep(text)))
			}
		case "grants":
			for g := range strings.SplitSeq(value, ",") {
				grants = append(grants, hive.Grant(g))
			}
		default:
			s.Fatalf("start: what is %q?", arg)
		}
	}
	q.Bundle = bundleOf(name, version, grants...)
	s.running[args[0]] = q.Bundle
	if current := s.plan.Bundles[name].Current; current != nil {
		q.Running = s.running[name+"@"+current.Version]
	}
	next, e, err := s.plan.Start(q, s.now)
	return s.told(next, e, err)
}

// window reads "NAME old TASKS/ERRORS/TRAPS/P95/SPORES new …".
func (s *script) window(args []string) string {
	var w Window
	for i := 1; i+1 < len(args); i += 2 {
		fields := strings.Split(args[i+1], "/")
		number := func(i int) int { return must(strconv.Atoi(fields[i])) }
		seen := Seen{number(0), number(1), number(2), must(time.ParseDuration(fields[3])), number(4)}
		if args[i] == "old" {
			w.Old = seen
		} else {
			w.New = seen
		}
	}
	next, e, told := s.plan.Advance(args[0], w, s.now)
	if !told {
		return "nothing: " + s.plan.Bundles[args[0]].Rollout.String()
	}
	return s.told(next, e, nil)
}

// told is what the audit log is told, and where the rollout is then.
func (s *script) told(next Plan, e audit.Entry, err error) string {
	s.plan = next
	if err != nil {
		if reason := err.(*Refusal).Reason; reason != e.Reason || e.Outcome != audit.Refused {
			s.Errorf("%v has the reason %s, its entry %+v", err, reason, e)
		}
		return "refused, " + e.Reason + ": " + err.Error()
	}
	name, _, _ := strings.Cut(e.Subject, "@")
	output := e.Action + " " + e.Subject
	if text := e.Fields["text"]; text != "" {
		output += " (" + text + ")"
	}
	if r := next.Bundles[name].Rollout; r != nil {
		output += "\n" + r.String()
	}
	return output
}

func (s *script) assigned() (list string) {
	set := s.plan.Set(s.now, time.Hour)
	if _, err := set.Sign(nexusKey); err != nil {
		s.Fatalf("the set cannot be signed: %v", err)
	}
	for _, a := range set.Assignments {
		list += fmt.Sprintf("\n  %s@%s %d%%", a.Bundle, a.Version, a.Percent)
		if a.Previous != nil {
			list += ", else " + a.Previous.Version
		}
		if len(a.Selector) > 0 {
			list += ", of " + a.Selector.String()
		}
	}
	if list == "" {
		return " nothing"
	}
	return list
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// bundleOf is a bundle of one skill with these grants.
func bundleOf(name, version string, grants ...hive.Grant) *bundle.Bundle {
	m := hive.Manifest{Name: name, Version: version, Grants: grants}
	return &bundle.Bundle{Name: name, Version: version, Created: began, Skills: []bundle.Skill{{Manifest: m, Digest: digestOfBytes(program), Size: int64(len(program))}}}
}

func digestOf(b *bundle.Bundle) string {
	if b == nil {
		return "none"
	}
	return b.Digest()
}

// TestStartOddInput has what a script cannot say.
func TestStartOddInput(t *testing.T) {
	t.Parallel()
	var empty Plan
	crow := bundleOf("crow", "1.0.0")
	full := Plan{Bundles: map[string]Line{}}
	for i := range 4096 {
		full.Bundles[fmt.Sprint("b", i)] = Line{Current: &bundle.Ref{Version: "1.0.0", Digest: crow.Digest()}}
	}
	rules := func(change func(*Rules)) Rules { r := DefaultRules(); change(&r); return r }
	for name, test := range map[string]struct {
		plan Plan
		q    Request
	}{
		"no bundle":            {empty, Request{}},
		"a bundle that is not": {empty, Request{Bundle: &bundle.Bundle{Name: "Crow"}}},
		"another runs":         {empty, Request{Bundle: crow, Running: crow}},
		"no last step":         {empty, Request{Bundle: crow, Steps: []Step{{Percent: 50}}}},
		"steps shrink":         {empty, Request{Bundle: crow, Steps: []Step{{Percent: 50}, {Percent: 50}, {Percent: 100}}}},
		"a step of both":       {empty, Request{Bundle: crow, Steps: []Step{{Percent: 5, Selector: must(hive.ParseSelector("gpu"))}, {Percent: 100}}}},
		"an empty step":        {empty, Request{Bundle: crow, Steps: []Step{{}, {Percent: 100}}}},
		"a selector by hand":   {empty, Request{Bundle: crow, Steps: []Step{{Selector: hive.Selector{{Key: "a b", Op: "="}}}, {Percent: 100}}}},
		"numbers":              {empty, Request{Bundle: crow, Steps: []Step{{Selector: must(hive.ParseSelector("mem>=16"))}, {Percent: 100}}}},
		"too many steps":       {empty, Request{Bundle: crow, Steps: append(make([]Step, maxSteps), Step{Percent: 100})}},
		"too many others":      {empty, Request{Bundle: crow, Steps: []Step{tags("a,b,c,d,e"), tags("f,g,h,i,j"), tags("k,l,m,n,o"), {Percent: 100}}}},
		"silence promotes":     {empty, Request{Bundle: crow, Rules: rules(func(r *Rules) { r.MinTasks = 0 })}},
		"more than all":        {empty, Request{Bundle: crow, Rules: rules(func(r *Rules) { r.MoreErrors = 1.1 })}},
		"faster":               {empty, Request{Bundle: crow, Rules: rules(func(r *Rules) { r.Slower = 0.5 })}},
		"no deadline":          {empty, Request{Bundle: crow, Rules: rules(func(r *Rules) { r.Deadline = 0 })}},
		"cannot be signed":     {full, Request{Bundle: crow}},
	} {
		next, e, err := test.plan.Start(test.q, began)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Reason != ReasonInvalid || e.Outcome != audit.Refused || next.Generation != 0 || len(next.Bundles) != len(test.plan.Bundles) {
			t.Errorf("%s: Start = %+v, %+v, %v, want it refused as invalid", name, next.Generation, e, err)
		}
	}
}

func tags(s string) Step { return must(ParseStep(s)) }

// A plan that somebody wrote in is refused where it would be used as it is.
func TestPlanCheck(t *testing.T) {
	ref := refOf(bundleOf("crow", "1.0.0"))
	good := func() Plan {
		r := Rollout{To: ref, Steps: DefaultSteps(), Step: 1, State: Running, Rules: DefaultRules()}
		return Plan{Generation: 1, Bundles: map[string]Line{"crow": {Current: &ref, Rollout: &r, Pins: []bundle.Ref{ref}}}}
	}
	if err := good().check(); err != nil {
		t.Fatal(err)
	}
	for want, edit := range map[string]func(*Line){
		"step 4 of 3":  func(l *Line) { l.Rollout.Step = 4 },
		"step -1 of 3": func(l *Line) { l.Rollout.Step = -1 },
		"100%":         func(l *Line) { l.Rollout.Steps = nil },
		"min_tasks":    func(l *Line) { l.Rollout.Rules = Rules{} },
		"state":        func(l *Line) { l.Rollout.State = "lost" },
		"digest":       func(l *Line) { l.Current = &bundle.Ref{Version: "1.0.0"} },
		"version":      func(l *Line) { l.Rollout.To.Version = "" },
		"17 pins":      func(l *Line) { l.Pins = make([]bundle.Ref, 17) },
	} {
		p := good()
		line := p.Bundles["crow"]
		edit(&line)
		p.Bundles["crow"] = line
		if err := p.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("check = %v, want it to name %q", err, want)
		}
	}
}
