package ota

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// hall is a shop whose repository a keeper keeps fresh, on a clock that the test moves.
type hall struct {
	*shop
	desk   *Desk
	log    bytes.Buffer // read it when the keeper waits
	look   time.Duration
	keeper *Keeper
	again  atomic.Int32 // how often it was confirmed
	told   []string     // catalogues that were announced

	epoch int64
	ctx   context.Context
	stop  context.CancelFunc
	term  sync.WaitGroup
}

// inHall runs a test with a keeper that leads and was started, and how often it looks.
func inHall(t *testing.T, look time.Duration, test func(*hall)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &hall{shop: newShop(t, time.Now()), look: look}
		h.desk = NewDesk(h.repo, h.dir)
		h.start()
		test(h)
		h.resign()
	})
}

func (h *hall) options() KeeperOptions {
	return KeeperOptions{
		Repository: h.repo, Snapshot: h.of(bundle.RoleSnapshot), Timestamp: h.of(bundle.RoleTimestamp), Nexus: h.of(bundle.RoleNexus)[0],
		Desk: h.desk, Look: h.look, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
	}
}

func (h *hall) announce(_ context.Context, skills []hive.Skill, again bool) error {
	if again {
		h.again.Add(1)
		return nil
	}
	var names []string
	for i := range skills {
		names = append(names, skills[i].ID().String())
	}
	h.told = append(h.told, strings.Join(names, " "))
	return nil
}

func (h *hall) start() {
	h.Helper()
	h.keeper = must(NewKeeper(h.options()))
	h.lead()
}

// lead begins a term, resign ends it.
func (h *hall) lead() {
	h.ctx, h.stop = context.WithCancel(h.Context())
	h.epoch++
	h.term.Go(func() { h.keeper.Lead(h.ctx, h.desk.Lead(h.epoch, "n1"), h.announce) })
	synctest.Wait()
}

func (h *hall) resign() {
	h.stop()
	h.term.Wait()
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
	_, _, err := h.desk.Change(func(p Plan) (Plan, audit.Entry, error) {
		return Plan{Generation: p.Generation}.Start(Request{Bundle: bundleOf("crow", version), Steps: []Step{{Percent: 100}}}, time.Now())
	})
	if err != nil {
		h.Fatal(err)
	}
}

// A repository that is sealed stays good for ever; one that is not, for a day.
func TestKeeperKeepsFresh(t *testing.T) {
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
		h.resign()
		h.pass(25 * time.Hour)
		if _, err := c.Refresh(h.Context()); bundle.Reason(err) != bundle.ReasonExpired {
			h.Errorf("not sealed for 25 hours: %v", err)
		}
		if got := h.assigned(); got != bundle.ReasonExpired {
			h.Errorf("not signed for 25 hours: %q", got)
		}
	})
}

// What was announced is looked after, now and then.
func TestKeeperConfirms(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		told := len(h.told)
		h.pass(confirmEvery - LookEvery)
		if h.again.Load() > 0 {
			t.Error("confirmed within a minute")
		}
		if h.pass(2 * LookEvery); h.again.Load() != 1 || len(h.told) != told {
			t.Errorf("confirmed %d times, announced %d, want 1, %d", h.again.Load(), len(h.told), told)
		}
	})
}

// It is sealed at once, then hourly, and not in between.
func TestKeeperSealsHourly(t *testing.T) {
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

func TestKeeperSeesTargets(t *testing.T) {
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
		h.keeper.Wake()
		h.keeper.Wake()
		synctest.Wait()
		if changed, err := c.Refresh(h.Context()); !changed || err != nil {
			h.Fatalf("woken: %v, %v", changed, err)
		}
	})
}

func TestKeeperSignsDecisions(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		if got := h.assigned(); got != "" {
			h.Errorf("nothing was decided, and a spore is to run %q", got)
		}
		h.decide("1.0.0")
		h.pass(LookEvery)
		if got := h.assigned(); got != "crow@1.0.0" {
			h.Errorf("a spore is to run %q", got)
		}
		h.decide("1.1.0")
		h.keeper.Wake()
		synctest.Wait()
		if got := h.assigned(); got != "crow@1.1.0" {
			h.Errorf("woken: a spore is to run %q", got)
		}
	})
}

