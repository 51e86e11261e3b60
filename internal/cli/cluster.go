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
)

func (a *app) nodesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "nodes",
		Short: "Show the spores and their load",
		Long:  "Show the spores and their load. The load score is 100 × (0.4·cpu + 0.3·memory + 0.3·active/10); the lowest gets the next task.",
		Args:  wantArgs(0, 0),
		RunE: a.onRoad(func(ctx context.Context, road *broker.Broker) error {
			nodes, err := road.Nodes(ctx)
			if err != nil {
				return err
			}
			status := hive.NewClusterStatus(nodes)
			if a.flags.json {
				return printJSON(a.Out, status)
			}
			return a.showNodes(status)
		}),
	}
}

func (a *app) showNodes(c hive.ClusterStatus) error {
	rows := make([][]string, len(c.Nodes))
	for i, n := range c.Nodes {
		state := "online"
		switch {
		case !n.Online:
			state = "offline"
		case n.Draining:
			state = "draining"
		}
		rows[i] = []string{n.ID, state, fmt.Sprintf("%.1f", n.LoadScore), percent(n.CPU), percent(n.Memory),
			fmt.Sprintf("%d/%d", n.Active, n.Slots), n.Tags.String(), strings.Join(n.Skills, " ")}
	}
	err := table(a.Out, []string{"SPORE", "STATE", "SCORE", "CPU", "MEMORY", "ACTIVE/SLOTS", "TAGS", "SKILLS"}, rows)
	fmt.Fprintf(a.Err, "%s, %d online, %d tasks active\n", plural(c.Total, "spore"), c.Online, c.Active)
	return err
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

func (a *app) queuesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "queues",
		Short: "Count tasks by state, and show what is paused",
		Args:  wantArgs(0, 0),
		RunE: a.onRoad(func(ctx context.Context, road *broker.Broker) error {
			s, err := road.Stats(ctx)
			if err != nil {
				return err
			}
			flow, err := road.Flow(ctx)
			if err != nil {
				return err
			}
			pauses := pausesAt(&flow)
			if a.flags.json {
				return printJSON(a.Out, struct {
					hive.Stats
					Paused []pauseView `json:"paused"`
				}{s, pauseViews(pauses)})
			}
			rows := [][]string{}
			for _, r := range []struct {
				name string
				n    int64
			}{
				{"high priority queue", s.High}, {"background queue", s.Background}, {"scheduled", s.Scheduled},
				{"blocked", s.Blocked}, {"pending", s.Pending}, {"assigned", s.Assigned}, {"running", s.Running},
				{"completed", s.Completed}, {"failed", s.Failed}, {"cancelled", s.Cancelled},
				{"mended", s.Mended}, {"foreign", s.Foreign},
			} {
				rows = append(rows, []string{r.name, fmt.Sprint(r.n)})
			}
			for _, p := range pauses {
				rows = append(rows, []string{"paused", p.Scope.String() + untilText(stamp(p.Until))})
			}
			return table(a.Out, nil, rows)
		}),
	}
}

func (a *app) zombiesCommand() *cobra.Command {
	var after time.Duration
	cmd := &cobra.Command{
		Use:   "zombies",
		Short: "List tasks that have been running for suspiciously long",
		Long: `List tasks that have been running for suspiciously long. They are only listed: a
task is taken back when its spore's lease ends or its own timeout has passed.`,
		Args: wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := wantTime(cmd, "after", after); err != nil {
				return err
			}
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				if after == 0 {
					after = a.cfg.Queue.ZombieTimeout
				}
				zombies, err := road.Zombies(cmd.Context(), after)
				if err != nil {
					return err
				}
				return a.showZombies(zombies)
			})
		},
	}
	cmd.Flags().DurationVar(&after, "after", 0, "running time from which a task is listed (default: queue.zombie_timeout)")
	return cmd
}

func (a *app) showZombies(zombies []hive.Zombie) error {
	slices.SortFunc(zombies, func(x, y hive.Zombie) int { return strings.Compare(x.ID, y.ID) })
	if a.flags.json {
		type view struct {
			hive.Zombie
			ElapsedMS int64 `json:"elapsed_ms"`
		}
		views := make([]view, len(zombies))
		for i, z := range zombies {
			views[i] = view{z, z.Elapsed.Milliseconds()}
		}
		return printJSON(a.Out, views)
	}
	rows := make([][]string, len(zombies))
	for i, z := range zombies {
		rows[i] = []string{z.ID, z.Node, z.Elapsed.Round(time.Second).String()}
	}
	return table(a.Out, []string{"TASK", "SPORE", "RUNNING FOR"}, rows)
}
