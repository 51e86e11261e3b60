package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

func (a *app) replayCommand() *cobra.Command {
	var folder string
	var from sourceFlags
	cmd := &cobra.Command{
		Use:   "replay ID",
		Short: "Run a failed task again here, told what it was told then",
		Long: `Run the last failed attempt of a task again, in a sandbox here: the same program with
the same payload is told what it was told then, by keys, HTTP, folders, clocks, random
numbers and all else. Nothing is asked for or changed anywhere. In place of secrets it
is told as many x. With --build a program that is built from a skill's folder takes
the place of the one that failed, to see what a change does.

Exit codes: 0 it failed as it did then (with --build: it completed), 3 it ended in
another way, 1 it could not be replayed to its end: what it asks for first that was not
recorded is said.`,
		Example: "  nexus replay d23brqdas6k8by208antee --build skills/fetch",
		Args:    wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error { return a.replay(cmd.Context(), road, args[0], folder, from) })
		},
	}
	from.add(cmd)
	cmd.Flags().StringVar(&folder, "build", "", "skill folder to build the program from (default: the one that failed)")
	return cmd
}

func (a *app) replay(ctx context.Context, road *broker.Broker, id, folder string, from sourceFlags) error {
	r, err := road.Status(ctx, id)
	if err != nil {
		return err
	}
	recording, err := recordingOf(ctx, road, r)
	if err != nil {
		return err
	}
	if r.Payload, err = road.Payload(ctx, &r.Task); err != nil {
		return err
	}
	skill, program, err := a.replayed(ctx, road, r, folder, from)
	if err != nil {
		return err
	}
	on := ""
	if r.Attempts == recording.Attempt { // else another spore has the task since
		on = " on spore " + r.Node
	}
	a.say("attempt %d of task %s ran %s%s: %s", recording.Attempt, r.ID, r.Ran, on, safe(r.Failure.String()))
	if folder == "" {
		if !recording.Of(&skill.Manifest) {
			a.say("hint: the manifest of %s is another than then", r.Ran)
		}
		if recording.OutOfTime = r.Failure.Kind == hive.FailTimeout; recording.OutOfTime && r.Receipt.Fuel > 0 {
			skill.Limits.Fuel = r.Receipt.Fuel // it is as far then on every machine
		}
	}
	play := recording.Replay(folder != "")
	var out hive.Outcome
	err = a.withProgram(ctx, skill, program, func(p *spore.Program) error {
		at := &hostfuncs.Attempt{Replay: play, Task: hostfuncs.Task{ID: r.ID, Attempt: recording.Attempt, Created: r.Created}}
		out = p.Run(ctx, at, runtime.Call{Payload: r.Payload, Timeout: r.Timeout})
		return context.Cause(ctx)
	})
	if err != nil {
		return err
	}
	if recording.OutOfTime && (play.Over() || out.Failure != nil && out.Failure.Kind == hive.FailFuel) {
		out.Failure = r.Failure
	}
	return a.showReplay(r, play, out, folder != "")
}

// recordingOf returns what was recorded of a task's failure, or says why there is
// nothing.
func recordingOf(ctx context.Context, road *broker.Broker, r *hive.Record) (*hostfuncs.Recording, error) {
	switch {
	case r.Failure == nil:
		return nil, fmt.Errorf("task %s is %s: there is no failure to replay", r.ID, r.State)
	case r.Failure.Kind == hive.FailLost:
		return nil, fmt.Errorf("task %s was lost with its spore, and what it was told with it", r.ID)
	case r.Recorded == 0:
		return nil, fmt.Errorf("task %s: nothing was recorded of its failure (%s): it did not fail in its program, or its spore records nothing (spore.record_kb)", r.ID, r.Failure)
	}
	b, err := road.Recording(ctx, r.ID, r.Recorded)
	if errors.Is(err, hive.ErrNotFound) {
		return nil, fmt.Errorf("task %s: its recording is gone: newer ones of other failures took its place", r.ID)
	}
	if err != nil {
		return nil, err
	}
	recording, err := hostfuncs.ReadRecording(b)
	if err != nil {
		return nil, fmt.Errorf("task %s: %w", r.ID, err)
	}
	return recording, nil
}

// replayed returns the skill whose program is to run: the one that failed, or the
// one in folder.
func (a *app) replayed(ctx context.Context, road *broker.Broker, r *hive.Record, folder string, from sourceFlags) (*hive.Skill, []byte, error) {
	if folder != "" {
		skill, program, err := a.builder().Skill(ctx, folder)
		if err == nil && skill.Name != r.Ran.Name {
			err = usagef("--build %s: it is the skill %s, and task %s ran %s", folder, skill.Name, r.ID, r.Ran.Name)
		}
		return skill, program, err
	}
	skills, err := road.Skills(ctx)
	if err != nil {
		return nil, nil, err
	}
	at := slices.IndexFunc(skills, func(s hive.Skill) bool { return s.ID() == r.Ran })
	if at < 0 {
		return nil, nil, fmt.Errorf("%s (%s), which ran on spore %s, is not registered any more; replay with a program of your own: --build FOLDER", r.Ran, r.Ran.Digest, r.Node)
	}
	program, err := a.program(ctx, from, &skills[at])
	return &skills[at], program, err
}

// replayView is the end of a replay as JSON.
type replayView struct {
	Task     string        `json:"task_id"`
	Attempt  int           `json:"attempt"`
	Then     *hive.Failure `json:"then"`
	Now      *hive.Failure `json:"now"` // null: it completed
	Result   string        `json:"result,omitempty"`
	Same     bool          `json:"same"`
	Calls    int           `json:"calls"` // that were recorded
	Replayed int           `json:"replayed"`
	Diverged string        `json:"diverged,omitempty"`
	Doubt    string        `json:"doubt,omitempty"` // what may differ only because a secret does
}

func (a *app) showReplay(r *hive.Record, play *hostfuncs.Replay, out hive.Outcome, build bool) error {
	v := replayView{
		Task: r.ID, Attempt: play.Attempt, Then: r.Failure, Now: out.Failure, Result: string(out.Result),
		Same:  out.Failure != nil && *out.Failure == *r.Failure,
		Calls: play.Calls, Replayed: play.Replayed(), Diverged: play.Diverged(), Doubt: play.Doubt(),
	}
	a.writeLog(out.Log)
	if a.flags.json {
		if err := printJSON(a.Out, v); err != nil {
			return err
		}
	}
	if v.Doubt != "" {
		a.say("hint: %s: that may come of the secret, which is not recorded", safe(v.Doubt))
	}
	told := fmt.Sprintf("%d of %d recorded calls", v.Replayed, v.Calls)
	switch {
	case v.Diverged != "":
		return fmt.Errorf("the replay parts from what was recorded: %s", safe(v.Diverged))
	case v.Same:
		a.say("the same failure, after %s", told)
		if build {
			return errTaskFailed
		}
		return nil
	case out.Failure != nil:
		a.say("another failure, after %s: %s", told, safe(out.Failure.String()))
		return errTaskFailed
	}
	a.say("it completes, after %s", told)
	if !a.flags.json {
		if err := a.writeResult(out.Result); err != nil {
			return err
		}
	}
	if !build {
		return errTaskFailed
	}
	return nil
}