// Who does not lead writes nothing; who comes to lead seals at once, for it does not
// know what was done before.
func TestKeeperLeads(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		h.resign()
		first := h.stamp()
		h.decide("1.0.0")
		h.publish("crow", "1.0.0")
		h.keeper.Wake()
		h.pass(SealEvery)
		if got := h.assigned(); h.stamp() != first || got != "" {
			h.Errorf("sealed or signed without the lead: %q", got)
		}
		h.lead()
		if got := h.assigned(); h.stamp() == first || got != "crow@1.0.0" {
			h.Errorf("with the lead: sealed %v, a spore is to run %q", h.stamp() != first, got)
		}
		second := h.stamp()
		h.resign()
		h.pass(time.Second)
		if h.lead(); h.stamp() == second {
			h.Error("the lead came back, and nothing was sealed")
		}
	})
}

// A plan from a backup does not go back behind what was signed; what is decided then
// is the newest.
func TestKeeperOldPlan(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		h.decide("1.0.0")
		backup := must(os.ReadFile(filepath.Join(h.dir, PlanFile)))
		h.pass(time.Minute)
		h.decide("1.1.0")
		h.pass(LookEvery)
		h.resign()
		if err := os.WriteFile(filepath.Join(h.dir, PlanFile), backup, 0o644); err != nil {
			h.Fatal(err)
		}
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
func TestKeeperReplacesStrangers(t *testing.T) {
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
func TestKeeperGoesOn(t *testing.T) {
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

func TestKeeperOptions(t *testing.T) {
	t.Parallel()
	h := &hall{shop: newShop(t, time.Now()), look: LookEvery}
	h.desk = NewDesk(h.repo, h.dir)
	if _, err := NewKeeper(h.options()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		want   string
		mutate func(*KeeperOptions)
	}{
		{"repository, desk: missing", func(o *KeeperOptions) { o.Repository = nil }},
		{"repository, desk: missing", func(o *KeeperOptions) { o.Desk = nil }},
		{"keys of snapshot", func(o *KeeperOptions) { o.Snapshot = nil }},
		{"keys of snapshot", func(o *KeeperOptions) { o.Timestamp = nil }},
		{"nexus key: missing", func(o *KeeperOptions) { o.Nexus = nil }},
		{"of another role", func(o *KeeperOptions) { o.Nexus = o.Snapshot[0] }},
		{"every: want", func(o *KeeperOptions) { o.Every = 13 * time.Hour }},
		{"every: want", func(o *KeeperOptions) { o.Every = -1 }},
		{"look: want", func(o *KeeperOptions) { o.Look = -1 }},
	} {
		o := h.options()
		test.mutate(&o)
		if _, err := NewKeeper(o); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("NewKeeper = %v, want only %q", err, test.want)
		}
	}
}

// What spores are to run is announced when it is signed for, and once.
func TestKeeperAnnounces(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		h.publish("crow", "1.0.0")
		h.decide("1.0.0")
		h.pass(LookEvery)
		h.pass(time.Minute)
		h.resign()
		h.lead()
		if _, err := h.repo.Remove(h.of(bundle.RoleTargets), "bundles/crow/1.0.0.json"); err != nil {
			h.Fatal(err)
		}
		h.pass(LookEvery)
		if want := []string{"", "crow@1.0.0", "crow@1.0.0", ""}; !slices.Equal(h.told, want) {
			t.Errorf("announced %q, want %q", h.told, want)
		}
	})
}

// A plan that is damaged is not taken for one that is empty.
func TestKeeperDamagedPlan(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		h.decide("1.0.0")
		h.pass(LookEvery)
		for _, damaged := range []string{"", "{", "{}{}", `{"generation":"x"}`, `{"surprise":1}`, `{"generation":-1}`,
			`{"generation":9223372036854775807}`, `{"bundles":{"../crow":{"current":{"version":"1.0.0","digest":"x"}}}}`,
			`{"bundles":{"crow":{"rollout":{"steps":[],"step":7,"state":"running"}}}}`} {
			if err := os.WriteFile(filepath.Join(h.dir, PlanFile), []byte(damaged), 0o644); err != nil {
				h.Fatal(err)
			}
			h.pass(time.Minute)
			if got := h.assigned(); got != "crow@1.0.0" || !strings.Contains(h.log.String(), "not a plan, or damaged") {
				h.Errorf("%q: a spore is to run %q\n%s", damaged, got, h.log.String())
			}
		}
	})
}

// A file that somebody removed is there again at the next look.
func TestKeeperRemovedFile(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		h.decide("1.0.0")
		h.pass(LookEvery)
		for _, name := range []string{bundle.AssignmentsFile, "metadata/timestamp.json"} {
			if err := os.Remove(filepath.Join(h.dir, name)); err != nil {
				h.Fatal(err)
			}
			h.pass(2 * LookEvery)
			if _, err := os.Stat(filepath.Join(h.dir, name)); err != nil || h.assigned() != "crow@1.0.0" {
				h.Errorf("%s: %v, a spore is to run %q", name, err, h.assigned())
			}
		}
	})
}

