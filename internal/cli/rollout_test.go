package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/nexus/ota"
)

func TestParseSteps(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ values, want string }{
		{"", ""},
		{"5%,25%,100%", "5% | 25% | 100%"},
		{"canary, 10% ,100%", "canary | 10% | 100%"},
		{"zone=eu,gpu,100%", "gpu,zone=eu | 100%"},
		{"zone in (eu,us),50%,gpu,!spot", "zone in (eu,us) | 50% | !spot,gpu"},
		{"canary;gpu;100%", "canary | gpu | 100%"},
		{"1%,Zone=1,%", "usage"},
		{"101%", "usage"},
	} {
		var texts []string
		steps, err := parseSteps(strings.Split(test.values, ";"))
		for _, s := range steps {
			texts = append(texts, s.String())
		}
		got := strings.Join(texts, " | ")
		if err != nil {
			got = "usage"
			if exitCode(err) != exitUsage {
				t.Errorf("%s: exit code %d", test.values, exitCode(err))
			}
		}
		if got != test.want {
			t.Errorf("%q: %s, want %s", test.values, got, test.want)
		}
	}
}

func refTo(version string) bundle.Ref {
	return bundle.Ref{Version: version, Digest: "sha256:" + strings.Repeat(version[2:3], 64)}
}

func nodeOf(id string, online bool, versions ...string) hive.Node {
	n := hive.Node{Online: online}
	n.ID = id
	for _, v := range versions {
		n.Bundles = append(n.Bundles, hive.BundleID{Name: "crow", Version: v, Digest: refTo(v).Digest}, hive.BundleID{Name: "wren", Version: "9.0.0"})
	}
	return n
}

// TestStatusView has all that a status may show. Spores say hostile things.
func TestStatusView(t *testing.T) {
	t.Parallel()
	from := refTo("1.0.0")
	line := ota.Line{Current: &from, Rollout: &ota.Rollout{From: &from, To: refTo("1.1.0"),
		Steps: []ota.Step{{Percent: 50}, {Percent: 100}}, Step: 2, State: ota.Held, Reason: ota.ReasonBehind, Stepped: time.Now()}}
	p := ota.Plan{Generation: 1, Bundles: map[string]ota.Line{"crow": line}}
	line.Pins = []bundle.Ref{refTo("1.2.0")}
	v := statusView{rolloutView: newRolloutView("crow", line), Window: &ota.Window{
		Old: ota.Seen{Tasks: 100, Errors: 2, P95: 1024 * time.Microsecond, Spores: 1}, New: ota.Seen{Tasks: 300, Errors: 3, Traps: 1, P95: time.Second, Spores: 2}}}
	views := []statusView{v}
	addSpores(views, p, []hive.Node{
		nodeOf("a", true, "1.1.0", "1.2.0"), nodeOf("b", true, "1.0.0"), nodeOf("c", false), nodeOf("d", true, "1.1.0\x1b[2J\n"),
	})
	var got bytes.Buffer
	if err := showViews(&got, views); err != nil {
		t.Fatal(err)
	}
	digest := refTo("1.1.0").Digest
	want := `bundle   crow
runs     1.0.0
pinned   1.2.0
rollout  1.0.0 -> 1.1.0
digest   ` + digest + `
state    held, step 2 of 2 (100%)
steps    50%, then 100%
why      some spores still run the old version (spores_behind)
THIS STEP  VERSION  TASKS  FAILED  TRAPPED  P95      SPORES
old        1.0.0    100    2       0        1.024ms  1
new        1.1.0    300    3       1        1s       2
SPORE  STATE    VERSION         BEHIND
a      online   1.1.0 1.2.0     no
b      online   1.0.0           yes: is to run 1.1.0
c      offline  -               yes: is to run 1.1.0
d      online   1.1.0\x1b[2J\n  yes: is to run 1.1.0
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &got, want)
	}
}

// TestScreen: on a terminal all is drawn anew, elsewhere what is another line is
// written; and nothing where nothing changed.
func TestScreen(t *testing.T) {
	t.Parallel()
	for redraw, want := range map[bool]string{
		false: "a\nb\n|c\n||a\nd\n|",
		true:  clearAll + "a\nb\n|" + clearAll + "c\nb\n||" + clearAll + "a\nd\n|",
	} {
		var got bytes.Buffer
		s := screen{w: &got, redraw: redraw}
		for _, lines := range [][]string{{"a\n", "b\n"}, {"c\n", "b\n"}, {"c\n", "b\n"}, {"a\n", "d\n"}} {
			s.print(lines)
			fmt.Fprint(&got, "|")
		}
		if got.String() != want {
			t.Errorf("redraw %v: %q, want %q", redraw, &got, want)
		}
	}
}

// TestReasonsInWords: every reason that a rollout can have is said in words.
func TestReasonsInWords(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{ota.ReasonTooFewTasks, ota.ReasonNoSpores, ota.ReasonBehind, ota.ReasonDeadline, ota.ReasonWider,
		ota.ReasonTraps, ota.ReasonErrors, ota.ReasonSlow, ota.ReasonByHand} {
		if text := whyRollout(&ota.Rollout{State: ota.Held, Reason: reason}); !strings.Contains(text, " ("+reason+")") {
			t.Errorf("%s in words: %q", reason, text)
		}
	}
}
