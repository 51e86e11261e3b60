package ota

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hive-spore/hive/bundle"
)

// hall is a shop whose repository a sealer keeps fresh, on a clock that the test moves.
type hall struct {
	*shop
	leads  atomic.Bool
	plan   atomic.Pointer[Plan]
	log    bytes.Buffer // read it when the sealer waits
	look   time.Duration
	sealer *Sealer
}

// inHall runs a test with a sealer that leads and was started, and how often it looks.
func inHall(t *testing.T, look time.Duration, test func(*hall)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &hall{shop: newShop(t, time.Now()), look: look}
		h.leads.Store(true)
		h.plan.Store(&Plan{})
		h.start()
		test(h)
		h.sealer.Stop()
		h.sealer.Stop()
	})
}

func (h *hall) options() SealerOptions {
	return SealerOptions{
		Repository: h.repo, Snapshot: h.of(bundle.RoleSnapshot), Timestamp: h.of(bundle.RoleTimestamp), Nexus: h.of(bundle.RoleNexus)[0],
		Leads: h.leads.Load, Plan: func() Plan { return *h.plan.Load() }, Look: h.look, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
	}
}

func (h *hall) start() {
	h.Helper()
	h.sealer = must(NewSealer(h.options()))
	h.sealer.Start()
	synctest.Wait()
}

// pass lets time go by.
func (h *hall) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (h *hall) stamp() string {
	data, err := os.ReadFile(filepath.Join(h.dir, "metadata", "timestamp.json"))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// assigned is what a spore is to run, by the set that is signed.
func (h *hall) assigned() (runs string) {
	h.Helper()
	set, err := h.repo.Assigned(h.of(bundle.RoleNexus)[0].Ed25519())
	if err != nil {
		return bundle.Reason(err)
	}
	decided, _, err := set.Decide(bundle.Spore{ID: "spore"}, nil, 0, time.Now())
	if err != nil {
		return bundle.Reason(err)
	}
	for _, run := range decided {
		runs += run.Bundle + "@" + run.Version
	}
	return runs
}

// decide makes version everybody's.
func (h *hall) decide(version string) {
	h.Helper()
	plan, _, err := Plan{Generation: h.plan.Load().Generation}.Start(Request{Bundle: bundleOf("crow", version), Steps: []Step{{Percent: 100}}}, time.Now())
	if err != nil {
		h.Fatal(err)
	}
	h.plan.Store(&plan)
}

// A repository that is sealed stays good for ever; one that is not, for a day.
func TestSealerKeepsFresh(t *testing.T) {
	inHall(t, 10*time.Minute, func(h *hall) {
		h.decide("1.0.0")
		c := h.client(h.dir)
		for day := range 10 { // a snapshot is good for 7
			h.pass(23 * time.Hour)
			if _, err := c.Refresh(h.Context()); err != nil {
				h.Fatalf("day %d: %v", day, err)
			}
			if got := h.assigned(); got != "crow@1.0.0" {
				h.Fatalf("day %d: a spore is to run %q", day, got)
			}
		}
		h.sealer.Stop()
		h.pass(25 * time.Hour)
		if _, err := c.Refresh(h.Context()); bundle.Reason(err) != bundle.ReasonExpired {
			h.Errorf("not sealed for 25 hours: %v", err)
		}
		if got := h.assigned(); got != bundle.ReasonExpired {
			h.Errorf("not signed for 25 hours: %q", got)
		}
	})
}

// It is sealed at once, then hourly, and not in between.
func TestSealerSealsHourly(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		first := h.stamp()
		if h.pass(59 * time.Minute); h.stamp() != first {
			t.Error("sealed within the hour, and nothing was published")
		}
		if h.pass(2 * time.Minute); h.stamp() == first {
			t.Error("not sealed after an hour")
		}
	})
}

func TestSealerSeesTargets(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		c := h.client(h.dir)
		must(c.Refresh(h.Context()))
		h.publish("crow", "1.0.0")
		if changed, err := c.Refresh(h.Context()); changed || err != nil {
			h.Fatalf("before it is sealed: %v, %v", changed, err)
		}
		h.pass(LookEvery)
		if changed, err := c.Refresh(h.Context()); !changed || err != nil {
			h.Fatalf("a second later: %v, %v", changed, err)
		}
		h.publish("crow", "1.1.0")
		h.sealer.Wake()
		h.sealer.Wake()
		synctest.Wait()
		if changed, err := c.Refresh(h.Context()); !changed || err != nil {
			h.Fatalf("woken: %v, %v", changed, err)
		}
	})
}

func TestSealerSignsDecisions(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		if got := h.assigned(); got != bundle.ReasonMissing {
			h.Errorf("nothing was decided, and a spore is to run %q", got)
		}
		h.decide("1.0.0")
		h.pass(LookEvery)
		if got := h.assigned(); got != "crow@1.0.0" {
			h.Errorf("a spore is to run %q", got)
		}
		h.decide("1.1.0")
		h.sealer.Wake()
		synctest.Wait()
		if got := h.assigned(); got != "crow@1.1.0" {
			h.Errorf("woken: a spore is to run %q", got)
		}
	})
}

