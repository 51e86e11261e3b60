package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/config"
	"github.com/hive-spore/hive/internal/embedded"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/spore"
)

const runLong = `Run a skill over files, a directory, lines or JSON values.

SKILL is a folder with a skill.toml (built if it changed), a .wasm file, or the
name of a registered skill. Each INPUT is a file, a directory or - for standard
input. Of a directory every text file is one task: those git tracks if it is a
repository, else all; binary files, links and files over 1 MiB are skipped.

A skill with an input schema gets {"path": …, "text": …} for a file or a line, or
the JSON value itself with --each json; a skill without one gets the bytes, also of
a binary file that is named. With --set it gets them behind a line of JSON.

Without an address for Redis everything runs in this process and nothing is kept. On
a cluster a folder or file is first published, signed with the publisher's keys, as a
version of its own that its spores have for a day; a registered skill needs no keys.
The exit code is 0 if all tasks completed, 3 if one failed. A run that is
interrupted cancels the tasks that are left and prints the results it has.`

// runFlags are the flags of nexus run.
type runFlags struct {
	task  taskFlags
	each  string
	set   []string
	slots int
	repo  repoFlags
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:     "run SKILL INPUT...",
		Short:   "Run a skill over files, a directory, lines or JSON values",
		Long:    runLong,
		Example: "  nexus run skills/secscan .\n  nexus run skills/summarize --set sentences=5 articles/*.html\n  ls | nexus run wordcount --each line -",
		Args:    wantArgs(2, -1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runSkill(cmd.Context(), f, args[0], args[1:]) },
	}
	f.task.add(cmd)
	cmd.Flags().StringVar(&f.each, "each", "file", "what becomes one task: file, line or json")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "KEY=VALUE added to every JSON payload, or as a line of JSON before the bytes (repeatable)")
	cmd.Flags().IntVar(&f.slots, "slots", 0, "tasks at once when everything runs in this process (default: one per core)")
	f.repo.addOptional(cmd)
	return cmd
}

// read returns the template of the tasks and what --set adds to their payloads.
// Everything that is wrong is reported at once.
func (f *runFlags) read(cfg *config.Config) (hive.Task, map[string]json.RawMessage, error) {
	var errEach error
	if f.each != "file" && f.each != "line" && f.each != "json" {
		errEach = usagef("--each %q: want file, line or json", f.each)
	}
	template, errTask := f.task.task(cfg)
	set, errSet := parseSet(f.set)
	return template, set, errors.Join(errEach, errTask, errSet, checkSlots(f.slots))
}

func (a *app) runSkill(ctx context.Context, f runFlags, skillArg string, args []string) error {
	if err := a.configure(); err != nil {
		return err
	}
	template, set, err := f.read(a.cfg)
	if err != nil {
		return err
	}
	in, err := gather(ctx, a.In, args, f.each)
	if err != nil {
		return err
	}
	started := time.Now()
	road, register, stop, err := a.roadOrEmbedded(ctx, &f)
	if err != nil {
		return err
	}
	defer stop()
	skill, err := a.resolve(ctx, road, register, skillArg)
	if err != nil {
		return err
	}
	template.Skill = hive.SkillRef{Name: skill.Name, Pin: skill.Version}
	payloads, err := in.payloads(f.each, len(skill.Input) > 0, set)
	if err != nil {
		return err
	}
	for _, s := range in.skipped {
		a.say("skipped %s: %s", safe(s.input), s.reason)
	}
	if len(payloads) == 0 {
		a.say("there is nothing to run in %s", safe(strings.Join(args, " ")))
	}
	records, err := a.mapOver(ctx, road, template, payloads)
	if err != nil && ctx.Err() == nil {
		err = in.refused(skill, payloads, err)
	}
	if err != nil && ctx.Err() == nil && !slices.ContainsFunc(records, func(r *hive.Record) bool { return r != nil }) {
		return err
	}
	sum, errShow := a.showRun(in, records, time.Since(started))
	switch {
	case err != nil:
		return errors.Join(err, errShow)
	case sum.Failed > 0:
		return errors.Join(errShow, errTaskFailed)
	}
	return errShow
}

