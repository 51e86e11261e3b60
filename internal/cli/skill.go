package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/internal/build"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

func (a *app) skillCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "skill", Short: "Build, try, inspect and register skills"}
	onlyCommands(cmd)
	cmd.AddCommand(a.skillNewCommand(), a.skillTestCommand(), a.skillBuildCommand(), a.skillRunCommand(), a.skillInspectCommand(), a.skillRegisterCommand(), a.skillListCommand())
	return cmd
}

func (a *app) builder() build.Builder { return build.Builder{CacheDir: a.cacheDir()} }

func (a *app) skillBuildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "build FOLDER",
		Short: "Compile a skill's program",
		Args:  wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.configure(); err != nil {
				return err
			}
			b := a.builder()
			b.Out = a.Err
			path, err := b.Folder(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.flags.json {
				return printJSON(a.Out, map[string]string{"path": path})
			}
			fmt.Fprintln(a.Out, path)
			return nil
		},
	}
}

// withProgram prepares a skill's program in an engine with the cache of compiled
// programs.
func (a *app) withProgram(ctx context.Context, s *hive.Skill, program []byte, f func(*spore.Program) error) error {
	engine, err := runtime.New(ctx, runtime.Options{Admit: admitBy(), CacheDir: a.codeCache(), Host: hostfuncs.Modules(), Careful: true})
	if err != nil {
		return err
	}
	closing := context.WithoutCancel(ctx)
	prepared, err := spore.Prepare(ctx, engine, program, &s.Manifest)
	if err != nil {
		return errors.Join(fmt.Errorf("skill %s cannot run: %w", s.Name, err), engine.Close(closing))
	}
	return errors.Join(f(prepared), prepared.Close(closing), engine.Close(closing))
}

// admit checks that a program can run, as every spore will once more.
func (a *app) admit(ctx context.Context, s *hive.Skill, program []byte) error {
	return a.withProgram(ctx, s, program, func(*spore.Program) error { return nil })
}

// tryFlags are the flags of nexus skill run.
type tryFlags struct {
	args    []string
	env     []string
	mounts  []string
	timeout time.Duration
	entry   string
	receipt bool
}

func (a *app) skillRunCommand() *cobra.Command {
	var f tryFlags
	cmd := &cobra.Command{
		Use:   "run FILE.wasm|FOLDER",
		Short: "Run one payload in a sandbox here",
		Long: `Run one payload, from standard input, in a sandbox here. The raw result goes to
stdout and nothing else does; the program's log goes to stderr. A bare .wasm file
needs no manifest. Directories can be mounted for reading with --mount. Grants are
those of the manifest, with HTTP, secrets and folders as the section spore of the
configuration says; keys are empty, and nothing is kept.`,
		Example: "  echo hello | nexus skill run skills/wordcount\n  nexus skill run cat.wasm --arg /in/a.txt --mount .:/in < /dev/null",
		Args:    wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := wantTime(cmd, "timeout", f.timeout); err != nil {
				return err
			}
			return a.try(cmd.Context(), f, args[0])
		},
	}
	cmd.Flags().StringArrayVar(&f.args, "arg", nil, "argument for the program (repeatable)")
	cmd.Flags().StringArrayVar(&f.env, "env", nil, "KEY=VALUE for the program's environment (repeatable)")
	cmd.Flags().StringArrayVar(&f.mounts, "mount", nil, "DIR:GUEST_DIR to mount for reading (repeatable)")
	cmd.Flags().StringVar(&f.entry, "entry", "", "function of an Extism plugin to call (default: the manifest's)")
	cmd.Flags().BoolVar(&f.receipt, "receipt", false, "say on stderr what the attempt used")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "end of the attempt (default: the skill's limit, or none)")
	return cmd
}

func (a *app) try(ctx context.Context, f tryFlags, path string) error {
	if err := a.configure(); err != nil {
		return err
	}
	call, err := f.call()
	if err != nil {
		return err
	}
	skill, program, err := a.builder().Skill(ctx, path)
	if err != nil {
		return err
	}
	if call.Payload, err = readAtMost(a.In, "standard input", hive.MaxPayload); err != nil {
		return err
	}
	if f.entry != "" {
		skill.Entry = f.entry
	}
	return a.withProgram(ctx, skill, program, func(p *spore.Program) error { return a.attempt(ctx, p, call, f) })
}

func (f *tryFlags) call() (runtime.Call, error) {
	call := runtime.Call{Args: f.args, Timeout: f.timeout, Env: map[string]string{}}
	for _, pair := range f.env {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return call, usagef("--env %q: want KEY=VALUE", pair)
		}
		call.Env[key] = value
	}
	for _, pair := range f.mounts {
		dir, guest, ok := strings.Cut(pair, ":")
		if !ok || dir == "" || guest == "" {
			return call, usagef("--mount %q: want DIR:GUEST_DIR", pair)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return call, usagef("--mount %q: %s is not a directory", pair, dir)
		}
		call.Mounts = append(call.Mounts, runtime.Mount{Host: dir, Guest: guest})
	}
	return call, nil
}

func (a *app) attempt(ctx context.Context, prepared *spore.Program, call runtime.Call, f tryFlags) error {
	o, err := a.sporeOptions()
	if err != nil {
		return err
	}
	files, err := hostfuncs.OpenFiles(o.Files)
	if err != nil {
		return err
	}
	defer files.Close()
	out := prepared.Run(ctx, &hostfuncs.Attempt{
		Task: hostfuncs.Task{ID: hive.NewID(), Attempt: 1, Created: time.Now()},
		KV:   noKeys{}, Emitter: nobody{}, HTTP: hostfuncs.NewHTTP(o.HTTP), Secrets: o.Secrets, Files: files,
	}, call)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return a.showAttempt(out, f.receipt)
}

// showAttempt writes an attempt's log and result.
func (a *app) showAttempt(out hive.Outcome, receipt bool) error {
	a.writeLog(out.Log)
	if receipt {
		a.say("%s", receiptText(out.Receipt))
	}
	if out.Failure != nil {
		a.say("%s", safe(out.Failure.String()))
		return errTaskFailed
	}
	return a.writeResult(out.Result)
}

// receiptText says what an attempt used.
func receiptText(r hive.Receipt) string {
	return fmt.Sprintf("fuel %d, peak memory %d KiB, %d host calls, %d bytes in, %d bytes out, processor time %v",
		r.Fuel, r.PeakMemory>>10, r.HostCalls, r.BytesIn, r.BytesOut, r.CPU)
}
