package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/config"
	"github.com/hive-spore/hive/internal/embedded"
	"github.com/hive-spore/hive/spore"
)

// devAddr is where other commands look for a road by default.
const devAddr = config.DefaultRoad + ":6379"

// stopper is a daemon that has been started.
type stopper interface{ Stop(context.Context) error }

// leaveFor is how long a daemon may take to leave the road when all that it did is over.
const leaveFor = 5 * time.Second

// untilSignal waits for the first signal, then lets the daemon finish what it
// does; a second signal cuts that short. A road that is silent keeps it no longer than
// what runs may take.
func (a *app) untilSignal(ctx context.Context, road *broker.Broker, grace time.Duration, d stopper) error {
	road.LogTo(a.logger())
	<-ctx.Done()
	a.logger().Info("stopping: what runs may finish, a second signal cuts it short")
	road.CloseIn(grace + leaveFor)
	stopping := a.signals.next()
	defer context.AfterFunc(stopping, func() { road.CloseIn(leaveFor) })()
	if err := d.Stop(stopping); err != nil {
		return stopError{err}
	}
	return nil
}

// stopError is what went wrong after a signal had ended a daemon's work.
type stopError struct{ error }

func (e stopError) Unwrap() error { return e.error }

const devLong = `Run a whole hive in this process: a road in memory, a nexus and a spore. Skills
(folders or .wasm files) are registered. Nothing is kept: when the process ends,
so do the tasks. With an address for Redis, that is the road instead.

With --watch a skill is built again when a file in its folder is saved, and takes
the place of what it was: attempts that run end on the old program, those that
begin after the line "… is now sha256:…" run the new. What does not build is said,
and the old program stays. DIR is a skill folder, a .wasm file, or a folder of skill
folders, to which more may come. The version of a watched skill is its own and
-watch: tasks that name no version get it where no release is registered.`

func (a *app) devCommand() *cobra.Command {
	var slots int
	var watch []string
	cmd := &cobra.Command{
		Use:     "dev [SKILL...]",
		Short:   "Run a whole hive in this process, for development",
		Long:    devLong,
		Example: "  nexus dev --watch skills\n  nexus submit wordcount --payload 'hello hive' --wait",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkSlots(slots); err != nil {
				return err
			}
			return a.dev(cmd.Context(), slots, watch, args)
		},
	}
	cmd.Flags().IntVar(&slots, "slots", 0, "tasks at once (default: one per core)")
	cmd.Flags().StringArrayVar(&watch, "watch", nil, "skill folder, or folder of such, to rebuild and swap as it is saved (repeatable)")
	return cmd
}

// checkSlots is about --slots where the spore runs in this process.
func checkSlots(n int) error {
	if n < 0 {
		return usagef("--slots %d: want 1 or more", n)
	}
	return nil
}

func (a *app) dev(ctx context.Context, slots int, watch, skills []string) error {
	a.signals.patient.Store(true)
	if err := a.configure(); err != nil {
		return err
	}
	w, err := a.newWatcher(watch)
	if err != nil {
		return err
	}
	tune()
	h, err := a.embed(ctx, slots)
	if err != nil {
		return err
	}
	for _, arg := range skills {
		skill, err := a.resolve(ctx, h.Road, h.Register, arg)
		if err != nil {
			stopped, cancel := context.WithCancel(context.Background())
			cancel()
			return errors.Join(err, h.Stop(stopped))
		}
		a.say("registered %s", skill.ID())
	}
	if err := a.writeDevConfig(h); err != nil {
		a.say("hint: other commands cannot be told of it: %v", err)
	}
	w.begin(ctx, h)
	if addr := h.Addr(); addr == "" {
		a.say("a nexus and a spore are running on %s", a.where())
	} else if a.say("a hive is running in memory at redis://%s: nothing is kept", addr); addr != devAddr {
		a.say("hint: %s is in use; tell other commands --redis redis://%s", devAddr, addr)
	}
	var watching sync.WaitGroup
	defer watching.Wait() // it ends with ctx
	if len(watch) > 0 {
		watching.Go(func() { w.run(ctx) })
	}
	return a.untilSignal(ctx, h.Road, a.cfg.Spore.Grace, h)
}

