package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/bundle"
)

func (a *app) bundleListCommand() *cobra.Command {
	var f sourceFlags
	cmd := &cobra.Command{
		Use:   "list --repo REPO|URL --root root.json",
		Short: "List the bundles of a repository, as a client believes them",
		Long: `List the bundles of a repository, in a folder or at an http or https URL, after every
signature was checked from the root on that you have. It remembers nothing from one time
to the next, so it does not notice that a repository goes back to an older state which
has not expired.`,
		Args: wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.follow(cmd.Context(), f, func(c *bundle.Client) error { return a.printListed(cmd.Context(), c) })
		},
	}
	f.add(cmd)
	return cmd
}

// listedView is a bundle as nexus bundle list --json prints it.
type listedView struct {
	ref
	Description string   `json:"description"`
	Skills      []string `json:"skills"`
}

func (a *app) printListed(ctx context.Context, c *bundle.Client) error {
	list, err := c.Bundles()
	if err != nil {
		return err
	}
	views := make([]listedView, len(list))
	rows := make([][]string, len(list))
	for i, l := range list {
		b, err := c.Bundle(ctx, l.Name, l.Version)
		if err != nil {
			return err
		}
		views[i] = listedView{refOf(b), b.Description, []string{}}
		for j := range b.Skills {
			views[i].Skills = append(views[i].Skills, b.Skills[j].ID().String())
		}
		rows[i] = []string{b.Name, b.Version, fmt.Sprint(len(b.Skills)), fmt.Sprintf("%.19s", l.Digest), b.Description}
	}
	if a.flags.json {
		return printJSON(a.Out, views)
	}
	return table(a.Out, []string{"BUNDLE", "VERSION", "SKILLS", "DIGEST", "DESCRIPTION"}, rows)
}

func (a *app) bundleExportCommand() *cobra.Command {
	var f sourceFlags
	var out string
	cmd := &cobra.Command{
		Use:   "export NAME@VERSION --repo REPO|URL --root root.json -o FILE.hive",
		Short: "Fetch a bundle from a repository into a .hive file",
		Long: `Fetch a bundle and its programs from a repository, in a folder or at an http or https
URL, check them as nexus bundle list does, and put them into one .hive file, with what the
publisher signed: nexus bundle verify --root and nexus bundle import check it again.`,
		Args: wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, version, err := bundleName(args[0])
			if err != nil {
				return err
			}
			if err := checkOut(out); err != nil {
				return usageError{err}
			}
			return a.follow(cmd.Context(), f, func(c *bundle.Client) error {
				return a.exportBundle(cmd.Context(), c, name, version, out)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&out, "out", "o", "", "the .hive file to write")
	return cmd
}

func (a *app) exportBundle(ctx context.Context, c *bundle.Client, name, version, out string) error {
	b, err := c.Bundle(ctx, name, version)
	if err != nil {
		return err
	}
	files := map[string]string{}
	for _, s := range b.Skills {
		if files[s.Digest], err = c.Blob(ctx, s.Digest, s.Size); err != nil {
			return err
		}
	}
	chain, err := c.Chain(ctx, b)
	if err != nil {
		return err
	}
	err = bundle.ExportFile(out, b, chain, func(digest string) (io.ReadCloser, error) { return os.Open(files[digest]) })
	if err != nil {
		return err
	}
	return a.printWritten(out, b)
}
