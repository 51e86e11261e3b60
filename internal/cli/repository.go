package cli

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/manifest"
)

// repoFlags say which repository, and whose keys sign.
type repoFlags struct{ repo, keys string }

func (f *repoFlags) add(cmd *cobra.Command, repo bool) {
	if repo {
		cmd.Flags().StringVar(&f.repo, "repo", "", "folder of the repository")
		mustHave(cmd, "repo")
	}
	cmd.Flags().StringVar(&f.keys, "keys", "", "directory of keys, as nexus keys init makes it")
	mustHave(cmd, "keys")
}

// addOptional is add for what may be configured.
func (f *repoFlags) addOptional(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.repo, "repo", "", "folder of the repository to publish in (default: ota.repo)")
	cmd.Flags().StringVar(&f.keys, "keys", "", "directory of the publisher's keys (default: ota.keys)")
}

// mustHave makes flags ones that cannot be left out.
func mustHave(cmd *cobra.Command, names ...string) {
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		for _, name := range names {
			if cmd.Flag(name).Value.String() == "" {
				return usagef("--%s is missing; usage: %s", name, cmd.UseLine())
			}
		}
		if before != nil {
			return before(cmd, args)
		}
		return nil
	}
}

// open opens the repository, with the root of the key directory.
func (f *repoFlags) open() (*bundle.Repository, error) {
	p, err := f.publisher()
	if err != nil {
		return nil, err
	}
	return p.Repository, nil
}

// publisher is open with the plan beside it, for one who has no keys yet.
func (f *repoFlags) publisher() (*publisher.Publisher, error) {
	root, err := readRoot(filepath.Join(f.keys, bundle.FirstRoot))
	if err != nil {
		return nil, err
	}
	p, err := publisher.Open(f.repo, root, nil)
	if bundle.Reason(err) == bundle.ReasonMissing {
		return nil, fmt.Errorf("%s: no repository there; nexus bundle init %[1]s --keys %s makes one", f.repo, f.keys)
	}
	return p, err
}

// load reads keys of these roles, in their order. What they sign for is recorded, so the
// configuration is read before.
func (a *app) load(ctx context.Context, f *repoFlags, roles ...string) (keys [][]*bundle.Key, err error) {
	if err := a.configure(); err != nil {
		return nil, err
	}
	err = a.withPassphrase(ctx, func(passphrase string) error {
		keys = nil
		for _, role := range roles {
			list, err := bundle.LoadKeys(f.keys, role, passphrase)
			if err != nil {
				return err
			}
			keys = append(keys, list)
		}
		return nil
	})
	return keys, err
}

func (a *app) bundleInitCommand() *cobra.Command {
	var f repoFlags
	cmd := &cobra.Command{
		Use:   "init REPO --keys DIR",
		Short: "Make an empty repository",
		Long: `Make an empty repository in a folder. It begins with the root.json of the key directory,
which is what clients are given by hand; the targets keys sign for its list, which names
the key of the nexus if the directory has one, and nothing else.`,
		Args: wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.repo = args[0]
			return a.initRepository(cmd.Context(), &f)
		},
	}
	f.add(cmd, false)
	return cmd
}

func (a *app) initRepository(ctx context.Context, f *repoFlags) error {
	root, err := readRoot(filepath.Join(f.keys, bundle.FirstRoot))
	if err != nil {
		return err
	}
	keys, err := a.load(ctx, f, bundle.RoleTargets)
	if err != nil {
		return err
	}
	var nexus []ed25519.PublicKey
	held, err := bundle.LoadKeys(f.keys, bundle.RoleNexus, "")
	if err != nil && !errors.Is(err, bundle.ErrNoKey) {
		return err
	}
	for _, key := range held {
		nexus = append(nexus, key.Ed25519())
	}
	err = bundle.CreateRepository(f.repo, root, keys[0], bundle.RepositoryOptions{}, nexus...)
	told := a.recorded(audit.Entry{Action: "bundle.init", Subject: whole(f.repo)}, err)
	if err != nil {
		return told
	}
	if len(nexus) == 0 {
		a.say("hint: the repository names no key of a nexus, so spores take nothing from it: nexus keys rotate --role nexus makes one")
	}
	return errors.Join(told, a.printRepository(f))
}

// sayUnsealed says when clients see what was changed in a repository.
func (a *app) sayUnsealed() {
	a.say("hint: clients see it when the repository is sealed: by the nexus that keeps it, else by nexus bundle seal")
}

