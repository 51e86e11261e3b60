package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/manifest"
	"github.com/hive-spore/hive/spore"
)

func (a *app) skillRegisterCommand() *cobra.Command {
	var f repoFlags
	cmd := &cobra.Command{
		Use:   "register FOLDER --repo REPO --keys DIR",
		Short: "Check and sign a skill, and give it to all spores",
		Long: `Check a skill, publish it as a bundle of its own, signed with the targets keys, and have
all spores run it at once, in the place of the version before; nexus rollout start does
that in steps. Before that it says which grants the skill asks for, what each is limited
to, and what of it is new: compared with the same version if that is registered, else
with the newest one, releases before others. A skill is updated at most once an hour
(ota.update_every); nexus rollout rollback goes back.`,
		Args: wantArgs(1, 1),
		RunE: a.onRoadArgs(func(ctx context.Context, road *broker.Broker, args []string) error {
			return a.register(ctx, road, &f, args[0])
		}),
	}
	f.addOptional(cmd)
	return cmd
}

func (a *app) register(ctx context.Context, road *broker.Broker, f *repoFlags, path string) error {
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
	if err := a.registerFor(f, road, 0)(ctx, skill.Name, skill, program); err != nil {
		return err
	}
	if a.flags.json {
		return printJSON(a.Out, asks)
	}
	fmt.Fprintln(a.Out, skill.ID(), skill.Digest)
	return nil
}

// listedWithin is how long the nexus may take to make known what was published.
const listedWithin = 10 * time.Second

// registerFor registers in the repository that flags or the configuration name, for
// spores to run for a time; 0: for good.
func (a *app) registerFor(f *repoFlags, road *broker.Broker, lasts time.Duration) register {
	return func(ctx context.Context, name string, s *hive.Skill, program []byte) error {
		p, err := a.publisher(ctx, f)
		if err != nil {
			return err
		}
		var until time.Time
		if lasts > 0 {
			until = time.Now().Add(lasts)
		}
		var told error
		p.Audit = func(e audit.Entry) { told = errors.Join(told, a.record(e)) }
		if _, err := p.Register(name, s, program, until); err != nil || told != nil {
			return errors.Join(err, told)
		}
		ctx, cancel := context.WithTimeoutCause(ctx, listedWithin, fmt.Errorf(
			"%s is published in %s, but the nexus that leads on this road does not list it: does it run, and keep that folder (nexus serve --repo)?", s.ID(), f.repo))
		defer cancel()
		return road.AwaitSkill(ctx, s.ID())
	}
}

// publisher opens the repository that flags or the configuration name, with the keys to
// publish there.
func (a *app) publisher(ctx context.Context, f *repoFlags) (*publisher.Publisher, error) {
	f.repo, f.keys = cmp.Or(f.repo, a.cfg.OTA.Repo), cmp.Or(f.keys, a.cfg.OTA.Keys)
	if f.repo == "" || f.keys == "" {
		return nil, errors.New("spores of a cluster run only what a publisher signed: name the repository and its keys with --repo DIR and --keys DIR (or ota.repo and ota.keys); nexus keys init and nexus bundle init make them")
	}
	p, err := f.publisher()
	if err != nil {
		return nil, err
	}
	keys, err := a.load(ctx, f, bundle.RoleTargets)
	if err != nil {
		return nil, err
	}
	p.Targets = keys[0]
	p.Every = a.updateEvery()
	return p, nil
}

// updateEvery is the least time between two updates of a bundle; negative: none.
func (a *app) updateEvery() time.Duration {
	if a.cfg.OTA.UpdateEvery == 0 {
		return spore.NoWait
	}
	return a.cfg.OTA.UpdateEvery
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
