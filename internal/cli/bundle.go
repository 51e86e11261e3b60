package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/manifest"
)

func (a *app) bundleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Make bundles of skills, and publish them in a signed repository",
		Long: `Make bundles of skills, and publish them in a signed repository: a folder of static
files that any file server can serve. create, show, diff and verify are about a .hive
file, which holds one bundle; init, publish, remove, seal, list, export and import are
about a repository. None of them needs Redis or a nexus. Spores run what is published
when nexus rollout start says which of them.`,
		Example: `  nexus keys init keys
  nexus bundle init repo --keys keys
  nexus bundle create --version 1.0.0 -o secscan.hive skills/secscan
  nexus bundle publish secscan.hive --repo repo --keys keys
  nexus bundle seal --repo repo --keys keys
  nexus bundle list --repo repo --root keys/root.json`,
	}
	onlyCommands(cmd)
	cmd.AddCommand(a.bundleCreateCommand(), a.bundleShowCommand(), a.bundleDiffCommand(), a.bundleVerifyCommand(),
		a.bundleInitCommand(), a.bundlePublishCommand(), a.bundleRemoveCommand(), a.bundleSealCommand(), a.bundleListCommand(),
		a.bundleExportCommand(), a.bundleImportCommand())
	return cmd
}

// createFlags are the flags of nexus bundle create.
type createFlags struct{ version, name, description, out string }

func (a *app) bundleCreateCommand() *cobra.Command {
	var f createFlags
	cmd := &cobra.Command{
		Use:   "create --version V -o FILE.hive SKILL...",
		Short: "Build skills and put them into one file",
		Long: `Build skills, check that each can run, and put them into one .hive file. A skill is a
folder with a skill.toml, or a .wasm file. What each asks for is said before. The file
is not signed: nexus bundle publish signs for what is in it.`,
		Args: wantArgs(1, bundle.MaxSkills),
		RunE: func(cmd *cobra.Command, args []string) error { return a.createBundle(cmd.Context(), f, args) },
	}
	cmd.Flags().StringVar(&f.version, "version", "", "version of the bundle, such as 1.3.0")
	cmd.Flags().StringVar(&f.name, "name", "", "name of the bundle (default, with one skill: the skill's)")
	cmd.Flags().StringVar(&f.description, "description", "", "one line on what it is for")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "the .hive file to write")
	return cmd
}

func (f *createFlags) check(skills int) error {
	var wrong []error
	if f.version == "" {
		wrong = append(wrong, errors.New("--version is missing: want a semantic version such as 1.3.0"))
	} else if err := hive.CheckVersion(f.version); err != nil {
		wrong = append(wrong, fmt.Errorf("--version: %w", err))
	}
	switch {
	case f.name == "" && skills > 1:
		wrong = append(wrong, errors.New("--name is missing: a bundle of several skills has a name of its own"))
	case f.name != "" && hive.CheckSkillName(f.name) != nil:
		wrong = append(wrong, fmt.Errorf("--name %q: want what a skill may be called: 1 to 48 of a-z, 0-9 and '-', beginning with a letter", f.name))
	}
	if err := checkOut(f.out); err != nil {
		wrong = append(wrong, err)
	}
	if len(wrong) > 0 {
		return usageError{errors.Join(wrong...)}
	}
	return nil
}

// checkOut checks the value of -o.
func checkOut(path string) error {
	if !strings.HasSuffix(path, ".hive") {
		return fmt.Errorf("-o %q: want the name of a .hive file", path)
	}
	return nil
}

func (a *app) createBundle(ctx context.Context, f createFlags, paths []string) error {
	if err := f.check(len(paths)); err != nil {
		return err
	}
	if err := a.configure(); err != nil {
		return err
	}
	b := &bundle.Bundle{Name: f.name, Version: f.version, Description: f.description, Created: time.Now()}
	programs := map[string][]byte{}
	for _, path := range paths {
		skill, program, err := a.builder().Skill(ctx, path)
		if err != nil {
			return err
		}
		if err := a.admit(ctx, skill, program); err != nil {
			return err
		}
		a.sayAsking(newAsking(skill, nil))
		b.Skills = append(b.Skills, *skill)
		programs[skill.Digest] = program
	}
	b.Name = cmp.Or(b.Name, b.Skills[0].Name)
	err := bundle.ExportFile(f.out, b, nil, func(digest string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(programs[digest])), nil
	})
	if err != nil {
		return err
	}
	return a.printWritten(f.out, b)
}

// printWritten tells of a .hive file that was written.
func (a *app) printWritten(path string, b *bundle.Bundle) error {
	if a.flags.json {
		return printJSON(a.Out, struct {
			Path string `json:"path"`
			ref
		}{path, refOf(b)})
	}
	fmt.Fprintln(a.Out, path, b, b.Digest())
	return nil
}

// noFile says that a file is not there.
type noFile string

func (n noFile) Error() string        { return "no such file: " + string(n) }
func (n noFile) Is(target error) bool { return target == fs.ErrNotExist }

// openFile opens a file that a command line names.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noFile(path)
	}
	return f, err
}

// ref names a bundle in what is printed as JSON.
type ref struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

func refOf(b *bundle.Bundle) ref { return ref{b.Name, b.Version, b.Digest()} }

// readHive reads a .hive file to its end, checking every byte of it.
func readHive(path string) (b *bundle.Bundle, chain []byte, err error) {
	f, err := openFile(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if b, chain, err = bundle.Check(f); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, chain, nil
}

func (a *app) bundleShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE.hive",
		Short: "Show what is in a .hive file",
		Args:  wantArgs(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, _, err := readHive(args[0])
			if err != nil {
				return err
			}
			return a.showBundle(b)
		},
	}
}

func (a *app) showBundle(b *bundle.Bundle) error {
	if a.flags.json {
		return printJSON(a.Out, struct {
			*bundle.Bundle
			Digest string `json:"digest"`
		}{b, b.Digest()})
	}
	rows := [][]string{
		{"bundle", b.String()}, {"description", b.Description},
		{"created", b.Created.Format(time.RFC3339)}, {"digest", b.Digest()},
	}
	for i := range b.Skills {
		s := &b.Skills[i]
		rows = append(rows, []string{"skill", s.ID().String()}, []string{"  description", s.Description},
			[]string{"  digest", s.Digest}, []string{"  size", fmt.Sprintf("%d bytes", s.Size)},
			[]string{"  requires", s.Requires.String()},
			[]string{"  input schema", manifest.Shape(s.Input)}, []string{"  output schema", manifest.Shape(s.Output)})
		for _, ask := range manifest.Asks(&s.Manifest) {
			rows = append(rows, []string{"  asks for", ask.String()})
		}
		if len(s.Grants) == 0 {
			rows = append(rows, []string{"  asks for", "no grants"})
		}
	}
	return table(a.Out, nil, rows)
}
