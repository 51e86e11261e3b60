package foreman_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
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
	var said bytes.Buffer // read when the foreman has ended
	f := foreman.New(road, slog.New(slog.NewTextHandler(&said, nil)))
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
	for _, line := range []string{"mended the road\" what=used name=gone was=3 is=0", "adopted a task that stood nowhere\" task=" + id} {
		if !strings.Contains(said.String(), line) {
			t.Errorf("the log lacks %s:\n%s", line, &said)
		}
	}
}

// Where only scripts write there is nothing to mend, however busy the road is while all of
// it is looked through again and again.
func TestForemanMendsNothing(t *testing.T) {
	t.Parallel()
	road := testkit.Dial(t)
	epoch, _, _, err := road.Campaign(t.Context(), "nexus", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f := foreman.New(road, slog.New(slog.DiscardHandler))
	f.MendEvery(time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	var all, leading sync.WaitGroup
	leading.Go(func() { f.Lead(ctx, broker.Term{Epoch: epoch, Nexus: "nexus"}) })
	const tasks = 4000
	for _, name := range []string{"a", "b"} {
		all.Go(func() { play(ctx, t, road, name) })
	}
	for range tasks {
		enqueue(t, road, "echo")
	}
	for stats := (hive.Stats{}); stats.Completed+stats.Failed < tasks && ctx.Err() == nil; {
		if stats, err = road.Stats(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	leading.Wait()
	all.Wait()
	if stats, err := road.Stats(t.Context()); err != nil || stats.Mended > 0 || stats.Foreign > 0 {
		t.Errorf("Stats = %+v, %v, want nothing mended", stats, err)
	}
}

// play is a spore that completes, fails and hands back what it gets.
func play(ctx context.Context, t *testing.T, road *broker.Broker, name string) {
	s := &broker.Session{Node: name, Incarnation: hive.NewID()}
	report := &hive.NodeReport{ID: name, Slots: 4, Prefetch: 4, Skills: []hive.SkillID{{Name: "echo", Version: "1.0.0"}}}
	err := road.Register(ctx, s, report)
	for n := 0; err == nil; {
		_, err = road.Heartbeat(ctx, s, report, false)
		got, _, errFetch := road.Fetch(ctx, s, 4)
		for i := range got {
			a := &got[i]
			switch n++; n % 8 {
			case 0:
				_, errFetch = road.Fail(ctx, name, a, &hive.Outcome{Failure: hive.NewFailure(hive.FailTrap, "now and then")}, time.Millisecond)
			case 1:
				_, errFetch = road.Release(ctx, name, *a)
			default:
				errFetch = road.Complete(ctx, name, a, &hive.Outcome{Result: []byte("done")})
			}
		}
		if n%5 == 0 {
			_, errFetch = road.HandBack(ctx, s)
		}
		err = errors.Join(err, errFetch)
	}
	if ctx.Err() == nil {
		t.Errorf("spore %s: %v", name, err)
	}
}
