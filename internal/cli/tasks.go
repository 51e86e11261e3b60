package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status ID",
		Short: "Show a task, and why it waits",
		Args:  wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error { return a.status(cmd.Context(), road, args[0]) })
		},
	}
}

func (a *app) status(ctx context.Context, road *broker.Broker, id string) error {
	r, err := road.Status(ctx, id)
	if err != nil {
		return err
	}
	now, err := road.Now(ctx)
	if err != nil {
		return err
	}
	v := newTaskView(r)
	if r.State == hive.Scheduled {
		v.Why = "for its time"
	}
	if r.State == hive.Pending {
		w, err := whyPending(ctx, road, r)
		if err != nil {
			return err
		}
		v.Why = w.Why
	}
	if a.flags.json {
		return printJSON(a.Out, v)
	}
	return table(a.Out, nil, statusRows(r, v, now))
}

// statusRows are about a task at a time by Redis' clock, which the record's are by.
func statusRows(r *hive.Record, v taskView, now time.Time) [][]string {
	rows := [][]string{
		{"task", v.ID}, {"skill", v.Skill}, {"status", string(v.Status)},
		{"priority", fmt.Sprint(int(v.Priority))},
		{"attempts", fmt.Sprintf("%d, of which failed %d (it survives %d)", v.Attempts, v.Failures, v.MaxRetries)},
		{"created", ago(now, r.Created)},
	}
	more := func(shown bool, name, text string) {
		if shown {
			rows = append(rows, []string{name, text})
		}
	}
	more(v.Require != "", "requires", v.Require)
	more(v.Tenant != "", "tenant", v.Tenant)
	more(v.Key != "", "key", v.Key)
	more(v.Why != "", "waits", v.Why)
	more(r.Node != "", "spore", r.Node)
	more(!r.Due.IsZero(), "due", "in "+max(0, r.Due.Sub(now)).Round(time.Second).String())
	more(!r.Deadline.IsZero() && !r.State.Final(), "deadline", "in "+max(0, r.Deadline.Sub(now)).Round(time.Second).String())
	more(r.Unique != "", "unique", safe(r.Unique))
	more(!r.Started.IsZero(), "started", ago(now, r.Started))
	more(!r.Finished.IsZero(), "finished", ago(now, r.Finished))
	more(r.Elapsed > 0, "took", r.Elapsed.String())
	more(r.Receipt != (hive.Receipt{}), "used", receiptText(r.Receipt))
	more(v.Ran != "", "ran", v.Ran+" "+v.RanDigest)
	more(r.Failure != nil, "error", fmt.Sprint(r.Failure))
	more(r.Recorded > 0, "replay", "nexus replay "+v.ID+" runs the failure again here")
	for line := range strings.Lines(v.Log) {
		rows = append(rows, []string{"log", strings.TrimRight(line, "\n")})
	}
	more(!v.Payload.None(), "payload", fmt.Sprintf("%d bytes, %s", v.Payload.Size, v.Payload.Digest))
	more(!v.Apart.None(), "result", fmt.Sprintf("%d bytes, %s", v.Apart.Size, v.Apart.Digest))
	more(v.Status == hive.Completed && v.Apart.None(), "result", hive.Clip(string(r.Result), 2000))
	return rows
}

func (a *app) resultCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "result ID",
		Short: "Print the result of a completed task",
		Args:  wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				r, err := road.Status(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if !r.State.Final() {
					return fmt.Errorf("task %s is %s: it has no result yet (nexus wait %s waits for it)", r.ID, r.State, r.ID)
				}
				return a.showOutcome(cmd.Context(), road, r)
			})
		},
	}
}

func (a *app) waitCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "wait ID",
		Short: "Wait until a task is over and print its result",
		Args:  wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := wantTime(cmd, "timeout", timeout); err != nil {
				return err
			}
			return a.withWaiter(cmd.Context(), args[0], func(ctx context.Context, c *client.Client) error {
				if timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("task %s is not over after %v", args[0], timeout))
					defer cancel()
				}
				r, err := c.Wait(ctx, args[0])
				if err != nil && ctx.Err() != nil {
					return context.Cause(ctx) // err blames the road for what was cut short
				}
				if err != nil {
					return err
				}
				return a.showOutcome(ctx, c, r)
			})
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "give up after this time (default: never)")
	return cmd
}

func (a *app) tasksCommand() *cobra.Command {
	var f filterFlags
	var from string
	var limit int
	cmd := &cobra.Command{
		Use:   "tasks",
		Short: "List tasks, newest first",
		Long: `List tasks, newest first. Finished tasks are listed as long as they are kept.
An assigned task is listed as pending here; nexus status tells them apart.`,
		Example: `  nexus tasks --state failed --skill fetch --after 1h
  nexus tasks --limit 1000 --from d23tg6t29efm5py1jgcmw5`,
		Args: wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return usagef("--limit %d: want 1 or more", limit)
			}
			if cmd.Flags().Changed("from") {
				if err := hive.CheckID(from); err != nil {
					return usageError{fmt.Errorf("--from: %w", err)}
				}
			}
			if _, err := f.read(time.Now()); err != nil {
				return err
			}
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				now, err := road.Now(cmd.Context())
				if err != nil {
					return err
				}
				want, err := f.read(now)
				if err != nil {
					return err
				}
				var last *hive.Record
				if from != "" {
					if last, err = road.Status(cmd.Context(), from); err != nil {
						return err
					}
				}
				return a.listTasks(cmd.Context(), road, now, limit, func(r *hive.Record) bool {
					return (last == nil || newest(last, r) < 0) && want(r)
				})
			})
		},
	}
	f.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 50, "at most so many")
	cmd.Flags().StringVar(&from, "from", "", "go on behind the task of this id, the last one of the page before")
	return cmd
}

// newest orders tasks by when they were made, and those of one millisecond by their ids.
func newest(x, y *hive.Record) int {
	return cmp.Or(y.Created.Compare(x.Created), strings.Compare(y.ID, x.ID))
}

func (a *app) listTasks(ctx context.Context, road *broker.Broker, now time.Time, limit int, want func(*hive.Record) bool) error {
	var found []*hive.Record
	err := road.Tasks(ctx, func(r *hive.Record) bool {
		if !want(r) {
			return true
		}
		r.Payload, r.Result, r.Log = nil, nil, nil // the list holds many
		if found = append(found, r); len(found) >= 2*limit {
			slices.SortFunc(found, newest)
			found = found[:limit]
		}
		return true
	})
	if err != nil {
		return err
	}
	slices.SortFunc(found, newest)
	found = found[:min(limit, len(found))]
	if a.flags.json {
		views := make([]taskView, len(found))
		for i, r := range found {
			views[i] = newTaskView(r)
		}
		return printJSON(a.Out, views)
	}
	rows := make([][]string, len(found))
	for i, r := range found {
		note := ""
		if r.Failure != nil {
			note = hive.Clip(r.Failure.String(), 60)
		}
		rows[i] = []string{r.ID, r.Task.Skill.String(), string(r.State), fmt.Sprint(int(r.Priority)), fmt.Sprint(r.Attempts), r.Node, ago(now, r.Created), note}
	}
	return table(a.Out, []string{"TASK", "SKILL", "STATUS", "PRIORITY", "ATTEMPTS", "SPORE", "CREATED", "ERROR"}, rows)
}
