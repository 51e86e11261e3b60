package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/nexus/ota"
)

func (a *app) rolloutStatusCommand() *cobra.Command {
	var watch bool
	cmd := a.onDesk(&cobra.Command{
		Use:   "status [BUNDLE]",
		Short: "Show where rollouts are, what was seen, and what every spore runs",
		Long: `Show where the rollout of a bundle, or of all, is: its step, why it is not at the next
one, what was seen of both versions in this step, and what every spore runs. A spore is
behind if it does not run what it is to run.`,
		Args: wantArgs(0, 1),
	}, func(cmd *cobra.Command, d *desk, args []string) error {
		only := ""
		if len(args) > 0 {
			only = args[0]
		}
		return a.rolloutStatus(cmd.Context(), d, only, watch)
	})
	cmd.Flags().BoolVar(&watch, "watch", false, "go on, and show what changes, until interrupted")
	return cmd
}

func (a *app) rolloutStatus(ctx context.Context, d *desk, only string, watch bool) error {
	s := &standing{desk: d, only: only}
	road, err := a.dial(ctx)
	if err == nil {
		defer road.Close()
		s.road = road
	}
	if watch && err == nil {
		return a.watchRollouts(ctx, s)
	}
	views, errLook := s.look(ctx)
	if errLook != nil && views == nil {
		return errLook
	}
	if errShow := a.showStatus(views); errShow != nil {
		return errShow
	}
	if err != nil {
		return fmt.Errorf("%w; what spores run is not known", err)
	}
	return errLook
}

func (a *app) showStatus(views []statusView) error {
	if a.flags.json {
		return printJSON(a.Out, views)
	}
	if len(views) == 0 {
		a.say("nothing is decided yet; nexus rollout start BUNDLE@VERSION begins")
	}
	return showViews(a.Out, views)
}

func showViews(w io.Writer, views []statusView) error {
	for i := range views {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := views[i].show(w); err != nil {
			return err
		}
	}
	return nil
}

// standing is what is looked at for nexus rollout status.
type standing struct {
	desk *desk
	road *broker.Broker // nil: it is unreachable
	only string         // a bundle; "": all
}

// look reads the plan and what the road says. Without the road the views have no
// spores, and there is an error too.
func (s *standing) look(ctx context.Context) ([]statusView, error) {
	p, err := s.desk.Load()
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(p.Bundles))
	if s.only != "" {
		if _, known := p.Bundles[s.only]; !known {
			return nil, fmt.Errorf("%s: nothing is decided of it; nexus rollout start %[1]s@VERSION begins", safe(s.only))
		}
		names = []string{s.only}
	}
	nodes, sights, err := s.ask(ctx)
	views := make([]statusView, len(names))
	for i, name := range names {
		views[i].rolloutView = newRolloutView(name, p.Bundles[name])
		if r := p.Bundles[name].Rollout; r != nil {
			if seen, ok := sights[name]; ok && seen.To == r.To && seen.Step == r.Step && !r.Ended() {
				views[i].Window = &seen.Window
			}
		}
	}
	if s.road != nil && err == nil {
		addSpores(views, p, nodes)
	}
	return views, err
}

func (s *standing) ask(ctx context.Context) (nodes []hive.Node, sights map[string]ota.Sight, err error) {
	if s.road == nil {
		return nil, nil, nil
	}
	if nodes, err = s.road.Nodes(ctx); err != nil {
		return nil, nil, err
	}
	told, err := s.road.Rollouts(ctx)
	if err != nil {
		return nil, nil, err
	}
	sights, err = ota.ParseSights(told)
	return nodes, sights, err
}

// addSpores says what each spore runs and is to run.
func addSpores(views []statusView, p ota.Plan, nodes []hive.Node) {
	set := p.Set(time.Now(), time.Minute)
	for i := range views {
		views[i].Spores = []sporeView{}
	}
	for n := range nodes {
		wanted := set.For(bundle.Spore{ID: nodes[n].ID, Tags: nodes[n].Tags})
		for i := range views {
			views[i].Spores = append(views[i].Spores, newSporeView(&nodes[n], views[i].Bundle, wanted))
		}
	}
}

// watchRollouts shows what changes until ctx ends. On a terminal all is drawn anew;
// elsewhere each line that is another one is written.
func (a *app) watchRollouts(ctx context.Context, s *standing) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	screen := screen{w: a.Out, redraw: width(a.Out) > 0}
	for {
		views, err := s.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && views == nil:
			return err
		case a.flags.json:
			screen.print(jsonLines(views))
		default:
			screen.print(textLines(views, err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func textLines(views []statusView, err error) []string {
	var text bytes.Buffer
	_ = showViews(&text, views) // a buffer takes all
	if err != nil {
		fmt.Fprintln(&text, safe(err.Error()))
	}
	return slices.Collect(strings.Lines(text.String()))
}

// jsonLines is one line for each bundle.
func jsonLines(views []statusView) []string {
	var text bytes.Buffer
	for i := range views {
		_ = printLine(&text, views[i])
	}
	return slices.Collect(strings.Lines(text.String()))
}

// screen shows lines time and again.
type screen struct {
	w      io.Writer
	redraw bool
	last   []string
}

// clearAll goes to the upper left corner and clears the terminal from there.
const clearAll = "\x1b[H\x1b[J"

func (s *screen) print(lines []string) {
	switch {
	case slices.Equal(lines, s.last):
	case s.redraw:
		fmt.Fprint(s.w, clearAll, strings.Join(lines, ""))
	default:
		for _, line := range lines {
			if !slices.Contains(s.last, line) {
				fmt.Fprint(s.w, line)
			}
		}
	}
	s.last = lines
}
