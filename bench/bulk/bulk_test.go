package bulk

import (
	"io"
	"testing"
	"time"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

// TestRun measures next to nothing: what is tested is that everything is.
func TestRun(t *testing.T) {
	kit, err := rig.NewKit(t.Context(), "../..", t.TempDir(), rig.Fetch, rig.Summarize)
	if err != nil {
		t.Fatal(err)
	}
	size := Size{Rounds: 2, Latency: time.Millisecond}
	r := &report.Report{Rounds: size.Rounds}
	if err := Run(t.Context(), kit, size, "../../testdata/articles", r, func(text string) { t.Log(text) }); err != nil {
		t.Fatal(err)
	}
	if len(r.Tables) != 1 || len(r.Tables[0].Rows) != 3 || len(r.Verdicts) != 1 || len(r.Findings) != 1 {
		t.Fatalf("%d tables, %d verdicts, %d findings", len(r.Tables), len(r.Verdicts), len(r.Findings))
	}
	for _, row := range r.Tables[0].Rows {
		for _, column := range r.Tables[0].Columns[:5] {
			if s := row.Cells[column]; s == nil || len(s.Rounds) != size.Rounds || s.Median <= 0 {
				t.Errorf("%q: %q is %v, want %d rounds above 0", row.Name, column, s, size.Rounds)
			}
		}
	}
	if err := r.WriteText(io.Discard); err != nil {
		t.Error(err)
	}
}

// TestCheck: what is missing, empty or of another page is no summary.
func TestCheck(t *testing.T) {
	l, err := open("../../testdata/articles", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &suite{library: l}
	good := `{"url":"` + l.url("fast", l.names[0]) + `","sentences":["a","b","c"]}`
	if err := s.check("fast", [][]byte{[]byte(good)}); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "{}", `{"url":"` + l.url("fast", l.names[0]) + `","sentences":[]}`, `{"url":"` + l.url("fast", l.names[1]) + `","sentences":["a","b","c"]}`} {
		if s.check("fast", [][]byte{[]byte(bad)}) == nil {
			t.Errorf("%s is taken for a summary", bad)
		}
	}
}
