package spore_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	auditlog "github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/spore"
)

// commanded is a spore that obeys a key, on a server of its own.
type commanded struct {
	*world
	server *testkit.Redis
	key    *bundle.Key
	o      spore.Options
	spore  *spore.Spore
	next   int64 // generation

	mu      sync.Mutex
	allowed []ed25519.PublicKey
	entries []auditlog.Entry
}

func newKey(t *testing.T) *bundle.Key {
	t.Helper()
	key, err := bundle.NewKey(bundle.RoleNexus)
	return must(t, key, err)
}

// command makes a spore that is not started.
func command(t *testing.T, change ...func(*spore.Options)) *commanded {
	t.Helper()
	server, err := testkit.StartRedis()
	c := &commanded{server: must(t, server, err), key: newKey(t)}
	t.Cleanup(server.Stop)
	c.world = &world{t, testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}}), testkit.NewPublisher(t)}
	c.pub.RegisterGuest()
	c.allow(c.key)
	c.o = spore.Options{Name: "a", Tags: hive.Tags{"zone": "eu"}, Control: spore.ControlOptions{
		Keys: c.keys, State: filepath.Join(t.TempDir(), "control"), Audit: c.told, Update: func() {},
	}}
	for _, f := range change {
		f(&c.o)
	}
	return c
}

// begin starts the spore, in place of an earlier one of the same state.
func (c *commanded) begin() {
	c.Helper()
	if c.spore != nil {
		if err := c.spore.Stop(c.Context()); err != nil {
			c.Fatal(err)
		}
	}
	c.spore = c.world.start(c.o)
	for range 2 { // it may have read the first one in the list: the second one it heard
		c.asked(hive.CommandPing)
	}
}

func (c *commanded) allow(keys ...*bundle.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.allowed = nil
	for _, key := range keys {
		c.allowed = append(c.allowed, key.Ed25519())
	}
}

func (c *commanded) keys(context.Context) ([]ed25519.PublicKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.allowed) == 0 {
		return nil, errors.New("nothing was verified yet")
	}
	return c.allowed, nil
}

func (c *commanded) told(e auditlog.Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = append(c.entries, e)
}

// forget returns what was told since it was called before.
func (c *commanded) forget() []auditlog.Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	entries := c.entries
	c.entries = nil
	return entries
}

// new is the next command, to all.
func (c *commanded) new(name hive.Command, change ...func(*bundle.Command)) *bundle.Command {
	c.next++
	now := time.Now().UTC()
	b := &bundle.Command{ID: hive.NewID(), Issuer: "test", Command: name, Generation: c.next, Issued: now, Expires: now.Add(time.Minute)}
	for _, f := range change {
		f(b)
	}
	return b
}

func (c *commanded) sign(b *bundle.Command) string {
	c.Helper()
	envelope, err := b.Sign(c.key)
	return string(must(c.T, envelope, err))
}

func (c *commanded) send(envelope string) {
	c.Helper()
	if err := c.road.SendControl(c.Context(), []byte(envelope)); err != nil {
		c.Fatal(err)
	}
}

func (c *commanded) do(words ...string) {
	c.Helper()
	if _, err := c.server.Do(words...); err != nil {
		c.Fatal(err)
	}
}

// ask sends a command and returns what the spore answers. What was sent before was
// judged by then.
func (c *commanded) ask(name hive.Command, change ...func(*bundle.Command)) broker.Answer {
	c.Helper()
	inbox := hive.NewID()
	data, err := json.Marshal(broker.ReplyTo{Inbox: inbox})
	c.send(c.sign(c.new(name, append(change, func(b *bundle.Command) { b.Data = must(c.T, data, err) })...)))
	for {
		answers, err := c.road.Answers(c.Context(), inbox, time.Second)
		if len(must(c.T, answers, err)) > 0 {
			return answers[0]
		}
	}
}

// asked is ask for what is to be done.
func (c *commanded) asked(name hive.Command) {
	c.Helper()
	if got, want := c.ask(name), (broker.Answer{Node: "a", OK: true}); got != want {
		c.Fatalf("%s: the spore answers %+v, want %+v", name, got, want)
	}
}

func (c *commanded) draining() bool {
	c.Helper()
	nodes, err := c.road.Nodes(c.Context())
	if len(must(c.T, nodes, err)) != 1 {
		c.Fatalf("spores: %v, want one", nodes)
	}
	return nodes[0].Draining
}

func (c *commanded) wantDraining(want bool, why string) {
	c.Helper()
	if got := c.draining(); got != want {
		c.Errorf("%s: draining is %v, want %v", why, got, want)
	}
}

// judged checks what was counted and told of a command.
func (c *commanded) judged(command, outcome string, counted, told int) {
	c.Helper()
	if n := c.counted(command, outcome); n != counted {
		c.Errorf("%s %s was counted %d times, want %d", command, outcome, n, counted)
	}
	reason, kind := outcome, auditlog.Refused
	if outcome == "ok" {
		reason, kind = "", auditlog.OK
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, e := range c.entries {
		if e.Action == "command."+strings.ToLower(command) && e.Reason == reason {
			n++
			if e.Outcome != kind || e.Subject != "a" || (e.Fields["issuer"] == "test") != (command != "unknown") {
				c.Errorf("told %+v", e)
			}
		}
	}
	if n != told {
		c.Errorf("%s %s was told %d times, want %d, of %+v", command, outcome, n, told, c.entries)
	}
}

func (c *commanded) counted(command, outcome string) (n int) {
	c.Helper()
	w := httptest.NewRecorder()
	c.spore.Metrics().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if number, found := strings.CutPrefix(line, `hive_commands_total{command="`+command+`",outcome="`+outcome+`"} `); found {
			if err := json.Unmarshal([]byte(number), &n); err != nil {
				c.Fatal(err)
			}
		}
	}
	return n
}
