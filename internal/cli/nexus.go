package cli

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
)

// Nexus runs the nexus program and returns its exit code.
func Nexus(args []string, streams IO) int {
	a := &app{IO: streams, name: "nexus"}
	root := &cobra.Command{
		Use:   "nexus",
		Short: "The master of a hive, and the tool to use one",
		Long: `The Hive runs small tasks on many machines, each in a WebAssembly sandbox of its
own. nexus is its master and the tool to use it; spore is the worker.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a task failed, 4 Redis is
unreachable, 130 interrupted.`,
	}
	onlyCommands(root)
	a.addGlobalFlags(root)
	root.PersistentFlags().BoolVar(&a.flags.json, "json", false, "print data as JSON")
	root.AddCommand(
		a.runCommand(), a.devCommand(), a.serveCommand(),
		a.submitCommand(), a.statusCommand(), a.whyCommand(), a.resultCommand(), a.waitCommand(), a.watchCommand(),
		a.cancelCommand(), a.retryCommand(), a.deleteCommand(), a.replayCommand(), a.tasksCommand(),
		a.nodesCommand(), a.queuesCommand(), a.pauseCommand(), a.resumeCommand(), a.tenantsCommand(), a.limitsCommand(), a.cronCommand(), a.zombiesCommand(), a.broadcastCommand(),
		a.skillCommand(), a.bundleCommand(), a.rolloutCommand(), a.keysCommand(), a.auditCommand(), a.doctorCommand(), a.benchCommand(), a.configCommand(), a.versionCommand(), a.admitCommand(),
	)
	return a.run(root, args)
}

func (a *app) addGlobalFlags(root *cobra.Command) {
	root.PersistentFlags().StringVar(&a.flags.config, "config", "", "path of a hive.toml (default: $HIVE_CONFIG, else none)")
	root.PersistentFlags().StringVar(&a.flags.redis, "redis", "", "where Redis is: redis://, rediss:// (TLS) or unix:// (a password belongs into REDIS_PASSWORD)")
	root.PersistentFlags().BoolVar(&a.flags.insecure, "insecure", false, "allow a Redis on another machine without TLS or password")
}

// wantArgs checks the number of arguments; most < 0 means any.
func wantArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case slices.Contains(args, ""):
			return usagef("an argument is empty, perhaps a variable that is not set; usage: %s", cmd.UseLine())
		case len(args) >= least && (most < 0 || len(args) <= most):
			return nil
		}
		return usagef("usage: %s", cmd.UseLine())
	}
}

// onlyCommands makes cmd a name for its commands and nothing by itself.
func onlyCommands(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("which command? (%s --help lists them)", cmd.CommandPath())
		}
		return usagef("unknown command %q (%s --help lists them)", args[0], cmd.CommandPath())
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  wantArgs(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if a.flags.json {
				return printJSON(a.Out, map[string]string{"program": a.name, "version": version()})
			}
			_, err := fmt.Fprintln(a.Out, a.name, version())
			return err
		},
	}
}

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += " " + s.Value
		}
	}
	return text + " " + info.GoVersion
}

// issuer names this process in control commands.
func issuer() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("nexus@%s:%d", host, os.Getpid())
}

// onRoadArgs is a command that needs the road.
func (a *app) onRoadArgs(f func(context.Context, *broker.Broker, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return a.withRoad(cmd.Context(), func(road *broker.Broker) error { return f(cmd.Context(), road, args) })
	}
}

// onRoad is onRoadArgs for a command without arguments.
func (a *app) onRoad(f func(context.Context, *broker.Broker) error) func(*cobra.Command, []string) error {
	return a.onRoadArgs(func(ctx context.Context, road *broker.Broker, _ []string) error { return f(ctx, road) })
}

// withRoad dials the configured road, or the one at the usual address.
func (a *app) withRoad(ctx context.Context, f func(*broker.Broker) error) error {
	if err := a.configure(); err != nil {
		return err
	}
	road, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer road.Close()
	return f(road)
}

func (a *app) withClient(ctx context.Context, f func(*client.Client) error) error {
	return a.withRoad(ctx, func(road *broker.Broker) error {
		c := a.client(road)
		defer c.Close()
		return f(c)
	})
}

// withWaiter is withClient for what waits for a task.
func (a *app) withWaiter(ctx context.Context, id string, f func(context.Context, *client.Client) error) error {
	return a.withRoad(ctx, func(road *broker.Broker) error {
		o := a.clientOptions()
		o.Apart = true
		c := client.New(road, o)
		defer c.Close()
		l := lookout{app: a, road: road, lane: laneOfTask(road, id), clear: func() {}}
		return l.waiting(ctx, func(ctx context.Context) error { return f(ctx, c) })
	})
}

func (a *app) client(road *broker.Broker) *client.Client {
	return client.New(road, a.clientOptions())
}

func (a *app) clientOptions() client.Options {
	return client.Options{Timeout: a.cfg.Queue.TaskTimeout, Retries: a.cfg.Queue.Retries()}
}
