package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

func (a *app) limitsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "limits",
		Short: "Show and set limits: tasks in a time, and tasks that run at once",
		Long: `Show limits: how many tasks are given to spores in a time, and how many run at once, in
the whole hive. Those with spores count as running, be it that they wait there.`,
		Args: wantArgs(0, 0),
		RunE: a.onRoad(a.showLimits),
	}
	cmd.AddCommand(a.limitsSetCommand(), a.limitsRemoveCommand())
	return cmd
}

// limitFlags say which tasks a limit is about.
type limitFlags struct {
	scopeFlags
	perKey bool
}

func (f *limitFlags) add(cmd *cobra.Command) {
	f.scopeFlags.add(cmd)
	cmd.Flags().BoolVar(&f.perKey, "per-key", false, "each key of the tasks by itself (nexus submit --key); tasks without one are free of it")
}

func (f *limitFlags) read() (hive.LimitScope, error) {
	scope, err := f.scopeFlags.read()
	return hive.LimitScope{Scope: scope, PerKey: f.perKey}, err
}

func (a *app) limitsSetCommand() *cobra.Command {
	var f limitFlags
	var l hive.Limit
	var rate string
	cmd := &cobra.Command{
		Use:   "set",
		Short: "Limit tasks: all, those of a skill, those of a tenant, or those of each key",
		Long: `Limit tasks: all, those of a skill, those of a tenant, or those of each key. Of several
limits that are about a task all hold. A limit that is there already is replaced.`,
		Example: `  nexus limits set --skill fetch --rate 100/s --running 20
  nexus limits set --skill fetch --per-key --rate 1/s
  nexus limits set --tenant acme --rate 10000/24h --burst 500`,
		Args: wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if l.LimitScope, err = f.read(); err != nil {
				return err
			}
			if err := readLimit(&l, rate, f.given); err != nil {
				return usageError{err}
			}
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				flow, err := road.Flow(cmd.Context())
				if err != nil {
					return err
				}
				if err := road.SetLimit(cmd.Context(), l); err != nil {
					return err
				}
				before := ""
				if was, is := flow.Limits[l.LimitScope]; is && was != l {
					before = " (before: " + limitWords(was) + ")"
				}
				a.say("%s: %s%s", l.LimitScope, limitWords(l), before)
				return nil
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&rate, "rate", "", "tasks given to spores in a time, such as 100/s, 5/m or 1000/24h")
	cmd.Flags().IntVar(&l.Burst, "burst", 0, "tasks of the rate that may be given at once (default: those of a tenth of a second)")
	cmd.Flags().IntVar(&l.Running, "running", 0, "tasks that spores may hold at once")
	return cmd
}

// readLimit reads the flags of a limit. Everything that is wrong is reported at once.
func readLimit(l *hive.Limit, rate string, given func(string) bool) error {
	var errRate, errBurst, errRunning error
	if given("rate") {
		l.Rate, l.Per, errRate = parseRate(rate)
	}
	if given("burst") && l.Burst < 1 {
		errBurst = fmt.Errorf("--burst %d: want 1 or more", l.Burst)
	}
	if given("running") && l.Running < 1 {
		errRunning = fmt.Errorf("--running %d: want 1 or more; nexus pause holds all back", l.Running)
	}
	if err := errors.Join(errRate, errBurst, errRunning); err != nil {
		return err
	}
	if !given("rate") && !given("running") {
		return errors.New("want --rate, --running, or both")
	}
	return l.Validate()
}

// parseRate reads TASKS/TIME.
func parseRate(text string) (rate int, per time.Duration, err error) {
	rate, per, ok := hive.ParseRate(text)
	switch {
	case !ok:
		return 0, 0, fmt.Errorf("--rate %.80q: want tasks in a time, such as 100/s, 5/m or 1000/24h", text)
	case rate < 1:
		return 0, 0, fmt.Errorf("--rate %.80q: want 1 task or more; nexus pause holds all back", text)
	}
	return rate, per, nil
}

// limitWords says for people how many tasks a limit allows.
func limitWords(l hive.Limit) string {
	var parts []string
	if l.Rate > 0 {
		parts = append(parts, fmt.Sprintf("%s, %d of them at once", l.RateText(), l.Depth()))
	}
	if l.Running > 0 {
		parts = append(parts, fmt.Sprintf("%d running", l.Running))
	}
	return strings.Join(parts, "; ")
}

func (a *app) limitsRemoveCommand() *cobra.Command {
	var f limitFlags
	cmd := &cobra.Command{
		Use:     "remove",
		Short:   "Remove a limit",
		Example: "  nexus limits remove --skill fetch --per-key",
		Args:    wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			scope, err := f.read()
			if err != nil {
				return err
			}
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				if err := road.RemoveLimit(cmd.Context(), scope); err != nil {
					return err
				}
				a.say("%s has no limit any more", scope)
				return nil
			})
		},
	}
	f.add(cmd)
	return cmd
}

// limitView is a limit as --json shows it.
type limitView struct {
	Skill      string `json:"skill,omitempty"`
	Tenant     string `json:"tenant,omitempty"`
	PerKey     bool   `json:"per_key"`
	Rate       int    `json:"rate,omitempty"`
	PerMS      int64  `json:"per_ms,omitempty"`
	Burst      int    `json:"burst,omitempty"`
	MaxRunning int    `json:"max_running,omitempty"`
	Running    *int   `json:"running"` // null: of each key another number
}

func (a *app) showLimits(ctx context.Context, road *broker.Broker) error {
	flow, err := road.Flow(ctx)
	if err != nil {
		return err
	}
	running, err := road.Running(ctx)
	if err != nil {
		return err
	}
	counts, err := road.RunningOf(ctx, &flow, running, map[string]broker.Class{})
	if err != nil {
		return err
	}
	limits := slices.SortedFunc(maps.Values(flow.Limits), func(x, y hive.Limit) int {
		return cmp.Or(strings.Compare(x.Tenant, y.Tenant), strings.Compare(x.Skill, y.Skill), strings.Compare(x.LimitScope.String(), y.LimitScope.String()))
	})
	views, rows := make([]limitView, len(limits)), make([][]string, len(limits))
	for i, l := range limits {
		v := limitView{Skill: l.Skill, Tenant: l.Tenant, PerKey: l.PerKey, Rate: l.Rate, PerMS: l.Per.Milliseconds(), MaxRunning: l.Running}
		row := []string{l.LimitScope.String(), "", "", ""}
		if l.Rate > 0 {
			v.Burst = l.Depth()
			row[1], row[2] = l.RateText(), strconv.Itoa(v.Burst)
		}
		if !l.PerKey {
			n := counts[broker.BucketOf(l, "")]
			v.Running, row[3] = &n, strconv.Itoa(n)
		}
		if l.Running > 0 {
			row[3] = strings.TrimSpace(row[3] + " of " + strconv.Itoa(l.Running))
		}
		views[i], rows[i] = v, row
	}
	if a.flags.json {
		return printJSON(a.Out, views)
	}
	return table(a.Out, []string{"LIMIT ON", "RATE", "BURST", "RUNNING"}, rows)
}
