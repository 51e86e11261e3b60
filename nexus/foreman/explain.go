package foreman

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hive-spore/hive"
)

// Explain says in words for people why the next task of a lane waits while ahead
// tasks are before it. What somebody must change comes first (a tag or a skill
// that no spore has), then what passes by itself (full spores, tasks ahead).
func Explain(lane Lane, nodes []hive.Node, ahead int) string {
	var online, able []*hive.Node
	for i := range nodes {
		n := &nodes[i]
		if n.Online {
			online = append(online, n)
		}
		if canRun(n, lane.Skill, lane.Require) {
			able = append(able, n)
		}
	}
	switch {
	case len(online) == 0:
		return "no spore is online"
	case len(able) == 0:
		return strings.Join(lacking(lane, nodes, online), "; ")
	}
	reasons := unavailable(able)
	if ahead > 0 {
		reasons = append(reasons, Ahead(ahead))
	} else if n, ok := SelectBestNode(lane.Skill, lane.Require, nodes); ok {
		reasons = append(reasons, "it is next: spore "+n.ID+" has room")
	}
	return strings.Join(reasons, "; ")
}

// Ahead says how many tasks are before one.
func Ahead(n int) string {
	if n == 1 {
		return "1 task ahead"
	}
	return fmt.Sprintf("%d tasks ahead", n)
}

// lacking says what keeps every spore from running the lane's tasks.
func lacking(lane Lane, nodes []hive.Node, online []*hive.Node) []string {
	has := func(n *hive.Node) bool { return n.Has(lane.Skill) }
	tagged := slices.ContainsFunc(online, func(n *hive.Node) bool { return lane.Require.Matches(n.Tags) })
	var reasons []string
	if !tagged {
		reasons = lackingTags(lane.Require, nodes, online)
	}
	for _, n := range online {
		if n.Prepares(lane.Skill) && lane.Require.Matches(n.Tags) {
			return []string{"spore " + n.ID + " is preparing the skill " + lane.Skill.String()}
		}
	}
	switch {
	case !slices.ContainsFunc(online, has):
		reasons = append(reasons, noSpore(nodes, has)+" has the skill "+lane.Skill.String()+otherVersions(lane.Skill.Name, online)+refusing(lane.Skill, online))
	case tagged:
		reasons = append(reasons, fmt.Sprintf("no spore with %s has the skill %s", lane.Require, lane.Skill))
	}
	return reasons
}

// lackingTags names the requirements that no online spore meets.
func lackingTags(require hive.Selector, nodes []hive.Node, online []*hive.Node) []string {
	no := func(meets func(hive.Tags) bool) string {
		return noSpore(nodes, func(n *hive.Node) bool { return meets(n.Tags) })
	}
	var reasons []string
	for _, r := range require {
		if !slices.ContainsFunc(online, func(n *hive.Node) bool { return r.Matches(n.Tags) }) {
			reasons = append(reasons, unmet(no(r.Matches), r))
		}
	}
	if reasons == nil {
		reasons = []string{no(require.Matches) + " meets all of " + require.String()}
	}
	return reasons
}

// unmet says that no spore meets a requirement. If the requirement is that a tag
// be missing or another, that is the same as that all have it, and plainer.
func unmet(no string, r hive.Requirement) string {
	every := strings.Replace(no, "no", "every", 1)
	switch r.Op {
	case hive.OpAbsent:
		return every + " has the tag " + r.Key
	case hive.OpExists:
		return no + " has the tag " + r.Key
	case hive.OpNotEqual:
		r.Op = hive.OpEqual
		return every + " has " + r.String()
	case hive.OpNotIn:
		r.Op = hive.OpIn
		return every + " has " + r.String()
	}
	return no + " has " + r.String()
}

// noSpore is "no spore", unless an offline one would do.
func noSpore(nodes []hive.Node, would func(*hive.Node) bool) string {
	for i := range nodes {
		if would(&nodes[i]) {
			return "no online spore"
		}
	}
	return "no spore"
}

// otherVersions names the versions of a skill that are there instead.
func otherVersions(name string, online []*hive.Node) string {
	var versions []string
	for _, n := range online {
		for _, s := range n.Skills {
			if s.Name == name {
				versions = append(versions, s.Version)
			}
		}
	}
	if versions == nil {
		return ""
	}
	slices.SortFunc(versions, hive.CompareVersions)
	return " (there is " + strings.Join(slices.Compact(versions), ", ") + ")"
}

// refusing names a spore that would have the skill if it gave it what it asks for.
func refusing(skill hive.SkillRef, online []*hive.Node) string {
	for _, n := range online {
		for _, r := range n.Refused {
			if skill.Matches(r.Skill.Name, r.Skill.Version, r.Skill.Digest) {
				return fmt.Sprintf(": it asks for the grant %s, which spore %s does not give", r.Grants[0], n.ID)
			}
		}
	}
	return ""
}

// unavailable says which of the spores that could run a task cannot now.
func unavailable(able []*hive.Node) []string {
	var reasons []string
	for _, state := range []struct {
		name string
		in   func(*hive.Node) bool
	}{
		{"full", func(n *hive.Node) bool { return n.Online && !n.Draining && n.Room() == 0 }},
		{"draining", func(n *hive.Node) bool { return n.Online && n.Draining }},
		{"offline", func(n *hive.Node) bool { return !n.Online }},
	} {
		in := matching(able, state.in)
		switch {
		case len(in) == 0:
		case len(in) == len(able):
			reasons = append(reasons, allOf(in)+" "+state.name)
		case len(reasons) > 0:
			reasons = append(reasons, someOf(in)+" "+state.name)
		default:
			reasons = append(reasons, fmt.Sprintf("%d of %d spores that could run it %s %s", len(in), len(able), isOrAre(in), state.name))
		}
	}
	return reasons
}

func allOf(in []*hive.Node) string {
	switch len(in) {
	case 1:
		return "spore " + in[0].ID + ", the only one that could run it, is"
	case 2:
		return "both spores that could run it are"
	}
	return fmt.Sprintf("all %d spores that could run it are", len(in))
}

func someOf(in []*hive.Node) string {
	if len(in) == 1 {
		return "spore " + in[0].ID + " is"
	}
	return fmt.Sprintf("%d are", len(in))
}

func isOrAre(in []*hive.Node) string {
	if len(in) == 1 {
		return "is"
	}
	return "are"
}

func matching(nodes []*hive.Node, ok func(*hive.Node) bool) []*hive.Node {
	var out []*hive.Node
	for _, n := range nodes {
		if ok(n) {
			out = append(out, n)
		}
	}
	return out
}
