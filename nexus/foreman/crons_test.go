package foreman_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus/foreman"
)

// TestForemanCrons: a leader makes the tasks of crons that are due, each once, and of the times
// that passed without one as many as they say.
func TestForemanCrons(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		road := testkit.DialTo(t, o)
		made := func() map[string]int {
			n := map[string]int{}
			if err := road.Tasks(t.Context(), func(r *hive.Record) bool {
				n[r.Task.Skill.Name]++
				return true
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for _, c := range []hive.Cron{
			{Name: "all", Schedule: "@every 1s", CatchUp: hive.CatchUpAll},
			{Name: "once", Schedule: "@hourly", Zone: "Europe/Berlin", CatchUp: hive.CatchUpOnce},
			{Name: "skip", Schedule: "@hourly", CatchUp: hive.CatchUpSkip},
			{Name: "every", Schedule: "@every 1h", CatchUp: hive.CatchUpAll},
		} {
			c.Task.Skill.Name = c.Name
			if err := road.AddCron(t.Context(), &c, false); err != nil {
				t.Fatal(err)
			}
		}
		// A day ago, but for the first.
		now, err := road.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		past := time.UnixMilli(now.Add(-24*time.Hour - 2*time.Minute).UnixMilli())
		if now.Minute() < 2 { // @hourly would be on time
			past = past.Add(2 * time.Minute)
		}
		crons, err := road.Crons(t.Context())
		if err != nil || len(crons) != 4 {
			t.Fatalf("Crons = %v, %v", crons, err)
		}
		epoch, _, _, err := road.Campaign(t.Context(), "nexus", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		term := broker.Term{Epoch: epoch, Nexus: "nexus"}
		for _, c := range crons {
			if c.Name != "all" {
				if id, err := road.Due(t.Context(), term, &c, past, false); id == "" || err != nil {
					t.Fatalf("Due = %q, %v", id, err)
				}
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		led := make(chan error, 1)
		f := foreman.New(road, slog.New(slog.DiscardHandler))
		go func() { led <- f.Lead(ctx, term) }()
		for made()["all"] < 3 {
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		<-led
		got := made()
		if now.Minute() >= 2 && now.Minute() < 59 && got["skip"] != 0 || got["once"] != 1 || got["every"] != 24 {
			t.Errorf("made %v", got)
		}
		crons, err = road.Crons(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range crons {
			if c.Name == "all" {
				first := now.Truncate(time.Second)
				if n := int(c.Last.Sub(first) / time.Second); n < got["all"] || n > got["all"]+1 {
					t.Errorf("%d tasks of every second up to %v from %v", got["all"], c.Last, first)
				}
			}
		}
	})
}
