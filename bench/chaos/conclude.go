package chaos

import (
	"fmt"
	"slices"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
)

// The tables of the report.
const (
	workTable  = "What was done."
	faultTable = "What was broken."
	spanTable  = "How long it took."

	windowTable = "Windows of replication: from the last mark that the new master had until nobody was at the old one."
)

// conclude enters what was seen.
func (s *stage) conclude(r *report.Report, o Options, h *History, took time.Duration) {
	r.Rounds = 1
	var attempts, completed, failed, cancelled, late, made int
	tasks := map[string]bool{} // several submissions may be told of one
	for _, said := range h.Said {
		tasks[said.Task] = true
	}
	acked := len(tasks)
	for _, end := range h.Ends {
		attempts += end.Attempts
		if end.late() {
			late++
		}
		if end.Cron != "" {
			made++
		}
		switch end.State {
		case hive.Completed:
			completed++
		case hive.Failed:
			failed++
		case hive.Cancelled:
			cancelled++
		}
	}
	for _, row := range []struct {
		name string
		n    int
	}{
		{"tasks acknowledged", acked}, {"tasks and children there", len(h.Ends)}, {"completed", completed},
		{"failed for good", failed}, {"of these: of a deadline", late}, {"cancelled", cancelled}, {"attempts", attempts},
		{"submissions whose key another had", len(h.Held)}, {"tasks of crons", made}, {"lost within a window", len(h.Losses())},
	} {
		r.Add(workTable, row.name, report.Figure{Column: "number", Value: float64(row.n)},
			report.Figure{Column: "per second", Value: float64(row.n) / o.For.Seconds()})
	}
	for _, sort := range sorts[o.Profile] {
		if n := s.faults[sort.kind]; n > 0 {
			r.Add(faultTable, string(sort.kind), report.Figure{Column: "times", Value: float64(n)})
		}
	}
	s.concludeWindows(r, h)
	s.concludeSpans(r)
	r.Findings = append(r.Findings, fmt.Sprintf("%d tasks acknowledged, %d promises broken; rest came %.1f s after the last fault",
		acked, len(r.Violations), (took-o.For).Seconds()))
}

// concludeWindows enters each window, and what was lost in it.
func (s *stage) concludeWindows(r *report.Report, h *History) {
	lost := h.Losses()
	for i, w := range h.Windows {
		n, last := 0, w.From
		for _, said := range lost {
			if w.Has(said.At) {
				n++
				last = said.At
			}
		}
		s.span(windowLong, w.To.Sub(w.From))
		r.Add(windowTable, fmt.Sprintf("%d: from %s", i+1, clock(w.From)), report.Figure{Column: "long s", Value: w.To.Sub(w.From).Seconds()},
			report.Figure{Column: "acknowledged and lost", Value: float64(n)}, report.Figure{Column: "the last after s", Value: last.Sub(w.From).Seconds()})
	}
}

// concludeSpans enters what was measured, in order.
func (s *stage) concludeSpans(r *report.Report) {
	for _, what := range []string{killBack, pauseBack, leaderKill, leaderPause, windowLong} {
		all := s.spans[what]
		if len(all) == 0 {
			continue
		}
		r.Add(spanTable, what, report.Figure{Column: "times", Value: float64(len(all))},
			report.Figure{Column: "median s", Value: report.Quantile(all, 0.5).Seconds()},
			report.Figure{Column: "max s", Value: slices.Max(all).Seconds()})
	}
}
