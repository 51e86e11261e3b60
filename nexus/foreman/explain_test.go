package foreman

import (
	"strings"
	"testing"
)

// explanations describe spores and lanes as the scripts in testdata do.
var explanations = []struct {
	name  string
	lane  string
	ahead int
	nodes []string
	want  string
}{
	{"no spores", "x", 0, nil,
		"no spore is online"},
	{"none online", "x", 41, []string{"a state=offline", "b state=offline draining"},
		"no spore is online"},

	{"tag", "x require=gpu=true", 0, []string{"a", "b tags=gpu=false"},
		"no spore has gpu=true"},
	{"tag, tasks ahead do not matter", "x require=gpu=true", 41, []string{"a"},
		"no spore has gpu=true"},
	{"key of a tag", "x require=gpu", 0, []string{"a"},
		"no spore has the tag gpu"},
	{"number", "x require=mem_gb>=16", 0, []string{"a tags=mem_gb=8", "b"},
		"no spore has mem_gb>=16"},
	{"absent tag", "x require=!spot", 0, []string{"a tags=spot", "b tags=spot"},
		"every spore has the tag spot"},
	{"other value", "x require=zone!=eu", 0, []string{"a tags=zone=eu"},
		"every spore has zone=eu"},
	{"tag of an offline spore", "x require=gpu=true skill=echo@2.0.0", 0, []string{"a skills=echo@2.0.0", "b tags=gpu=true state=offline"},
		"no online spore has gpu=true"},
	{"absent tag of an offline spore", "x require=!spot skill=echo@2.0.0", 0, []string{"a tags=spot skills=echo@2.0.0", "b state=offline"},
		"every online spore has the tag spot"},
	{"only the tags that are missing", "x require=gpu=true,zone=mars", 0, []string{"a tags=gpu=true", "b"},
		"no spore has zone=mars"},
	{"two tags missing", "x require=gpu=true,zone=mars", 0, []string{"a"},
		"no spore has gpu=true; no spore has zone=mars"},
	{"tags on different spores", "x require=gpu=true,zone=eu", 0, []string{"a tags=gpu=true", "b tags=zone=eu"},
		"no spore meets all of gpu=true,zone=eu"},

	{"tags on an offline spore", "x require=gpu=true,zone=eu skill=echo@2.0.0", 0, []string{"a tags=gpu=true skills=echo@2.0.0", "b tags=zone=eu", "c tags=gpu=true,zone=eu state=offline"},
		"no online spore meets all of gpu=true,zone=eu"},

	{"skill", "x skill=thumbnail", 0, []string{"a", "b"},
		"no spore has the skill thumbnail"},
	{"version", "x skill=thumbnail@1.2.0", 0, []string{"a skills=thumbnail@1.10.0", "b skills=thumbnail@1.9.0,thumbnail@1.10.0"},
		"no spore has the skill thumbnail@1.2.0 (there is 1.9.0, 1.10.0)"},
	{"program", "x skill=echo@#b", 0, []string{"a skills=echo@1.0.0#a"},
		"no spore has the skill echo@sha256:" + strings.Repeat("b", 64) + " (there is 1.0.0)"},
	{"skill of an offline spore", "x skill=thumbnail require=gpu", 0, []string{"a tags=gpu", "b skills=thumbnail@1.0.0 state=offline"},
		"no online spore has the skill thumbnail"},
	{"skill on spores without the tag", "x skill=thumbnail require=gpu=true", 0, []string{"a skills=thumbnail@1.0.0", "b tags=gpu=true"},
		"no spore with gpu=true has the skill thumbnail"},
	{"tag and skill", "x skill=thumbnail@1.2.0 require=gpu=true", 0, []string{"a"},
		"no spore has gpu=true; no spore has the skill thumbnail@1.2.0"},

	{"skill on its way", "x skill=thumbnail require=gpu", 0, []string{"a tags=gpu preparing=thumbnail@1.0.0", "b skills=thumbnail@1.0.0"},
		"spore a is preparing the skill thumbnail"},
	{"skill on its way elsewhere", "x skill=thumbnail require=gpu", 0, []string{"a tags=gpu", "b preparing=thumbnail@1.0.0"},
		"no spore has the skill thumbnail"},

	{"one full", "x", 0, []string{"a slots=2 active=2"},
		"spore a, the only one that could run it, is full"},
	{"full in spite of others", "x require=gpu", 3, []string{"a slots=1 active=1 tags=gpu", "b"},
		"spore a, the only one that could run it, is full; 3 tasks ahead"},
	{"both full", "x", 1, []string{"a slots=2 active=2", "b slots=0"},
		"both spores that could run it are full; 1 task ahead"},
	{"all full", "x", 41, []string{"a slots=0", "b slots=1 prefetch=1 active=2", "c slots=3 active=5"},
		"all 3 spores that could run it are full; 41 tasks ahead"},
	{"two full, one has room", "x", 41, []string{"a slots=0", "b slots=0", "c"},
		"2 of 3 spores that could run it are full; 41 tasks ahead"},
	{"two full, one draining", "x", 0, []string{"a slots=0", "b slots=0", "c draining"},
		"2 of 3 spores that could run it are full; spore c is draining"},
	{"of every kind", "x", 2, []string{"a slots=0", "b draining", "c state=offline", "d state=offline draining", "e tags=spot"},
		"1 of 5 spores that could run it is full; spore b is draining; 2 are offline; 2 tasks ahead"},
	{"draining", "x", 0, []string{"a draining"},
		"spore a, the only one that could run it, is draining"},
	{"draining and full is draining", "x", 0, []string{"a draining slots=0", "b slots=0"},
		"1 of 2 spores that could run it is full; spore a is draining"},
	{"able but offline", "x require=gpu", 0, []string{"a tags=gpu state=offline", "b"},
		"spore a, the only one that could run it, is offline"},

	{"tasks ahead", "x", 41, []string{"a"},
		"41 tasks ahead"},
	{"next", "x", 0, []string{"a cpu=50%", "b"},
		"it is next: spore b has room"},
}

