package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/nexus/ota"
)

func (a *app) rolloutCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollout",
		Short: "Bring a bundle version to the spores in steps, and look on",
		Long: `Bring a version of a bundle to the spores in steps. The nexus that leads looks at each
step and goes on, or goes back by itself when the version is worse than the one before.

What is decided lies in the repository's folder, beside what is published: these
commands are for who may write there.`,
		Example: `  nexus rollout start secscan@1.3.0 --repo repo
  nexus rollout status secscan --repo repo --watch
  nexus rollout pause secscan --repo repo`,
	}
	onlyCommands(cmd)
	cmd.AddCommand(a.rolloutStartCommand(), a.rolloutStatusCommand(),
		a.rolloutVerb(ota.Pause, "No next step; a version that is worse still goes back"),
		a.rolloutVerb(ota.Resume, "Go on, with all of the time that a step may take"),
		a.rolloutVerb(ota.Promote, "Take the next step now, whatever was seen"),
		a.rolloutVerb(ota.Approve, "Let it begin, although its skills may do more than what runs"),
		a.rolloutVerb(ota.Abort, "Go back to the old version"),
		a.rolloutVerb(ota.Rollback, "Go back, and never take this version again; also after the end"),
		a.rolloutPinCommand(), a.rolloutUnpinCommand(), a.rolloutDropCommand(), a.rolloutAllowCommand())
	return cmd
}

// desk is a repository in a folder, and the plan beside it.
type desk struct {
	*ota.Desk
	repo   *bundle.Repository
	record func(audit.Entry) error // is told of every change and refusal
}

// firstRoot is where a repository has the root that it began with. Who may write there
// may change the plan anyhow: here it is believed.
var firstRoot = filepath.Join("metadata", "1.root.json")

func (a *app) openDesk(dir string) (*desk, error) {
	root, err := readRoot(filepath.Join(dir, firstRoot))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: no repository there; nexus bundle init %[1]s --keys DIR makes one", dir)
	}
	if err != nil {
		return nil, err
	}
	repo, err := bundle.OpenRepository(dir, root, bundle.RepositoryOptions{})
	if err != nil {
		return nil, err
	}
	return &desk{ota.NewDesk(repo, dir), repo, a.record}, nil
}

// did tells the audit log what became of the plan. It returns err with what went wrong
// with the record.
func (d *desk) did(e audit.Entry, err error) error {
	if e.Action == "" {
		return err
	}
	if err != nil && e.Outcome == audit.OK { // it was decided, and could not be written
		e.Outcome, e.Fields = audit.Failed, map[string]string{"text": err.Error()}
	}
	return errors.Join(err, d.record(e))
}

func (d *desk) change(f func(ota.Plan, time.Time) (ota.Plan, audit.Entry, error)) (ota.Plan, error) {
	p, e, err := d.Change(func(p ota.Plan) (ota.Plan, audit.Entry, error) { return f(p, time.Now()) })
	return p, d.did(e, err)
}

// listed is a bundle that is published.
func (d *desk) listed(name, version string) (*bundle.Bundle, error) {
	b, err := d.repo.Bundle(name, version)
	if bundle.Reason(err) == bundle.ReasonNotListed {
		return nil, fmt.Errorf("%s@%s is not published; nexus bundle publish adds it to the repository", name, version)
	}
	return b, err
}

// onDesk is a command that needs a repository.
func (a *app) onDesk(cmd *cobra.Command, f func(*cobra.Command, *desk, []string) error) *cobra.Command {
	var dir string
	cmd.Flags().StringVar(&dir, "repo", "", "folder of the repository (default: ota.repo)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.configure(); err != nil {
			return err
		}
		if dir = cmp.Or(dir, a.cfg.OTA.Repo); dir == "" {
			return usagef("--repo is missing, and ota.repo is not set; usage: %s", cmd.UseLine())
		}
		d, err := a.openDesk(dir)
		if err != nil {
			return err
		}
		return f(cmd, d, args)
	}
	return cmd
}

