package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/nexus/ota"
)

// rolloutView is where a bundle is, as nexus rollout shows it.
type rolloutView struct {
	Bundle  string     `json:"bundle"`
	Current string     `json:"current"` // the version that spores run that no rollout says otherwise to; "": none
	Pins    []string   `json:"pins"`
	From    string     `json:"from"` // of the last rollout
	To      string     `json:"to"`
	Digest  string     `json:"digest"`
	State   ota.State  `json:"state"`
	Reason  string     `json:"reason"`
	Why     string     `json:"why"` // the reason in words, and what to do
	Step    int        `json:"step"`
	Steps   []ota.Step `json:"steps"`
	Stepped *time.Time `json:"stepped"`

	ended bool
}

func newRolloutView(name string, line ota.Line) rolloutView {
	v := rolloutView{Bundle: name, Pins: []string{}, Steps: []ota.Step{}}
	for _, pin := range line.Pins {
		v.Pins = append(v.Pins, pin.Version)
	}
	if line.Current != nil {
		v.Current = line.Current.Version
	}
	r := line.Rollout
	if r == nil {
		return v
	}
	if r.From != nil {
		v.From = r.From.Version
	}
	v.To, v.Digest, v.State, v.Reason, v.Step, v.Steps = r.To.Version, r.To.Digest, r.State, r.Reason, r.Step, append(v.Steps, r.Steps...)
	v.Why, v.Stepped, v.ended = whyRollout(r), stamp(r.Stepped), r.Ended()
	return v
}

// state says how far a rollout is: "held, step 1 of 3 (5%)".
func (v *rolloutView) state() string {
	if v.State == "" {
		return "no rollout"
	}
	text := fmt.Sprintf("%s, step %d of %d", v.State, v.Step, len(v.Steps))
	if v.Step > 0 && v.Step <= len(v.Steps) {
		text += fmt.Sprintf(" (%s)", v.Steps[v.Step-1])
	}
	return text
}

// rolloutReasons say in words why a rollout is in its state.
var rolloutReasons = map[string]string{
	ota.ReasonTooFewTasks: "there were too few tasks of one of the versions to say anything yet",
	ota.ReasonNoSpores:    "no spore reports the new version yet",
	ota.ReasonBehind:      "some spores still run the old version",
	ota.ReasonDeadline:    "the step took too long: promote, resume, abort or roll it back",
	ota.ReasonWider:       "its skills may do more than what runs: approve or abort it",
	ota.ReasonTraps:       "more of its tasks trapped than of the old version's; its digest is denied",
	ota.ReasonErrors:      "more of its tasks failed than of the old version's; its digest is denied",
	ota.ReasonSlow:        "it was slower than the old version; its digest is denied",
	ota.ReasonByHand:      "somebody said so",
}

func whyRollout(r *ota.Rollout) string {
	if r.Reason != "" {
		return strings.TrimSpace(rolloutReasons[r.Reason] + " (" + r.Reason + ")")
	}
	if r.State == ota.Running {
		return "the step is being looked at"
	}
	return ""
}

// sporeView is what a spore runs of a bundle.
type sporeView struct {
	Spore    string   `json:"spore"`
	Online   bool     `json:"online"`
	Versions []string `json:"versions"`
	Wanted   []string `json:"wanted"` // what it is to run
	Behind   bool     `json:"behind"` // it reports something less than that
}

// maxVersions bounds what is shown of what a spore reports.
const maxVersions = 8

func newSporeView(n *hive.Node, name string, wanted []bundle.Run) sporeView {
	v := sporeView{Spore: n.ID, Online: n.Online, Versions: []string{}, Wanted: []string{}}
	for _, b := range n.Bundles {
		if b.Name == name && len(v.Versions) < maxVersions {
			v.Versions = append(v.Versions, hive.Clip(b.Version, 64))
		}
	}
	for _, run := range wanted {
		if run.Bundle != name {
			continue
		}
		v.Wanted = append(v.Wanted, run.Version)
		v.Behind = v.Behind || !slices.Contains(n.Bundles, hive.BundleID{Name: name, Version: run.Version, Digest: run.Digest})
	}
	return v
}

// statusView is all that nexus rollout status shows of a bundle.
type statusView struct {
	rolloutView
	Window *ota.Window `json:"window"` // as the nexus saw it last; null: it says nothing
	Spores []sporeView `json:"spores"` // null: Redis is unreachable
}

// show writes it for people.
func (v *statusView) show(w io.Writer) error {
	rows := [][]string{{"bundle", v.Bundle}}
	add := func(name, text string) {
		if text != "" {
			rows = append(rows, []string{name, text})
		}
	}
	add("runs", v.Current)
	add("pinned", strings.Join(v.Pins, " "))
	if v.State != "" {
		from := v.From
		if from == "" {
			from = "nothing"
		}
		add("rollout", from+" -> "+v.To)
		add("digest", v.Digest)
		add("state", v.state())
		add("steps", stepTexts(v.Steps))
		add("why", v.Why)
		if v.Window == nil && v.Step > 0 && !v.ended {
			add("seen", "nothing yet: no nexus that leads told of it")
		}
	}
	if err := table(w, nil, rows); err != nil {
		return err
	}
	if err := v.showWindow(w); err != nil {
		return err
	}
	return v.showSpores(w)
}

func stepTexts(steps []ota.Step) string {
	texts := make([]string, len(steps))
	for i, s := range steps {
		texts[i] = s.String()
	}
	return strings.Join(texts, ", then ")
}

func (v *statusView) showWindow(w io.Writer) error {
	if v.Window == nil {
		return nil
	}
	row := func(side, version string, s ota.Seen) []string {
		return []string{side, version, fmt.Sprint(s.Tasks), fmt.Sprint(s.Errors), fmt.Sprint(s.Traps), s.P95.String(), fmt.Sprint(s.Spores)}
	}
	rows := [][]string{row("new", v.To, v.Window.New)}
	if v.From != "" {
		rows = append([][]string{row("old", v.From, v.Window.Old)}, rows...)
	}
	return table(w, []string{"THIS STEP", "VERSION", "TASKS", "FAILED", "TRAPPED", "P95", "SPORES"}, rows)
}

func (v *statusView) showSpores(w io.Writer) error {
	if len(v.Spores) == 0 {
		return nil
	}
	rows := make([][]string, len(v.Spores))
	for i, s := range v.Spores {
		state, behind := "offline", "no"
		if s.Online {
			state = "online"
		}
		if s.Behind {
			behind = "yes: is to run " + strings.Join(s.Wanted, " ")
		}
		rows[i] = []string{s.Spore, state, strings.Join(s.Versions, " "), behind}
	}
	return table(w, []string{"SPORE", "STATE", "VERSION", "BEHIND"}, rows)
}
