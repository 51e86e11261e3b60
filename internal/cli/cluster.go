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
		Short: "Count tasks by state",
		Args:  wantArgs(0, 0),
		RunE: a.onRoad(func(ctx context.Context, road *broker.Broker) error {
			s, err := road.Stats(ctx)
			if err != nil {
				return err
			}
			if a.flags.json {
				return printJSON(a.Out, s)
			}
			rows := [][]string{}
			for _, r := range []struct {
				name string
				n    int64
			}{
				{"high priority queue", s.High}, {"background queue", s.Background}, {"scheduled", s.Scheduled},
				{"blocked", s.Blocked}, {"pending", s.Pending}, {"assigned", s.Assigned}, {"running", s.Running},
				{"completed", s.Completed}, {"failed", s.Failed}, {"cancelled", s.Cancelled},
			} {
				rows = append(rows, []string{r.name, fmt.Sprint(r.n)})
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
			if after < 0 {
				return usagef("--after %v: want more than 0", after)
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

// answersFor is how long answers to a ping are collected.
const answersFor = time.Second

func (a *app) broadcastCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "broadcast PING|DRAIN",
		Short: "Tell all spores a command",
		Long: `Tell all spores a command: PING (who answers, and how fast) or DRAIN (take no more
tasks; restart a spore to end it). A broadcast is a hint that can be lost.`,
		Args: wantArgs(1, 1),
		RunE: a.onRoadArgs(func(ctx context.Context, road *broker.Broker, args []string) error {
			switch command := hive.Command(strings.ToUpper(args[0])); command {
			case hive.CommandPing:
				return a.ping(ctx, road)
			case hive.CommandDrain:
				_, err := road.BroadcastControl(ctx, issuer(), command, nil)
				return err
			default:
				return usagef("broadcast %q: spores follow PING and DRAIN", args[0])
			}
		}),
	}
}

// pong is one answer to a ping.
type pong struct {
	Node string  `json:"node_id"`
	MS   float64 `json:"ms"`
}

func (a *app) ping(ctx context.Context, road *broker.Broker) error {
	nodes, err := road.Nodes(ctx)
	if err != nil {
		return err
	}
	online := hive.NewClusterStatus(nodes).Online
	inbox := hive.NewID()
	defer road.CloseInbox(context.WithoutCancel(ctx), inbox)
	begun := time.Now()
	if _, err := road.BroadcastControl(ctx, issuer(), hive.CommandPing, broker.PingData{ReplyTo: inbox}); err != nil {
		return err
	}
	answers := []pong{}
	for len(answers) < online && time.Since(begun) < answersFor {
		answered, err := road.Answers(ctx, inbox, answersFor-time.Since(begun))
		if err != nil {
			return err
		}
		ms := float64(time.Since(begun).Microseconds()) / 1000
		for _, node := range answered {
			answers = append(answers, pong{node, ms})
		}
	}
	if a.flags.json {
		return printJSON(a.Out, answers)
	}
	rows := make([][]string, len(answers))
	for i, p := range answers {
		rows[i] = []string{p.Node, fmt.Sprintf("%.1f ms", p.MS)}
	}
	err = table(a.Out, []string{"SPORE", "ANSWERED AFTER"}, rows)
	a.say("%d of %s answered", len(answers), plural(online, "online spore"))
	return err
}
