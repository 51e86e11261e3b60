package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/nexus/ota"
)

// trapping is a WASI command that does nothing but trap.
const trapping = "\x00asm\x01\x00\x00\x00" + // a WebAssembly module
	"\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" + "\x05\x03\x01\x00\x01" + // one function () -> (), one page of memory
	"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x00" + // exports both
	"\x0a\x05\x01\x03\x00\x00\x0b" // _start: unreachable

// canaries is a cluster of a canary a and another spore b, which run crow 1.0.0: it
// gives its payload back.
type canaries struct {
	*cluster
	first *bundle.Bundle
}

func newCanaries(t *testing.T) *canaries {
	t.Helper()
	c := &canaries{cluster: newAudited(t)}
	c.nexus("n1")
	c.first = c.crow("1.0.0", program(t, skills.cat, "1.0.0"))
	c.give(c.first)
	c.bare("a", c.config(""), "--tags", "canary=true", "--slots", "2")
	c.bare("b", c.config(""), "--slots", "2")
	c.awaitAll(2, c.first)
	return c
}

func (c *canaries) crow(version string, program []byte, change ...func(*hive.Manifest)) *bundle.Bundle {
	c.Helper()
	return c.edition("crow", version, map[string][]byte{"crow": program}, change...)
}

// goesBack expects the nexus to take a version back from the canary by itself, for a
// reason, for good; and no task to be lost to it.
func (c *canaries) goesBack(b *bundle.Bundle, reason string, payload func(n int) string) {
	c.Helper()
	l := c.load(20*time.Millisecond, hive.Task{Skill: hive.SkillRef{Name: "crow"}, Retries: 10}, payload)
	c.rollOut(b, "canary=true,100%")
	c.awaitRollout("crow", ota.RolledBack, reason)
	c.awaitAll(2, c.first)
	failed := 0
	for _, s := range l.stop() {
		if s.err != nil || s.record.State != hive.Completed || string(s.record.Result) != s.payload && s.record.Ran == c.first.Skills[0].ID() {
			c.Errorf("task %q: %v, %+v", s.payload, s.err, s.record)
		} else {
			failed += s.record.Failures
		}
	}
	if failed == 0 {
		c.Error("nothing failed")
	}
	c.audited("rollout.rollback", "nexus/", b.String(), "ok", reason)
	want := fmt.Sprintf("nexus: rollout of %s: it was rolled back before (%s); nexus rollout allow %s takes it off the deny list\n", b, reason, b.Digest())
	if said := c.does(1, "rollout", "start", b.String()); said != want {
		c.Errorf("to begin again says %q, want %q", said, want)
	}
	c.audited("rollout.start", "user/", b.String(), "refused", "denied")
}

// TestBadCanaryGoesBack: a version that fails a fifth of its tasks, or traps, is rolled
// back by itself and does not come again.
func TestBadCanaryGoesBack(t *testing.T) {
	c := newCanaries(t)
	guests := precompile(t, "failing")
	c.goesBack(c.crow("1.1.0", guests[0]), ota.ReasonErrors, func(n int) string {
		if n%5 == 0 {
			return "exit 3"
		}
		return fmt.Sprint("echo ", n)
	})
	c.goesBack(c.crow("1.2.0", []byte(trapping)), ota.ReasonTraps, func(n int) string { return fmt.Sprint(n) })
}

// looks waits until the nexus has looked some more times at the rollout of crow.
func (c *canaries) looks(times int) {
	c.Helper()
	var last time.Time
	await(c.T, "the nexus looking", func() (bool, error) {
		told, err := c.road.Rollouts(c.Context())
		if err != nil {
			return false, err
		}
		sights, err := ota.ParseSights(told)
		if at := sights["crow"].Time; at.After(last) {
			last = at
			times--
		}
		return times < 0, err
	})
}

// held expects a rollout to be at its first step for want of something, and to stay
// there however often the nexus looks.
func (c *canaries) held(b *bundle.Bundle, steps, reason string, want ...string) {
	c.Helper()
	c.rollOut(b, steps)
	c.awaitRollout("crow", ota.Held, reason)
	c.looks(4)
	if r := c.rollout("crow"); r.State != ota.Held || r.Reason != reason || r.Step != 1 {
		c.Errorf("the rollout is %s, want held, step 1, %s", r, reason)
	}
	c.audited("rollout.hold", "nexus/", b.String(), "ok", reason)
	said := c.does(0, "rollout", "status", "crow")
	for _, w := range want {
		if !strings.Contains(said, w) {
			c.Errorf("status says\n%s\nwant %q", said, w)
		}
	}
	c.does(0, "rollout", "abort", "crow")
	c.awaitAll(2, c.first)
}

// TestCanaryWithoutTrafficIsHeld: silence promotes nothing.
func TestCanaryWithoutTrafficIsHeld(t *testing.T) {
	c := newCanaries(t)
	c.held(c.crow("1.1.0", program(t, skills.cat, "1.1.0")), "canary=true,100%", ota.ReasonTooFewTasks, "state    held, step 1 of 2 (canary=true)", "(too_few_tasks)")
	c.held(c.crow("1.2.0", program(t, skills.cat, "1.2.0")), "zone=mars,100%", ota.ReasonNoSpores, "state    held, step 1 of 2 (zone=mars)", "(no_spores)")
}

// TestWiderGrantsAreHeld: a version that may do more is shown, and nobody gets it before
// somebody approves.
func TestWiderGrantsAreHeld(t *testing.T) {
	c := newCanaries(t)
	wider := c.crow("1.1.0", program(t, skills.cat, "1.1.0"), func(m *hive.Manifest) { m.Grants = []hive.Grant{hive.GrantKV} })
	said := c.rollOut(wider, "canary=true,100%")
	for _, want := range []string{"crow@1.1.0 held, step 0 of 2", "~ crow@1.0.0 -> 1.1.0: digest, grants, version", "WIDER: kv (own keys)", "(wider_grants)"} {
		if !strings.Contains(said, want) {
			t.Errorf("start says\n%s\nwant %q", said, want)
		}
	}
	l := c.load(20*time.Millisecond, hive.Task{Skill: hive.SkillRef{Name: "crow"}}, func(n int) string { return fmt.Sprint(n) })
	l.await(100)
	c.awaitAll(2, c.first)
	c.awaitRollout("crow", ota.Held, ota.ReasonWider)
	c.audited("rollout.start", "user/", wider.String(), "ok", "wider_grants")
	before := l.over()
	c.does(0, "rollout", "approve", "crow")
	c.awaitRollout("crow", ota.Done, "")
	c.awaitAll(2, wider)
	for i, s := range l.stop() {
		if s.err != nil || s.record.State != hive.Completed || s.record.Attempts != 1 || i < before && s.record.Ran != c.first.Skills[0].ID() {
			t.Errorf("task %d: %v, %+v", i, s.err, s.record)
		}
	}
}
