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

// TestForemanHoldsBack: what is paused waits while the rest goes on, until it is resumed or
// its time is over.
func TestForemanHoldsBack(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		road := testkit.DialTo(t, o)
		epoch, _, _, err := road.Campaign(t.Context(), "nexus", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		s := &broker.Session{Node: "a", Incarnation: hive.NewID()}
		report := &hive.NodeReport{ID: "a", Slots: 100, Skills: []hive.SkillID{{Name: "echo", Version: "1.0.0"}, {Name: "dig", Version: "1.0.0"}}}
		if err := road.Register(t.Context(), s, report); err != nil {
			t.Fatal(err)
		}
		now, err := road.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		soon := now.Add(time.Second)
		for scope, until := range map[hive.Scope]time.Time{{Skill: "echo"}: {}, {Tenant: "late"}: soon} {
			if err := road.Pause(t.Context(), scope, until); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		led := make(chan error, 1)
		f := foreman.New(road, slog.New(slog.DiscardHandler))
		go func() { led <- f.Lead(ctx, broker.Term{Epoch: epoch, Nexus: "nexus"}) }()
		defer func() { <-led }()
		defer stop()
		submit := func(skill, tenant string) string {
			task := hive.Task{Skill: hive.SkillRef{Name: skill}, Tenant: tenant}.WithDefaults()
			if _, err := road.Enqueue(t.Context(), &task, ""); err != nil {
				t.Fatal(err)
			}
			return task.ID
		}
		state := func(id string) *hive.Record {
			r, err := road.Status(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		await := func(id string) {
			t.Helper()
			for state(id).State != hive.Assigned {
				if _, err := road.Heartbeat(t.Context(), s, report, false); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Millisecond)
			}
		}
		held, late := submit("echo", ""), submit("dig", "late")
		await(submit("dig", ""))
		if s := state(held).State; s != hive.Pending {
			t.Errorf("a task of the paused skill is %s", s)
		}
		await(late)
		if at, err := road.Now(t.Context()); err != nil || at.Before(soon) {
			t.Errorf("the tenant went on at %v, want %v (%v)", at, soon, err)
		}
		if s := state(held).State; s != hive.Pending {
			t.Errorf("a task of the paused skill is %s", s)
		}
		if err := road.Pause(t.Context(), hive.Scope{}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := road.Resume(t.Context(), hive.Scope{Skill: "echo"}); err != nil {
			t.Fatal(err)
		}
		if err := road.Resume(t.Context(), hive.Scope{}); err != nil {
			t.Fatal(err)
		}
		await(held)
	})
}