// Who does not lead writes nothing; who comes to lead seals at once, for it does not
// know what was done before.
func TestSealerLeads(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		h.leads.Store(false)
		h.pass(LookEvery)
		first := h.stamp()
		h.decide("1.0.0")
		h.publish("crow", "1.0.0")
		h.sealer.Wake()
		h.pass(SealEvery)
		if got := h.assigned(); h.stamp() != first || got != bundle.ReasonMissing {
			h.Errorf("sealed or signed without the lead: %q", got)
		}
		h.leads.Store(true)
		h.pass(LookEvery)
		if got := h.assigned(); h.stamp() == first || got != "crow@1.0.0" {
			h.Errorf("with the lead: sealed %v, a spore is to run %q", h.stamp() != first, got)
		}
		second := h.stamp()
		h.leads.Store(false)
		h.pass(LookEvery)
		h.leads.Store(true)
		if h.pass(LookEvery); h.stamp() == second {
			h.Error("the lead came back, and nothing was sealed")
		}
	})
}

// A plan from a backup does not go back behind what was signed; what is decided then
// is the newest.
func TestSealerOldPlan(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		h.decide("1.0.0")
		backup := h.plan.Load()
		h.pass(time.Minute)
		h.decide("1.1.0")
		h.pass(LookEvery)
		h.sealer.Stop()
		h.plan.Store(backup)
		h.start()
		h.pass(time.Minute)
		if got := h.assigned(); got != "crow@1.1.0" {
			h.Errorf("an old plan was signed: %q", got)
		}
		if n := strings.Count(h.log.String(), "an old plan is back"); n != 1 {
			h.Errorf("it was told %d times:\n%s", n, h.log.String())
		}
		h.decide("1.2.0")
		h.pass(LookEvery)
		if got := h.assigned(); got != "crow@1.2.0" {
			h.Errorf("what was decided later: %q", got)
		}
	})
}

// A set that another key signed, or nobody, is replaced.
func TestSealerReplacesStrangers(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		stranger := must(bundle.NewKey(bundle.RoleNexus))
		set := &bundle.AssignmentSet{Generation: 1 << 62, Issued: began, Expires: began.Add(time.Hour)}
		if err := h.repo.Assign(set, stranger); err != nil {
			h.Fatal(err)
		}
		h.decide("1.0.0")
		h.pass(LookEvery)
		if got := h.assigned(); got != "crow@1.0.0" {
			h.Errorf("a spore is to run %q", got)
		}
	})
}

// What fails is tried again, and told of once.
func TestSealerGoesOn(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		metadata, away := filepath.Join(h.dir, "metadata"), filepath.Join(h.dir, "away")
		if err := os.Rename(metadata, away); err != nil {
			h.Fatal(err)
		}
		h.pass(time.Minute)
		if n := strings.Count(h.log.String(), "level=WARN"); n != 1 {
			h.Errorf("it was told %d times:\n%s", n, h.log.String())
		}
		if err := os.Rename(away, metadata); err != nil {
			h.Fatal(err)
		}
		first := h.stamp()
		h.publish("crow", "1.0.0")
		if h.pass(LookEvery); h.stamp() == first {
			h.Error("it is not sealed any more")
		}
	})
}

func TestSealerOptions(t *testing.T) {
	t.Parallel()
	h := &hall{shop: newShop(t, time.Now())}
	if s, err := NewSealer(h.options()); err != nil {
		t.Fatal(err)
	} else {
		s.Stop() // it was never started
	}
	for _, test := range []struct {
		want   string
		mutate func(*SealerOptions)
	}{
		{"repository: missing", func(o *SealerOptions) { o.Repository = nil }},
		{"keys of snapshot", func(o *SealerOptions) { o.Snapshot = nil }},
		{"keys of snapshot", func(o *SealerOptions) { o.Timestamp = nil }},
		{"nexus key: missing", func(o *SealerOptions) { o.Nexus = nil }},
		{"of another role", func(o *SealerOptions) { o.Nexus = o.Snapshot[0] }},
		{"leads, plan: missing", func(o *SealerOptions) { o.Leads = nil }},
		{"leads, plan: missing", func(o *SealerOptions) { o.Plan = nil }},
		{"every: want", func(o *SealerOptions) { o.Every = 13 * time.Hour }},
		{"every: want", func(o *SealerOptions) { o.Every = -1 }},
		{"look: want", func(o *SealerOptions) { o.Look = -1 }},
	} {
		o := h.options()
		test.mutate(&o)
		if _, err := NewSealer(o); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("NewSealer = %v, want only %q", err, test.want)
		}
	}
}
