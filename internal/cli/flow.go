package cli

import (
	"cmp"
	"context"
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

// scopeFlags say which tasks a command is about.
type scopeFlags struct {
	scope hive.Scope
	given func(flag string) bool
}

func (f *scopeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.scope.Skill, "skill", "", "only tasks of this skill, whatever its version")
	cmd.Flags().StringVar(&f.scope.Tenant, "tenant", "", "only tasks of this tenant")
	f.given = cmd.Flags().Changed
}

// read returns the scope.
func (f *scopeFlags) read() (hive.Scope, error) {
	if err := wantNoneEmpty(f.given, [2]string{"skill", f.scope.Skill}, [2]string{"tenant", f.scope.Tenant}); err != nil {
		return f.scope, usageError{err}
	}
	if f.scope.Skill != "" && f.scope.Tenant != "" {
		return f.scope, usagef("--skill and --tenant: want one of them")
	}
	if err := f.scope.Validate(); err != nil {
		return f.scope, usageError{err}
	}
	return f.scope, nil
}

func (a *app) pauseCommand() *cobra.Command {
	var f scopeFlags
	var until string
	cmd := &cobra.Command{
		Use:   "pause",
		Short: "Hold tasks back: all, those of a skill or those of a tenant",
		Long: `Hold tasks back: all, those of a skill or those of a tenant. They can be submitted
and wait; what spores hold already goes on. nexus queues shows what is paused.`,
		Example: `  nexus pause --skill fetch --until 30m
  nexus pause
  nexus resume`,
		Args: wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			scope, err := f.read()
			if err != nil {
				return err
			}
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				p := hive.Pause{Scope: scope}
				if f.given("until") {
					now, err := road.Now(cmd.Context())
					if err != nil {
						return err
					}
					if p.Until, err = parseUntil("--until", until, now); err != nil {
						return usageError{err}
					}
					if p.Over(now) {
						return usagef("--until %s: that is past: nothing would be held back", until)
					}
				}
				if err := road.Pause(cmd.Context(), p.Scope, p.Until); err != nil {
					return err
				}
				a.say("%s", p)
				return nil
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&until, "until", "", "end the pause at a time, or so long from now (default: by nexus resume)")
	return cmd
}

func (a *app) resumeCommand() *cobra.Command {
	var f scopeFlags
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "End a pause",
		Long:  "End a pause. Each is ended as it was made: what is paused by its skill and by its tenant waits for both.",
		Args:  wantArgs(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			scope, err := f.read()
			if err != nil {
				return err
			}
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				if err := road.Resume(cmd.Context(), scope); err != nil {
					return err
				}
				a.say("%s goes on", scope)
				return nil
			})
		},
	}
	f.add(cmd)
	return cmd
}

// pauseView is a pause as --json shows it.
type pauseView struct {
	Skill  string     `json:"skill,omitempty"`
	Tenant string     `json:"tenant,omitempty"`
	Since  *time.Time `json:"since"`
	Until  *time.Time `json:"until,omitempty"`
}

// pausesAt are those that are not over, the widest first.
func pausesAt(f *hive.Flow) []hive.Pause {
	pauses := slices.DeleteFunc(slices.Collect(maps.Values(f.Pauses)), func(p hive.Pause) bool { return p.Over(f.At) })
	slices.SortFunc(pauses, func(x, y hive.Pause) int {
		return cmp.Or(strings.Compare(x.Tenant, y.Tenant), strings.Compare(x.Skill, y.Skill))
	})
	return pauses
}

func pauseViews(pauses []hive.Pause) []pauseView {
	views := make([]pauseView, len(pauses))
	for i, p := range pauses {
		views[i] = pauseView{p.Skill, p.Tenant, stamp(p.Since), stamp(p.Until)}
	}
	return views
}

func (a *app) tenantsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tenants",
		Short: "Show tenants, and weigh them against each other",
		Long: `Show the tenants that have tasks waiting, a weight or a pause. Of the tasks of one
priority, each tenant gets as large a share of the spores as its weight says. Tasks
without --tenant are those of a tenant too, which is shown as "-".`,
		Args: wantArgs(0, 0),
		RunE: a.onRoad(a.showTenants),
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "weigh TENANT WEIGHT",
		Short:   "Give a tenant a weight, 1 to 1000; \"-\" is who names none",
		Example: "  nexus tenants weigh acme 7",
		Args:    wantArgs(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			weight, err := strconv.Atoi(args[1])
			if err != nil {
				return usagef("weight %.80q: want 1 to %d", args[1], hive.MaxWeight)
			}
			name := tenantNamed(args[0])
			if err := cmp.Or(hive.CheckTenant(name), hive.CheckWeight(weight)); err != nil {
				return usageError{err}
			}
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				if err := road.SetWeight(cmd.Context(), name, weight); err != nil {
					return err
				}
				a.say("tenant %s weighs %d", args[0], weight)
				return nil
			})
		},
	})
	return cmd
}

// tenantView is a tenant as --json shows it.
type tenantView struct {
	Tenant  string     `json:"tenant"`
	Weight  int        `json:"weight"`
	Waiting int        `json:"tasks_waiting"`
	Paused  *pauseView `json:"paused,omitempty"`
}

func (a *app) showTenants(ctx context.Context, road *broker.Broker) error {
	flow, err := road.Flow(ctx)
	if err != nil {
		return err
	}
	lanes, err := road.ActiveLanes(ctx)
	if err != nil {
		return err
	}
	waiting := map[string]int{}
	for tenant := range flow.Weights {
		waiting[tenant] = 0
	}
	for _, p := range pausesAt(&flow) {
		if p.Tenant != "" {
			waiting[p.Tenant] = 0
		}
	}
	for _, l := range lanes {
		waiting[l.Tenant] += l.Count
	}
	views := []tenantView{}
	for _, tenant := range slices.Sorted(maps.Keys(waiting)) {
		v := tenantView{Tenant: tenant, Weight: flow.Weight(tenant), Waiting: waiting[tenant]}
		if p, is := flow.Pauses[hive.Scope{Tenant: tenant}]; is && tenant != "" && !p.Over(flow.At) {
			v.Paused = &pauseViews([]hive.Pause{p})[0]
		}
		views = append(views, v)
	}
	if a.flags.json {
		return printJSON(a.Out, views)
	}
	rows := make([][]string, len(views))
	for i, v := range views {
		paused := ""
		if v.Paused != nil {
			paused = "paused" + untilText(v.Paused.Until)
		}
		rows[i] = []string{v.Tenant, strconv.Itoa(v.Weight), strconv.Itoa(v.Waiting), paused}
	}
	return table(a.Out, []string{"TENANT", "WEIGHT", "WAITING", "STATE"}, rows)
}

func untilText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return fmt.Sprint(" until ", t.Format(time.RFC3339))
}
