package spore

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"path/filepath"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

const (
	// reviewEvery is the time between two looks at the commands that the road keeps.
	reviewEvery = 15 * time.Second
	// commandsFile is the file of ControlOptions.State that remembers what was obeyed.
	commandsFile = "commands"
)

// What commands may cost, whoever sends how many: so many of those that are heard are
// looked at in a second and at once. A good one that is not is among those that are kept.
const (
	hearPerSecond = 16
	hearAtOnce    = 64
)

// ControlOptions say whose commands a spore obeys.
type ControlOptions struct {
	// Keys returns those that may sign for the nexus now, as [Updater.NexusKeys] does. It
	// is called often. Nil: nobody commands this spore.
	Keys func(context.Context) ([]ed25519.PublicKey, error)
	// State is a folder of its own, where what was obeyed is remembered.
	State string
	// Update is called for UPDATE_SYSTEM, as [Updater.Hint]; nil: that is refused.
	Update func()
	// Audit is told what was obeyed and what was refused, one entry at a time. The same
	// envelope, time and again, is told once. Nil: nobody is.
	Audit func(audit.Entry)
	Now   func() time.Time // nil: time.Now
}

// control judges what is sent as commands, and has the spore obey those that are good.
type control struct {
	*Spore
	o        ControlOptions
	guard    *bundle.Guard // nil without Keys
	stopping chan struct{} // closed: a command said to stop

	mu      sync.Mutex // guards what follows: one envelope is judged at a time
	budget  bucket
	dropped int // since that was told
	judged  memory
	turn    turn
}

func newControl(s *Spore) (c *control, err error) {
	c = &control{Spore: s, o: s.opts.Control, stopping: make(chan struct{}), judged: memory{of: map[sum]*verdict{}}}
	if c.o.Audit == nil {
		c.o.Audit = func(audit.Entry) {}
	}
	if c.o.Now == nil {
		c.o.Now = time.Now
	}
	if c.o.Keys != nil {
		c.guard, err = bundle.OpenGuard(filepath.Join(c.o.State, commandsFile), c.o.Now())
	}
	return c, err
}

// Stopping is closed when a command says that the spore is to stop: its process should
// do what it does by the first signal.
func (s *Spore) Stopping() <-chan struct{} { return s.control.stopping }

// follow hears commands. Whenever it begins to, it looks at what it missed.
func (c *control) follow() {
	for c.life.Err() == nil {
		if err := c.road.SubscribeControl(c.life, c.look, c.hear); err != nil {
			c.pause()
		}
	}
}

// review looks at the commands that the road keeps: some may have been missed.
func (c *control) review() {
	tick := time.NewTicker(reviewEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.look()
		case <-c.life.Done():
			return
		}
	}
}

// hear judges an envelope from the channel, if there were not too many.
func (c *control) hear(envelope []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.budget.take(time.Now()) {
		c.dropped++
		c.count(nil, bundle.ReasonRateLimited)
		return
	}
	c.consider(envelope, c.keys(), false)
}

