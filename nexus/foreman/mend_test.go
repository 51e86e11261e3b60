package foreman_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus/foreman"
)

// What is parted on the road comes together again, and is counted; a task that is lost
// sight of runs.
func TestForemanMends(t *testing.T) {
	t.Parallel()
	o := testkit.Options(t)
	road := testkit.DialTo(t, o)
	epoch, _, _, err := road.Campaign(t.Context(), "nexus", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	id := enqueue(t, road, "echo")
	for _, words := range [][]string{{"HSET", "used", "gone", "3"}, {"DEL", "in:echo||:0"}} {
		if _, err := testkit.Do(o.Addrs[0], append([]string{words[0], "{" + o.Shard + "}:" + words[1]}, words[2:]...)...); err != nil {
			t.Fatal(err)
		}
	}
	f := foreman.New(road, slog.New(slog.DiscardHandler))
	f.MendEvery(5 * time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	led := make(chan error, 1)
	go func() { led <- f.Lead(ctx, broker.Term{Epoch: epoch, Nexus: "nexus"}) }()
	s := &broker.Session{Node: "eu", Incarnation: hive.NewID()}
	report := &hive.NodeReport{ID: "eu", Slots: 1, Skills: []hive.SkillID{{Name: "echo", Version: "1.0.0"}}}
	if err := road.Register(t.Context(), s, report); err != nil {
		t.Fatal(err)
	}
	for {
		attempts, _, err := road.Fetch(t.Context(), s, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(attempts) == 1 && attempts[0].Task.ID == id {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for {
		stats, err := road.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if stats.Mended >= 2 { // the count and the task; the lane that is empty the foreman may find itself
			break
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-led; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
