package road

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/bench/engine"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/bench/road/order"
)

// installed are the programs, for which bench/guests/install installs what is missing.
func installed(t *testing.T) Programs {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(base, "hive-bench")
	cmd := exec.CommandContext(t.Context(), "../guests/install", cache, "road")
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]string{}
	for words := strings.Fields(string(out)); len(words) > 1; words = words[2:] {
		flags[words[0]] = words[1]
	}
	guests, err := (engine.Tools{ASC: flags["--asc"], Rustc: flags["--rustc"]}).Guests(t.Context(), "../..", cache)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPrograms(t.Context(), "../..", t.TempDir(), flags["--bullmq"], guests)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRun measures next to nothing: what is tested is that everything is, and that every
// task is done, and well.
func TestRun(t *testing.T) {
	kit, err := rig.NewKit(t.Context(), "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	programs := installed(t)
	r := &report.Report{Rounds: 1}
	size := Size{Rounds: 1, Rest: 1, Tasks: 600, Calls: 20, Sleeps: 1, Memory: 300, Map: 300, Many: 1500, Few: 700, Peers: true, Pass: time.Millisecond}
	if err := Run(t.Context(), kit, programs, size, r, func(stage string) { t.Log(stage) }); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{processTable: 7, fewTable: 7, manyTable: 7, enqueueTable: 18, idleTable: 7, hopsTable: 5, overlapTable: 5,
		memoryTable: 3, appendTable: 3, tcpTable: 4, sporesTable: 3, mapTable: 1, queueTable: 4, limitTable: 3, routeTable: 3}
	for _, table := range r.Tables {
		if len(table.Rows) != rows[table.Title] {
			t.Errorf("%q has %d rows, want %d", table.Title, len(table.Rows), rows[table.Title])
		}
		delete(rows, table.Title)
		for _, row := range table.Rows {
			for column, s := range row.Cells {
				if len(s.Rounds) != 1 || column == rateColumn && s.Median <= 0 {
					t.Errorf("%q, %q: %q is %v, want 1 round above 0", table.Title, row.Name, column, s)
				}
			}
		}
	}
	for title := range rows {
		t.Errorf("%q was not measured", title)
	}
	if len(r.Verdicts) != 22 || len(r.Findings) == 0 {
		t.Errorf("there are %d verdicts and %d findings, want 22 and some", len(r.Verdicts), len(r.Findings))
	}
	if err := r.WriteText(io.Discard); err != nil {
		t.Error(err)
	}
	t.Run("versions", func(t *testing.T) {
		all, err := programs.Versions(t.Context())
		if err != nil || len(all) != 5 {
			t.Errorf("versions are %q, %v; want those of asynq, NATS, BullMQ, ioredis and Node", all, err)
		}
	})
	t.Run("wrong", func(t *testing.T) { wrong(t, kit, programs) })
}

// wrong shows that every party tells when fewer tasks are done than were enqueued.
func wrong(t *testing.T, kit *rig.Kit, programs Programs) {
	s := &suite{kit, programs, Size{}, &report.Report{}}
	for _, p := range []party{native, asynqKept, bull} {
		st, err := s.stand(t.Context(), p, setup{slots: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.fill(3); err != nil {
			t.Error(err)
		}
		if err := st.check(); err == nil || !strings.Contains(err.Error(), "want 3 tasks") {
			t.Errorf("%s: a check of tasks that nobody did says %v", p.name, err)
		}
		st.close()
	}
}

func TestJob(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 7, 999, 123_456} {
		if got := order.NewJob(n); len(got) != order.PayloadSize {
			t.Errorf("job %d is %q: %d bytes, want %d", n, got, len(got), order.PayloadSize)
		}
	}
	done, err := order.Done([]byte(`{"a":20,"b":22,"name":"bee"}`))
	if want := `{"sum":42,"product":440,"hello":"bee"}`; err != nil || done != want {
		t.Errorf("Done = %s, %v; want %s", done, err, want)
	}
	if age, err := order.Age(order.NewJob(1)); err != nil || age < 0 || age > time.Minute {
		t.Errorf("the age of a new job is %v, %v", age, err)
	}
	if bytes.Equal(order.NewJob(1), order.NewJob(2)) {
		t.Error("two jobs are alike")
	}
}
