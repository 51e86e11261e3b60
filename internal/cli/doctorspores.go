package cli

import (
	"context"
	"fmt"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

func leads(_ context.Context, p *patient) finding {
	switch {
	case p.noLeader != nil:
		return skip("not known: %v", p.noLeader)
	case p.leader == "":
		return miss("start one, with nexus serve", "no nexus leads: tasks wait")
	}
	return good("one nexus leads: %s", p.leader)
}

func sporesOnline(_ context.Context, p *patient) finding {
	if p.noNodes != nil {
		return skip("not known: %v", p.noNodes)
	}
	var bare []string
	for _, n := range p.nodes {
		if len(n.Bundles) == 0 {
			bare = append(bare, n.ID)
		}
	}
	switch {
	case len(p.nodes) == 0:
		return miss("start one, with spore", "no spore is online: tasks wait")
	case len(bare) > 0:
		return miss("look at their logs: do they reach the repository?", "without any bundle: %s", some(bare))
	}
	return good("%s online, all with bundles", plural(len(p.nodes), "spore"))
}

// unseen is that of spores of which nothing can be said.
func (p *patient) unseen() (finding, bool) {
	switch {
	case p.noNodes != nil:
		return skip("not known: %v", p.noNodes), true
	case len(p.nodes) == 0:
		return skip("no spore is online"), true
	}
	return finding{}, false
}

// sporesKnown: what spores say they run is what the publisher signed.
func sporesKnown(_ context.Context, p *patient) finding {
	if f, unseen := p.unseen(); unseen {
		return f
	}
	if p.repo.bundles == nil {
		return p.unbelieved()
	}
	var unknown []string
	for _, n := range p.nodes {
		for _, b := range n.Bundles {
			if !p.repo.bundles[b] {
				unknown = append(unknown, fmt.Sprintf("%s on %s (%.19s)", brief(b), n.ID, b.Digest))
			}
		}
		for _, s := range n.Skills {
			if !p.repo.programs[s.Digest] {
				unknown = append(unknown, fmt.Sprintf("skill %s on %s (%.19s)", brief(s), n.ID, s.Digest))
			}
		}
	}
	if len(unknown) > 0 {
		return miss("stop these spores and look at how that came there; a bundle that was removed goes with nexus rollout", "not in the repository: %s", some(unknown))
	}
	return good("all that spores say they run is in the repository")
}

// rolling are the bundles that not all spores are to run the same version of yet.
func rolling(set *bundle.AssignmentSet) map[string]bool {
	names := map[string]bool{}
	for _, a := range set.Assignments {
		if a.Percent < 100 || a.Previous != nil || len(a.Selector) > 0 {
			names[a.Bundle] = true
		}
	}
	return names
}

func sporesInStep(_ context.Context, p *patient) finding {
	if f, unseen := p.unseen(); unseen {
		return f
	}
	if p.repo.set == nil {
		return p.unbelieved()
	}
	under := rolling(p.repo.set)
	var behind []string
	waits := 0
	for i := range p.nodes {
		for _, lag := range lags(p.repo.set, &p.nodes[i]) {
			if under[lag.Bundle] {
				waits++
			} else {
				behind = append(behind, fmt.Sprintf("%s without %s", p.nodes[i].ID, lag))
			}
		}
	}
	switch {
	case len(behind) > 0:
		return miss("nexus rollout status, and the logs of these spores", "behind what they are to run: %s", some(behind))
	case waits > 0:
		return good("spores are behind only in rollouts that are under way")
	}
	return good("all spores run what they are to run")
}

// lags are what a spore is to run and does not.
func lags(set *bundle.AssignmentSet, n *hive.Node) (list []bundle.Run) {
	runs := map[hive.BundleID]bool{}
	for _, b := range n.Bundles {
		runs[b] = true
	}
	for _, want := range set.For(bundle.Spore{ID: n.ID, Tags: n.Tags}) {
		if !runs[hive.BundleID{Name: want.Bundle, Version: want.Version, Digest: want.Digest}] {
			list = append(list, want)
		}
	}
	return list
}

func sporesRefuse(_ context.Context, p *patient) finding {
	if f, unseen := p.unseen(); unseen {
		return f
	}
	var refused []string
	for _, n := range p.nodes {
		for _, r := range n.Refused {
			refused = append(refused, fmt.Sprintf("%s refuses %s, which asks for %v", n.ID, brief(r.Skill), r.Grants))
		}
	}
	if len(refused) > 0 {
		return miss("spore.grants allows more; or give these skills to other spores, by tags", "%s", some(refused))
	}
	return good("spores run all skills that they have")
}