func (a *app) rolloutVerb(v ota.Verb, short string) *cobra.Command {
	return a.onDesk(&cobra.Command{Use: string(v) + " BUNDLE", Short: short, Args: wantArgs(1, 1)},
		func(_ *cobra.Command, d *desk, args []string) error {
			p, err := d.change(func(p ota.Plan, now time.Time) (ota.Plan, audit.Entry, error) { return p.Tell(args[0], v, now) })
			if err != nil {
				return err
			}
			return a.printRollout(args[0], p)
		})
}

// printRollout says where a bundle's rollout is after a decision.
func (a *app) printRollout(name string, p ota.Plan) error {
	v := newRolloutView(name, p.Bundles[name])
	if a.flags.json {
		return printJSON(a.Out, v)
	}
	fmt.Fprintf(a.Out, "%s@%s %s\n", name, v.To, v.state())
	if v.Why != "" {
		a.say("%s", v.Why)
	}
	return nil
}

// wantVersion reads NAME@VERSION.
func wantVersion(arg string) (name, version string, err error) {
	name, version, _ = strings.Cut(arg, "@")
	if hive.CheckSkillName(name) != nil || hive.CheckVersion(version) != nil {
		err = usagef("bundle %q: want NAME@VERSION such as secscan@1.3.0", arg)
	}
	return name, version, err
}

func (a *app) rolloutPinCommand() *cobra.Command {
	return a.onDesk(&cobra.Command{
		Use:   "pin BUNDLE@VERSION",
		Short: "Keep a version on all spores, beside the one that rollouts change",
		Args:  wantArgs(1, 1),
	}, func(_ *cobra.Command, d *desk, args []string) error {
		name, version, err := wantVersion(args[0])
		if err != nil {
			return err
		}
		b, err := d.listed(name, version)
		if err != nil {
			return err
		}
		ref := bundle.Ref{Version: b.Version, Digest: b.Digest()}
		p, err := d.change(func(p ota.Plan, now time.Time) (ota.Plan, audit.Entry, error) { return p.Pin(name, ref, now) })
		return a.printPins(name, p, err)
	})
}

func (a *app) rolloutUnpinCommand() *cobra.Command {
	return a.onDesk(&cobra.Command{
		Use:   "unpin BUNDLE@VERSION",
		Short: "End what pin began",
		Args:  wantArgs(1, 1),
	}, func(_ *cobra.Command, d *desk, args []string) error {
		name, version, err := wantVersion(args[0])
		if err != nil {
			return err
		}
		p, err := d.change(func(p ota.Plan, now time.Time) (ota.Plan, audit.Entry, error) { return p.Unpin(name, version, now) })
		return a.printPins(name, p, err)
	})
}

func (a *app) printPins(name string, p ota.Plan, err error) error {
	if err != nil {
		return err
	}
	pins := newRolloutView(name, p.Bundles[name]).Pins
	if a.flags.json {
		return printJSON(a.Out, map[string]any{"bundle": name, "pins": pins})
	}
	fmt.Fprintln(a.Out, strings.TrimSpace(name+" pinned: "+strings.Join(pins, " ")))
	return nil
}

func (a *app) rolloutDropCommand() *cobra.Command {
	return a.onDesk(&cobra.Command{
		Use:   "drop BUNDLE",
		Short: "Take a bundle from all spores",
		Args:  wantArgs(1, 1),
	}, func(_ *cobra.Command, d *desk, args []string) error {
		if _, err := d.change(func(p ota.Plan, now time.Time) (ota.Plan, audit.Entry, error) { return p.Drop(args[0], now) }); err != nil {
			return err
		}
		if a.flags.json {
			return printJSON(a.Out, map[string]string{"dropped": args[0]})
		}
		fmt.Fprintln(a.Out, args[0])
		return nil
	})
}

func (a *app) rolloutAllowCommand() *cobra.Command {
	return a.onDesk(&cobra.Command{
		Use:   "allow DIGEST",
		Short: "Take a version that was rolled back off the deny list",
		Args:  wantArgs(1, 1),
	}, func(_ *cobra.Command, d *desk, args []string) error {
		if _, err := d.change(func(p ota.Plan, _ time.Time) (ota.Plan, audit.Entry, error) { return p.Allow(args[0]) }); err != nil {
			return err
		}
		if a.flags.json {
			return printJSON(a.Out, map[string]string{"allowed": args[0]})
		}
		fmt.Fprintln(a.Out, args[0])
		return nil
	})
}
