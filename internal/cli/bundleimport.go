package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

func (a *app) bundleImportCommand() *cobra.Command {
	var repo, root string
	cmd := &cobra.Command{
		Use:   "import FILE.hive... --repo REPO",
		Short: "Take signed .hive files into a repository that has no publisher's keys",
		Long: `Take the bundles of .hive files, as nexus bundle export writes them, into a repository on a
machine that the publisher's keys never see. The files carry what the publisher signed,
and are checked from the repository's first root on, or from --root. The newest list of
targets in the files becomes the repository's, so it must not be older, and must name
nothing that is neither in the repository nor in the files: what was published together
is carried together. What is refused changes nothing.`,
		Args: wantArgs(1, 256),
		RunE: func(_ *cobra.Command, args []string) error { return a.importBundles(repo, root, args) },
	}
	cmd.Flags().StringVar(&repo, "repo", "", "folder of the repository")
	cmd.Flags().StringVar(&root, "root", "", "the root that trust starts from (default: the repository's first)")
	mustHave(cmd, "repo")
	return cmd
}

func (a *app) importBundles(dir, root string, paths []string) error {
	if root == "" {
		root = filepath.Join(dir, "metadata", "1.root.json")
	}
	trusted, err := readRoot(root)
	if err != nil {
		return err
	}
	repo, err := bundle.OpenRepository(dir, trusted, bundle.RepositoryOptions{})
	if err != nil {
		return err
	}
	return unpacked(paths, func(files []*bundle.Imported) error {
		for _, in := range files {
			before, err := newestBefore(repo, in.Bundle)
			if err != nil {
				return err
			}
			if before.Name != "" {
				a.sayWider(before, bundle.Diff(before, in.Bundle))
			}
		}
		list, err := repo.Take(files...)
		told := error(nil)
		for _, in := range files {
			told = errors.Join(told, a.recorded(audit.Entry{Action: "bundle.import", Subject: in.Bundle.String(),
				Fields: map[string]string{"digest": in.Bundle.Digest(), "repository": whole(dir)}}, err))
		}
		if err != nil {
			return told
		}
		return errors.Join(told, a.printTaken(files, list))
	})
}

func (a *app) printTaken(files []*bundle.Imported, list int64) error {
	views := make([]ref, len(files))
	for i, in := range files {
		views[i] = refOf(in.Bundle)
	}
	if a.flags.json {
		return printJSON(a.Out, struct {
			List    int64 `json:"list"`
			Bundles []ref `json:"bundles"`
		}{list, views})
	}
	for _, in := range files {
		fmt.Fprintln(a.Out, in.Bundle, in.Bundle.Digest())
	}
	a.sayUnsealed()
	return nil
}

func (a *app) bundleRemoveCommand() *cobra.Command {
	var f repoFlags
	cmd := &cobra.Command{
		Use:   "remove NAME@VERSION --repo REPO --keys DIR",
		Short: "Take a bundle off the list: nobody installs it any more",
		Long: `Take a bundle off the list of targets, which is signed anew with the targets keys. Nobody
installs it any more, once the repository is sealed; spores that run it go on until they
are assigned another. Its files stay, and publish lists it again.`,
		Args: wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.removeBundle(cmd.Context(), &f, args[0]) },
	}
	f.add(cmd, true)
	return cmd
}

func (a *app) removeBundle(ctx context.Context, f *repoFlags, text string) error {
	name, version, err := bundleName(text)
	if err != nil {
		return err
	}
	repo, err := f.open()
	if err != nil {
		return err
	}
	keys, err := a.load(ctx, f, bundle.RoleTargets)
	if err != nil {
		return err
	}
	list, err := repo.Remove(keys[0], bundle.Listed{Name: name, Version: version}.TargetName())
	told := a.recorded(audit.Entry{Action: "bundle.revoke", Subject: text, Fields: map[string]string{"repository": whole(f.repo)}}, err)
	if err != nil {
		return told
	}
	if a.flags.json {
		return errors.Join(told, printJSON(a.Out, map[string]any{"name": name, "version": version, "list": list}))
	}
	fmt.Fprintln(a.Out, text)
	a.sayUnsealed()
	return told
}

// bundleName reads NAME@VERSION.
func bundleName(text string) (name, version string, err error) {
	name, version, _ = strings.Cut(text, "@")
	if hive.CheckSkillName(name) != nil || hive.CheckVersion(version) != nil {
		return "", "", usagef("bundle %q: want NAME@VERSION such as secscan@1.3.0", text)
	}
	return name, version, nil
}

// unpacked calls use with what is in .hive files, which is gone afterwards.
func unpacked(paths []string, use func([]*bundle.Imported) error) error {
	dir, err := os.MkdirTemp("", "hive-bundle-")
	if err != nil {
		return err
	}
	var files []*bundle.Imported
	for _, path := range paths {
		in, err := unpack(path, dir)
		if err != nil {
			return errors.Join(err, os.RemoveAll(dir))
		}
		files = append(files, in)
	}
	return errors.Join(use(files), os.RemoveAll(dir))
}

func unpack(path, dir string) (*bundle.Imported, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in, err := bundle.Import(f, dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return in, nil
}
