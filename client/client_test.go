package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/embedded"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/spore"
)

func TestMain(m *testing.M) {
	testkit.Main(m, func() error { return goleak.Find() })
}

// onRoads runs a test with a whole hive that has the guest skill.
func onRoads(t *testing.T, test func(t *testing.T, c *client.Client, road *broker.Broker)) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		h, err := embedded.Start(t.Context(), embedded.Options{Road: o, Spore: spore.Options{Name: "a", CacheDir: testkit.CacheDir(t), Admit: testkit.Admit()}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Stop(context.Background()) })
		program := testkit.Guest(t)
		s := testkit.Skill("guest", program)
		if err := h.Register(t.Context(), s.Name, &s, program); err != nil {
			t.Fatal(err)
		}
		c := client.New(h.Road, client.Options{Retries: hive.NoRetries})
		t.Cleanup(func() { c.Close() })
		test(t, c, h.Road)
	})
}

func guest(payload string) hive.Task {
	return hive.Task{Skill: hive.SkillRef{Name: "guest"}, Payload: []byte(payload)}
}

func TestSubmitAndWait(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, _ *broker.Broker) {
		id, err := c.Submit(t.Context(), guest("echo hi"))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second finds the task over
			r, err := c.Wait(t.Context(), id)
			if err != nil || r.State != hive.Completed || string(r.Result) != "hi" {
				t.Errorf("Wait = %+v, %v", r, err)
			}
		}
		if r, err := c.Status(t.Context(), id); err != nil || r.State != hive.Completed {
			t.Errorf("Status = %+v, %v", r, err)
		}
		if _, err := c.Cancel(t.Context(), id); !errors.Is(err, hive.ErrFinal) {
			t.Errorf("Cancel = %v, want ErrFinal", err)
		}
	})
}

func TestLargeResult(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, _ *broker.Broker) {
		big := strings.Repeat("x", 500_000) // does not travel with the notice
		r, err := c.Run(t.Context(), guest("echo "+big))
		if err != nil || !bytes.Equal(r.Result, []byte(big)) {
			t.Errorf("Run = %d bytes, %v", len(r.Result), err)
		}
	})
}

func TestSubmitMany(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, road *broker.Broker) {
		tasks := []hive.Task{guest("echo 1"), guest("exit 1"), guest("echo 3")}
		ids, err := c.SubmitMany(t.Context(), tasks)
		if err != nil || len(ids) != 3 {
			t.Fatalf("SubmitMany = %v, %v", ids, err)
		}
		for i, want := range []hive.State{hive.Completed, hive.Failed, hive.Completed} {
			if r, err := c.Wait(t.Context(), ids[i]); err != nil || r.State != want {
				t.Errorf("task %d: %+v, %v, want %s", i, r, err, want)
			}
		}
		if err := c.Retry(t.Context(), ids[1]); err != nil {
			t.Errorf("Retry = %v", err)
		}
		if r, err := c.Wait(t.Context(), ids[1]); err != nil || r.Attempts != 2 {
			t.Errorf("after Retry: %+v, %v", r, err)
		}
		tasks = append(tasks, hive.Task{Skill: hive.SkillRef{Name: "guest"}, Priority: 11})
		before, _ := road.Stats(t.Context())
		if _, err := c.SubmitMany(t.Context(), tasks); err == nil || !strings.Contains(err.Error(), "task 4 of 4: priority 11") {
			t.Errorf("SubmitMany with a bad task = %v", err)
		}
		if after, _ := road.Stats(t.Context()); after != before {
			t.Errorf("a refused batch changed %+v to %+v", before, after)
		}
	})
}

func TestWaitRefuses(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, _ *broker.Broker) {
		if _, err := c.Wait(t.Context(), hive.NewID()); !errors.Is(err, hive.ErrNotFound) {
			t.Errorf("Wait for an unknown task = %v", err)
		}
		if _, err := c.Wait(t.Context(), "no id!"); err == nil || !strings.Contains(err.Error(), "task id") {
			t.Errorf("Wait for a malformed id = %v", err)
		}
		ended, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		cancel(why)
		if _, err := c.Run(ended, guest("sleep 1h")); err == nil {
			t.Error("Run under an ended context succeeded")
		}
	})
}

func TestCloseEndsWaits(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, _ *broker.Broker) {
		id, err := c.Submit(t.Context(), hive.Task{Skill: hive.SkillRef{Name: "nobody-has-it"}})
		if err != nil {
			t.Fatal(err)
		}
		waited := make(chan error, 1)
		go func() {
			_, err := c.Wait(t.Context(), id)
			waited <- err
		}()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-waited; err == nil {
			t.Error("Wait outlived its client")
		}
	})
}

func TestMapOfNothing(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, _ *broker.Broker) {
		if records, err := c.Map(t.Context(), client.MapOptions{Task: guest("")}, nil); len(records) != 0 || err != nil {
			t.Errorf("Map = %v, %v", records, err)
		}
	})
}

