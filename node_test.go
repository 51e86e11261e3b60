package hive_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

func TestLoadScore(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cpu, memory float64
		active      int
		want        float64
	}{
		{0, 0, 0, 0},
		{1, 1, 10, 100},
		{0.5, 0.5, 5, 50},
		{1, 0, 0, 40},
		{0, 1, 0, 30},
		{0, 0, 10, 30},
		{0, 0, 1, 3},
		{1, 1, 20, 130}, // not capped
		{0, 0, 100, 300},
	} {
		if got := hive.LoadScore(test.cpu, test.memory, test.active); got != test.want {
			t.Errorf("LoadScore(%v, %v, %d) = %v, want %v", test.cpu, test.memory, test.active, got, test.want)
		}
		n := hive.Node{NodeReport: hive.NodeReport{CPU: test.cpu, Memory: test.memory}, Active: test.active}
		if got := n.Score(); got != test.want {
			t.Errorf("Score() of %v, %v, %d = %v, want %v", test.cpu, test.memory, test.active, got, test.want)
		}
	}
}

// More of anything never makes a spore look less loaded.
func TestLoadScoreRises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		share := rapid.Float64Range(0, 1)
		cpu, memory, active := share.Draw(t, "cpu"), share.Draw(t, "memory"), rapid.IntRange(0, 1000).Draw(t, "active")
		score := hive.LoadScore(cpu, memory, active)
		if score < 0 || hive.LoadScore(cpu, memory, active+1) <= score || hive.LoadScore(1, memory, active) < score || hive.LoadScore(cpu, 1, active) < score {
			t.Fatalf("LoadScore(%v, %v, %d) = %v is out of order", cpu, memory, active, score)
		}
	})
}

func TestNodeRoom(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                    string
		slots, prefetch, active int
		offline, draining       bool
		want                    int
	}{
		{name: "idle", slots: 4, want: 4},
		{name: "with prefetch", slots: 4, prefetch: 2, want: 6},
		{name: "busy", slots: 4, prefetch: 2, active: 5, want: 1},
		{name: "full", slots: 4, active: 4},
		{name: "over full", slots: 1, active: 4},
		{name: "no slots"},
		{name: "offline", slots: 4, offline: true},
		{name: "draining", slots: 4, draining: true},
	} {
		n := hive.Node{Online: !test.offline, Active: test.active}
		n.Slots, n.Prefetch, n.Draining = test.slots, test.prefetch, test.draining
		if got := n.Room(); got != test.want {
			t.Errorf("%s: Room() = %d, want %d", test.name, got, test.want)
		}
	}
}

func TestNodeHas(t *testing.T) {
	t.Parallel()
	other := "sha256:" + strings.Repeat("0b", 32)
	n := hive.Node{NodeReport: hive.NodeReport{Skills: []hive.SkillID{
		{Name: "secscan", Version: "1.2.0", Digest: digest},
		{Name: "secscan", Version: "2.0.0-rc.1", Digest: other},
		{Name: "summarize", Version: "0.1.0", Digest: other},
	}}}
	for _, test := range []struct {
		ref  string
		want bool
	}{
		{"secscan", true},
		{"summarize", true},
		{"wordcount", false},
		{"secscan@1.2.0", true},
		{"secscan@2.0.0-rc.1", true},
		{"secscan@2.0.0", false},
		{"secscan@0.1.0", false}, // a version of another skill
		{"secscan@" + digest, true},
		{"secscan@" + other, true},
		{"summarize@" + digest, false}, // a program of another skill
	} {
		ref, err := hive.ParseSkillRef(test.ref)
		if err != nil {
			t.Fatalf("ParseSkillRef(%q) = %v", test.ref, err)
		}
		if got := n.Has(ref); got != test.want {
			t.Errorf("Has(%s) = %v, want %v", ref, got, test.want)
		}
	}
	if (&hive.Node{}).Has(hive.SkillRef{Name: "secscan"}) {
		t.Error("a spore without skills has one")
	}
}

