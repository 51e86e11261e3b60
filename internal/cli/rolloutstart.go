package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/nexus/ota"
)

// startFlags are the flags of nexus rollout start.
type startFlags struct {
	steps []string
	rules ota.Rules
}

func (a *app) rolloutStartCommand() *cobra.Command {
	f := startFlags{rules: ota.DefaultRules()}
	cmd := a.onDesk(&cobra.Command{
		Use:   "start BUNDLE@VERSION",
		Short: "Begin to bring a version to the spores",
		Long: `Begin to bring a published version of a bundle to the spores. It says what the version
changes over the one that runs. If its skills may do more, nobody gets it before
nexus rollout approve.

A step is a percentage of the spores, or tags as zone=eu,gpu; the last is 100%. A step
goes on to the next when there were enough tasks of both versions, and the new one is
not worse: shares are of 1, so 0.02 is two of a hundred.`,
		Example: `  nexus rollout start secscan@1.3.0 --repo repo
  nexus rollout start secscan@1.3.0 --repo repo --steps canary=true,10%,100% --soak 10m`,
		Args: wantArgs(1, 1),
	}, func(_ *cobra.Command, d *desk, args []string) error { return a.startRollout(d, args[0], &f) })
	flags := cmd.Flags()
	flags.StringArrayVar(&f.steps, "steps", nil, "steps, such as 5%,25%,100% (repeatable; default: these)")
	flags.IntVar(&f.rules.MinTasks, "min-tasks", f.rules.MinTasks, "tasks of each version before anything is said")
	flags.Float64Var(&f.rules.MoreErrors, "more-errors", f.rules.MoreErrors, "by how much more of its tasks may fail than of the old version's")
	flags.Float64Var(&f.rules.MoreTraps, "more-traps", f.rules.MoreTraps, "the same of tasks that trap")
	flags.Float64Var(&f.rules.Slower, "slower", f.rules.Slower, "how many times the old p95 its own may be,")
	flags.DurationVar(&f.rules.Slack, "slack", f.rules.Slack, "and that much more")
	flags.DurationVar(&f.rules.Soak, "soak", f.rules.Soak, "how long a step lasts at least")
	flags.DurationVar(&f.rules.Deadline, "deadline", f.rules.Deadline, "after how long a step that cannot go on is for a person to decide")
	return cmd
}

// parseSteps reads values of --steps. A comma is between steps where one of both is a
// percentage, and within tags elsewhere.
func parseSteps(values []string) (steps []ota.Step, err error) {
	var errs []error
	add := func(text string) {
		if text == "" {
			return
		}
		step, err := ota.ParseStep(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--steps: %w", err))
		}
		steps = append(steps, step)
	}
	for _, value := range values {
		tags := ""
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); !strings.HasSuffix(part, "%") {
				tags = strings.TrimPrefix(tags+","+part, ",")
				continue
			}
			add(tags)
			add(part)
			tags = ""
		}
		add(tags)
	}
	if len(errs) > 0 {
		return nil, usageError{errors.Join(errs...)}
	}
	return steps, nil
}

func (a *app) startRollout(d *desk, arg string, f *startFlags) error {
	name, version, err := wantVersion(arg)
	if err != nil {
		return err
	}
	steps, err := parseSteps(f.steps)
	if err != nil {
		return err
	}
	b, err := d.listed(name, version)
	if err != nil {
		return err
	}
	changes, err := d.changes(b)
	if err != nil {
		return err
	}
	p, e, err := d.Start(ota.Request{Bundle: b, Steps: steps, Rules: f.rules, Every: a.updateEvery()}, time.Now())
	if refusal, ok := errors.AsType[*ota.Refusal](err); ok && refusal.Reason == ota.ReasonDenied {
		err = fmt.Errorf("%w; nexus rollout allow %s takes it off the deny list", err, b.Digest())
	}
	if err := d.did(e, err); err != nil {
		return err
	}
	return a.printStarted(name, p, changes)
}

// changes are those of a bundle over what runs; none if nothing does.
func (d *desk) changes(b *bundle.Bundle) (bundle.Changes, error) {
	p, err := d.Load()
	if err != nil || p.Bundles[b.Name].Current == nil {
		return nil, err
	}
	running, err := d.repo.Stored(b.Name, *p.Bundles[b.Name].Current)
	if err != nil {
		return nil, fmt.Errorf("the version that runs now: %w", err)
	}
	return bundle.Diff(running, b), nil
}

func (a *app) printStarted(name string, p ota.Plan, changes bundle.Changes) error {
	v := newRolloutView(name, p.Bundles[name])
	if v.From == "" {
		a.say("%s is new: no version of it runs", name)
	}
	for i := range changes {
		for _, line := range changeLines(&changes[i]) {
			a.say("%s", safe(line))
		}
	}
	if !a.flags.json {
		return a.printRollout(name, p)
	}
	return printJSON(a.Out, struct {
		rolloutView
		Wider   bool           `json:"wider"`
		Changes bundle.Changes `json:"changes"`
	}{v, changes.Wider(), append(bundle.Changes{}, changes...)})
}
