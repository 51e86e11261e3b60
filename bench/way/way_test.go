package way

import (
	"io"
	"testing"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

// TestRun measures next to nothing: what is tested is that everything is.
func TestRun(t *testing.T) {
	kit, err := rig.NewKit(t.Context(), "../..", t.TempDir(), rig.Wordcount)
	if err != nil {
		t.Fatal(err)
	}
	r := &report.Report{Rounds: 2}
	size := Size{Rounds: 2, Tasks: 60, Calls: 20}
	if err := Run(t.Context(), kit, size, r, func(stage string) { t.Log(stage) }); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{rateTable: 5, enqueueTable: 4, memoryTable: 2, idleTable: 2}
	for _, table := range r.Tables {
		if len(table.Rows) != rows[table.Title] {
			t.Errorf("%q has %d rows, want %d", table.Title, len(table.Rows), rows[table.Title])
		}
		delete(rows, table.Title)
		for _, row := range table.Rows {
			if s := row.Cells[table.Columns[0]]; s == nil || len(s.Rounds) != size.Rounds || s.Median <= 0 {
				t.Errorf("%q, %q: %q is %v, want %d rounds above 0", table.Title, row.Name, table.Columns[0], s, size.Rounds)
			}
		}
	}
	for title := range rows {
		t.Errorf("%q was not measured", title)
	}
	if len(r.Findings) == 0 {
		t.Error("there are no findings")
	}
	if err := r.WriteText(io.Discard); err != nil {
		t.Error(err)
	}
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	all := payloads(2)
	if len(all[0]) != payloadSize || len(all[1]) != payloadSize || string(all[0]) == string(all[1]) {
		t.Errorf("payloads are %q, want different ones of %d bytes", all, payloadSize)
	}
}
