package e2e

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// drain is a command to the victim and its spelling.
func (v *victim) drain(key *bundle.Key, change func(*bundle.Command)) []byte {
	v.Helper()
	return v.command(key, hive.CommandDrain, change)
}

func (v *victim) command(key *bundle.Key, word hive.Command, change func(*bundle.Command)) []byte {
	v.Helper()
	generation, err := v.road.NextControl(v.Context())
	v.must(err)
	now := time.Now().UTC().Truncate(time.Second)
	c := &bundle.Command{ID: hive.NewID(), Issuer: "mallory", Command: word, Generation: generation,
		Target: bundle.Target{Spores: []string{v.name}}, Issued: now, Expires: now.Add(time.Minute)}
	change(c)
	envelope, err := c.Sign(key)
	v.must(err)
	return envelope
}

func (v *victim) send(envelope []byte) {
	v.Helper()
	v.must(v.road.SendControl(v.Context(), envelope))
}

func (v *victim) draining(want bool) {
	v.Helper()
	v.awaitNode(v.name, "draining, or not", func(n *hive.Node) bool { return n.Online && n.Draining == want })
}

func as(*bundle.Command) {}

func at(d time.Duration) func(*bundle.Command) {
	return func(c *bundle.Command) { c.Issued, c.Expires = c.Issued.Add(d), c.Expires.Add(d) }
}

// Whoever can write to Redis, and no more, commands nothing.
func TestCommandAttacks(t *testing.T) {
	v := newSiege(t).victim(t, "commanded", false)
	nexus := v.keys[bundle.RoleNexus][0]
	set := v.bytes(bundle.AssignmentsFile)
	other := func(c *bundle.Command) { c.Target = bundle.Target{Spores: []string{"another"}} }
	tagged := func(c *bundle.Command) { c.Target = bundle.Target{Selector: selector(t, "victim=another")} }
	for _, tt := range []struct { // no reason follows itself: it is the last one that is looked for
		name, action, reason string
		envelope             []byte
	}{
		{"forged", "command.unknown", bundle.ReasonBadSignature, v.drain(v.keys["stranger"][0], as)},
		{"unsigned", "command.unknown", bundle.ReasonUnparsable, []byte(`{"id":"x","command":"DRAIN"}`)},
		{"of an online key", "command.unknown", bundle.ReasonBadSignature, v.drain(v.keys["timestamp"][0], as)},
		{"an assignment set", "command.unknown", bundle.ReasonUnparsable, set},
		{"expired", "command.drain", bundle.ReasonExpired, v.drain(nexus, at(-time.Hour))},
		{"from the future", "command.drain", bundle.ReasonFuture, v.drain(nexus, at(time.Hour))},
		{"for another spore", "command.drain", bundle.ReasonOtherTarget, v.drain(nexus, other)},
		{"expired, to stop", "command.stop", bundle.ReasonExpired, v.command(nexus, hive.CommandStop, at(-time.Hour))},
		{"for other tags", "command.stop", bundle.ReasonOtherTarget, v.command(nexus, hive.CommandStop, tagged)},
	} {
		t.Log(tt.name)
		v.send(tt.envelope)
		v.audited(tt.action, tt.reason)
		v.goesOn()
	}

	// A good one is obeyed once, also by a spore that begins anew and finds it on the road.
	drain := v.drain(nexus, as)
	v.send(drain)
	v.draining(true)
	v.send(v.command(nexus, hive.CommandResume, as))
	v.draining(false)
	v.stop()
	v.begin()
	v.goesOn()
	v.send(drain)
	v.audited("command.drain", bundle.ReasonReplayed)
	if records := v.refusals("command.drain"); records[0].Fields["issuer"] != "mallory" {
		t.Errorf("the audit log does not say whose command it is: %+v", records[0])
	}
	v.goesOn()

	// Nor is it by one that has lost what it remembers.
	v.stop()
	v.truncate("control/commands")
	v.begin()
	v.send(v.command(nexus, hive.CommandStop, as))
	v.audited("command.stop", bundle.ReasonReplayed)
	v.goesOn()
	v.audits(1)
}
