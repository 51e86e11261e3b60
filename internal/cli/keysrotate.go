package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// rotateFlags are the flags of nexus keys rotate.
type rotateFlags struct {
	repoFlags
	role, root, targets, to string
	extend, finish          bool
}

func (a *app) keysRotateCommand() *cobra.Command {
	var f rotateFlags
	cmd := &cobra.Command{
		Use:   "rotate --repo REPO --keys DIR",
		Short: "Make new keys, and have a repository know them",
		Long: `Make new keys for a role or for all, and the next root of a repository, which names them.
It takes as many of the old root keys as must sign. If the keys of snapshot and timestamp
are in the directory the repository is sealed at once; until it is, clients refuse it.

The new keys take the place of the old ones, which stay as NAME.old-N; or --new makes
another directory with the new keys and copies of the others. root.json stays what it is:
clients follow from it to newest-root.json. An interrupted rotation is ended by the next.

A nexus that runs with this directory signs with the new keys within a second. New keys
of the nexus are good beside the old ones until --finish. It removes the old files, too.`,
		Example: `  nexus keys rotate --repo repo --keys keys --role targets
  nexus keys rotate --repo repo --keys keys --role nexus
  nexus keys rotate --repo repo --keys keys --finish
  nexus keys rotate --repo repo --keys keys --extend`,
		Args: wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.rotateKeys(cmd.Context(), &f) },
	}
	f.add(cmd, true)
	flags := cmd.Flags()
	flags.StringVar(&f.role, "role", "all", strings.Join(bundle.KeyRoles, ", ")+" or all")
	flags.StringVar(&f.root, "root", "", "new root keys: how many must sign, of how many, such as 2/3 (default: as before)")
	flags.StringVar(&f.targets, "targets", "", "new targets keys: the same")
	flags.StringVar(&f.to, "new", "", "a directory to make for the new keys; --keys stays as it is")
	flags.BoolVar(&f.extend, "extend", false, "the same keys for another year")
	flags.BoolVar(&f.finish, "finish", false, "old keys of the nexus are good no more, and old files are removed")
	return cmd
}

// rotation is what the flags ask for.
func (f *rotateFlags) rotation() (o bundle.Rotation, err error) {
	o = bundle.Rotation{Keys: f.keys, New: f.to, Roles: bundle.KeyRoles}
	if f.role != "all" {
		o.Roles = []string{f.role}
	}
	var wrong []error
	if f.role != "all" && !slices.Contains(bundle.KeyRoles, f.role) {
		wrong = append(wrong, fmt.Errorf("--role %q: want %s or all", f.role, strings.Join(bundle.KeyRoles, ", ")))
	}
	for _, q := range []struct {
		role, flag, text string
		into             *bundle.Quorum
	}{{bundle.RoleRoot, "--root", f.root, &o.Root}, {bundle.RoleTargets, "--targets", f.targets, &o.Targets}} {
		if q.text == "" {
			continue
		}
		if *q.into, err = quorum(q.flag, q.text); err != nil {
			wrong = append(wrong, err)
		} else if !slices.Contains(o.Roles, q.role) {
			wrong = append(wrong, fmt.Errorf("%s: there are no new keys of %s with --role %s", q.flag, q.role, f.role))
		}
	}
	switch makes := f.root != "" || f.targets != "" || f.to != ""; {
	case f.extend && f.finish, (f.extend || f.finish) && makes:
		wrong = append(wrong, errors.New("--extend and --finish make no keys: want one of them, without --root, --targets and --new"))
	case f.extend && f.role != "all" && f.role != bundle.RoleRoot:
		wrong = append(wrong, fmt.Errorf("--extend is about the root, not %s", f.role))
	case f.extend:
		o.Roles = nil
	}
	if len(wrong) > 0 {
		return o, usageError{errors.Join(wrong...)}
	}
	return o, nil
}

func (a *app) rotateKeys(ctx context.Context, f *rotateFlags) error {
	o, err := f.rotation()
	if err != nil {
		return err
	}
	repo, err := f.open()
	if err != nil {
		return err
	}
	change := repo.RotateKeys
	if f.finish {
		change = repo.FinishKeys
	}
	var out *bundle.Rotated
	err = a.withPassphrase(ctx, func(passphrase string) (err error) {
		o.Passphrase = passphrase
		out, err = change(o)
		return err
	})
	e := audit.Entry{Action: "keys.rotate", Subject: whole(f.keys), Fields: map[string]string{"roles": strings.Join(o.Roles, " "), "repository": whole(f.repo)}}
	if f.finish {
		e.Action = "keys.finish"
	}
	told := a.recorded(e, err)
	if err != nil {
		return told
	}
	if out.Resumed {
		a.say("a rotation that was interrupted is ended; nothing else was made: say it once more for that")
		o.Roles = bundle.KeyRoles // it is not known which it was about
	}
	return errors.Join(told, a.printRotated(f, o.Roles, out))
}

func (a *app) printRotated(f *rotateFlags, roles []string, out *bundle.Rotated) error {
	root := filepath.Join(f.repo, "metadata", fmt.Sprintf("%d.root.json", out.Root))
	switch {
	case out.Sealed:
	case f.finish || f.role == bundle.RoleNexus:
		a.sayUnsealed()
	default:
		a.say("clients refuse the repository until it is sealed: nexus bundle seal, where the keys of snapshot and timestamp are")
	}
	if a.flags.json {
		return printJSON(a.Out, struct {
			Root    string   `json:"root"`
			Version int64    `json:"version"`
			Sealed  bool     `json:"sealed"`
			Resumed bool     `json:"resumed"`
			Old     []string `json:"old"`
		}{root, out.Root, out.Sealed, out.Resumed, append([]string{}, out.Old...)})
	}
	fmt.Fprintln(a.Out, root)
	if !f.finish {
		a.sayAfterRotation(f, roles, out)
	}
	return nil
}

// sayAfterRotation says what is left to do for each kind of key.
func (a *app) sayAfterRotation(f *rotateFlags, roles []string, out *bundle.Rotated) {
	dir := f.keys
	if f.to != "" {
		dir = f.to
	}
	has := func(role string) bool { return slices.Contains(roles, role) }
	if has(bundle.RoleRoot) || has(bundle.RoleTargets) {
		a.say("hint: keep copies of the new root and targets keys offline; new spores may be given %s or root.json", safe(filepath.Join(dir, bundle.NewestRoot)))
	}
	if has(bundle.RoleSnapshot) || has(bundle.RoleTimestamp) {
		a.say("hint: a nexus with another directory of keys seals with the old ones, in vain: give it snapshot.key and timestamp.key of %s; it needs no restart", safe(dir))
	}
	if has(bundle.RoleNexus) {
		a.say("hint: a nexus with another directory of keys is to get the new nexus.key of %s; it needs no restart; then nexus keys rotate --finish, and the old one is good no more", safe(dir))
	}
	if len(out.Old) > 0 {
		a.say("hint: the old keys are %s; nexus keys rotate --finish removes them", safe(filepath.Join(dir, "*.old-*")))
	}
}
