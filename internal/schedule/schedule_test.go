package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line, zone, after string
		want              []string
	}{
		{"*/15 * * * *", "", "2026-11-28T05:50:00Z", []string{"2026-11-28T06:00:00Z", "2026-11-28T06:15:00Z"}},
		{"0 9 * * 1-5", "America/New_York", "2026-11-27T20:00:00Z", []string{"2026-11-30T14:00:00Z", "2026-12-01T14:00:00Z"}},
		{"0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z"}},
		{"@daily", "Asia/Tokyo", "2026-11-28T00:00:00Z", []string{"2026-11-28T15:00:00Z", "2026-11-29T15:00:00Z"}},
		{"@every 90m", "", "2026-11-28T00:00:00Z", []string{"2026-11-28T01:30:00Z", "2026-11-28T03:00:00Z"}},
		// In Berlin clocks go from 2:00 to 3:00: 2:30 is when they show 3:30.
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"}},
		// And back from 3:00 to 2:00: it is due once.
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		// Unless it is for every hour.
		{"30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"}},
		// Half an hour is enough.
		{"45 1 * * *", "Australia/Lord_Howe", "2026-04-03T20:00:00Z", []string{"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
	} {
		s, err := Parse(tt.line, tt.zone)
		if err != nil {
			t.Errorf("Parse(%q, %q) = %v", tt.line, tt.zone, err)
			continue
		}
		at, err := time.Parse(time.RFC3339, tt.after)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			if at = s.Next(at); at.UTC().Format(time.RFC3339) != want {
				t.Errorf("%q in %q: %s, want %s", tt.line, tt.zone, at.UTC().Format(time.RFC3339), want)
				break
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, zone, want string }{
		{"0 0 30 2 *", "", `schedule "0 0 30 2 *" is never due: there is no such day`},
		{"0 0 30 2 *", "Mars/Olympus", `time zone "Mars/Olympus": want a name`},
		{"@daily", "Local", `time zone "Local": want a name`},
		{"TZ=UTC 0 0 * * *", "", "the time zone is named apart from it"},
		{"CRON_TZ=UTC 0 0 * * *", "", "the time zone is named apart from it"},
		{"", "", `schedule "": `},
		{"* * * *", "", "want five fields"},
		{"* * * * * *", "", "want five fields"},
		{"61 * * * *", "", `schedule "61 * * * *": `},
		{"@often", "", `schedule "@often": `},
		{"@every 0s", "", `schedule "@every 0s": `},
		{"\xff", "", "want five fields"},
	} {
		if _, err := Parse(tt.line, tt.zone); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Parse(%q, %q) = %v, want %s", tt.line, tt.zone, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("30 2 * * 1-5", "Europe/Berlin", int64(0))
	f.Add("@every 90m", "", int64(1_800_000_000))
	f.Fuzz(func(t *testing.T, line, zone string, at int64) {
		s, err := Parse(line, zone)
		if err != nil {
			return
		}
		after := time.Unix(at%(1<<33), 0)
		if next := s.Next(after); !next.IsZero() && !next.After(after) {
			t.Errorf("%q in %q after %v: %v", line, zone, after, next)
		}
	})
}