// mapOver runs the tasks and shows how far they are.
func (a *app) mapOver(ctx context.Context, road *broker.Broker, template hive.Task, payloads [][]byte) ([]*hive.Record, error) {
	c := a.client(road)
	defer c.Close()
	bar := newBar(a.Err, len(payloads))
	defer bar.clear()
	var records []*hive.Record
	l := lookout{app: a, road: road, lane: laneLike(road, &template), clear: bar.clear}
	err := l.waiting(ctx, func(ctx context.Context) (err error) {
		records, err = c.Map(ctx, client.MapOptions{Task: template, Progress: func(done, _ int, r *hive.Record) {
			bar.step(done, r.State != hive.Completed)
		}}, payloads)
		return err
	})
	return records, err
}

// register has spores run a skill, as a bundle of a name.
type register func(ctx context.Context, name string, s *hive.Skill, program []byte) error

// roadOrEmbedded dials the configured road, or starts a hive in this process if
// none is configured. stop ends what was started.
func (a *app) roadOrEmbedded(ctx context.Context, f *runFlags) (road *broker.Broker, reg register, stop func(), err error) {
	if a.cfg.HasRoad() {
		road, err := a.dial(ctx)
		if err != nil {
			return nil, nil, nil, err
		}
		return road, a.registerFor(&f.repo, road, runLasts), func() { road.Close() }, nil
	}
	tune()
	own, err := a.sporeOptions()
	if err != nil {
		return nil, nil, nil, err
	}
	own.Slots, own.Name, own.Record = f.slots, "embedded", spore.NoRecord // a replay would find nothing
	h, err := embedded.Start(ctx, embedded.Options{Private: true, Spore: own})
	if err != nil {
		return nil, nil, nil, err
	}
	return h.Road, h.Register, func() {
		// Nothing of it outlives this process: what still runs need not end well.
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		h.Stop(ctx)
	}, nil
}

// isLocal reports whether a skill argument means a folder or a file, rather than
// a registered skill.
func isLocal(arg string) bool {
	if filepath.Ext(arg) == ".wasm" || filepath.Base(arg) != arg || arg == "." || arg == ".." {
		return true
	}
	info, err := os.Stat(arg)
	return err == nil && info.IsDir()
}

// devMark is what the version of a folder that is run has before its fingerprint.
const devMark = "-dev.x"

// runLasts is how long a cluster's spores have a folder that was run, from its last run.
const runLasts = 24 * time.Hour

// resolve returns the skill an argument names. A local one is registered first,
// as a development version of its own unless it is registered just as it is: to
// run a folder must not change what others run.
func (a *app) resolve(ctx context.Context, road *broker.Broker, reg register, arg string) (*hive.Skill, error) {
	if !isLocal(arg) {
		return registered(ctx, road, arg)
	}
	skill, program, err := a.builder().Skill(ctx, arg)
	if err != nil {
		return nil, err
	}
	if err := a.admit(ctx, skill, program); err != nil {
		return nil, err
	}
	known, err := road.Skills(ctx)
	if err != nil {
		return nil, err
	}
	mark, err := fingerprint(skill)
	if err != nil {
		return nil, err
	}
	for i := range known {
		if same, err := fingerprint(&known[i]); err == nil && same == mark {
			return skill, nil
		}
	}
	// It comes before the version it is built from: 1.2.0-dev.x4f3a9c21d0be.
	skill.Version += devMark + mark
	return skill, reg(ctx, publisher.Draft(mark), skill, program)
}

// fingerprint is 12 hex digits of a skill's program and manifest.
func fingerprint(s *hive.Skill) (string, error) {
	body, err := json.Marshal(s)
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:6]), err
}

