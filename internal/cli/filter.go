package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// filterFlags say which tasks a command is about.
type filterFlags struct {
	state, skill, tenant, text, before, after string
	given                                     func(flag string) bool
}

func (f *filterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.state, "state", "", "only tasks in this state")
	flags.StringVar(&f.skill, "skill", "", "only tasks of this skill, whatever its version")
	flags.StringVar(&f.tenant, "tenant", "", `only tasks of this tenant; "-" is who names none`)
	flags.StringVar(&f.text, "error", "", "only tasks whose error has this text")
	flags.StringVar(&f.before, "before", "", "only tasks that ended, or if they are not over were made, before a time or longer ago than, such as 24h")
	flags.StringVar(&f.after, "after", "", "the same, after a time or less long ago")
	f.given = flags.Changed
}

// listed are the states that a task can be found by. One that is assigned is found as pending:
// only the queue in which it stands says that it is.
var listed = slices.DeleteFunc(slices.Clone(hive.States), func(s hive.State) bool { return s == hive.Assigned || s == hive.Blocked })

// tenantNamed is the tenant that people call name: "-" is who names none.
func tenantNamed(name string) string {
	if name == "-" {
		return ""
	}
	return name
}

// any reports whether one was given.
func (f *filterFlags) any() bool {
	return slices.ContainsFunc(f.values(), func(v [2]string) bool { return f.given(v[0]) })
}

// values are the flags by name.
func (f *filterFlags) values() [][2]string {
	return [][2]string{{"state", f.state}, {"skill", f.skill}, {"tenant", f.tenant}, {"error", f.text}, {"before", f.before}, {"after", f.after}}
}

// read returns what they want of a task; now is by the road's clock. Everything that is
// wrong is reported at once.
func (f *filterFlags) read(now time.Time) (func(*hive.Record) bool, error) {
	errs := []error{wantNoneEmpty(f.given, f.values()...)}
	if f.state != "" && !slices.Contains(listed, hive.State(f.state)) {
		errs = append(errs, fmt.Errorf("--state %q: want one of %v", f.state, listed))
	}
	if f.skill != "" {
		errs = append(errs, hive.CheckSkillName(f.skill))
	}
	tenant := tenantNamed(f.tenant)
	errs = append(errs, hive.CheckTenant(tenant))
	var before, after time.Time
	var err error
	if f.before != "" {
		before, err = parseSince("--before", f.before, now)
		errs = append(errs, err)
	}
	if f.after != "" {
		after, err = parseSince("--after", f.after, now)
		errs = append(errs, err)
	}
	if !before.IsZero() && !after.Before(before) {
		errs = append(errs, fmt.Errorf("--after %s, --before %s: nothing is between them", f.after, f.before))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, usageError{err}
	}
	return func(r *hive.Record) bool {
		at := r.Created
		if r.State.Final() {
			at = r.Finished
		}
		return (f.state == "" || r.State == hive.State(f.state)) && (f.skill == "" || r.Task.Skill.Name == f.skill) &&
			(f.tenant == "" || r.Tenant == tenant) && (f.text == "" || r.Failure != nil && strings.Contains(r.Failure.String(), f.text)) &&
			(before.IsZero() || at.Before(before)) && (after.IsZero() || at.After(after))
	}, nil
}

// parseSince reads a point in time, or how long ago it was.
func parseSince(flag, text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	at, err := parseMoment(flag, text)
	if err != nil {
		err = fmt.Errorf("%w, or how long ago such as 90m", err)
	}
	return at, err
}

// deed is what a command does to tasks, by their ids or by a filter.
type deed struct {
	done   string // "pending again"
	states string // that tasks must be in, for people
	in     func(hive.State) bool
	state  hive.State // of what a filter finds that does not say it; empty: all of them
	// one does it to one task that was named, and says so; many to those of a batch that are in
	// some states still. It returns how many that were, how many it cannot be done to yet, and
	// why not to others.
	one  func(ctx context.Context, road *broker.Broker, id string) error
	many func(ctx context.Context, road *broker.Broker, ids []string, states []hive.State) (n, queued int, refused []error, err error)
}

