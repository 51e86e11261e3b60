package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// WriteJSON writes all that is known, every round included.
func (r *Report) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// WriteText writes the medians as tables, with the machine and the command.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at commit %s, %s, took %.0f s\n", r.Command, r.Commit, r.Begun.UTC().Format("2006-01-02 15:04 UTC"), r.Seconds)
	fmt.Fprintf(&b, "%s\n", r.Machine)
	if len(r.With) > 0 {
		fmt.Fprintf(&b, "%s\n", strings.Join(r.With, ", "))
	}
	fmt.Fprintf(&b, "%s; %s\n", rounds(r.Rounds), r.Size)
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n%s\n", t.Title)
		b.WriteString(align(t.cells(r.Rounds > 1)))
	}
	if len(r.Verdicts) > 0 {
		b.WriteString("\nTargets. In brackets: by the clock, where processor time is judged.\n")
		b.WriteString(align(verdicts(r.Verdicts)))
	}
	if len(r.Findings) > 0 {
		b.WriteString("\n")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "- %s\n", f)
	}
	if len(r.Violations) > 0 {
		b.WriteString("\nPromises that were not kept:\n")
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "- %s\n", v)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func rounds(n int) string {
	if n == 1 {
		return "one round"
	}
	return fmt.Sprintf("medians of %d interleaved rounds", n)
}

// cells is the table as text. The spread is that of a row's first figure: how far
// its rounds lie apart, as a share of the median; a single one has none.
func (t *Table) cells(spread bool) [][]string {
	header := append([]string{""}, t.Columns...)
	if spread {
		header = append(header, "spread")
	}
	all := [][]string{header}
	for _, r := range t.Rows {
		line, first := []string{r.Name}, (*Series)(nil)
		for _, c := range t.Columns {
			s := r.Cells[c]
			if s == nil {
				line = append(line, "–")
				continue
			}
			if first == nil {
				first = s
			}
			line = append(line, number(s.Median))
		}
		switch {
		case !spread || first == nil:
		case len(first.Rounds) == 1:
			line = append(line, "–")
		default:
			line = append(line, fmt.Sprintf("%.0f %%", 100*first.spread()))
		}
		all = append(all, line)
	}
	return all
}

func verdicts(all []Verdict) [][]string {
	var lines [][]string
	for _, v := range all {
		word, sign := "missed", "≥"
		if v.Met {
			word = "met"
		}
		if v.AtMost {
			sign = "≤"
		}
		clock := ""
		if v.Clock != 0 {
			clock = "(" + number(v.Clock) + v.Unit + ")"
		}
		lines = append(lines, []string{v.What, word, number(v.Value) + v.Unit, clock, sign + " " + number(v.Target) + v.Unit})
	}
	return lines
}

// number shows three digits or more, thousands apart.
func number(v float64) string {
	switch {
	case v < 0:
		return "-" + number(-v)
	case v >= 99.95:
		return thousands(strconv.FormatFloat(v, 'f', 0, 64))
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// align pads the cells of each column to one width: names to the left, figures
// to the right.
func align(lines [][]string) string {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("  " + cell + pad)
			} else {
				b.WriteString("  " + pad + cell)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
