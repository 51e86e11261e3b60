package report

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 1, 5}, 5},
		{[]float64{9, 1, 5, 6}, 5.5},
	} {
		if got := Median(c.values); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	for i := 200; i > 0; i-- {
		times = append(times, time.Duration(i))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 100, 0.99: 198, 1: 200} {
		if got := Quantile(times, q); got != want {
			t.Errorf("Quantile(1..200, %v) = %d, want %d", q, got, want)
		}
	}
	if got := Quantile(nil, 0.5); got != 0 {
		t.Errorf("Quantile of nothing = %v, want 0", got)
	}
}

// example is a report of two rounds.
func example() *Report {
	r := &Report{Suite: "way", Command: "bench/run way", Commit: "0123456789ab", Rounds: 2, Size: "3 tasks",
		Begun: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Seconds: 61.4,
		Machine: Machine{Cores: 2, Model: "abacus", MemoryGB: 23.6, Kernel: "linux 6", Go: "go1.26", Redis: "7.0.15", Load: 1.25}}
	for _, rate := range []float64{1200, 1_300_000} {
		r.Add("Rate", "a task", Figure{"tasks/s", rate}, Figure{"p50 ms", 0.5})
	}
	r.Add("Rate", "a longer task", Figure{"p50 ms", 12.34})
	r.Add("Rate", "a longer task", Figure{"p50 ms", 12.34})
	r.Add("Rate", "a task, in one round", Figure{"p50 ms", 0.75})
	r.Find("a longer one takes %.1f times as long", r.Value("Rate", "a longer task", "p50 ms"), r.Value("Rate", "a task", "p50 ms"))
	r.With = []string{"abacist 1.0", "ink 2"}
	r.AtMost("a longer one over one", 24.68, 20, "×")
	r.AtLeast("one within a second", 1200, 1000, "")
	r.AtMost("nothing", -0.5, 1.5, " µs")
	r.ByTheClock(2)
	r.Find("never seen: %f", r.Value("Rate", "no such task", "p50 ms"), 1)
	return r
}

// TestNotMeasured: nothing is said of what was not measured, and 0 is a figure.
func TestNotMeasured(t *testing.T) {
	t.Parallel()
	r := &Report{}
	r.Add("Rate", "none", Figure{"tasks/s", 0})
	none, missing := r.Value("Rate", "none", "tasks/s"), r.Value("Rate", "none", "p50 ms")
	r.AtMost("missing", missing, 20, "")
	r.AtLeast("missing over 1", missing/1, 20, "")
	r.AtLeast("1 over missing", 1/missing, 20, "")
	r.AtLeast("1 over none", 1/none, 20, "")
	r.Find("%f times as much as what is missing", 1, missing)
	r.AtMost("none", none, 20, "")
	if len(r.Verdicts) != 1 || r.Verdicts[0].What != "none" || !r.Verdicts[0].Met || len(r.Findings) != 0 {
		t.Errorf("verdicts are %v, findings %q, want one verdict, on none", r.Verdicts, r.Findings)
	}
	if err := r.WriteJSON(io.Discard); err != nil {
		t.Error(err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	if err := example().WriteText(&got); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "report.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("report is\n%s\nwant\n%s", &got, want)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	if err := example().WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if rounds := got.Tables[0].Rows[0].Cells["tasks/s"].Rounds; len(rounds) != 2 || rounds[1] != 1_300_000 {
		t.Errorf("JSON has the rounds %v, want 1200 and 1300000", rounds)
	}
	if got := got.Value("Rate", "a task", "tasks/s"); got != 650_600 {
		t.Errorf("JSON has the median %v, want 650600", got)
	}
}
