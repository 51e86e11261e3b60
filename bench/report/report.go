// Package report collects what a benchmark measured, over several rounds, and
// shows it as text or JSON.
package report

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Report is the outcome of one suite.
type Report struct {
	Suite    string    `json:"suite"`
	Command  string    `json:"command"`
	Commit   string    `json:"commit"`
	Begun    time.Time `json:"begun"`
	Seconds  float64   `json:"seconds"` // it took
	Rounds   int       `json:"rounds"`
	Size     string    `json:"size"` // how much was measured, in words
	Machine  Machine   `json:"machine"`
	With     []string  `json:"with,omitempty"` // versions of what took part
	Tables   []*Table  `json:"tables"`
	Verdicts []Verdict `json:"verdicts,omitempty"`
	Findings []string  `json:"findings"` // ratios, in words

	Violations []string `json:"violations,omitempty"` // promises that were not kept
}

// Verdict is whether a target was met.
type Verdict struct {
	What   string  `json:"what"`
	Value  float64 `json:"value"`
	Target float64 `json:"target"`
	AtMost bool    `json:"at_most"` // else at least
	Unit   string  `json:"unit"`
	Met    bool    `json:"met"`
	Clock  float64 `json:"clock,omitempty"` // the same by the clock, if Value is by processor time
}

// Table is figures of one kind. Rows and columns stand in the order in which
// they were first measured.
type Table struct {
	Title   string   `json:"title"`
	Columns []string `json:"columns"`
	Rows    []*Row   `json:"rows"`
}

// Row is one thing that was measured.
type Row struct {
	Name  string             `json:"name"`
	Cells map[string]*Series `json:"cells"` // by column
}

// Series is one figure in every round.
type Series struct {
	Median float64   `json:"median"`
	Rounds []float64 `json:"rounds"`
}

// Figure is one value of a column, whose name says the unit.
type Figure struct {
	Column string
	Value  float64
}

// Add enters one round's figures of a row.
func (r *Report) Add(table, row string, figures ...Figure) {
	t := r.table(table)
	cells := t.row(row).Cells
	for _, f := range figures {
		if !slices.Contains(t.Columns, f.Column) {
			t.Columns = append(t.Columns, f.Column)
		}
		s := cells[f.Column]
		if s == nil {
			s = &Series{}
			cells[f.Column] = s
		}
		s.Rounds = append(s.Rounds, f.Value)
		s.Median = Median(s.Rounds)
	}
}

// Value returns the median of a figure. If that was not measured it is no number, and
// so is what is reckoned with it.
func (r *Report) Value(table, row, column string) float64 {
	for _, t := range r.Tables {
		for _, line := range t.Rows {
			if s := line.Cells[column]; t.Title == table && line.Name == row && s != nil {
				return s.Median
			}
		}
	}
	return math.NaN()
}

// Find enters the ratio of two figures, if both were measured. text has one verb
// for it.
func (r *Report) Find(text string, a, b float64) {
	if a > 0 && b > 0 {
		r.Findings = append(r.Findings, fmt.Sprintf(text, a/b))
	}
}

// AtMost enters whether a value is as small as its target, if it was measured.
func (r *Report) AtMost(what string, value, target float64, unit string) {
	r.judge(Verdict{what, value, target, true, unit, value <= target, 0})
}

// AtLeast enters whether a value is as large as its target, if it was measured.
func (r *Report) AtLeast(what string, value, target float64, unit string) {
	r.judge(Verdict{what, value, target, false, unit, value >= target, 0})
}

func (r *Report) judge(v Verdict) {
	if !math.IsNaN(v.Value) && !math.IsInf(v.Value, 0) {
		r.Verdicts = append(r.Verdicts, v)
	}
}

// ByTheClock adds to the last verdict what the clock says of it.
func (r *Report) ByTheClock(value float64) { r.Verdicts[len(r.Verdicts)-1].Clock = value }

func (r *Report) table(title string) *Table {
	for _, t := range r.Tables {
		if t.Title == title {
			return t
		}
	}
	t := &Table{Title: title}
	r.Tables = append(r.Tables, t)
	return t
}

func (t *Table) row(name string) *Row {
	for _, r := range t.Rows {
		if r.Name == name {
			return r
		}
	}
	r := &Row{name, map[string]*Series{}}
	t.Rows = append(t.Rows, r)
	return r
}
