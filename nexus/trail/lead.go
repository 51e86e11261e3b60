package trail

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
)

const (
	// perLook is how many entries of one spore a look takes: a stolen spore fills the
	// log no faster.
	perLook = 64
	// allEvery is the time between two looks for spores that are not registered.
	allEvery = time.Minute
)

// Lead collects what spores tell until ctx ends. It is for the nexus that leads; if
// two do for a moment, each entry may be in the logs of both.
func (t *Trail) Lead(ctx context.Context) {
	if t == nil {
		return
	}
	look := time.NewTicker(t.o.Look)
	defer look.Stop()
	var all time.Time // of the last look at all
	for ctx.Err() == nil {
		full := time.Since(all) >= allEvery
		if full {
			all = time.Now()
		}
		err := t.collect(ctx, full)
		if ctx.Err() == nil && !t.o.Road.Tells(err) {
			t.mu.Lock()
			t.told("hear spores", err)
			t.mu.Unlock()
		}
		select {
		case <-look.C:
		case <-t.wake:
		case <-ctx.Done():
		}
	}
}

// Wake has Lead look now.
func (t *Trail) Wake() {
	select {
	case t.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// collect hears each spore that told something.
func (t *Trail) collect(ctx context.Context, all bool) error {
	nodes, err := t.o.Road.Tellers(ctx, all)
	if err != nil {
		return err
	}
	var errs []error
	for _, node := range nodes {
		if ctx.Err() != nil {
			break
		}
		errs = append(errs, t.hear(ctx, node)) // one that meddles keeps no other from being heard
	}
	return errors.Join(errs...)
}

// hear takes what a spore told away only when it is on the disk: after a crash
// between, it comes again, and the log has it already.
func (t *Trail) hear(ctx context.Context, node string) error {
	told, err := t.o.Road.Told(ctx, node, perLook)
	if err != nil {
		return err
	}
	notes, err := t.notes(node, told)
	if err != nil {
		return err
	}
	t.warnOfOld(node, notes)
	t.mu.Lock()
	err = t.intake.Take(notes...)
	t.mu.Unlock()
	if err != nil {
		return err
	}
	return t.o.Road.Heard(ctx, node, told)
}

// warnOfOld says, at most once a minute, that a spore has seen newer of the repository
// than it is shown. Nobody else can know that a folder is back from a backup.
func (t *Trail) warnOfOld(node string, notes []audit.Note) {
	for _, n := range notes {
		if n.Action == "bundle.refuse" && n.Reason == "rollback" && time.Since(t.warned) >= time.Minute {
			t.warned = time.Now()
			t.o.Log.Warn("a spore has seen a newer state of the repository than there is: is its folder back from a backup? what is published and decided from now on is the newest again",
				"spore", node, "refused", n.Subject)
		}
	}
}

// notes are what is written of what a spore told. Whatever it says, the actor is the
// spore whose list it is.
func (t *Trail) notes(node string, told broker.Entries) (notes []audit.Note, err error) {
	subject := "spore/" + node
	about := func(action string, outcome audit.Outcome, reason string, entries int64) error {
		n, err := aboutEntries(action, subject, outcome, reason, entries)
		// It is the same when it comes again.
		n.ID = fmt.Sprintf("%s.%s.%s.%s", strings.TrimPrefix(action, "audit."), node, strconv.FormatInt(told.First, 36), strconv.FormatInt(entries, 36))
		notes = append(notes, n)
		return err
	}
	if told.Dropped > 0 {
		err = about(audit.ActionDrop, audit.Failed, "too many waited on the road; the oldest gave way", told.Dropped)
	}
	bad := int64(0)
	for _, data := range told.Raw {
		n, err := audit.ReadNote(data)
		if err != nil {
			bad++
			continue
		}
		n.Actor = subject
		notes = append(notes, n)
	}
	if bad > 0 {
		err = errors.Join(err, about(audit.ActionUnreadable, audit.Refused, "not an entry", bad))
	}
	return notes, err
}
