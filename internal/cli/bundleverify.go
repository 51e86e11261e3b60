package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/bundle"
)

func (a *app) bundleVerifyCommand() *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "verify FILE.hive",
		Short: "Check every byte of a .hive file, and that its skills can run",
		Long: `Check that a .hive file is whole: its text, every program by its digest, the file by its
own; and that each skill can run, as nexus skill register does. With --root also whose it
is: that a publisher who is trusted from this root on signed for it, as the files that
nexus bundle export writes can show. Whether he took it back since then no file can say.`,
		Args: wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.verifyBundle(cmd.Context(), args[0], root) },
	}
	cmd.Flags().StringVar(&root, "root", "", "check signatures, from this root on")
	return cmd
}

func (a *app) verifyBundle(ctx context.Context, path, root string) error {
	if err := a.configure(); err != nil {
		return err
	}
	return unpacked([]string{path}, func(files []*bundle.Imported) error {
		in := files[0]
		signed, err := signedBy(in, root)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := a.canRun(ctx, in); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return a.printVerifiedBundle(path, in, signed)
	})
}

// signedBy verifies a file's signatures; nil if no root is there to do it by.
func signedBy(in *bundle.Imported, root string) (*bundle.Signed, error) {
	if root == "" {
		return nil, nil
	}
	trusted, err := readRoot(root)
	if err != nil {
		return nil, err
	}
	return bundle.VerifyChain(in.Chain, trusted, in.Bundle, time.Now())
}

func (a *app) canRun(ctx context.Context, in *bundle.Imported) error {
	for i := range in.Bundle.Skills {
		s := &in.Bundle.Skills[i]
		program, err := os.ReadFile(in.Program(s.Digest))
		if err != nil {
			return err
		}
		if err := a.admit(ctx, s, program); err != nil {
			return err
		}
	}
	return nil
}

// signedView is what nexus bundle verify --json says of signatures.
type signedView struct {
	Root    int64     `json:"root"`
	List    int64     `json:"list"`
	Expires time.Time `json:"expires"`
}

func (a *app) printVerifiedBundle(path string, in *bundle.Imported, signed *bundle.Signed) error {
	if a.flags.json {
		return printJSON(a.Out, struct {
			ref
			Signed *signedView `json:"signed"`
		}{refOf(in.Bundle), (*signedView)(signed)})
	}
	fmt.Fprintln(a.Out, in.Bundle, in.Bundle.Digest())
	whose := "whose it is it does not say"
	switch {
	case signed != nil:
		whose = fmt.Sprintf("the publisher signed for it, until %s", signed.Expires.Format(time.DateOnly))
	case len(in.Chain) > 0:
		whose = "its signatures were not checked: --root root.json does"
	}
	a.say("%s is whole, and its %s can run; %s", safe(path), plural(len(in.Bundle.Skills), "skill"), whose)
	return nil
}
