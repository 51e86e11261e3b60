package spore_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	auditlog "github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/spore"
)

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
	foreign, err := c.new(hive.CommandDrain).Sign(newKey(t))
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
	if _, err := spore.New(c.options(spore.Options{Control: c.o.Control})); err == nil {
		t.Error("a spore begins without a disk")
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	c.spore.Look()
	c.wantDraining(true, "with a disk again")
	c.judged("DRAIN", "ok", 1, 1)
	c.o.Control.State = ""
	if _, err := spore.New(c.options(c.o)); err == nil || !strings.Contains(err.Error(), "control: keys without a folder for its state") {
		t.Errorf("New without a folder: %v", err)
	}
}

// A spore that drained takes tasks again; one that stops does not.
func TestResume(t *testing.T) {
	t.Parallel()
	w, c, spores := hiveOf(t, spore.Options{Name: "a"})
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
	if nodes, err := w.road.Nodes(t.Context()); err != nil || len(nodes) != 0 {
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
	want := p.role(bundle.RoleNexus)[0].Ed25519()
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