func TestExplain(t *testing.T) {
	for _, test := range explanations {
		t.Run(test.name, func(t *testing.T) {
			lane := parseAll(t, []string{test.lane}, parseLane)[0]
			got := Explain(lane, parseAll(t, test.nodes, parseNode), test.ahead)
			if got != test.want {
				t.Errorf("Explain(%s, %q, %d) =\n%s, want\n%s", test.lane, test.nodes, test.ahead, got, test.want)
			}
		})
	}
}

func TestSelectBestNode(t *testing.T) {
	for _, test := range []struct {
		name  string
		lane  string
		nodes []string
		want  string // empty: none
	}{
		{"none", "x", nil, ""},
		{"one", "x", []string{"a"}, "a"},
		{"known scores", "x", []string{"full cpu=100% memory=100% active=10 slots=20", "half cpu=50% memory=50% active=5", "idle"}, "idle"},
		{"cpu weighs most", "x", []string{"a cpu=50%", "b memory=50%"}, "b"},
		{"active beyond ten", "x", []string{"a active=34 slots=64", "b cpu=100% memory=100% active=10 slots=64"}, "b"},
		{"fewer active", "x", []string{"a active=1", "b cpu=7.5%"}, "b"},
		{"smaller id", "x", []string{"c", "a", "b"}, "a"},
		{"offline", "x", []string{"a state=offline", "b cpu=90%"}, "b"},
		{"draining", "x", []string{"a draining", "b cpu=90%"}, "b"},
		{"full", "x", []string{"a slots=1 prefetch=1 active=2", "b slots=8 active=7"}, "b"},
		{"a free slot before a queue", "x", []string{"a slots=1 prefetch=1 active=1", "b cpu=90%"}, "b"},
		{"tags", "x require=gpu=true,zone=eu", []string{"a tags=gpu=true", "b tags=zone=eu", "c cpu=90% tags=gpu=true,zone=eu"}, "c"},
		{"any version", "x skill=thumb", []string{"a", "b skills=thumb@0.1.0"}, "b"},
		{"version", "x skill=thumb@1.1.0", []string{"a skills=thumb@1.0.0", "b cpu=90% skills=thumb@1.0.0,thumb@1.1.0"}, "b"},
		{"digest", "x skill=thumb@#b", []string{"a skills=thumb@1.0.0#a", "b cpu=90% skills=thumb@1.0.0#b"}, "b"},
		{"nobody", "x skill=thumb require=gpu", []string{"a skills=thumb@1.0.0", "b tags=gpu"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			lane := parseAll(t, []string{test.lane}, parseLane)[0]
			nodes := parseAll(t, test.nodes, parseNode)
			got, ok := SelectBestNode(lane.Skill, lane.Require, nodes)
			id := ""
			if got != nil {
				id = got.ID
			}
			if id != test.want || ok != (test.want != "") {
				t.Errorf("SelectBestNode(%s, %q) = %q, %v, want %q", test.lane, test.nodes, id, ok, test.want)
			}
		})
	}
}