func (a *app) printRepository(f *repoFlags) error {
	if a.flags.json {
		return printJSON(a.Out, map[string]string{"path": f.repo})
	}
	fmt.Fprintln(a.Out, f.repo)
	return nil
}

func (a *app) bundlePublishCommand() *cobra.Command {
	var f repoFlags
	cmd := &cobra.Command{
		Use:   "publish FILE.hive --repo REPO --keys DIR",
		Short: "Sign for a bundle and add it to a repository",
		Long: `Add the bundle of a .hive file to a repository, and sign for it with the targets keys.
It says what the bundle's skills may do that they may not in the newest one of its name.
A version that is published does not change. Of two who publish at once one is refused,
and changes nothing. Clients see what is published when it is sealed.`,
		Args: wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.publishBundle(cmd.Context(), &f, args[0]) },
	}
	f.add(cmd, true)
	return cmd
}

func (a *app) publishBundle(ctx context.Context, f *repoFlags, path string) error {
	repo, err := f.open()
	if err != nil {
		return err
	}
	return unpacked([]string{path}, func(files []*bundle.Imported) error {
		in := files[0]
		before, err := newestBefore(repo, in.Bundle)
		if err != nil {
			return err
		}
		changes := bundle.Diff(before, in.Bundle)
		if before.Name != "" {
			a.sayWider(before, changes)
		}
		keys, err := a.load(ctx, f, bundle.RoleTargets)
		if err != nil {
			return err
		}
		list, err := repo.PublishBundle(keys[0], in.Bundle, func(digest string) ([]byte, error) { return os.ReadFile(in.Program(digest)) })
		e := audit.Entry{Action: "bundle.publish", Subject: in.Bundle.String(), Fields: map[string]string{"digest": in.Bundle.Digest(), "repository": whole(f.repo)}}
		told := a.recorded(e, err)
		if err != nil {
			return told
		}
		return errors.Join(told, a.printPublished(in.Bundle, before, changes, list))
	})
}

// newestBefore is the bundle that people see a new one as the successor of: the newest
// of its name, itself aside; an empty one if there is none.
func newestBefore(repo *bundle.Repository, b *bundle.Bundle) (*bundle.Bundle, error) {
	list, err := repo.Bundles()
	if err != nil {
		return nil, err
	}
	version := ""
	for _, l := range list { // in the order of versions
		if l.Name == b.Name && l.Version != b.Version {
			version = l.Version
		}
	}
	if version == "" {
		return &bundle.Bundle{}, nil
	}
	return repo.Bundle(b.Name, version)
}

// widening is what one skill of a bundle may do that it may not before.
type widening struct {
	Skill string `json:"skill"`
	manifest.Widening
}

func (a *app) printPublished(b, before *bundle.Bundle, changes bundle.Changes, list int64) error {
	if !a.flags.json {
		fmt.Fprintln(a.Out, b, b.Digest())
		a.sayUnsealed()
		return nil
	}
	v := struct {
		ref
		List  int64      `json:"list"` // the version of the list of targets
		Since string     `json:"since"`
		Wider []widening `json:"wider"`
	}{ref: refOf(b), List: list, Wider: []widening{}}
	if before.Name == "" {
		return printJSON(a.Out, v)
	}
	v.Since = before.String()
	for _, c := range changes {
		for _, w := range c.Wider {
			v.Wider = append(v.Wider, widening{c.Name, w})
		}
	}
	return printJSON(a.Out, v)
}

func (a *app) bundleSealCommand() *cobra.Command {
	var f repoFlags
	cmd := &cobra.Command{
		Use:   "seal --repo REPO --keys DIR",
		Short: "Make what is published the state that clients see",
		Long: `Sign, with the snapshot and timestamp keys, that what is published now is the newest.
Clients believe that for 24 hours: seal a repository once in a while even if nothing is
published. The nexus that keeps it (nexus serve --repo) does so by itself.`,
		Args: wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			repo, err := f.open()
			if err != nil {
				return err
			}
			keys, err := a.load(cmd.Context(), &f, bundle.RoleSnapshot, bundle.RoleTimestamp)
			if err != nil {
				return err
			}
			err = repo.Seal(keys[0], keys[1])
			told := a.recorded(audit.Entry{Action: "bundle.seal", Subject: whole(f.repo)}, err)
			if err != nil {
				return told
			}
			return errors.Join(told, a.printRepository(&f))
		},
	}
	f.add(cmd, true)
	return cmd
}
