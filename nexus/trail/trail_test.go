package trail_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus/trail"
)

func TestMain(m *testing.M) {
	testkit.Main(m, func() error { return goleak.Find() })
}

const patience = time.Minute

// world is a road, and the directory of a log.
type world struct {
	*testing.T
	road *broker.Broker
	o    trail.Options
}

func newWorld(t *testing.T, o broker.Options) *world {
	road := testkit.DialTo(t, o)
	return &world{t, road, trail.Options{Dir: filepath.Join(t.TempDir(), "log"), Road: road, Name: "n1", Look: time.Millisecond}}
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) open() *trail.Trail {
	w.Helper()
	t, err := trail.Open(w.o)
	w.check(err)
	return t
}

func (w *world) join(node string) {
	w.Helper()
	w.check(w.road.Register(w.Context(), &broker.Session{Node: node, Incarnation: hive.NewID()}, &hive.NodeReport{ID: node}))
}

// tell is what a spore says in its own list: entries as whoever they say.
func (w *world) tell(node string, actor string, actions ...string) {
	w.Helper()
	var entries [][]byte
	for _, action := range actions {
		n, err := audit.NewNote(audit.Entry{Actor: actor, Action: action, Outcome: audit.OK}, time.Now())
		w.check(err)
		data, err := n.Encode()
		w.check(err)
		entries = append(entries, data)
	}
	w.check(w.road.Tell(w.Context(), node, entries))
}

// records returns the log, the oldest first, as "actor action subject".
func (w *world) records() (all []string) {
	w.Helper()
	_, err := audit.Verify(w.o.Dir)
	w.check(err)
	records, err := audit.List(w.o.Dir, audit.Query{Limit: 10_000})
	w.check(err)
	for _, r := range slices.Backward(records) {
		all = append(all, strings.TrimSpace(r.Actor+" "+r.Action+" "+r.Subject))
	}
	return all
}

func (w *world) want(want ...string) {
	w.Helper()
	if got := w.records(); !slices.Equal(got, want) {
		w.Fatalf("the log is %q, want %q", got, want)
	}
}

// until waits for the log to have so many records.
func (w *world) until(n int) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	for len(w.records()) < n {
		if ctx.Err() != nil {
			w.Fatalf("the log is %q, want %d records", w.records(), n)
		}
	}
}

// heard waits until nobody told anything that is still on the road.
func (w *world) heard() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	for {
		told, err := w.road.Tellers(ctx, true)
		w.check(err)
		if len(told) == 0 {
			return
		}
	}
}

// TestSporesSpeakForThemselves: what spores tell, what the nexus does and what commands left beside the
// log come into it; a spore speaks for itself alone.
func TestSporesSpeakForThemselves(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		w := newWorld(t, o)
		w.join("a")
		w.tell("a", "spore/b", "one", "two")
		w.tell("gone", "nexus/n1", "three") // not registered any more
		n := w.open()
		n.Start()
		n.Append(audit.Entry{Action: "rollout.start", Subject: "x@1.0.0", Outcome: audit.OK})
		n.Append(audit.Entry{Action: "No", Outcome: audit.OK}) // the log would not take it
		ctx, end := context.WithCancel(t.Context())
		led := make(chan struct{})
		go func() { n.Lead(ctx); close(led) }()
		w.until(4)
		left, err := audit.NewNote(audit.Entry{Actor: "user/u", Action: "keys.init", Outcome: audit.OK}, time.Now())
		w.check(err)
		w.check(audit.Leave(w.o.Dir, left))
		w.until(5)
		w.tell("a", "", "four")
		n.Wake()
		w.until(6)
		w.heard()
		end()
		<-led
		w.check(n.Stop())
		w.check(n.Stop())
		w.want("nexus/n1 rollout.start x@1.0.0", "spore/a one", "spore/a two", "spore/gone three", "user/u keys.init", "spore/a four")
	})
}

// TestCrashBetween: a nexus that ends between appending and taking away loses no
// entry, and the next one doubles none.
func TestCrashBetween(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		w := newWorld(t, o)
		w.join("a")
		w.tell("a", "", make100("e")...)
		w.check(w.road.Tell(t.Context(), "a", [][]byte{[]byte("{"), make([]byte, broker.MaxEntry)}))
		for range 3 {
			w.check(w.open().HearAndCrash(t.Context(), "a"))
			if n := len(w.records()); n != 64 {
				t.Fatalf("%d records, want the first look's", n)
			}
		}
		n := w.open()
		w.check(n.Collect(t.Context(), false))
		w.check(n.Crash())
		w.check(w.open().HearAndCrash(t.Context(), "a")) // now what cannot be read is among it
		n = w.open()
		w.check(n.Collect(t.Context(), false))
		w.check(n.Collect(t.Context(), false))
		w.check(n.Crash())
		var want []string
		for _, action := range make100("e") {
			want = append(want, "spore/a "+action)
		}
		w.want(append(want, "audit audit.unreadable spore/a")...)
	})
}

