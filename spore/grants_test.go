package spore_test

import (
	"slices"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus/foreman"
	"github.com/hive-spore/hive/spore"
)

// TestGrantThatIsNotGiven: the skill is not placed there, and why its tasks wait can
// be said.
func TestGrantThatIsNotGiven(t *testing.T) {
	t.Parallel()
	road := testkit.Dial(t)
	testkit.PublishGuest(t, road, func(m *hive.Manifest) { m.Grants = []hive.Grant{hive.GrantLog, hive.GrantKV} })
	start(t, road, spore.Options{Name: "a", Grants: []hive.Grant{hive.GrantLog}})
	lane := foreman.Lane{Skill: hive.SkillRef{Name: "guest"}}
	nodes, err := road.Nodes(t.Context())
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
	if _, err := spore.New(spore.Options{Road: road, Grants: []hive.Grant{"root"}}); err == nil {
		t.Error("a spore gives a grant that does not exist")
	}
}
