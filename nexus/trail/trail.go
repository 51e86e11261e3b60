// Package trail keeps the audit log of a nexus: what it did itself, what was left
// beside the log by commands, and, while it leads, what spores tell.
package trail

import (
	"cmp"
	"crypto"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
)

const (
	// LookEvery is the time between two looks at what others told.
	LookEvery = time.Second
	// HeadEvery is the time between two signed heads.
	HeadEvery = time.Hour

	maxWaiting = 1000 // own entries that wait for a log that cannot be written
)

// Options make a Trail. What has a default may be left out.
type Options struct {
	Dir  string         // of the log; no other process may write it
	Road *broker.Broker // for Lead
	Name string         // of the nexus; default: a random one
	Sign crypto.Signer  // the nexus key; nil: no head is written
	Log  *slog.Logger   // default: silent
	Look time.Duration  // default LookEvery
	Head time.Duration  // default HeadEvery
}

// Trail holds an audit log. Open it, then Start and Stop it once; its methods may be
// called concurrently. Those of a nil one do nothing: there is no log.
type Trail struct {
	o     Options
	actor string
	wake  chan struct{}

	warned time.Time // of an old repository; of Lead alone

	quit chan struct{}
	loop sync.WaitGroup
	stop sync.Once
	err  error // of Stop

	mu      sync.Mutex
	intake  *audit.Intake
	waiting []audit.Note // own entries that are not in the log yet
	lost    int          // that were given up
	head    time.Time    // when one was signed last
	trouble map[string]string
}

// Open opens the log, or begins one, and locks it.
func Open(o Options) (*Trail, error) {
	if o.Dir == "" {
		return nil, errors.New("audit log: no directory")
	}
	o.Name = cmp.Or(o.Name, hive.NewID())
	o.Look, o.Head = cmp.Or(o.Look, LookEvery), cmp.Or(o.Head, HeadEvery)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	intake, err := audit.OpenIntake(o.Dir, audit.Options{})
	if err != nil {
		return nil, err
	}
	return &Trail{o: o, actor: "nexus/" + o.Name, intake: intake, wake: make(chan struct{}, 1), quit: make(chan struct{}), trouble: map[string]string{}}, nil
}

// Start begins to take in what is left beside the log, and to sign heads.
func (t *Trail) Start() {
	if t == nil {
		return
	}
	t.loop.Go(func() {
		look := time.NewTicker(t.o.Look)
		defer look.Stop()
		for {
			t.mu.Lock()
			t.keep(false)
			t.mu.Unlock()
			select {
			case <-look.C:
			case <-t.quit:
				return
			}
		}
	})
}

// Stop takes in what is there, signs a last head, and gives up the log. Whatever Lead
// is running must have ended.
func (t *Trail) Stop() error {
	if t == nil {
		return nil
	}
	t.stop.Do(func() {
		close(t.quit)
		t.loop.Wait()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.err = errors.Join(t.keep(true), t.intake.Close())
	})
	return t.err
}

// Append adds an entry of the nexus' own, whose actor it is if none is named. On
// return it is on the disk, unless that cannot be written: then it waits in memory,
// and is tried again at each look.
func (t *Trail) Append(e audit.Entry) {
	if t == nil {
		return
	}
	e.Actor = cmp.Or(e.Actor, t.actor)
	n, err := audit.NewNote(e, time.Now())
	if err != nil {
		t.o.Log.Warn("no entry for the audit log", "action", e.Action, "error", err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == maxWaiting {
		t.waiting = t.waiting[1:]
		t.lost++
	}
	t.waiting = append(t.waiting, n)
	t.told("write", t.flush())
}

// keep does what is due. The caller holds mu, here and below.
func (t *Trail) keep(last bool) error {
	err := errors.Join(t.flush(), t.intake.Spool())
	t.told("write", err)
	if t.o.Sign == nil || err != nil || !last && time.Since(t.head) < t.o.Head {
		return err
	}
	head, err := t.intake.Head()
	if err == nil {
		err = head.Save(t.o.Dir, t.o.Sign)
	}
	if err == nil {
		t.head = time.Now()
	}
	t.told("sign a head", err)
	return err
}

// flush writes what waits.
func (t *Trail) flush() error {
	if len(t.waiting) == 0 {
		return nil
	}
	if err := t.intake.Take(t.waiting...); err != nil {
		return err
	}
	t.waiting = nil
	if t.lost == 0 {
		return nil
	}
	n, err := aboutEntries(audit.ActionDrop, t.actor, audit.Failed, "the log could not be written for too long", int64(t.lost))
	if err == nil {
		err = t.intake.Take(n)
	}
	if err == nil {
		t.lost = 0
	}
	return err
}

// aboutEntries is an entry about entries.
func aboutEntries(action, subject string, outcome audit.Outcome, reason string, entries int64) (audit.Note, error) {
	return audit.NewNote(audit.Entry{Actor: "audit", Action: action, Subject: subject, Outcome: outcome, Reason: reason,
		Fields: map[string]string{"entries": strconv.FormatInt(entries, 10)}}, time.Now())
}

// told logs what went wrong, once until it is something else or right again.
func (t *Trail) told(what string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != t.trouble[what] && text != "" {
		t.o.Log.Warn("audit log: cannot "+what, "error", text)
	}
	if t.trouble[what] = text; text == "" {
		delete(t.trouble, what)
	}
}