// byHand is a command that does a deed.
func (a *app) byHand(cmd *cobra.Command, d deed) *cobra.Command {
	var f filterFlags
	var dry, yes bool
	f.add(cmd)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only count the tasks that the filter finds")
	cmd.Flags().BoolVar(&yes, "yes", false, "without a filter: do it to all of them")
	cmd.Args = wantArgs(0, -1)
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		ctx := cmd.Context()
		switch {
		case len(ids) > 0 && f.any():
			return usagef("ids and a filter: want one of them")
		case len(ids) > 0 && dry:
			return usagef("--dry-run: want a filter, not ids")
		case len(ids) == 0 && !f.any() && !yes && !dry:
			return usagef("no id and no filter is every task that is %s: if that is meant, add --yes", cmp.Or(string(d.state), d.states))
		case f.state != "" && slices.Contains(listed, hive.State(f.state)) && !d.in(hive.State(f.state)):
			return usagef("--state %s: want tasks that are %s", f.state, d.states)
		}
		if _, err := f.read(time.Now()); err != nil {
			return err
		}
		return a.withRoad(ctx, func(road *broker.Broker) error {
			if len(ids) == 0 {
				return a.byFilter(ctx, road, d, &f, dry)
			}
			var errs []error
			for _, id := range ids {
				err := hive.CheckID(id)
				if err == nil {
					err = d.one(ctx, road, id)
				}
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		})
	}
	return cmd
}

// filtered is what a command did by a filter, as --json shows it.
type filtered struct {
	Found   int      `json:"found"`
	Done    int      `json:"done"`
	DryRun  bool     `json:"dry_run"`
	Queued  int      `json:"queued,omitempty"`  // that still stand in a queue: they can be deleted when their turn has come
	Refused []string `json:"refused,omitempty"` // why it was not done, some
}

// maxRefused is how many reasons are told.
const maxRefused = 8

// deedBatch is how many tasks a filter's deed is done to at once.
const deedBatch = 500

func (a *app) byFilter(ctx context.Context, road *broker.Broker, d deed, f *filterFlags, dry bool) error {
	now, err := road.Now(ctx)
	if err != nil {
		return err
	}
	f.state = cmp.Or(f.state, string(d.state))
	want, err := f.read(now)
	if err != nil {
		return err
	}
	list := road.Tasks
	if hive.State(f.state) == hive.Failed {
		list = road.Failed
	}
	var states []hive.State
	if f.state != "" {
		states = []hive.State{hive.State(f.state)}
	}
	var sum filtered
	var batch []string
	var failed error
	flush := func() bool {
		n, queued, refused, err := d.many(ctx, road, batch, states)
		sum.Done, sum.Queued, batch, failed = sum.Done+n, sum.Queued+queued, nil, err
		for _, why := range refused {
			if len(sum.Refused) < maxRefused {
				sum.Refused = append(sum.Refused, why.Error())
			}
		}
		return err == nil
	}
	err = list(ctx, func(r *hive.Record) bool {
		if !d.in(r.State) || !want(r) {
			return ctx.Err() == nil
		}
		if sum.Found++; dry {
			return ctx.Err() == nil
		}
		batch = append(batch, r.ID)
		return ctx.Err() == nil && (len(batch) < deedBatch || flush())
	})
	if err == nil && failed == nil && len(batch) > 0 && ctx.Err() == nil {
		flush()
	}
	sum.DryRun = dry
	return errors.Join(err, failed, context.Cause(ctx), a.sayFiltered(d, sum))
}

