// Package ota measures bundles over the air: what a refresh costs, how long a version
// takes to every spore, what tasks feel of a swap, and the audit log.
package ota

import (
	"context"
	"fmt"
	"time"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

// Size says how much is measured in a round.
type Size struct {
	Rounds    int
	Bundles   []int         // that repositories list
	Refreshes int           // of each kind
	Spores    int           // that get a version at once
	Publishes int           // of versions
	Windows   int           // with a swap, and as many without
	Window    time.Duration // at least
	Records   int           // of an audit log
}

// Sizes of a run that is to be believed, and of a quick look.
var (
	Full = Size{Rounds: 5, Bundles: []int{100, 1000}, Refreshes: 20, Spores: 100, Publishes: 10,
		Windows: 6, Window: 2 * time.Second, Records: 300_000}
	Quick = Size{Rounds: 3, Bundles: []int{100, 1000}, Refreshes: 5, Spores: 100, Publishes: 4,
		Windows: 2, Window: time.Second, Records: 300_000}
)

func (s Size) String() string {
	return fmt.Sprintf("%d refreshes, %d versions to %d spores, %d swaps in windows of %v or more", s.Refreshes, s.Publishes, s.Spores, s.Windows, s.Window)
}

// stage is one thing that is measured.
type stage struct {
	name    string
	measure func(context.Context) error
}

// suite is a run.
type suite struct {
	kit    *rig.Kit
	dir    string // for what is measured without a hive
	size   Size
	report *report.Report
	shops  map[int]*shop
	failed map[string]int // tasks, by row
}

// Run measures all stages in every round. progress is told each that begins.
func Run(ctx context.Context, kit *rig.Kit, dir string, size Size, r *report.Report, progress func(string)) error {
	s := &suite{kit: kit, dir: dir, size: size, report: r, shops: map[int]*shop{}, failed: map[string]int{}}
	defer s.close()
	stages := s.stages()
	for round := range size.Rounds {
		for i, st := range stages {
			progress(fmt.Sprintf("round %d of %d, %d/%d: %s", round+1, size.Rounds, i+1, len(stages), st.name))
			if err := st.measure(ctx); err != nil {
				return fmt.Errorf("%s: %w", st.name, err)
			}
		}
	}
	s.conclude()
	return nil
}

func (s *suite) stages() []stage {
	var all []stage
	for _, n := range s.size.Bundles {
		all = append(all, s.refresh(n, false), s.refresh(n, true))
	}
	for _, c := range s.crowds() {
		all = append(all, s.spread(c))
	}
	for _, l := range s.loads() {
		all = append(all, s.swaps(l))
	}
	return append(all, s.audit())
}

// Targets.
const (
	refreshTarget = 30.0   // ms
	spreadTarget  = 1000.0 // ms
	swapTarget    = 5.0    // ms
)

func (s *suite) conclude() {
	for _, web := range []bool{false, true} {
		row := refreshRow(s.size.Bundles[0], web)
		for _, column := range []string{newsColumn, sameColumn, coldColumn} {
			s.report.AtMost("refresh, "+row+": "+column, s.report.Value(refreshTable, row, column), refreshTarget, " ms")
		}
	}
	for _, c := range s.crowds()[:2] {
		s.report.AtMost("published, p99: "+c.row(), s.report.Value(spreadTable, c.row(), "p99 ms"), spreadTarget, " ms")
	}
	for _, l := range s.loads() {
		s.report.AtMost("a swap adds to p99: "+l.row(), s.report.Value(swapTable, l.row(), addedColumn), swapTarget, " ms")
	}
	for _, l := range s.loads() {
		s.report.AtMost("tasks that failed: "+l.row(), float64(s.failed[l.row()]), 0, "")
	}
}

func (s *suite) close() {
	for _, shop := range s.shops {
		shop.close()
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