func make100(prefix string) (names []string) {
	for i := range 100 {
		names = append(names, fmt.Sprint(prefix, i))
	}
	return names
}

// TestDropped: what gave way on the road is in the log as a number, once.
func TestDropped(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		w := newWorld(t, o)
		w.join("a")
		for range broker.MaxTold/100 + 1 {
			w.tell("a", "", make100("e")...)
		}
		w.check(w.open().HearAndCrash(t.Context(), "a"))
		n := w.open()
		w.check(n.Collect(t.Context(), false))
		w.check(n.Collect(t.Context(), false))
		w.check(n.Crash())
		records, err := audit.List(w.o.Dir, audit.Query{Action: audit.ActionDrop})
		if err != nil || len(records) != 1 || records[0].Fields["entries"] != "100" || records[0].Subject != "spore/a" {
			t.Errorf("records of it: %+v, %v", records, err)
		}
	})
}

// TestMeddler: a spore that puts what is no list in the place of its own keeps no
// other from being heard.
func TestMeddler(t *testing.T) {
	t.Parallel()
	o := testkit.Options(t)
	w := newWorld(t, o)
	if _, err := testkit.Do(o.Addrs[0], "SET", "{"+o.Shard+"}:au:a", "x"); err != nil {
		t.Fatal(err)
	}
	w.tell("b", "", "one")
	n := w.open()
	w.check(n.Collect(t.Context(), true))
	w.check(n.Crash())
	w.want("spore/b one")
}

// TestHeads: a head is signed at the beginning and at the end, and finds a cut tail.
func TestHeads(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, testkit.Options(t))
	w.o.Sign = private
	n := w.open()
	n.Start()
	n.Append(audit.Entry{Action: "one", Outcome: audit.OK})
	n.Append(audit.Entry{Action: "two", Outcome: audit.OK})
	w.check(n.Stop())
	head, err := audit.ReadHeadOf(filepath.Join(w.o.Dir, audit.HeadFile), public)
	if err != nil || head.Seq != 2 {
		t.Fatalf("the head is %+v, %v, want record 2", head, err)
	}
	if _, err := audit.Verify(w.o.Dir, head); err != nil {
		t.Error(err)
	}
	file := filepath.Join(w.o.Dir, "audit-000000000001.jsonl")
	data, err := os.ReadFile(file)
	w.check(err)
	w.check(os.WriteFile(file, data[:slices.Index(data, '\n')+1], 0o600))
	if _, err := audit.Verify(w.o.Dir, head); err == nil || !strings.Contains(err.Error(), "record 2: missing") {
		t.Errorf("Verify = %v, want record 2 missing", err)
	}
}

// TestHeadsFollow: heads are signed while it runs.
func TestHeadsFollow(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, testkit.Options(t))
	w.o.Head, w.o.Sign = time.Millisecond, private
	n := w.open()
	n.Start()
	defer n.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for seq := range int64(3) {
		for {
			head, err := audit.ReadHeadOf(filepath.Join(w.o.Dir, audit.HeadFile), public)
			if err == nil && head.Seq == seq {
				break
			}
			if ctx.Err() != nil {
				t.Fatalf("the head is %+v, %v, want record %d", head, err, seq)
			}
		}
		n.Append(audit.Entry{Action: "one", Outcome: audit.OK})
	}
}

// TestOwnWaits: own entries wait while the log cannot be written.
func TestOwnWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.Options(t))
	n := w.open()
	w.check(n.Crash())
	other, err := audit.Open(w.o.Dir, audit.Options{})
	w.check(err)
	n.Append(audit.Entry{Action: "one", Outcome: audit.OK})
	for range 1000 {
		n.Append(audit.Entry{Action: "two", Outcome: audit.OK})
	}
	if _, err := trail.Open(w.o); !errors.Is(err, audit.ErrLocked) {
		t.Errorf("Open = %v, want it locked", err)
	}
	w.check(other.Close())
	w.check(n.Stop())
	got := w.records()
	if len(got) != 1001 || got[0] != "nexus/n1 two" || got[1000] != "audit audit.drop nexus/n1" {
		t.Errorf("%d records, the last %q, want 1000 entries and that one was given up", len(got), got[len(got)-1])
	}
}

// TestNoLog: who has no log calls the same methods.
func TestNoLog(t *testing.T) {
	t.Parallel()
	var n *trail.Trail
	n.Start()
	n.Append(audit.Entry{Action: "one", Outcome: audit.OK})
	n.Lead(t.Context())
	if err := n.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := trail.Open(trail.Options{}); err == nil {
		t.Error("a log without a directory is opened")
	}
}
