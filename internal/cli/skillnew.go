package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/manifest"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/skills/sdk"
	"github.com/hive-spore/hive/spore"
)

func (a *app) skillNewCommand() *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a skill: a folder that builds and passes its test",
		Long: `Begin a skill in the folder NAME, which must be empty or not exist: its source, the
one file that speaks to the host, skill.toml, an example and what it answers.`,
		Example: "  nexus skill new greet --lang go && nexus skill test greet",
		Args:    wantArgs(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.configure(); err != nil {
				return err
			}
			folder, err := filepath.Abs(args[0]) // of "." as well
			if err != nil {
				return err
			}
			name := filepath.Base(folder)
			if !slices.Contains(sdk.Languages(), lang) {
				return usagef("--lang %q: want one of %s", lang, strings.Join(sdk.Languages(), ", "))
			}
			if err := sdk.Write(lang, name, args[0]); err != nil {
				return err
			}
			if a.flags.json {
				return printJSON(a.Out, map[string]string{"path": args[0], "language": lang})
			}
			fmt.Fprintln(a.Out, args[0])
			a.say("hint: nexus skill test %s builds and tries it", args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "go", "language: "+strings.Join(sdk.Languages(), ", "))
	return cmd
}

func (a *app) skillTestCommand() *cobra.Command {
	var update bool
	cmd := &cobra.Command{
		Use:   "test FOLDER",
		Short: "Run a skill's example in a sandbox and compare what it answers",
		Long: `Build a skill, run its example (example.input of skill.toml) in a sandbox, and compare
the result with example.output, byte for byte. Keys are empty and kept nowhere, what
it emits or spawns goes nowhere, and time and random numbers are always the same.
HTTP, secrets and folders are what skill.toml says:

  [example.http]
  "GET https://example.com/bees" = "bees.http" # a file, as curl -i prints it
  [example.secrets]
  API_TOKEN = "a value for the test"
  [example.files]
  models = "testdata/models"

Exit code 3 if it answers something else.`,
		Args: wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.testSkill(cmd.Context(), args[0], update) },
	}
	cmd.Flags().BoolVar(&update, "update", false, "write what it answers to example.output")
	return cmd
}

func (a *app) testSkill(ctx context.Context, path string, update bool) error {
	if err := a.configure(); err != nil {
		return err
	}
	folder, err := manifest.Load(path)
	if err != nil {
		return err
	}
	if folder.Manifest.Example == nil || folder.GoldenFile == "" {
		return fmt.Errorf("%s: nothing to test; name an example.input and an example.output", filepath.Join(path, manifest.FileName))
	}
	if folder.Golden == nil && !update {
		return fmt.Errorf("%s: example.output: %s does not exist; with --update it is written", filepath.Join(path, manifest.FileName), folder.GoldenFile)
	}
	s, program, err := a.builder().Of(ctx, folder)
	if err != nil {
		return err
	}
	out, err := a.rehearse(ctx, s, program, &folder.Rehearsal)
	switch {
	case err != nil:
		return err
	case out.Failure != nil:
		a.writeLog(out.Log)
		a.say("%s: the example fails: %s", s.Name, safe(out.Failure.String()))
		return errTaskFailed
	case update:
		return os.WriteFile(filepath.Join(path, filepath.FromSlash(folder.GoldenFile)), out.Result, 0o644)
	case !bytes.Equal(out.Result, folder.Golden):
		a.say("%s: %s", s.Name, difference(folder.Golden, out.Result))
		return errTaskFailed
	}
	a.say("%s: ok (%s)", s.Name, receiptText(out.Receipt))
	return nil
}

// rehearse runs a skill's example on a host that keeps nothing and tells what the
// folder says. What differs from one attempt to the next does not: time and random
// numbers follow from the task's id.
func (a *app) rehearse(ctx context.Context, s *hive.Skill, program []byte, told *manifest.Rehearsal) (out hive.Outcome, err error) {
	s.Allow.Clock, s.Allow.Random = hive.SourceTask, hive.SourceTask
	files, err := hostfuncs.OpenFiles(told.Files)
	if err != nil {
		return out, err
	}
	defer files.Close()
	at := &hostfuncs.Attempt{
		Task: hostfuncs.Task{ID: "test", Attempt: 1, Created: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)},
		KV:   noKeys{}, Emitter: nobody{}, HTTP: hostfuncs.NewHTTP(hostfuncs.HTTPOptions{Transport: hostfuncs.Responses(told.HTTP)}),
		Secrets: func(name string) (string, bool) { value, ok := told.Secrets[name]; return value, ok }, Files: files,
	}
	err = a.withProgram(ctx, s, program, func(p *spore.Program) error {
		out = p.Run(ctx, at, runtime.Call{Payload: s.Example, Timeout: hive.DefaultTimeout})
		return context.Cause(ctx)
	})
	return out, err
}

// noKeys is a road on which no key is set.
type noKeys struct{}

func (noKeys) Get(context.Context, string, string) ([]byte, bool, error) { return nil, false, nil }
func (noKeys) List(context.Context, string, string, string, int) ([]string, error) {
	return nil, nil
}

// nobody listens to what is emitted.
type nobody struct{}

func (nobody) Emit(context.Context, int, []byte) error       { return nil }
func (nobody) Progress(context.Context, hive.Progress) error { return nil }

// difference says where a result is not what it should be.
func difference(want, got []byte) string {
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	from := max(0, at-20)
	show := func(b []byte) string { return fmt.Sprintf("%.80q", b[min(from, len(b)):]) }
	return fmt.Sprintf("answers something else from byte %d on:\n  want %s\n  got  %s", at, show(want), show(got))
}
