package foreman_test

import (
	"cmp"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus/foreman"
)

func TestMain(m *testing.M) {
	testkit.Main(m, func() error { return goleak.Find() })
}

// leading returns a foreman that leads but whose loop does not run, and spores
// "eu" and "us" that have the skill echo.
func leading(t *testing.T) (*foreman.Foreman, *broker.Broker) {
	t.Helper()
	road := testkit.Dial(t)
	epoch, _, _, err := road.Campaign(t.Context(), "nexus", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"eu", "us"} {
		s := &broker.Session{Node: id, Incarnation: hive.NewID()}
		report := &hive.NodeReport{ID: id, Slots: 2, Tags: hive.Tags{"zone": id}, Skills: []hive.SkillID{{Name: "echo", Version: "1.0.0"}}}
		if err := road.Register(t.Context(), s, report); err != nil {
			t.Fatal(err)
		}
	}
	f := foreman.New(road, slog.New(slog.DiscardHandler))
	f.SetTerm(&broker.Term{Epoch: epoch, Nexus: "nexus"})
	return f, road
}

func enqueue(t *testing.T, road *broker.Broker, skill string) string {
	t.Helper()
	task := hive.Task{Skill: hive.SkillRef{Name: skill}}.WithDefaults()
	if _, err := road.Enqueue(t.Context(), &task, ""); err != nil {
		t.Fatal(err)
	}
	return task.ID
}

func zone(t *testing.T, name string) hive.Selector {
	t.Helper()
	sel, err := hive.ParseSelector("zone=" + name)
	if err != nil {
		t.Fatal(err)
	}
	return sel
}

func TestForemanSelectBestNode(t *testing.T) {
	t.Parallel()
	f, _ := leading(t)
	echo := hive.SkillRef{Name: "echo"}
	if best, err := f.SelectBestNode(t.Context(), echo, nil); err != nil || best.ID != "eu" {
		t.Errorf("SelectBestNode = %v, %v, want eu: both are idle", best, err)
	}
	if best, err := f.SelectBestNode(t.Context(), echo, zone(t, "us")); err != nil || best.ID != "us" {
		t.Errorf("SelectBestNode(zone=us) = %v, %v", best, err)
	}
	if _, err := f.SelectBestNode(t.Context(), hive.SkillRef{Name: "nope"}, nil); !errors.Is(err, hive.ErrNotFound) {
		t.Errorf("SelectBestNode of an unknown skill = %v", err)
	}
}

func TestForemanAssignTask(t *testing.T) {
	t.Parallel()
	f, road := leading(t)
	first, second := enqueue(t, road, "echo"), enqueue(t, road, "echo")
	node, err := f.AssignTask(t.Context(), second, zone(t, "us"))
	if err != nil || node.ID != "us" {
		t.Fatalf("AssignTask = %v, %v", node, err)
	}
	r, err := road.Status(t.Context(), second)
	if err != nil || r.State != hive.Assigned || r.Node != "us" {
		t.Errorf("the task is %s on %q, %v", r.State, r.Node, err)
	}
	if _, err := f.AssignTask(t.Context(), second, nil); err == nil {
		t.Error("an assigned task was assigned again")
	}
	waits := enqueue(t, road, "later")
	if _, err := f.AssignTask(t.Context(), waits, nil); !errors.Is(err, hive.ErrNotFound) {
		t.Errorf("AssignTask without a fitting spore = %v", err)
	}
	if _, err := f.AssignTask(t.Context(), "unknown", nil); !errors.Is(err, hive.ErrNotFound) {
		t.Errorf("AssignTask of an unknown task = %v", err)
	}
	f.SetTerm(nil)
	if _, err := f.AssignTask(t.Context(), first, nil); !errors.Is(err, hive.ErrNotLeader) {
		t.Errorf("AssignTask without the lead = %v", err)
	}
}

func TestForemanGetClusterStatus(t *testing.T) {
	t.Parallel()
	f, _ := leading(t)
	status, err := f.GetClusterStatus(t.Context())
	if err != nil || status.Total != 2 || status.Online != 2 || status.Nodes[0].ID != "eu" || status.Nodes[0].Slots != 2 {
		t.Errorf("GetClusterStatus = %+v, %v", status, err)
	}
}

// A leader that follows another at once believes the beats that are there; one before
// whom nobody could lead gives spores a lease's time to beat.
func TestVacantLead(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		o.Lease = time.Hour
		road := testkit.DialTo(t, o)
		f := foreman.New(road, slog.New(slog.DiscardHandler))
		lead := func(nexus string, ttl time.Duration) {
			t.Helper()
			if _, _, _, err := road.Campaign(t.Context(), nexus, ttl); err != nil {
				t.Fatal(err)
			}
		}
		waits := func() bool { return f.Trusted(t.Context()).After(time.Now().Add(time.Minute)) }
		if lead("first", time.Second); !waits() {
			t.Error("the first leader of a road believes beats at once")
		}
		lead("first", 0)
		if lead("second", time.Second); waits() {
			t.Error("who follows at once believes no beats")
		}
		if _, err := testkit.Do(o.Addrs[0], "HSET", "{"+cmp.Or(o.Shard, "h")+"}:lead", "until", "1"); err != nil {
			t.Fatal(err)
		}
		if lead("third", time.Second); !waits() {
			t.Error("who follows after years believes beats at once")
		}
	})
}