// look judges the envelopes that the road keeps, the newest first: the last of several
// decides whether this spore drains.
func (c *control) look() {
	envelopes, err := c.road.Controls(c.life)
	if err != nil {
		return // the next look is soon
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := c.keys()
	for _, envelope := range envelopes {
		c.consider(envelope, keys, true)
	}
	c.tellDropped()
}

// keyring is whose commands are obeyed at a time.
type keyring struct {
	keys   []ed25519.PublicKey
	digest string
	err    error
}

func (c *control) keys() (k keyring) {
	if c.o.Keys != nil {
		k.keys, k.err = c.o.Keys(c.life)
	}
	k.digest = keysDigest(k.keys)
	return k
}

// verdict is what was made of an envelope.
type verdict struct {
	command  *bundle.Command // nil: not signed by a key of the nexus
	err      error           // why it was not obeyed
	keys     string          // digest of those it was held against
	accepted bool            // from now on it is a replay
	awaited  bool            // it was read first: its copy on the channel is on its way
	told     bool
}

func (v *verdict) reason() string { return bundle.Reason(v.err) }

// passing reports whether the verdict may be another one by now.
func (v *verdict) passing(keys keyring) bool {
	switch v.reason() {
	case bundle.ReasonBadSignature:
		return v.keys != keys.digest
	case bundle.ReasonNoKeys:
		return len(keys.keys) > 0
	case bundle.ReasonFuture, bundle.ReasonNoSpace, bundle.ReasonDisk:
		return !v.accepted
	}
	return false
}

// consider judges an envelope that was not judged yet, and counts one that comes again.
// The road keeps what was heard: that it is there is nothing to speak of.
func (c *control) consider(envelope []byte, keys keyring, kept bool) {
	sum := sha256.Sum256(envelope)
	before := c.judged.of[sum]
	switch {
	case before == nil || before.passing(keys):
		v := c.judge(envelope, keys)
		v.told = before != nil && before.told && before.reason() == v.reason()
		c.judged.put(sum, v)
		if kept && (v.told || v.reason() == bundle.ReasonReplayed || v.reason() == bundle.ReasonExpired) {
			return
		}
		v.awaited = kept && before == nil
		c.settle(v)
	case kept:
	case before.awaited:
		before.awaited = false
	default:
		if before.accepted {
			replayed := refusal(bundle.ReasonReplayed, before.command.String(), nil)
			*before = verdict{command: before.command, err: replayed}
		}
		c.tell(before)
	}
}

// judge says what to make of an envelope. What it accepts is remembered on the disk.
func (c *control) judge(envelope []byte, keys keyring) *verdict {
	v := &verdict{keys: keys.digest}
	if len(keys.keys) == 0 {
		v.err = refusal(bundle.ReasonNoKeys, "a command", keys.err)
		return v
	}
	if v.command, v.err = bundle.ReadCommand(envelope, keys.keys); v.err != nil {
		return v
	}
	v.err = c.guard.Accept(v.command, c.o.Now(), bundle.Spore{ID: c.opts.Name, Tags: c.tags})
	v.accepted = v.err == nil
	if v.accepted || v.reason() == bundle.ReasonReplayed {
		if c.turn.passed(v.command) && v.accepted {
			v.err = refusal(bundle.ReasonRollback, v.command.String(), nil)
		}
	}
	return v
}

// turn is the last command by which this spore drains, or does not.
type turn struct {
	generation int64
	issued     time.Time
}

// passed reports whether a command comes after another one that takes its place. That
// takes both its number and its time: the road may forget the one, and clocks differ.
func (t *turn) passed(c *bundle.Command) bool {
	if c.Command != hive.CommandDrain && c.Command != hive.CommandResume {
		return false
	}
	if c.Generation < t.generation && !c.Issued.After(t.issued) {
		return true
	}
	*t = turn{c.Generation, c.Issued}
	return false
}

// sum names an envelope.
type sum = [sha256.Size]byte

// maxJudged bounds how many envelopes are remembered.
const maxJudged = 1024

// memory is what was made of the last envelopes.
type memory struct {
	of    map[sum]*verdict
	order []sum
}

func (m *memory) put(s sum, v *verdict) {
	if m.of[s] == nil {
		m.order = append(m.order, s)
	}
	if m.of[s] = v; len(m.order) > maxJudged {
		delete(m.of, m.order[0])
		m.order = m.order[1:]
	}
}

// bucket lets so many through in a second, and so many at once.
type bucket struct {
	left float64
	at   time.Time
}

func (b *bucket) take(now time.Time) bool {
	if b.at.IsZero() {
		b.left = hearAtOnce
	}
	b.left = min(hearAtOnce, b.left+now.Sub(b.at).Seconds()*hearPerSecond)
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// count counts what was made of a command; without one, of what nobody signed.
func (c *control) count(command *bundle.Command, reason string) {
	name := unsigned
	if command != nil {
		name = string(command.Command)
	}
	c.metrics.commands.WithLabelValues(name, cmp.Or(reason, string(audit.OK))).Inc()
}