// A Map says when its tasks are on the road, before the first of them is over.
func TestMapSubmitted(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, _ *broker.Broker) {
		var said []string
		_, err := c.Map(t.Context(), client.MapOptions{
			Task:      guest(""),
			Submitted: func(n int) { said = append(said, fmt.Sprint("submitted ", n)) },
			Progress:  func(done, _ int, _ *hive.Record) { said = append(said, fmt.Sprint("over ", done)) },
		}, [][]byte{[]byte("echo 1"), []byte("exit 1")})
		if want := []string{"submitted 2", "over 1", "over 2"}; !slices.Equal(said, want) || err != nil {
			t.Errorf("Map says %q, %v, want %q", said, err, want)
		}
		said = nil
		_, err = c.Map(t.Context(), client.MapOptions{Task: hive.Task{Priority: 11}, Submitted: func(int) { said = []string{"submitted"} }}, [][]byte{nil})
		if err == nil || said != nil {
			t.Errorf("a Map that is refused says %q, %v", said, err)
		}
	})
}

func TestDial(t *testing.T) {
	t.Parallel()
	o := testkit.Options(t)
	c, err := client.Dial(t.Context(), "unix://"+o.Addrs[0], client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Dial(t.Context(), "http://nowhere", client.Options{}); err == nil {
		t.Error("Dial of http:// succeeded")
	}
}

// When a Map is interrupted, tasks can be over of which it has not been told yet.
func TestInterruptedMapHasWhatIsOver(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, road *broker.Broker) {
		const tasks = 20
		ctx, interrupt := context.WithCancel(t.Context())
		wait := func(int, int, *hive.Record) {
			for ctx.Err() == nil {
				if stats, err := road.Stats(ctx); err != nil || stats.Completed == tasks {
					interrupt()
				}
			}
		}
		payloads := make([][]byte, tasks+1)
		for i := range payloads {
			payloads[i] = []byte("echo x")
		}
		payloads[tasks] = []byte("sleep 1h")
		records, err := c.Map(ctx, client.MapOptions{Task: guest(""), Progress: wait}, payloads)
		if !errors.Is(err, context.Canceled) || records[tasks] != nil {
			t.Fatalf("Map = %v, %v", records, err)
		}
		for i, r := range records[:tasks] {
			if r == nil || string(r.Result) != "x" {
				t.Errorf("record %d is %v, want the result", i, r)
			}
		}
	})
}

// TestMapGoesOn: a Map of tasks with ids that is cut short leaves them, and the same call goes
// on with what is there: no task runs twice.
func TestMapGoesOn(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, _ *broker.Broker) {
		payloads, ids := make([][]byte, 20), make([]string, 20)
		for i := range payloads {
			payloads[i] = fmt.Appendf(nil, "echo %d", i)
			ids[i] = hive.BatchID("b", hive.SkillRef{Name: "guest"}, payloads[i])
		}
		o := client.MapOptions{Task: hive.Task{Skill: hive.SkillRef{Name: "guest"}}, IDs: ids}
		ctx, cut := context.WithCancel(t.Context())
		defer cut()
		o.Over = func(int, *hive.Record) { cut() }
		if _, err := c.Map(ctx, o, payloads); !errors.Is(err, context.Canceled) {
			t.Fatalf("Map that is cut short = %v", err)
		}
		over := map[int]string{}
		o.Over = func(i int, r *hive.Record) { over[i] = string(r.Result) }
		records, err := c.Map(t.Context(), o, payloads)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range records {
			if want := fmt.Sprint(i); r.ID != ids[i] || r.Attempts != 1 || r.Result != nil || over[i] != want {
				t.Errorf("record %d = %+v; Over said %q", i, r, over[i])
			}
		}
		for name, ids := range map[string][]string{"2 ids for 1 payloads": ids[:2], "two tasks have the id " + ids[0]: {ids[0], ids[0]}} {
			n := 1
			if ids[0] == ids[1] {
				n = 2
			}
			o.IDs = ids
			if _, err := c.Map(t.Context(), o, payloads[:n]); err == nil || err.Error() != "map: "+name {
				t.Errorf("Map = %v, want %s", err, name)
			}
		}
	})
}

// TestMapOnAFullRoad: a Map that Redis has no room for in its middle leaves nothing waiting.
func TestMapOnAFullRoad(t *testing.T) {
	t.Parallel()
	server, err := testkit.StartRedis("--maxmemory", "4mb", "--maxmemory-policy", "noeviction")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	c, err := client.Dial(t.Context(), "unix://"+server.Addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	road, err := broker.Dial(t.Context(), broker.Options{Addrs: []string{server.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { road.Close() })
	payloads := slices.Repeat([][]byte{make([]byte, 2000)}, 4000) // several calls of Redis
	records, err := c.Map(t.Context(), client.MapOptions{Task: guest("")}, payloads)
	if !errors.Is(err, hive.ErrFull) || strings.Contains(err.Error(), "\n") || len(records) != len(payloads) {
		t.Errorf("Map on a full redis = %d records, %v", len(records), err)
	}
	stats, err := road.Stats(t.Context())
	if err != nil || stats.Pending != 0 || stats.Cancelled == 0 || stats.Cancelled >= int64(len(payloads)) {
		t.Errorf("the road has %+v, %v, want what was there of %d tasks cancelled", stats, err, len(payloads))
	}
}