// What has a time goes when it is over.
func TestKeeperExpires(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		_, _, err := h.desk.Change(func(p Plan) (Plan, audit.Entry, error) {
			return p.Give(Request{Bundle: bundleOf("crow", "1.0.0")}, time.Now().Add(time.Hour), time.Now())
		})
		if err != nil {
			h.Fatal(err)
		}
		h.pass(59 * time.Minute)
		if got := h.assigned(); got != "crow@1.0.0" {
			h.Errorf("a spore is to run %q", got)
		}
		h.pass(2 * time.Minute)
		if got := h.assigned(); got != "" {
			h.Errorf("when it is over a spore is to run %q", got)
		}
	})
}

// A plan that cannot be written, here since it could not be read again, stays as it is, and
// nothing is told of what did not come to pass.
func TestKeeperTellsWhatCameToPass(t *testing.T) {
	t.Parallel()
	h := &hall{shop: newShop(t, time.Now()), look: LookEvery}
	h.desk = NewDesk(h.repo, h.dir)
	o, told := h.options(), 0
	o.Audit = func(audit.Entry) { told++ }
	k := must(NewKeeper(o))
	k.desk = h.desk
	over := must(NewDesk(h.repo, h.dir).Load())
	over, _, err := over.Give(Request{Bundle: bundleOf("crow", "1.0.0")}, time.Now(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	const denied = 1000 // each takes more as it is written than as it is here
	for i := range denied {
		over.Denied[fmt.Sprintf("%0*d", maxPlanFile/denied-10, i)] = "x"
	}
	data := must(json.Marshal(over))
	if err := os.WriteFile(filepath.Join(h.dir, PlanFile), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := k.plan(time.Now()); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("plan: %v", err)
	}
	if after := must(os.ReadFile(filepath.Join(h.dir, PlanFile))); told > 0 || !bytes.Equal(after, data) {
		t.Errorf("it told of %d changes; the plan stayed: %v", told, bytes.Equal(after, data))
	}
}

// A nexus that does not know yet that another one leads changes nothing any more: neither
// the plan nor what spores see, whoever else does so meanwhile.
func TestKeeperDeposed(t *testing.T) {
	inHall(t, LookEvery, func(h *hall) {
		for _, version := range []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0"} {
			h.publish("crow", version)
		}
		old, key := h.desk.Lead(h.epoch, "n1"), h.of(bundle.RoleNexus)[0]
		give := func(d *Desk, version string) error {
			_, _, err := d.Give(Request{Bundle: bundleOf("crow", version), Every: -1}, time.Time{}, time.Now())
			return err
		}
		if err := give(h.desk, "1.0.0"); err != nil {
			h.Fatal(err)
		}
		before := must(old.Load()).Set(time.Now(), time.Hour)
		h.pass(time.Second)
		if err := give(old, "1.1.0"); err != nil {
			h.Fatal(err)
		}
		h.pass(time.Second)
		h.resign() // and does not know it
		h.lead()
		for what, err := range map[string]error{
			"it decides":                    give(old, "1.2.0"),
			"it assigns":                    old.assign(must(h.desk.Load()).Set(time.Now(), time.Hour), key),
			"one of the same epoch assigns": h.desk.Lead(h.epoch, "n2").assign(must(h.desk.Load()).Set(time.Now(), time.Hour), key),
		} {
			if !errors.Is(err, hive.ErrNotLeader) {
				h.Errorf("%s: %v", what, err)
			}
		}
		if err := h.desk.Lead(h.epoch, "n1").assign(before, key); err == nil || errors.Is(err, hive.ErrNotLeader) {
			h.Errorf("an older set is signed by who leads: %v", err)
		}
		if err := give(h.desk, "1.3.0"); err != nil {
			h.Errorf("a person decides: %v", err)
		}
		h.pass(LookEvery)
		if got := h.assigned(); got != "crow@1.3.0" {
			h.Errorf("a spore is to run %q", got)
		}
		for _, damaged := range []string{"", "x y", "7"} {
			if err := os.WriteFile(filepath.Join(h.dir, termFile), []byte(damaged), 0o644); err != nil {
				h.Fatal(err)
			}
			if err := give(h.desk.Lead(h.epoch, "n1"), "1.4.0"); err == nil || !strings.Contains(err.Error(), "remove it") {
				h.Errorf("who leads is %q: %v", damaged, err)
			}
		}
		h.resign()
		if err := os.Remove(filepath.Join(h.dir, termFile)); err != nil {
			h.Fatal(err)
		}
		h.lead()
	})
}
