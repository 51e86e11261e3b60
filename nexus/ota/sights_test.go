package ota

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// reported is the body of a report on one skill.
func reported(t *testing.T, skill hive.SkillID, completed int64) []byte {
	t.Helper()
	s := hive.SkillSeen{SkillID: skill, Completed: completed}
	s.Took[40] = completed
	return must((&hive.Seen{Incarnation: "1", Skills: []hive.SkillSeen{s}}).Encode())
}

// TestWatches: all rollouts that somebody has are watched, by reports as they come
// from the road; what is no report is none.
func TestWatches(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Now())
	crow, wren := s.publish("crow", "1.0.0"), s.publish("wren", "1.0.0")
	next := s.publish("crow", "1.1.0")
	var p Plan
	start := func(q Request, now time.Time) {
		t.Helper()
		next, _, err := p.Start(q, now)
		if err != nil {
			t.Fatal(err)
		}
		p = next
	}
	start(Request{Bundle: crow, Steps: []Step{{Percent: 100}}}, began)
	p, _, _ = p.Tell("crow", Promote, began)
	start(Request{Bundle: wren}, began)
	start(Request{Bundle: next, Running: crow}, began.Add(time.Hour))

	ws := Watches{Bundle: s.repo.Stored}
	nodes := []hive.Node{{Online: true}, {Online: true}}
	nodes[0].ID, nodes[0].Bundles = "a", []hive.BundleID{idOf(crow), idOf(wren)}
	nodes[1].ID, nodes[1].Bundles = "b", []hive.BundleID{idOf(next)}
	look := func(a, b []byte, second int) map[string]Sight {
		t.Helper()
		sights, err := ws.Look(p, nodes, map[string][]byte{"a": a, "b": b}, began.Add(time.Hour+time.Duration(second)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return sights
	}
	first, second := crow.Skills[0].ID(), next.Skills[0].ID()
	look(reported(t, first, 10), reported(t, second, 10), 1)
	look(reported(t, first, 15), []byte("{}"), 2)
	sights := look(reported(t, first, 15), reported(t, second, 17), 3)
	if got := sights["crow"]; len(sights) != 2 || got.Window.Old.Tasks != 5 || got.Window.New.Tasks != 7 || got.Window.Old.Spores != 1 || got.Window.New.Spores != 1 || got.Step != 1 || got.To != refOf(next) {
		t.Errorf("sights of crow: %+v", sights)
	}
	if got := sights["wren"]; got.Window.New.Spores != 1 || got.Window.New.Tasks != 0 {
		t.Errorf("sights of wren: %+v", got)
	}

	p, _, _ = p.Tell("crow", Abort, began.Add(time.Hour))
	if sights := look(nil, nil, 4); len(sights) != 1 || len(ws.list) != 1 {
		t.Errorf("after its end: %+v", sights)
	}

	lost := Watches{Bundle: func(name string, _ bundle.Ref) (*bundle.Bundle, error) {
		if name == "wren" {
			return nil, errors.New("the disk is gone")
		}
		return wren, nil
	}}
	sights, err := lost.Look(p, nodes, nil, began)
	if err == nil || len(sights) != 0 || !strings.HasPrefix(err.Error(), "watch the rollout of wren@1.0.0: ") {
		t.Errorf("without the bundle: %+v, %v", sights, err)
	}
	lost.Bundle = func(string, bundle.Ref) (*bundle.Bundle, error) { return crow, nil }
	if _, err := lost.Look(p, nodes, nil, began); err == nil {
		t.Error("another bundle is taken for it")
	}
}

func TestSightsOnTheRoad(t *testing.T) {
	t.Parallel()
	one := Sight{To: bundle.Ref{Version: "1.1.0", Digest: "sha256:x"}, Step: 2, Window: Window{Seen{1, 2, 3, 4, 5}, Seen{6, 7, 8, 9, 10}}, Time: began}
	want := map[string]Sight{"crow": one, "wren": {Time: began}}
	got, err := ParseSights(must(EncodeSights(want)))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v reads back as %+v, %v", want, got, err)
	}
	if got, err := ParseSights(nil); len(got) != 0 || err != nil {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	many := map[string]Sight{}
	for i := range 4096 {
		many[fmt.Sprint("b", i)] = one
	}
	data := must(EncodeSights(many))
	if some, err := ParseSights(data); err != nil || len(some) == 0 || len(some) == len(many) {
		t.Errorf("of %d: %d bytes, %d, %v", len(many), len(data), len(some), err)
	}
	for _, text := range []string{"[]", "{", `{"crow":{"step":"x"}}`, strings.Repeat(" ", maxSights+1)} {
		if _, err := ParseSights([]byte(text)); err == nil {
			t.Errorf("%.40s is read", text)
		}
	}
}

// TestJudge: what was seen counts for the step in which it was seen, and for no other.
func TestJudge(t *testing.T) {
	t.Parallel()
	var p Plan
	for _, name := range []string{"crow", "wren", "lark"} {
		var err error
		if p, _, err = p.Start(Request{Bundle: bundleOf(name, "1.0.0")}, began); err != nil {
			t.Fatal(err)
		}
	}
	good, bad := Window{New: Seen{Tasks: 100, Spores: 1}}, Window{New: Seen{Tasks: 100, Errors: 100, Spores: 1}}
	sight := func(name string, step int, w Window) Sight {
		return Sight{To: p.Bundles[name].Rollout.To, Step: step, Window: w, Time: began}
	}
	later := began.Add(time.Minute)
	next, told := p.Judge(map[string]Sight{"crow": sight("crow", 1, good), "wren": sight("wren", 2, bad), "lark": sight("lark", 1, bad), "gone": {}}, later)
	var verbs []string
	for _, e := range told {
		verbs = append(verbs, e.Action+" "+e.Subject)
	}
	if got := strings.Join(verbs, ", "); got != "rollout.step crow@1.0.0, rollout.rollback lark@1.0.0" {
		t.Errorf("told %s", got)
	}
	if next.Bundles["crow"].Rollout.Step != 2 || next.Bundles["wren"].Rollout.Step != 1 || next.Bundles["lark"].Rollout.State != RolledBack || p.Bundles["crow"].Rollout.Step != 1 {
		t.Errorf("judged %+v", next)
	}
	other := sight("crow", 1, bad)
	other.To.Version = "2.0.0"
	if _, told := p.Judge(map[string]Sight{"crow": other}, later); len(told) != 0 {
		t.Errorf("what was seen of another version counts: %+v", told)
	}
}
