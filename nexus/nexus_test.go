package nexus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus"
)

func TestMain(m *testing.M) {
	testkit.Main(m, func() error { return goleak.Find() })
}

func start(t *testing.T, road *broker.Broker, name string) *nexus.Nexus {
	t.Helper()
	n, err := nexus.New(nexus.Options{Road: road, Name: name, Lead: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Stop(context.Background()) })
	return n
}

// join registers a spore that the test plays itself.
func join(t *testing.T, road *broker.Broker, id string, tags hive.Tags) *broker.Session {
	t.Helper()
	s := &broker.Session{Node: id, Incarnation: hive.NewID()}
	report := &hive.NodeReport{ID: id, Slots: 2, Tags: tags, Skills: []hive.SkillID{{Name: "echo", Version: "1.0.0"}}}
	if err := road.Register(t.Context(), s, report); err != nil {
		t.Fatal(err)
	}
	return s
}

func submit(t *testing.T, road *broker.Broker) string {
	t.Helper()
	task := hive.Task{Skill: hive.SkillRef{Name: "echo"}}.WithDefaults()
	if _, err := road.Enqueue(t.Context(), &task, ""); err != nil {
		t.Fatal(err)
	}
	return task.ID
}

// fetch waits until the foreman has given the spore a task.
func fetch(t *testing.T, road *broker.Broker, s *broker.Session) hive.Attempt {
	t.Helper()
	for {
		got, _, err := road.Fetch(t.Context(), s, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 1 {
			return got[0]
		}
		if _, err := road.Listen(t.Context(), s, time.Second); err != nil {
			t.Fatal(err)
		}
	}
}

func leader(t *testing.T, road *broker.Broker) string {
	t.Helper()
	name, err := road.Leader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRoutes(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		road := testkit.DialTo(t, o)
		start(t, road, "one")
		s := join(t, road, "a", nil)
		id := submit(t, road)
		if a := fetch(t, road, s); a.Task.ID != id || a.Number != 1 {
			t.Errorf("fetched %+v, want task %s", a, id)
		}
	})
}

func TestSecondTakesOver(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		road := testkit.DialTo(t, o)
		first := start(t, road, "first")
		second := start(t, road, "second")
		if got := leader(t, road); got != first.ID() {
			t.Fatalf("leader = %q, want first", got)
		}
		if err := first.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := join(t, road, "a", nil)
		id := submit(t, road)
		if a := fetch(t, road, s); a.Task.ID != id {
			t.Errorf("fetched %+v, want task %s", a, id)
		}
		if got := leader(t, road); got != second.ID() {
			t.Errorf("leader = %q, want second", got)
		}
	})
}

// TestRestartUnderTheSameName: a new process begins a new term, and does not wait
// behind what the old one had counted to.
func TestRestartUnderTheSameName(t *testing.T) {
	t.Parallel()
	road := testkit.Dial(t)
	s := join(t, road, "a", nil)
	for range 3 {
		n := start(t, road, "same")
		id := submit(t, road)
		a := fetch(t, road, s)
		if a.Task.ID != id {
			t.Errorf("fetched %+v, want task %s", a, id)
		}
		if err := road.Complete(t.Context(), "a", &a, &hive.Outcome{}); err != nil {
			t.Fatal(err)
		}
		if err := n.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeposedLeaderStepsBack(t *testing.T) {
	t.Parallel()
	road := testkit.Dial(t)
	n := start(t, road, "first")
	for { // as if the first had been stopped past its lease
		if err := road.Resign(t.Context(), n.ID()); err != nil {
			t.Fatal(err)
		}
		_, name, _, err := road.Campaign(t.Context(), "usurper", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if name == "usurper" {
			break
		}
	}
	id := submit(t, road)
	join(t, road, "a", nil)
	_, err := n.Foreman().AssignTask(t.Context(), id, nil)
	if !errors.Is(err, hive.ErrNotLeader) {
		t.Errorf("AssignTask = %v, want ErrNotLeader", err)
	}
	if r, err := road.Status(t.Context(), id); err != nil || r.State != hive.Pending {
		t.Errorf("the task is %v, %v, want pending", r.State, err)
	}
}

func TestSilentSporeIsReclaimed(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		o.Lease = hive.OfflineAfter // the shortest that makes sense
		road := testkit.DialTo(t, o)
		start(t, road, "one")
		silent := join(t, road, "silent", nil)
		id := submit(t, road)
		first := fetch(t, road, silent)

		heir := join(t, road, "heir", nil)
		beats, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			beat(beats, road, heir)
		}()
		second := fetch(t, road, heir)
		stop()
		<-done
		if second.Task.ID != id || second.Number != 2 || second.Failures != 1 {
			t.Errorf("second attempt = %+v", second)
		}
		err := road.Complete(t.Context(), "silent", &first, &hive.Outcome{})
		if !errors.Is(err, hive.ErrFenced) {
			t.Errorf("late Complete = %v, want ErrFenced", err)
		}
		if err := road.Complete(t.Context(), "heir", &second, &hive.Outcome{}); err != nil {
			t.Errorf("Complete = %v", err)
		}
	})
}

// beat keeps a spore online until ctx ends.
func beat(ctx context.Context, road *broker.Broker, s *broker.Session) {
	tick := time.NewTicker(hive.HeartbeatEvery / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			report := &hive.NodeReport{ID: s.Node, Slots: 2, Skills: []hive.SkillID{{Name: "echo", Version: "1.0.0"}}}
			road.Heartbeat(ctx, s, report, false) // a missed one is what the next is for
		}
	}
}
