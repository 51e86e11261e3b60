package spore_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	logbook "github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// hearUntil hears what a spore tells until something of it is what is waited for.
func hearUntil(t *testing.T, road *broker.Broker, node string, last func(logbook.Note) bool) (notes []logbook.Note) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		told, err := road.Told(ctx, node, 100)
		if err != nil {
			t.Fatalf("%v; heard %v", err, notes)
		}
		if err := road.Heard(ctx, node, told); err != nil {
			t.Fatal(err)
		}
		for _, data := range told.Raw {
			n, err := logbook.ReadNote(data)
			if err != nil {
				t.Fatal(err)
			}
			if notes = append(notes, n); last(n) {
				return notes
			}
		}
	}
}

func action(name string) func(logbook.Note) bool {
	return func(n logbook.Note) bool { return n.Action == name }
}

func numbered(from, end int, tell func(logbook.Entry)) {
	for i := from; i < end; i++ {
		tell(logbook.Entry{Actor: "spore/other", Action: "test", Subject: fmt.Sprint(i), Outcome: logbook.OK})
	}
}

// TestTrail: all entries arrive, in their order and as the spore's own; at the end too.
func TestTrail(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		road := testkit.DialTo(t, o)
		trail := spore.NewTrail(road, "a", slog.New(slog.DiscardHandler))
		numbered(0, 100, trail.Tell) // before it begins
		trail.Start()
		numbered(100, 200, trail.Tell)
		trail.Tell(logbook.Entry{Action: "No", Outcome: logbook.OK}) // the log would not take it
		trail.Stop(t.Context())
		trail.Stop(t.Context())
		got := hearUntil(t, road, "a", func(n logbook.Note) bool { return n.Subject == "199" })
		for i, n := range got {
			if n.Subject != fmt.Sprint(i) || n.Actor != "spore/a" {
				t.Fatalf("entry %d is %+v", i, n)
			}
		}
		if len(got) != 200 {
			t.Errorf("%d entries, want 200", len(got))
		}
	})
}

// TestTrailWithoutRoad: while Redis is away entries wait, and of too many the oldest
// give way, which is told; whoever tells does not wait, and neither does the end.
func TestTrailWithoutRoad(t *testing.T) {
	t.Parallel()
	redis, err := testkit.StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(redis.Stop)
	road := testkit.DialTo(t, broker.Options{Addrs: []string{redis.Addr}})
	trail := spore.NewTrail(road, "a", slog.New(slog.DiscardHandler))
	trail.Start()
	numbered(0, 1, trail.Tell)
	hearUntil(t, road, "a", action("test"))
	redis.Kill()
	numbered(1, 1200, trail.Tell)
	if err := redis.Restart(); err != nil {
		t.Fatal(err)
	}
	lost, drops := 0, 0
	got := hearUntil(t, road, "a", func(n logbook.Note) bool { return n.Subject == "1199" })
	for _, n := range got {
		if n.Action == logbook.ActionDrop {
			n, err := strconv.Atoi(n.Fields["entries"])
			if err != nil {
				t.Fatal(err)
			}
			lost += n
			drops++
		}
	}
	if told := len(got) - drops; lost == 0 || told+lost != 1199 {
		t.Errorf("%d entries told and %d lost, want 1199 in all, and some lost", told, lost)
	}
	redis.Kill()
	numbered(0, 2, trail.Tell)
	trail.Stop(t.Context()) // it ends although nobody listens
}

// TestTrailOfEvents is what the log is told of each thing that happens to a spore.
func TestTrailOfEvents(t *testing.T) {
	t.Parallel()
	road := testkit.Dial(t)
	trail := spore.NewTrail(road, "a", slog.New(slog.DiscardHandler))
	run := func(name, version string) bundle.Run {
		return bundle.Run{Bundle: name, Ref: bundle.Ref{Version: version, Digest: "sha256:" + version}}
	}
	id := hive.SkillID{Name: "cat", Version: "1.0.0"}
	retry := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	trail.Bundles(spore.Event{Running: []bundle.Run{run("new", "1.0.0"), run("kept", "1.0.0"), run("up", "2.0.0")},
		Before: []bundle.Run{run("kept", "1.0.0"), run("up", "1.0.0"), run("gone", "3.0.0")}})
	trail.Bundles(spore.Event{Reason: bundle.ReasonRateLimited, Retry: retry,
		Err: fmt.Errorf("update: %w", &bundle.Error{Reason: bundle.ReasonRateLimited, What: "up@3.0.0"})})
	trail.Bundles(spore.Event{Reason: "x", Err: errors.New("y")})
	for range 2 { // told once
		trail.Denied(id, "http", "t1")
		trail.Denied(id, "http_request", "t2")
		trail.Denied(id, "nosuch", "t3")
		trail.Refused(&hive.Skill{Manifest: hive.Manifest{Name: "cat", Version: "1.0.0"}, Digest: "sha256:1"}, errors.New("the disk is full"))
	}
	trail.Tell(logbook.Entry{Action: "last", Outcome: logbook.OK})
	trail.Start()
	defer trail.Stop(t.Context())
	var got []string
	for _, n := range hearUntil(t, road, "a", action("last")) {
		got = append(got, fmt.Sprintln(n.Action, n.Subject, n.Outcome, n.Reason, n.Fields))
	}
	want := `bundle.install new@1.0.0 ok  map[digest:sha256:1.0.0]
bundle.install up@2.0.0 ok  map[before:1.0.0 digest:sha256:2.0.0]
bundle.remove gone@3.0.0 ok  map[digest:sha256:3.0.0]
bundle.refuse up@3.0.0 refused rate_limited map[retry:2026-01-02T03:04:05Z text:*]
bundle.refuse  refused x map[text:y]
grant.deny cat@1.0.0 refused denied map[function:http grant:http task:t1]
grant.deny cat@1.0.0 refused denied map[function:http_request grant:http task:t2]
grant.deny cat@1.0.0 refused denied map[function:nosuch task:t3]
last  ok  map[]
`
	text := strings.Join(got, "")
	if head, rest, found := strings.Cut(want, "*"); !found || !strings.HasPrefix(text, head) || !strings.HasSuffix(text, rest) {
		t.Errorf("told:\n%s\nwant:\n%s", text, want)
	}
}

// TestSporeTells: a spore tells of a program that cannot run.
func TestSporeTells(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := w.pub.Register("bad", []byte("junk"))
	w.register()
	s := w.start(spore.Options{Name: "a"})
	told := hearUntil(t, w.road, "a", func(n logbook.Note) bool { return n.Action == "bundle.refuse" })
	at := slices.IndexFunc(told, action("skill.refuse"))
	if at < 0 {
		t.Fatalf("told %+v", told)
	}
	if n := told[at]; n.Subject != "bad@1.0.0" || n.Fields["digest"] != bad.Digest || n.Fields["text"] == "" || n.Actor != "spore/a" {
		t.Errorf("told %+v", n)
	}
	if n := told[len(told)-1]; n.Reason != bundle.ReasonNotAdmitted || n.Subject != "bad@1.0.0" {
		t.Errorf("told %+v", n)
	}
	var first *runtime.Refusal
	for range 3 { // it is not compiled each time
		err := s.Bundles().Update(t.Context())
		refusal, ok := errors.AsType[*runtime.Refusal](err)
		if first = cmp.Or(first, refusal); !ok || refusal != first || bundle.Reason(err) != bundle.ReasonNotAdmitted {
			t.Errorf("Update = %v", err)
		}
	}
}
