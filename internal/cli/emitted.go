package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

func (a *app) watchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "watch ID",
		Short: "Follow a task: the parts of its result as they come, and how far it is",
		Long: `Follow a task until it is over. The parts that it emits go to stdout as they come, how
far it is to stderr. Parts are provisional: those of an attempt that does not
complete are void, which is said on stderr. With --json each event is a line.`,
		Args: wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withWaiter(cmd.Context(), args[0], func(ctx context.Context, c *client.Client) error {
				r, err := c.Watch(ctx, args[0], a.happened)
				if err != nil && ctx.Err() != nil {
					return context.Cause(ctx) // err blames the road for what was cut short
				}
				if err != nil {
					return err
				}
				return a.over(r)
			})
		},
	}
}

// happened shows an event of a task that is watched.
func (a *app) happened(e client.Event) {
	switch {
	case a.flags.json:
		_ = printLine(a.Out, e)
	case e.Part != nil:
		_ = a.writeResult(e.Part.Data)
	case e.Progress != nil && e.Progress.Total > 0:
		a.say("%d of %d %s", e.Progress.Done, e.Progress.Total, safe(e.Progress.Text))
	case e.Progress != nil:
		a.say("%d %s", e.Progress.Done, safe(e.Progress.Text))
	default:
		a.say("attempt %d did not complete: what it gave is void", e.Void)
	}
}

// over says how a watched task ended.
func (a *app) over(r *hive.Record) error {
	var err error
	if a.flags.json {
		err = printLine(a.Out, map[string]any{"end": newTaskView(r)})
	} else {
		a.sayEnd(r)
	}
	if r.State != hive.Completed {
		return errors.Join(err, errTaskFailed)
	}
	return err
}