func TestCheckNodeID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "Spore-1", "10.0.0.7", "host_1.example-com", strings.Repeat("x", 24)} {
		if err := hive.CheckNodeID(id); err != nil {
			t.Errorf("CheckNodeID(%q) = %v", id, err)
		}
	}
	for _, id := range []string{"", "*", "-a", ".a", "a b", "a:b", "a{h}", "é", strings.Repeat("x", 25)} {
		want := `spore id "` + id + `": want 1 to 24 letters, digits, '.', '_' and '-', beginning with a letter or digit`
		if got := message(hive.CheckNodeID(id)); got != want {
			t.Errorf("CheckNodeID(%q) = %q, want %q", id, got, want)
		}
	}
}

// Dashboards read these names.
func TestClusterStatusJSON(t *testing.T) {
	t.Parallel()
	busy := hive.Node{Online: true, Active: 5, NodeReport: hive.NodeReport{
		ID: "a", Name: "spore-a", CPU: 0.5, Memory: 0.5, Slots: 4, Prefetch: 2, Tags: hive.Tags{"zone": "eu", "gpu": "true"},
		Skills: []hive.SkillID{{Name: "secscan", Version: "1.2.0", Digest: digest}},
	}}
	idle := hive.Node{Online: true, NodeReport: hive.NodeReport{ID: "b", Name: "spore-b", CPU: 0.25, Slots: 8, Draining: true}}
	gone := hive.Node{Active: 1, NodeReport: hive.NodeReport{ID: "c", Name: "spore-c", CPU: 1, Memory: 1, Slots: 1}}
	for _, test := range []struct {
		name  string
		nodes []hive.Node
		want  string
	}{
		{"none", nil, `{"total_nodes":0,"online_nodes":0,"offline_nodes":0,"avg_cpu_usage":0,"avg_memory_usage":0,` +
			`"total_active_tasks":0,"nodes":[]}`},
		{"none online", []hive.Node{gone}, `{"total_nodes":1,"online_nodes":0,"offline_nodes":1,"avg_cpu_usage":0,"avg_memory_usage":0,` +
			`"total_active_tasks":1,"nodes":[` +
			`{"node_id":"c","node_name":"spore-c","cpu_usage":1,"memory_usage":1,"active_tasks":1,"load_score":73,` +
			`"is_online":false,"is_draining":false,"tags":{},"slots":1,"skills":[],"bundles":[]}]}`},
		{"three", []hive.Node{idle, gone, busy}, `{"total_nodes":3,"online_nodes":2,"offline_nodes":1,"avg_cpu_usage":0.375,"avg_memory_usage":0.25,` +
			`"total_active_tasks":6,"nodes":[` +
			`{"node_id":"b","node_name":"spore-b","cpu_usage":0.25,"memory_usage":0,"active_tasks":0,"load_score":10,` +
			`"is_online":true,"is_draining":true,"tags":{},"slots":8,"skills":[],"bundles":[]},` +
			`{"node_id":"c","node_name":"spore-c","cpu_usage":1,"memory_usage":1,"active_tasks":1,"load_score":73,` +
			`"is_online":false,"is_draining":false,"tags":{},"slots":1,"skills":[],"bundles":[]},` +
			`{"node_id":"a","node_name":"spore-a","cpu_usage":0.5,"memory_usage":0.5,"active_tasks":5,"load_score":50,` +
			`"is_online":true,"is_draining":false,"tags":{"gpu":"true","zone":"eu"},"slots":4,"skills":["secscan@1.2.0"],"bundles":[]}]}`},
	} {
		got, err := json.Marshal(hive.NewClusterStatus(test.nodes))
		if string(got) != test.want || err != nil {
			t.Errorf("%s: NewClusterStatus as JSON, %v:\n     %s\nwant %s", test.name, err, got, test.want)
		}
	}
}
