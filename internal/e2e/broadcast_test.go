package e2e

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
)

// commander is a cluster whose spores obey its nexus key.
type commander struct{ *cluster }

func newCommander(t *testing.T) *commander {
	c := &commander{newCluster(t)}
	c.nexus("n1")
	return c
}

// says runs a broadcast, which is to say all of this.
func (c *commander) says(code int, words string, want ...string) {
	c.Helper()
	args := append([]string{"broadcast", "--redis", c.url}, strings.Fields(words)...)
	if !slices.Contains(args, "--keys") {
		args = append(args, "--keys", c.pub.Keys)
	}
	p := start(c.T, "", "nexus", args...)
	p.ends(code)
	text := strings.Join(strings.Fields(p.out.String()), " ")
	for _, w := range want {
		if !strings.Contains(text, w) {
			c.Errorf("broadcast %s says %q, want %q", words, text, w)
		}
	}
}

// TestBroadcast: who is told what, and who says what to it.
func TestBroadcast(t *testing.T) {
	c := newCommander(t)
	c.says(0, "PING", "0 spores said ok")
	a, b := c.spore("a", "--tags", "zone=eu"), c.spore("b", "--tags", "zone=us")
	c.says(0, "ping", "SPORE ANSWERED AFTER SAYS a ", " ms ok b ", " ms ok", "2 spores said ok")
	c.says(0, "DRAIN --to a", "1 spore said ok")
	c.awaitNode("a", "draining", func(n *hive.Node) bool { return n.Draining })
	c.awaitNode("b", "not draining", func(n *hive.Node) bool { return !n.Draining })
	c.says(0, "RESUME --tags zone=eu --json", `[ { "node_id": "a", "answered": true, "ms": `, `, "ok": true } ]`)
	c.awaitNode("a", "not draining", func(n *hive.Node) bool { return !n.Draining })
	c.says(0, "UPDATE_SYSTEM --to b", " ms ok", "1 spore said ok")
	c.says(1, "PING --to b,gone,gone", "b ", " ms ok gone - offline", "1 of 2 spores did not say ok")

	other := filepath.Join(t.TempDir(), "other")
	start(t, "", "nexus", "keys", "init", other).ends(0)
	c.says(1, "DRAIN --keys "+other, "a - no_answer b - no_answer", "hint: a spore obeys the keys that its repository lists", "2 of 2 spores did not say ok")
	c.awaitNode("a", "not draining", func(n *hive.Node) bool { return !n.Draining })
	c.says(0, "STOP --to b", "1 spore said ok")
	b.ends(0)
	select {
	case <-a.done:
		t.Error("a stops as well")
	default:
	}
}

// TestBroadcastHostile: what a stolen spore answers stops nothing, and steers no terminal.
func TestBroadcastHostile(t *testing.T) {
	c := newCommander(t)
	c.spore("a")
	if err := c.road.Register(t.Context(), &broker.Session{Node: "evil", Incarnation: hive.NewID()}, &hive.NodeReport{ID: "evil", Name: "evil"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- c.road.SubscribeControl(ctx, func() { close(ready) }, c.lies) }()
	<-ready
	c.says(1, "PING", "a ", " ms ok evil ", " ms unknown", "1 of 2 spores did not say ok")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// lies answers a command in many ways.
func (c *commander) lies(envelope []byte) {
	var to broker.ReplyTo
	command, err := bundle.ReadCommand(envelope, []ed25519.PublicKey{c.pub.Keep.Nexus.Ed25519()})
	if err != nil || json.Unmarshal(command.Data, &to) != nil {
		c.Errorf("the command is %v, %v", command, err)
		return
	}
	for _, a := range []broker.Answer{
		{Node: "ghost", OK: true}, {Node: "\x1b[2J", OK: true}, {Node: "evil", OK: true, Reason: strings.Repeat("x", 1<<20)},
		{Node: "evil", Reason: "\x1b[31mred"}, {Node: "evil", OK: true},
	} {
		if err := c.road.Answer(c.Context(), to.Inbox, a); err != nil {
			c.Error(err)
		}
	}
}
