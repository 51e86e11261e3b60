package ota

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/spore"
)

// TestMain is also the child that compiles skills.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == AdmitWord {
		if err := spore.Admit(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestRun measures next to nothing: what is tested is that everything is.
func TestRun(t *testing.T) {
	kit, err := rig.NewKit(t.Context(), "../..", t.TempDir(), rig.Wordcount)
	if err != nil {
		t.Fatal(err)
	}
	size := Size{Rounds: 1, Bundles: []int{3}, Refreshes: 2, Spores: 3, Publishes: 1, Windows: 1, Window: 100 * time.Millisecond, Records: 1000}
	r := &report.Report{Rounds: size.Rounds}
	if err := Run(t.Context(), kit, t.TempDir(), size, r, func(stage string) { t.Log(stage) }); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{refreshTable: 2, spreadTable: 6, swapTable: 4, auditTable: 4}
	for _, table := range r.Tables {
		if len(table.Rows) != rows[table.Title] {
			t.Errorf("%q has %d rows, want %d", table.Title, len(table.Rows), rows[table.Title])
		}
		for _, row := range table.Rows {
			if s := row.Cells[table.Columns[0]]; s == nil || len(s.Rounds) != size.Rounds || s.Median <= 0 {
				t.Errorf("%q, %q: %q is %v", table.Title, row.Name, table.Columns[0], s)
			}
		}
	}
	failed := slices.IndexFunc(r.Verdicts, func(v report.Verdict) bool { return v.Target == 0 && !v.Met })
	if len(r.Tables) != 4 || len(r.Verdicts) != 16 || failed >= 0 {
		t.Errorf("%d tables, verdicts %v", len(r.Tables), r.Verdicts)
	}
	if err := r.WriteText(io.Discard); err != nil {
		t.Error(err)
	}
}
