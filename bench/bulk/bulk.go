// Package bulk measures what more spores gain where a task waits for somebody else:
// pages of a slow server, fetched and summarized.
package bulk

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/client"
)

// Size says how much is measured.
type Size struct {
	Rounds  int
	Latency time.Duration // of the server
}

// Sizes of a run that is to be believed, and of a quick look.
var (
	Full  = Size{Rounds: 5, Latency: 300 * time.Millisecond}
	Quick = Size{Rounds: 1, Latency: 300 * time.Millisecond}
)

func (s Size) String() string {
	return fmt.Sprintf("every page of a server that takes %v to answer", s.Latency)
}

// The hives that are measured. A spore of one slot waits for one page at a time, so
// that five of them gain what waiting at once gains; the third does so in one process.
var (
	one   = rig.Setup{Nexus: true, Spores: 1, Slots: 1}
	five  = rig.Setup{Nexus: true, Spores: 5, Slots: 1}
	slots = rig.Setup{Nexus: true, Spores: 1, Slots: 5}
)

// target is how many times the pages of one spore five must do.
const target = 4.0

const (
	table  = "Bulk: from before the first page is asked for to the last summary in hand.\nOthers: the share of the machine that others took."
	column = "pages/s"
)

// suite is a run.
type suite struct {
	kit     *rig.Kit
	library *library
	config  string // of spores that may ask this machine
	report  *report.Report
}

// Run measures all hives in every round. articles is a folder of pages. progress is
// told each hive that begins.
func Run(ctx context.Context, kit *rig.Kit, size Size, articles string, r *report.Report, progress func(string)) error {
	l, err := open(articles, size.Latency)
	if err != nil {
		return err
	}
	defer l.Close()
	s := &suite{kit: kit, library: l, report: r}
	if s.config, err = writeConfig(); err != nil {
		return err
	}
	defer os.Remove(s.config)
	setups := []rig.Setup{one, five, slots}
	for round := range size.Rounds {
		for _, setup := range setups {
			progress(fmt.Sprintf("round %d of %d: %s", round+1, size.Rounds, setup))
			if err := s.measure(ctx, setup); err != nil {
				return fmt.Errorf("%s: %w", setup, err)
			}
		}
	}
	base := r.Value(table, one.String(), column)
	r.AtLeast("pages per second, 5 spores over 1", r.Value(table, five.String(), column)/base, target, "×")
	r.Find("bulk: 1 spore of 5 slots does %.2f times the pages of 1 of 1 slot", r.Value(table, slots.String(), column), base)
	return nil
}

func writeConfig() (string, error) {
	f, err := os.CreateTemp("", "hive-bulk-*.toml")
	if err != nil {
		return "", err
	}
	if _, err := f.WriteString("[spore]\nhttp_private = [\"127.0.0.0/8\"]\n"); err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// measure has all pages fetched and summarized once.
func (s *suite) measure(ctx context.Context, setup rig.Setup) error {
	fetch := s.kit.Skill(rig.Fetch)
	fetch.Allow.HTTP = append([]string{s.library.host}, fetch.Allow.HTTP...)
	setup.Config = s.config
	h, err := s.kit.Start(ctx, setup, fetch, s.kit.Skill(rig.Summarize))
	if err != nil {
		return err
	}
	defer h.Stop()
	// The sandboxes are warm when every spore has had a few tasks.
	for range 2 {
		if _, _, err := s.pages(ctx, h, "fast"); err != nil {
			return err
		}
	}
	var fetched, all time.Duration
	u, err := h.Measure(ctx, func() error {
		fetched, all, err = s.pages(ctx, h, "slow")
		return err
	})
	if err != nil {
		return err
	}
	n := float64(len(s.library.names))
	s.report.Add(table, setup.String(),
		report.Figure{Column: column, Value: n / all.Seconds()},
		report.Figure{Column: "all s", Value: all.Seconds()},
		report.Figure{Column: "fetch s", Value: fetched.Seconds()},
		report.Figure{Column: "summarize s", Value: (all - fetched).Seconds()},
		report.Figure{Column: "CPU ms / page", Value: 1000 * (u.Redis + u.Nexus + u.Spores + u.Client).Seconds() / n},
		report.Figure{Column: "others %", Value: 100 * u.Others()})
	return h.Check()
}

// pages has all pages fetched, then summarized, and returns the time until all were
// fetched, and that until all was done.
func (s *suite) pages(ctx context.Context, h *rig.Hive, shelf string) (fetched, all time.Duration, err error) {
	requests := make([][]byte, len(s.library.names))
	for i, name := range s.library.names {
		if requests[i], err = json.Marshal(map[string]string{"url": s.library.url(shelf, name)}); err != nil {
			return 0, 0, err
		}
	}
	begun := time.Now()
	articles, err := each(ctx, h, rig.Fetch, requests)
	if err != nil {
		return 0, 0, err
	}
	fetched = time.Since(begun)
	summaries, err := each(ctx, h, rig.Summarize, articles)
	all = time.Since(begun)
	if err != nil {
		return 0, 0, err
	}
	return fetched, all, s.check(shelf, summaries)
}

// each has a skill work on payloads and returns the results in their order.
func each(ctx context.Context, h *rig.Hive, skill string, payloads [][]byte) ([][]byte, error) {
	task := hive.Task{Skill: hive.SkillRef{Name: skill}, Retries: hive.NoRetries}
	records, err := h.Client.Map(ctx, client.MapOptions{Task: task}, payloads)
	if err != nil {
		return nil, err
	}
	results := make([][]byte, len(records))
	for i, r := range records {
		if r.State != hive.Completed {
			return nil, fmt.Errorf("%s: task %s is %s: %v", skill, r.ID, r.State, r.Failure)
		}
		results[i] = r.Result
	}
	return results, nil
}

// check reports a summary that is not there, empty, or of another page.
func (s *suite) check(shelf string, summaries [][]byte) error {
	for i, text := range summaries {
		var summary struct {
			URL       string
			Sentences []string
		}
		if err := json.Unmarshal(text, &summary); err != nil {
			return err
		}
		if want := s.library.url(shelf, s.library.names[i]); summary.URL != want || len(summary.Sentences) != sentences {
			return fmt.Errorf("the summary of %s is %s", want, text)
		}
	}
	return nil
}

const sentences = 3 // of each summary, which is summarize's default