func (a *app) sayFiltered(d deed, sum filtered) error {
	if a.flags.json {
		return printJSON(a.Out, sum)
	}
	if sum.DryRun {
		a.say("%s would be %s", plural(sum.Found, "task"), d.done)
		return nil
	}
	for _, why := range sum.Refused {
		a.say("%s", safe(why))
	}
	rest := ""
	if sum.Queued > 0 {
		rest += fmt.Sprintf(", %d stay until their turn in a queue has come", sum.Queued)
	}
	if left := sum.Found - sum.Done - sum.Queued; left > 0 {
		rest += fmt.Sprintf(", %d not any more what was asked for", left)
	}
	verb := "are"
	if sum.Done == 1 {
		verb = "is"
	}
	a.say("%s %s %s%s", plural(sum.Done, "task"), verb, d.done, rest)
	return nil
}

const byHandLong = `

Tasks are named by their ids or found by a filter. With --dry-run they are only counted.`

func (a *app) cancelCommand() *cobra.Command {
	return a.byHand(&cobra.Command{
		Use:   "cancel [ID...]",
		Short: "Cancel tasks; a running one is stopped",
		Long:  "Cancel tasks; a running one is stopped." + byHandLong,
		Example: `  nexus cancel d23tg6t29efm5py1jgcmw5
  nexus cancel --skill fetch --tenant acme --dry-run`,
	}, deed{
		done: "cancelled", states: "not over",
		in: func(s hive.State) bool { return !s.Final() },
		one: func(ctx context.Context, road *broker.Broker, id string) error {
			was, err := road.Cancel(ctx, id)
			if err == nil {
				a.say("task %s is cancelled (it was %s)", id, was)
			}
			return err
		},
		many: func(ctx context.Context, road *broker.Broker, ids []string, states []hive.State) (int, int, []error, error) {
			n, err := road.CancelMany(ctx, ids, states...)
			return n, 0, nil, err
		},
	})
}

func (a *app) retryCommand() *cobra.Command {
	return a.byHand(&cobra.Command{
		Use:   "retry [ID...]",
		Short: "Try failed tasks again, with their failures forgiven",
		Long:  "Try failed tasks again, with their failures forgiven." + byHandLong,
		Example: `  nexus retry d23tg6t29efm5py1jgcmw5
  nexus retry --skill fetch --error "no such host" --after 1h`,
	}, deed{
		done: "pending again", states: "failed", state: hive.Failed,
		in: func(s hive.State) bool { return s == hive.Failed },
		one: func(ctx context.Context, road *broker.Broker, id string) error {
			err := road.Retry(ctx, id)
			if err == nil {
				a.say("task %s is pending again", id)
			}
			return err
		},
		many: func(ctx context.Context, road *broker.Broker, ids []string, _ []hive.State) (int, int, []error, error) {
			n, refused, err := road.RetryMany(ctx, ids)
			return n, 0, refused, err
		},
	})
}

func (a *app) deleteCommand() *cobra.Command {
	return a.byHand(&cobra.Command{
		Use:   "delete [ID...]",
		Short: "Delete tasks that are over, before their time",
		Long:  "Delete tasks that are over, before their time. A filter finds failed ones unless --state says another state." + byHandLong,
		Example: `  nexus delete d23tg6t29efm5py1jgcmw5
  nexus delete --skill fetch --before 24h --dry-run`,
	}, deed{
		done: "deleted", states: "completed, failed or cancelled", state: hive.Failed,
		in: hive.State.Final,
		one: func(ctx context.Context, road *broker.Broker, id string) error {
			r, err := road.Status(ctx, id)
			if err != nil {
				return err
			}
			n, queued, err := road.Forget(ctx, []string{id})
			switch {
			case err != nil:
				return err
			case queued > 0:
				return fmt.Errorf("task %s is %s and still in a queue: it can be deleted when its turn there has come", id, r.State)
			case n == 0:
				return fmt.Errorf("task %s is %s: nexus cancel ends it", id, r.State)
			}
			a.say("task %s is deleted", id)
			return nil
		},
		many: func(ctx context.Context, road *broker.Broker, ids []string, states []hive.State) (int, int, []error, error) {
			n, queued, err := road.Forget(ctx, ids, states...)
			return n, queued, nil, err
		},
	})
}
