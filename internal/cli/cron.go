package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/schedule"
)

func (a *app) cronCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cron",
		Short: "Make tasks again and again, by a schedule",
		Long: `Make tasks again and again, by a schedule. The nexus that leads makes each once,
also when another one takes the lead.`,
	}
	onlyCommands(cmd)
	cmd.AddCommand(a.cronAddCommand(), a.cronListCommand(), a.cronRemoveCommand(), a.cronRunCommand())
	return cmd
}

func (a *app) cronAddCommand() *cobra.Command {
	var f taskFlags
	var keep keepFlags
	var c hive.Cron
	var payload, catchUp string
	var replace bool
	cmd := &cobra.Command{
		Use:   "add NAME SCHEDULE SKILL",
		Short: "Add a cron",
		Long: `Add a cron. SCHEDULE is five fields (minute, hour, day, month, weekday), @hourly,
@daily, @weekly, @monthly, @yearly or "@every 90m". What falls into an hour that clocks
skip is due an hour later by them; what falls into one that they repeat is due once.`,
		Example: `  nexus cron add nightly "30 2 * * *" fetch --zone Europe/Berlin --payload '{"url":"https://example.com"}'
  nexus cron add poll "@every 5m" fetch --payload @job.json --unique poll --catch-up skip`,
		Args: wantArgs(3, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.configure(); err != nil {
				return err
			}
			var err error
			if c.Task, err = f.task(a.cfg); err != nil {
				return err
			}
			c.Name, c.Schedule, c.CatchUp = args[0], args[1], hive.CatchUp(catchUp)
			if c.Task.Skill, err = hive.ParseSkillRef(args[2]); err != nil {
				return usageError{err}
			}
			if c.Task.Payload, err = a.readPayload(payload); err != nil {
				return err
			}
			if err := keep.enter(&c.Task); err != nil {
				return usageError{err}
			}
			times, err := schedule.Parse(c.Schedule, c.Zone)
			if err == nil {
				err = c.Validate()
			}
			if err != nil {
				return usageError{err}
			}
			return a.withClient(cmd.Context(), func(cl *client.Client) error {
				if err := cl.AddCron(cmd.Context(), &c, replace); err != nil {
					return err
				}
				now, err := cl.Now(cmd.Context())
				if err == nil {
					a.say("cron %s is due next at %s", c.Name, times.Next(now).Format(time.RFC3339))
				}
				return err
			})
		},
	}
	f.add(cmd)
	keep.add(cmd)
	cmd.Flags().StringVar(&payload, "payload", "", "TEXT, @FILE, or - for standard input")
	cmd.Flags().StringVar(&c.Zone, "zone", "UTC", "time zone of the schedule, such as Europe/Berlin")
	cmd.Flags().StringVar(&catchUp, "catch-up", string(hive.CatchUpOnce), "what of times that passed while no nexus led: once (one task for all), skip, or all (the last 1000)")
	cmd.Flags().BoolVar(&replace, "replace", false, "take the place of a cron of this name")
	return cmd
}

// cronView is a cron as --json shows it.
type cronView struct {
	Name     string        `json:"name"`
	Schedule string        `json:"schedule"`
	Zone     string        `json:"zone"`
	CatchUp  hive.CatchUp  `json:"catch_up"`
	Skill    string        `json:"skill"`
	Priority hive.Priority `json:"priority"`
	Tenant   string        `json:"tenant,omitempty"`
	Unique   string        `json:"unique,omitempty"`
	Next     *time.Time    `json:"next"`
	Last     *time.Time    `json:"last"` // that was looked after
}

func (a *app) cronListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List crons, and when they are due",
		Args:  wantArgs(0, 0),
		RunE: a.onRoad(func(ctx context.Context, road *broker.Broker) error {
			crons, err := road.Crons(ctx)
			if err != nil {
				return err
			}
			slices.SortFunc(crons, func(x, y hive.Cron) int { return strings.Compare(x.Name, y.Name) })
			views, rows := make([]cronView, len(crons)), make([][]string, len(crons))
			for i, c := range crons {
				next := "never"
				v := cronView{Name: c.Name, Schedule: c.Schedule, Zone: c.Zone, CatchUp: c.CatchUp, Skill: c.Task.Skill.String(),
					Priority: c.Task.Priority, Tenant: c.Task.Tenant, Unique: c.Task.Unique, Last: stamp(c.Last)}
				if times, err := schedule.Parse(c.Schedule, c.Zone); err == nil {
					at := times.Next(c.Last)
					v.Next, next = stamp(at), at.Format(time.RFC3339)
				}
				views[i], rows[i] = v, []string{v.Name, v.Schedule, v.Zone, v.Skill, next, string(v.CatchUp)}
			}
			if a.flags.json {
				return printJSON(a.Out, views)
			}
			return table(a.Out, []string{"CRON", "SCHEDULE", "ZONE", "SKILL", "NEXT", "CATCH-UP"}, rows)
		}),
	}
}

func (a *app) cronRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a cron; tasks that it has made go on",
		Args:  wantArgs(1, 1),
		RunE: a.onRoadArgs(func(ctx context.Context, road *broker.Broker, args []string) error {
			if err := road.RemoveCron(ctx, args[0]); err != nil {
				return err
			}
			a.say("cron %s is removed", safe(args[0]))
			return nil
		}),
	}
}

func (a *app) cronRunCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run NAME",
		Short: "Make a cron's task now, beside its schedule",
		Args:  wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client.Client) error {
				crons, err := c.Crons(cmd.Context())
				if err != nil {
					return err
				}
				i := slices.IndexFunc(crons, func(c hive.Cron) bool { return c.Name == args[0] })
				if i < 0 {
					return fmt.Errorf("cron %.80s: %w", args[0], hive.ErrNotFound)
				}
				return a.put(cmd.Context(), c, crons[i].Task)
			})
		},
	}
}