func registered(ctx context.Context, road *broker.Broker, arg string) (*hive.Skill, error) {
	info, errStat := os.Stat(arg)
	ref, err := hive.ParseSkillRef(arg)
	switch {
	case err != nil && errStat == nil && !info.IsDir():
		return nil, usagef("%s is a file: the skill comes first, as a folder, a .wasm file or the name of a registered one", arg)
	case err != nil:
		return nil, usageError{err}
	}
	skills, err := road.Skills(ctx)
	if err != nil {
		return nil, err
	}
	for i := range skills {
		if s := &skills[i]; ref.Matches(s.Name, s.Version, s.Digest) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no skill %s is registered, and there is no such folder (nexus skill list shows what there is)", ref)
}

// runSummary and runResult are what nexus run --json prints.
type runSummary struct {
	Total     int   `json:"total_tasks"`
	Completed int   `json:"completed"`
	Failed    int   `json:"failed"`
	Left      int   `json:"left"` // not over when the run was cut short
	Skipped   int   `json:"skipped"`
	ElapsedMS int64 `json:"elapsed_ms"`
}

type runResult struct {
	Input string `json:"input"`
	taskResult
}

// taskResult is how a task ended, as JSON shows it among others.
type taskResult struct {
	TaskID    string     `json:"task_id"`
	Status    hive.State `json:"status"`
	Attempts  int        `json:"attempts"`
	ElapsedUS int64      `json:"elapsed_us"`
	result
	Error *hive.Failure `json:"error,omitempty"`
}

// showRun prints the results there are: a run that was cut short has nil in the
// place of the others.
func (a *app) showRun(in *inputs, records []*hive.Record, elapsed time.Duration) (runSummary, error) {
	sum := runSummary{Total: len(records), Skipped: len(in.skipped), ElapsedMS: elapsed.Milliseconds()}
	results, sandboxes := make([]runResult, 0, len(records)), 0
	for i, r := range records {
		if r == nil {
			sum.Left++
			continue
		}
		sandboxes += r.Attempts
		results = append(results, newRunResult(in.items[i].name, r))
		if r.State == hive.Completed {
			sum.Completed++
		} else {
			sum.Failed++
		}
	}
	if a.flags.json {
		return sum, printJSON(a.Out, struct {
			Summary runSummary  `json:"summary"`
			Results []runResult `json:"results"`
		}{sum, results})
	}
	err := a.showResults(results)
	left := ""
	if sum.Left > 0 {
		left = fmt.Sprintf(", left %d", sum.Left)
	}
	fmt.Fprintf(a.Err, "completed %d/%d, failed %d%s, %.1f s, %s\n", sum.Completed, sum.Total, sum.Failed, left,
		elapsed.Seconds(), plural(sandboxes, "sandbox", "sandboxes"))
	return sum, err
}

func newRunResult(input string, r *hive.Record) runResult {
	return runResult{input, newTaskResult(r)}
}

func newTaskResult(r *hive.Record) taskResult {
	v := taskResult{TaskID: r.ID, Status: r.State, Attempts: r.Attempts, ElapsedUS: r.Elapsed.Microseconds()}
	if r.State == hive.Completed {
		v.result = newResult(r.Result)
	} else {
		v.Error = r.Failure
	}
	return v
}

// showResults prints a table: what completed on stdout, what failed on stderr.
func (a *app) showResults(results []runResult) error {
	var t resultTable
	for i := range results {
		if r := &results[i]; r.Status == hive.Completed {
			t.add(r.Input, r.JSON, r.Base64)
		}
	}
	err := t.write(a.Out)
	for i := range results {
		if r := &results[i]; r.Error != nil {
			a.say("%s: %s", safe(r.Input), safe(r.Error.String()))
		} else if r.Status != hive.Completed {
			a.say("%s: %s", safe(r.Input), r.Status)
		}
	}
	return err
}
