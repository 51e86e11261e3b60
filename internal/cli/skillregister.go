package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/manifest"
)

func (a *app) skillRegisterCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "register FOLDER",
		Short: "Check a skill and give it to all spores",
		Long: `Check a skill and give it to all spores. Before that it says which grants the skill
asks for, what each is limited to, and what of it is new: compared with the same
version if that is registered, else with the newest one, releases before others.`,
		Args: wantArgs(1, 1),
		RunE: a.onRoadArgs(func(ctx context.Context, road *broker.Broker, args []string) error {
			return a.register(ctx, road, args[0])
		}),
	}
}

func (a *app) register(ctx context.Context, road *broker.Broker, path string) error {
	skill, program, err := a.builder().Skill(ctx, path)
	if err != nil {
		return err
	}
	if err := a.admit(ctx, skill, program); err != nil {
		return err
	}
	known, err := road.Skills(ctx)
	if err != nil {
		return err
	}
	asks := newAsking(skill, known)
	a.sayAsking(asks)
	if err := road.Publish(ctx, skill, program); err != nil {
		return err
	}
	if a.flags.json {
		return printJSON(a.Out, asks)
	}
	fmt.Fprintln(a.Out, skill.ID(), skill.Digest)
	return nil
}

// asking is what a skill that is registered asks for. It is what nexus skill
// register --json prints.
type asking struct {
	hive.SkillID
	Grants []hive.Grant        `json:"grants"`
	Allow  hive.Allow          `json:"allow"`
	Since  string              `json:"since"` // the version it was compared with; "": it is the first
	New    []manifest.Widening `json:"new"`
	asks   []manifest.Ask
}

func newAsking(s *hive.Skill, known []hive.Skill) asking {
	v := asking{SkillID: s.ID(), Grants: []hive.Grant{}, Allow: s.Allow, New: []manifest.Widening{}, asks: manifest.Asks(&s.Manifest)}
	v.Grants = append(v.Grants, s.Grants...)
	if before := registeredBefore(s, known); before != nil {
		v.Since = before.ID().String()
		v.New = append(v.New, manifest.Widened(&before.Manifest, &s.Manifest)...)
	}
	return v
}

// registeredBefore is the version that a skill is compared with, of those that are
// registered, newest first: itself, or else what tasks got that name no version.
// What was registered by running a folder is none.
func registeredBefore(s *hive.Skill, known []hive.Skill) (newest *hive.Skill) {
	for i := range known {
		switch k := &known[i]; {
		case k.Name != s.Name:
		case k.Version == s.Version:
			return k
		case newest == nil && !isDevelopment(k.Version):
			newest = k
		}
	}
	return newest
}

func isDevelopment(version string) bool {
	return hive.IsWorkingCopy(version) || strings.Contains(version, devMark)
}

func (a *app) sayAsking(v asking) {
	if len(v.asks) == 0 {
		a.say("%s asks for no grants", v.SkillID)
	}
	for _, ask := range v.asks {
		a.say("%s asks for %s", v.SkillID, safe(ask.String()))
	}
	for _, w := range v.New {
		a.say("new since %s: %s", v.Since, safe(w.String()))
	}
}

func (a *app) skillListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the registered skills",
		Args:  wantArgs(0, 0),
		RunE: a.onRoad(func(ctx context.Context, road *broker.Broker) error {
			skills, err := road.Skills(ctx)
			if err != nil {
				return err
			}
			if a.flags.json {
				return printJSON(a.Out, skills)
			}
			rows := make([][]string, len(skills))
			for i := range skills {
				s := &skills[i]
				rows[i] = []string{s.Name, s.Version, fmt.Sprintf("%d KiB", s.Size>>10), fmt.Sprintf("%.19s", s.Digest), s.Description}
			}
			return table(a.Out, []string{"SKILL", "VERSION", "SIZE", "DIGEST", "DESCRIPTION"}, rows)
		}),
	}
}
