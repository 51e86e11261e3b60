package spore_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
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
	*testing.T
	server *testkit.Redis
	road   *broker.Broker
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
	c := &commanded{T: t, server: must(t, server, err), key: newKey(t)}
	t.Cleanup(server.Stop)
	c.road = testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}})
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
	c.spore = start(c.T, c.road, c.o)
	for range 2 { // it may have read the first one in the list: the second one it heard
		c.asked(hive.CommandPing)
	}
}

func (c *commanded) allow(keys ...*bundle.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.allowed = nil
	for _, key := range keys {
		c.allowed = append(c.allowed, key.Public())
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
	envelope, err := c.key.SignCommand(b)
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
			if e.Outcome != kind || e.Subject != "a" || (e.Actor == "test") != (command != "unknown") {
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

// Signed commands are obeyed and answered.
func TestCommands(t *testing.T) {
	t.Parallel()
	hints := 0
	c := command(t, func(o *spore.Options) { o.Control.Update = func() { hints++ } })
	c.begin()
	c.asked(hive.CommandPing)
	c.asked(hive.CommandDrain)
	c.wantDraining(true, "DRAIN")
	c.asked(hive.CommandDrain)
	c.asked(hive.CommandResume)
	c.wantDraining(false, "RESUME")
	c.asked(hive.CommandUpdate)
	if hints != 1 {
		t.Errorf("%d hints, want 1", hints)
	}
	select {
	case <-c.spore.Stopping():
		t.Error("it stops by itself")
	default:
	}
	c.asked(hive.CommandStop)
	c.asked(hive.CommandStop)
	<-c.spore.Stopping()
	for _, name := range hive.Commands {
		n := map[hive.Command]int{hive.CommandPing: 3, hive.CommandDrain: 2, hive.CommandStop: 2}[name]
		c.judged(string(name), "ok", max(n, 1), max(n, 1))
	}
}

// What a spore cannot do it says.
func TestCommandsAnswered(t *testing.T) {
	t.Parallel()
	c := command(t, func(o *spore.Options) { o.Control.Update = nil })
	c.begin()
	if got := c.ask(hive.CommandUpdate); got != (broker.Answer{Node: "a", Reason: bundle.ReasonInvalid}) {
		t.Errorf("UPDATE_SYSTEM without a repository is answered by %+v", got)
	}
	late := func(b *bundle.Command) { b.Issued, b.Expires = b.Issued.Add(-time.Hour), b.Expires.Add(-time.Hour) }
	if got := c.ask(hive.CommandPing, late); got != (broker.Answer{Node: "a", Reason: bundle.ReasonExpired}) {
		t.Errorf("a late PING is answered by %+v", got)
	}
	c.send(c.sign(c.new(hive.CommandPing, func(b *bundle.Command) { b.Data = []byte(`{"reply_to":"../x"}`) })))
	c.send(c.sign(c.new(hive.CommandPing, func(b *bundle.Command) { b.Data = []byte(`[7]`) })))
	c.asked(hive.CommandPing)
}

// A command that is not good is not obeyed, and it is counted and told why.
func TestCommandsRefused(t *testing.T) {
	t.Parallel()
	c := command(t)
	foreign, err := newKey(t).SignCommand(c.new(hive.CommandDrain))
	must(t, foreign, err)
	now := time.Now().UTC()
	set, err := (&bundle.AssignmentSet{Generation: 1, Issued: now, Expires: now.Add(time.Hour)}).Sign(ed25519.NewKeyFromSeed(make([]byte, 32)))
	must(t, set, err)
	good := c.sign(c.new(hive.CommandDrain))
	selector, err := hive.ParseSelector("zone=us")
	must(t, selector, err)
	drain := func(f func(*bundle.Command)) string { return c.sign(c.new(hive.CommandDrain, f)) }
	c.begin()
	for _, tt := range []struct{ name, envelope, command, reason string }{
		{"forged", string(foreign), "unknown", bundle.ReasonBadSignature},
		{"changed", strings.Replace(good, `"payload":"`, `"payload":"ey`, 1), "unknown", bundle.ReasonBadSignature},
		{"unsigned", `{"id":"x","command":"DRAIN"}`, "unknown", bundle.ReasonUnparsable},
		{"garbage", "\xff\x00{", "unknown", bundle.ReasonUnparsable},
		{"deep", strings.Repeat("[", 60_000), "unknown", bundle.ReasonUnparsable},
		{"of another type", string(set), "unknown", bundle.ReasonUnparsable},
		{"for another spore", drain(func(b *bundle.Command) { b.Target.Spores = []string{"b"} }), "DRAIN", bundle.ReasonOtherTarget},
		{"for other tags", drain(func(b *bundle.Command) { b.Target.Selector = selector }), "DRAIN", bundle.ReasonOtherTarget},
		{"expired", drain(func(b *bundle.Command) { b.Issued, b.Expires = now.Add(-time.Hour), now.Add(-time.Hour+time.Minute) }), "DRAIN", bundle.ReasonExpired},
		{"future", drain(func(b *bundle.Command) { b.Issued, b.Expires = now.Add(time.Hour), now.Add(time.Hour+time.Minute) }), "DRAIN", bundle.ReasonFuture},
	} {
		counted := c.counted(tt.command, tt.reason)
		c.forget()
		c.send(tt.envelope)
		c.send(tt.envelope)
		c.asked(hive.CommandPing)
		if n := c.counted(tt.command, tt.reason) - counted; n != 2 {
			t.Errorf("%s: counted %d times as %s %s, want 2", tt.name, n, tt.command, tt.reason)
		}
		if e := c.forget(); len(e) != 2 || e[0].Reason != tt.reason || e[0].Outcome != auditlog.Refused || e[1].Action != "command.ping" {
			t.Errorf("%s: told %+v, want it once for %s, and the ping", tt.name, e, tt.reason)
		}
		c.wantDraining(false, tt.name)
	}
	c.spore.Look() // the road keeps all of it
	c.wantDraining(false, "at another look")
	c.send(good)
	c.asked(hive.CommandPing)
	c.wantDraining(true, "a good one after all")
}

// A command acts once, also for a spore that begins anew.
func TestCommandsReplayed(t *testing.T) {
	t.Parallel()
	c := command(t)
	c.begin()
	drain := c.sign(c.new(hive.CommandDrain))
	c.send(drain)
	c.asked(hive.CommandResume)
	c.spore.Look()
	c.judged("DRAIN", "ok", 1, 1)
	c.judged("DRAIN", "replayed", 0, 0)
	c.send(drain)
	c.send(drain)
	c.asked(hive.CommandPing)
	c.wantDraining(false, "replayed")
	c.judged("DRAIN", "replayed", 2, 1)

	c.begin()
	c.spore.Look()
	c.judged("DRAIN", "replayed", 0, 1) // that the road keeps it is nothing to speak of
	c.do("PUBLISH", "hive:broadcast", drain)
	c.asked(hive.CommandPing)
	c.wantDraining(false, "replayed after a restart")
	c.judged("DRAIN", "replayed", 1, 2)
}

// Who does not hear a command reads it, and the last one counts.
func TestCommandsMissed(t *testing.T) {
	t.Parallel()
	c := command(t)
	list := func(b *bundle.Command) { c.do("LPUSH", "{h}:ctl", c.sign(b)) }
	list(c.new(hive.CommandDrain))
	list(c.new(hive.CommandResume))
	c.begin()
	c.asked(hive.CommandPing)
	c.wantDraining(false, "RESUME came after DRAIN")
	c.judged("DRAIN", "rollback", 1, 1)
	c.judged("RESUME", "ok", 1, 1)

	list(c.new(hive.CommandDrain))
	c.do("CLIENT", "KILL", "TYPE", "pubsub")
	for !c.draining() {
	}
	list(c.new(hive.CommandResume, func(b *bundle.Command) { b.Generation = 1 })) // the road forgot its number
	c.spore.Look()
	c.wantDraining(false, "at the next look")
	drain := c.sign(c.new(hive.CommandDrain))
	c.do("LPUSH", "{h}:ctl", drain)
	c.spore.Look()
	c.do("PUBLISH", "hive:broadcast", drain) // it was read before it was heard
	c.asked(hive.CommandPing)
	c.judged("DRAIN", "replayed", 0, 0)
}

// Keys may come late, and go.
func TestCommandKeys(t *testing.T) {
	t.Parallel()
	c := command(t)
	c.begin()
	old := c.key
	c.key = newKey(t)
	early := c.sign(c.new(hive.CommandDrain))
	c.send(early)
	c.key = old
	c.asked(hive.CommandPing)
	c.judged("unknown", "bad_signature", 1, 1)
	c.allow()
	c.send(c.sign(c.new(hive.CommandStop)))
	for c.counted("unknown", "no_keys") == 0 {
	}
	c.spore.Look()
	c.judged("unknown", "no_keys", 2, 2) // the early one as well
	c.judged("unknown", "bad_signature", 1, 1)
	c.key = newKey(t)
	c.allow(c.key)
	c.asked(hive.CommandPing)
	c.wantDraining(false, "by a key that is unknown")
	select {
	case <-c.spore.Stopping():
		t.Error("it stops by a key that is no longer good")
	default:
	}
}

// However much is sent, little is looked at, and what is good is obeyed in the end.
func TestCommandsFlood(t *testing.T) {
	t.Parallel()
	c := command(t)
	c.begin()
	const flood = 3000
	begun := time.Now()
	forged := c.sign(c.new(hive.CommandDrain))
	for i := range flood {
		c.do("PUBLISH", "hive:broadcast", forged[:len(forged)-1-i%40]+strings.Repeat("x", i/40))
	}
	dropped := func() int { return c.counted("unknown", bundle.ReasonRateLimited) }
	looked := func() int { return c.counted("unknown", bundle.ReasonUnparsable) }
	for dropped()+looked() < flood {
	}
	if most := 64 + 16*time.Since(begun).Seconds() + 1; float64(looked()) > most || dropped() == 0 {
		t.Errorf("%d looked at, %d dropped, want at most %.0f", looked(), dropped(), most)
	}
	c.send(c.sign(c.new(hive.CommandDrain)))
	c.spore.Look()
	c.wantDraining(true, "after a flood")
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.ContainsFunc(c.entries, func(e auditlog.Entry) bool {
		return e.Reason == bundle.ReasonRateLimited && e.Outcome == auditlog.Refused && e.Fields["dropped"] != ""
	}) {
		t.Error("what was dropped is not told")
	}
}

// What is remembered of envelopes is bounded; what was obeyed is remembered on the disk.
func TestCommandsForgotten(t *testing.T) {
	t.Parallel()
	c := command(t)
	c.begin()
	drain := c.sign(c.new(hive.CommandDrain))
	c.send(drain)
	c.asked(hive.CommandResume)
	for i := range 5 {
		words := []string{"LPUSH", "{h}:ctl"}
		for n := range 256 {
			words = append(words, fmt.Sprint(i, "-", n))
		}
		c.do("DEL", "{h}:ctl")
		c.do(words...)
		c.spore.Look()
	}
	c.judged("unknown", bundle.ReasonUnparsable, 5*256, 5*256)
	if n := c.spore.Judged(); n != 1024 {
		t.Errorf("%d envelopes are remembered, want 1024", n)
	}
	c.do("PUBLISH", "hive:broadcast", drain)
	c.asked(hive.CommandPing)
	c.wantDraining(false, "replayed after it was forgotten")
	c.judged("DRAIN", "replayed", 1, 1)
}

// What cannot be remembered is not obeyed before it can.
func TestCommandsDisk(t *testing.T) {
	t.Parallel()
	c := command(t)
	c.begin()
	state := c.o.Control.State
	if err := errors.Join(os.RemoveAll(state), os.WriteFile(state, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := c.ask(hive.CommandDrain); got != (broker.Answer{Node: "a", Reason: bundle.ReasonDisk}) {
		t.Errorf("DRAIN is answered by %+v", got)
	}
	c.wantDraining(false, "without a disk")
	c.spore.Look()
	c.judged("DRAIN", bundle.ReasonDisk, 1, 1)
	if _, err := spore.New(spore.Options{Road: c.road, Control: c.o.Control}); err == nil {
		t.Error("a spore begins without a disk")
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	c.spore.Look()
	c.wantDraining(true, "with a disk again")
	c.judged("DRAIN", "ok", 1, 1)
	c.o.Control.State = ""
	c.o.Road = c.road
	if _, err := spore.New(c.o); err == nil || !strings.Contains(err.Error(), "control: keys without a folder for its state") {
		t.Errorf("New without a folder: %v", err)
	}
}

// A spore that drained takes tasks again; one that stops does not.
func TestResume(t *testing.T) {
	t.Parallel()
	road, c, spores := hiveOf(t, spore.Options{Name: "a"})
	s := spores[0]
	for _, err := range []error{s.Resume(t.Context()), s.Drain(t.Context())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	id, err := c.Submit(t.Context(), guest("echo hello"))
	must(t, id, err)
	if err := s.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Wait(t.Context(), id); err != nil || string(r.Result) != "hello" {
		t.Errorf("Wait = %+v, %v", r, err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Resume(t.Context()); err == nil {
		t.Error("Resume after Stop succeeds")
	}
	if nodes, err := road.Nodes(t.Context()); err != nil || len(nodes) != 0 {
		t.Errorf("Nodes = %v, %v, want none", nodes, err)
	}
}

// The keys of the nexus are known without the repository, until its word expires.
func TestUpdaterNexusKeys(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	p.assign()
	u := p.updater()
	refused := func(reason string) {
		t.Helper()
		if keys, err := u.NexusKeys(t.Context()); bundle.Reason(err) != reason {
			t.Errorf("NexusKeys = %v, %v, want %s", keys, err, reason)
		}
	}
	refused(bundle.ReasonNotListed)
	if err := u.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.meddle(func(_ http.ResponseWriter, r *http.Request) bool {
		t.Errorf("it asks for %s", r.URL)
		return false
	})
	u.restart()
	want := p.role(bundle.RoleNexus)[0].Public()
	if keys, err := u.NexusKeys(t.Context()); err != nil || len(keys) != 1 || !want.Equal(keys[0]) {
		t.Errorf("NexusKeys = %v, %v, want the one that is listed", keys, err)
	}
	if err := os.RemoveAll(filepath.Join(u.o.Repository.State, "blobs")); err != nil {
		t.Fatal(err)
	}
	refused(bundle.ReasonMissing)
	p.pass(25 * time.Hour)
	refused(bundle.ReasonExpired)
}
