package spore_test

import (
	"slices"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/nexus/foreman"
	"github.com/hive-spore/hive/spore"
)

// TestGrantThatIsNotGiven: the skill is not placed there, and why its tasks wait can
// be said.
func TestGrantThatIsNotGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pub.RegisterGuest(func(m *hive.Manifest) { m.Grants = []hive.Grant{hive.GrantLog, hive.GrantKV} })
	w.start(spore.Options{Name: "a", Grants: []hive.Grant{hive.GrantLog}})
	lane := foreman.Lane{Skill: hive.SkillRef{Name: "guest"}}
	nodes, err := w.road.Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != 1 || len(nodes[0].Skills) != 0 || len(nodes[0].Refused) != 1 || !slices.Equal(nodes[0].Refused[0].Grants, []hive.Grant{hive.GrantKV}) {
		t.Errorf("nodes = %+v", nodes)
	}
	const want = "no spore has the skill guest: it asks for the grant kv, which spore a does not give"
	if got := foreman.Explain(lane, nodes, 0); got != want {
		t.Errorf("Explain() = %q, want %q", got, want)
	}
	if _, err := spore.New(w.options(spore.Options{Grants: []hive.Grant{"root"}})); err == nil {
		t.Error("a spore gives a grant that does not exist")
	}
}

// TestGrantsForWhatIsNotThere: a secret or folder that a spore lacks is a grant it
// does not give.
func TestGrantsForWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pub.RegisterGuest(func(m *hive.Manifest) {
		m.Grants = []hive.Grant{hive.GrantSecrets, hive.GrantFiles, hive.GrantHTTP}
		m.Allow = hive.Allow{Secrets: []string{"API_TOKEN"}, Files: []string{"models"}, HTTP: []string{"example.com"}}
	})
	secrets := func(name string) (string, bool) { return "value", name == "API_TOKEN" }
	models := map[string]string{"models": t.TempDir()}
	for _, tt := range []struct {
		opts  spore.Options
		lacks []hive.Grant
	}{
		{spore.Options{Name: "none"}, []hive.Grant{hive.GrantSecrets, hive.GrantFiles}},
		{spore.Options{Name: "files", Files: models}, []hive.Grant{hive.GrantSecrets}},
		{spore.Options{Name: "secrets", Secrets: secrets, Files: map[string]string{"other": t.TempDir()}}, []hive.Grant{hive.GrantFiles}},
		{spore.Options{Name: "both", Secrets: secrets, Files: models}, nil},
		{spore.Options{Name: "refuses", Secrets: secrets, Files: models, Grants: []hive.Grant{hive.GrantSecrets}}, []hive.Grant{hive.GrantFiles, hive.GrantHTTP}},
	} {
		w.start(tt.opts)
		nodes, err := w.road.Nodes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := nodes[slices.IndexFunc(nodes, func(n hive.Node) bool { return n.ID == tt.opts.Name })]
		var lacks []hive.Grant
		for _, r := range n.Refused {
			lacks = append(lacks, r.Grants...)
		}
		if !slices.Equal(lacks, tt.lacks) || len(n.Skills) == 0 != (len(lacks) > 0) {
			t.Errorf("%s lacks %v and offers %v, want %v", tt.opts.Name, lacks, n.Skills, tt.lacks)
		}
	}
	if _, err := spore.New(w.options(spore.Options{Files: map[string]string{"models": "/no/such/folder"}})); err == nil {
		t.Error("a spore gives a folder that does not exist")
	}
}
