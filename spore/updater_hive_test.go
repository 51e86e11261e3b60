package spore_test

import (
	"context"
	"slices"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus"
	"github.com/hive-spore/hive/spore"
)

// Custom sections change a program's bytes and nothing that it does.
func guestVersion(t *testing.T, n byte) []byte {
	return append(slices.Clone(testkit.Guest(t)), 0, 3, 1, 'v', n)
}

// updatedHive is a hive whose only spore has its skills from the publisher.
func updatedHive(t *testing.T, p *publisher) (*client.Client, *updated) {
	t.Helper()
	w := &world{T: t, road: testkit.Dial(t)}
	n, err := nexus.New(nexus.Options{Road: w.road})
	if err := must(t, n, err).Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Stop(context.Background()) })
	u := &updated{p: p}
	u.o = p.options(u)
	o := spore.Options{Road: w.road, CacheDir: testkit.CacheDir(t), Admit: testkit.Admit(), Name: "a", Slots: 2, Bundles: u.o}
	s, err := spore.New(o)
	if err := must(t, s, err).Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	u.Updater = s.Bundles()
	return w.client(), u
}

// digestOf is the program's digest of a bundle of one skill.
func (u *updated) digestOf(version string) string {
	u.p.Helper()
	for _, s := range u.Skills() {
		if s.Version == version {
			return s.Digest
		}
	}
	return ""
}

// A new version appears on a spore that goes on running: no task fails because of it,
// and each result has the digest of what made it. What began on the old version ends
// on it.
func TestUpdateWhileTasksRun(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	one := p.publish("guest", "1.0.0", guestVersion(t, 1))
	p.assign(one)
	c, u := updatedHive(t, p)
	old := runs(t, c, "1.0.0", u)
	slow, err := c.Submit(t.Context(), guest("sleep 1s"))
	must(t, slow, err)
	awaitState(t, c, slow, hive.Running)
	two := p.publish("guest", "2.0.0", guestVersion(t, 2))
	p.assign(two)
	u.Hint()
	ran := map[string]int{}
	for version := ""; version != "2.0.0"; {
		r, err := c.Run(t.Context(), guest("echo hello"))
		if err != nil || r.State != hive.Completed || r.Attempts != 1 {
			t.Fatalf("while it changed: %v, %v", r, err)
		}
		version = r.Ran.Version
		ran[r.Ran.String()+" "+r.Ran.Digest]++
	}
	delete(ran, "guest@1.0.0 "+old)
	if digest := u.digestOf("2.0.0"); digest == old || len(ran) != 1 || ran["guest@2.0.0 "+digest] == 0 {
		t.Errorf("ran %v as well as 1.0.0, want guest@2.0.0 by %s", ran, digest)
	}
	if r, err := c.Wait(t.Context(), slow); err != nil || r.State != hive.Completed || r.Ran.Digest != old || r.Attempts != 1 {
		t.Errorf("what ran meanwhile: %v, %v", r, err)
	}
}

// runs waits until tasks run on a version, and returns the digest that their results
// have, which must be the one that the updater says.
func runs(t *testing.T, c *client.Client, version string, u *updated) string {
	t.Helper()
	for {
		r, err := c.Run(t.Context(), guest("echo hello"))
		if err != nil || r.State != hive.Completed || r.Failures > 0 {
			t.Fatalf("Run = %v, %v", r, err)
		}
		if r.Ran.Version != version {
			continue
		}
		if r.Ran.Digest != u.digestOf(version) {
			t.Fatalf("ran %s, want %s", r.Ran.Digest, u.digestOf(version))
		}
		return r.Ran.Digest
	}
}

// A spore whose updates are refused goes on with what it has.
func TestRefusedUpdateLeavesTasksAlone(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	one := p.publish("guest", "1.0.0", guestVersion(t, 1))
	p.assign(one)
	c, u := updatedHive(t, p)
	digest := runs(t, c, "1.0.0", u)
	foreign, err := bundle.NewKey(bundle.RoleNexus)
	must(t, foreign, err)
	two := p.publish("guest", "2.0.0", guestVersion(t, 2))
	for _, wrong := range []struct {
		reason string
		make   func()
	}{
		{bundle.ReasonBadSignature, func() { p.put(p.set(two), foreign) }},
		{bundle.ReasonBadHash, func() { p.assign(two); p.lie("/blobs/", guestVersion(t, 3)) }},
		{bundle.ReasonRollback, func() {
			s := p.set(one)
			s.Generation = 1
			p.put(s, p.role(bundle.RoleNexus)[0])
		}},
	} {
		wrong.make()
		if err := u.Update(t.Context()); bundle.Reason(err) != wrong.reason {
			t.Errorf("Update = %v, want %s", err, wrong.reason)
		}
		p.honest()
		if now := runs(t, c, "1.0.0", u); now != digest {
			t.Errorf("after %s tasks run on %s", wrong.reason, now)
		}
	}
}
