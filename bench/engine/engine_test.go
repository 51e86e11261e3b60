package engine

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/bench/report"
)

// taken is what tasks take an engine that meets all targets, in µs.
var taken = map[work.Subject]float64{
	work.Ours: 2, work.OursFresh: 30, work.Warm: 1.5, work.WarmMetered: 1.6, work.Plain: 210, work.PlainClose: 300,
	work.Extism: 101, work.Wasmtime: 41, work.Exec: 900,
}

// pretend carries out an order without a worker.
func pretend(ctx context.Context, o work.Order) (r work.Result, err error) {
	for _, s := range o.Settings {
		r.Tasks = append(r.Tasks, work.Task{Setting: s, Micros: taken[o.Subject] / float64(s.Cores), CPU: taken[o.Subject]})
	}
	for _, f := range o.Functions {
		r.Kernels = append(r.Kernels, work.Kernel{Name: f, Micros: 1000, Metered: 1.2, Closing: 9})
	}
	if o.Kills > 0 {
		for _, pace := range []work.Pace{work.Calm, work.Busy} {
			r.Kills = append(r.Kills, work.Killing{Pace: pace, Late: work.Times{P50: 40, P99: 90, Max: 100},
				Alone: work.Times{P50: 2, P99: 5, Max: 9}, Beside: work.Times{P50: 2, P99: 6, Max: 9}})
		}
	}
	r.Memory = 10 * taken[o.Subject]
	if o.Subject == work.Ours {
		r.Mode = "restored"
	}
	return r, nil
}

func run(t *testing.T, carryOut func(context.Context, work.Order) (work.Result, error)) *report.Report {
	t.Helper()
	r := &report.Report{Rounds: 2}
	if err := newSuite(Size{Rounds: 2, Kills: 1}, r).run(t.Context(), carryOut, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteText(io.Discard); err != nil {
		t.Error(err)
	}
	if err := r.WriteJSON(io.Discard); err != nil {
		t.Error(err)
	}
	return r
}

func TestRun(t *testing.T) {
	t.Parallel()
	r := run(t, pretend)
	rows := map[string]int{fuelTable: len(kernels), killTable: 4, besideTable: 8, memoryTable: 4}
	for _, g := range guests {
		rows[taskTable(g.name)] = len(subjects[g.contract])
	}
	for _, table := range r.Tables {
		if len(table.Rows) != rows[table.Title] {
			t.Errorf("%q has %d rows, want %d", table.Title, len(table.Rows), rows[table.Title])
		}
		delete(rows, table.Title)
	}
	for title := range rows {
		t.Errorf("%q was not measured", title)
	}
	if got := r.Value(taskTable("C"), string(work.Plain), ofOurs); got != 105 {
		t.Errorf("plain wazero takes %v of ours, want 105", got)
	}
	if last := r.Findings[len(r.Findings)-1]; !strings.Contains(last, `mode "restored"`) || !strings.Contains(last, "AssemblyScript") {
		t.Errorf("the last finding is %q, want the mode of all guests", last)
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	r := run(t, pretend)
	if want := 4 + len(peerTargets) + 2 + 6 + len(guests); len(r.Verdicts) != want {
		t.Errorf("there are %d verdicts, want %d", len(r.Verdicts), want)
	}
	for _, v := range r.Verdicts {
		if !v.Met {
			t.Errorf("%s: %v missed %v", v.What, v.Value, v.Target)
		}
	}
	slow := run(t, func(ctx context.Context, o work.Order) (work.Result, error) {
		r, err := pretend(ctx, o)
		for i := range r.Tasks {
			if o.Subject == work.Ours {
				r.Tasks[i].CPU, r.Tasks[i].Micros = 50, 50
			}
		}
		for i := range r.Kernels {
			r.Kernels[i].Metered = 2.2
		}
		for i := range r.Kills {
			r.Kills[i].Late.P99, r.Kills[i].Beside.P99 = 11_000, 11
		}
		return r, err
	})
	for _, v := range slow.Verdicts {
		if v.Met {
			t.Errorf("%s: %v met %v", v.What, v.Value, v.Target)
		}
	}
}

func TestUnsupported(t *testing.T) {
	t.Parallel()
	r := run(t, func(ctx context.Context, o work.Order) (work.Result, error) {
		if o.Contract == work.Plugin && o.Subject != work.Extism {
			return work.Result{Unsupported: "not yet"}, nil
		}
		return pretend(ctx, o)
	})
	if !slices.Contains(r.Findings, "not measured: Extism plugin in C: ours: not yet") {
		t.Errorf("findings are %q, want what was not measured", r.Findings)
	}
	if !slices.ContainsFunc(r.Verdicts, func(v report.Verdict) bool { return strings.Contains(v.What, "Extism") && v.Value == 50.5 }) {
		t.Errorf("verdicts are %v, want the peer's plugin against our reactor", r.Verdicts)
	}
}

// TestBuilds checks that every file an order names is built, of sources that
// exist.
func TestBuilds(t *testing.T) {
	t.Parallel()
	built := map[string]bool{"": true}
	for _, b := range builds("asc", "rustc") {
		built[b.file] = true
		if !slices.Contains(b.command, "OUT") {
			t.Errorf("%s: the command %q has no OUT", b.file, b.command)
		}
		if !slices.ContainsFunc(b.command, func(word string) bool {
			_, err := os.Stat(filepath.Join("..", "guests", word))
			return strings.Contains(word, "/") && err == nil
		}) {
			t.Errorf("%s: the command %q has no source", b.file, b.command)
		}
	}
	for _, st := range newSuite(Size{}, &report.Report{}).stages() {
		for _, file := range []string{st.order.Wasm, st.order.Native, st.order.Beside} {
			if !built[file] {
				t.Errorf("%s: %s is not built", st.name, file)
			}
		}
	}
}

// TestRigStops ends a worker that goes on.
func TestRigStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	worker := filepath.Join(t.TempDir(), "worker")
	if err := os.WriteFile(worker, []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Rig{Worker: worker}).run(ctx, work.Order{}); err == nil {
		t.Error("a worker that was ended reports no error")
	}
}