// embed starts a hive in this process, on the configured road if there is one.
func (a *app) embed(ctx context.Context, slots int) (*embedded.Hive, error) {
	own, err := a.sporeOptions()
	if err != nil {
		return nil, err
	}
	o := embedded.Options{Log: a.logger(), Listen: devAddr, Spore: own}
	if slots != 0 {
		o.Spore.Slots = slots
	}
	if a.cfg.HasRoad() {
		road, err := a.roadOptions()
		if err != nil {
			return nil, err
		}
		o.Road = road
	}
	return embedded.Start(ctx, o)
}

// Spore runs the spore program and returns its exit code.
func Spore(args []string, streams IO) int {
	a := &app{IO: streams, name: "spore"}
	var name, tags, metrics string
	var slots int
	var from sourceFlags
	root := &cobra.Command{
		Use:   "spore",
		Short: "A worker of a hive",
		Long: `A worker of a hive: it takes tasks from the road and runs each in a sandbox of its
own. Its skills come in bundles from a repository, and only those that the publisher
signed: trust starts with the publisher's root.json, a file that you bring here. The
first SIGINT, SIGTERM or SIGHUP lets running tasks finish, the second hands them back at
once.

Exit codes: 0 done, 1 failed, 2 wrong usage, 4 Redis is unreachable.`,
		Args: wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			offered, err := hive.ParseTags(tags)
			if err != nil {
				return usageError{fmt.Errorf("--tags: %w", err)}
			}
			if metrics != "" {
				if err := config.CheckListen(metrics); err != nil {
					return usageError{fmt.Errorf("--metrics: %w", err)}
				}
			}
			return a.spore(cmd.Context(), spore.Options{Name: name, Tags: offered, Slots: slots}, from, metrics)
		},
	}
	a.addGlobalFlags(root)
	root.Flags().StringVar(&name, "name", "", "name of this spore, unique in the hive (default: the host's and a random suffix)")
	root.Flags().StringVar(&tags, "tags", "", "what it offers, such as gpu=true,zone=eu, beside the detected os, arch, cores, mem_gb and gpu")
	root.Flags().IntVar(&slots, "slots", 0, "tasks at once (default: one per core)")
	from.add(root)
	root.Flags().StringVar(&metrics, "metrics", "", "HOST:PORT at which it answers GET /metrics for Prometheus (default: nowhere)")
	root.AddCommand(a.versionCommand(), a.admitCommand())
	return a.run(root, args)
}

// spore runs the daemon with the configured options; those that flags gave win.
func (a *app) spore(ctx context.Context, flags spore.Options, from sourceFlags, metrics string) error {
	tune()
	a.signals.patient.Store(true)
	return a.withRoad(ctx, func(road *broker.Broker) error {
		o, err := a.sporeOptions()
		if err != nil {
			return err
		}
		o.Road, o.Log = road, a.logger()
		if flags.Name != "" {
			o.Name = flags.Name
		}
		if flags.Slots != 0 {
			o.Slots = flags.Slots
		}
		o.Tags = maps.Clone(o.Tags)
		maps.Copy(o.Tags, flags.Tags)
		unlock, err := a.bundlesFor(&o, from)
		if err != nil {
			return err
		}
		defer unlock()
		if err := o.Validate(); err != nil {
			return usageError{err}
		}
		s, err := spore.New(o)
		if err != nil {
			return err
		}
		closeMetrics, err := serveMetrics(o.Log, cmp.Or(metrics, a.cfg.Spore.Metrics), s.Metrics())
		if err != nil {
			return errors.Join(err, s.Stop(ctx))
		}
		defer closeMetrics()
		if err := s.Start(ctx); err != nil {
			return err
		}
		ctx, free := orTold(ctx, s)
		defer free()
		return a.untilSignal(ctx, road, a.cfg.Spore.Grace, s)
	})
}
