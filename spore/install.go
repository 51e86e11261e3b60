package spore

import (
	"context"
	"crypto/ed25519"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/runtime"
)

// The files of an updater's state, beside those of its client.
const (
	installedFile = "installed" // a stored
	floorFile     = "assigned"  // a floor
)

// floor is the highest generation of assignments that was seen. It is about one first
// root and the nexus keys of its time.
type floor struct {
	Anchor, Keys string
	Generation   int64
}

// stored is what the file of installed bundles holds: all of the decision, so that one
// rename changes it.
type stored struct {
	Anchor  string
	Bundles [][]byte // encoded
	Updated map[string]time.Time
}

func refusal(reason, what string, err error) error {
	return &bundle.Error{Reason: reason, What: what, Err: err}
}

// open reads the state. What is damaged is put aside and comes anew from the
// repository, as it does under another first root.
func (u *Updater) open() error {
	u.updated = map[string]time.Time{}
	none, err := newInstalled(nil)
	if err != nil {
		return err
	}
	u.running.Store(none)
	var was stored
	if err := u.load(installedFile, &was); err != nil {
		return err
	}
	if err := u.load(floorFile, &u.floor); err != nil {
		return err
	}
	if u.floor.Anchor != u.anchor {
		u.floor = floor{Anchor: u.anchor}
	}
	if was.Anchor != u.anchor {
		return nil
	}
	in, err := was.read()
	if err != nil {
		u.log.Warn("the installed bundles cannot be used", "error", err)
		return nil
	}
	u.running.Store(in)
	if was.Updated != nil {
		u.updated = was.Updated
	}
	return nil
}

func (u *Updater) load(name string, v any) error {
	damaged, err := bundle.LoadState(u.path(name), v)
	if damaged && err == nil {
		u.log.Warn("state was damaged and is put aside", "file", name+".broken")
	}
	return err
}

func (s stored) read() (*installed, error) {
	var bundles []*bundle.Bundle
	for _, data := range s.Bundles {
		b, err := bundle.Decode(data)
		if err != nil {
			return nil, err
		}
		bundles = append(bundles, b)
	}
	return newInstalled(bundles)
}

// update does one look: from the assignments to what runs. Each bundle changes when all
// of it is here and can run, whatever is wrong with others. It returns what it refused.
func (u *Updater) update(ctx context.Context) (refused []error) {
	running := u.running.Load()
	runs, err := u.decide(ctx, running.runs)
	if err != nil {
		return []error{err}
	}
	want, refused := u.limit(running.runs, runs)
	next, have := running.lines(), byBundle(running.runs)
	var pending error
	for _, name := range changes(have, want) {
		line, err := u.fetch(ctx, running, want[name])
		if err != nil {
			refused = append(refused, err)
			continue
		}
		next[name] = line
		pending = u.activate(next)
	}
	for ; pending != nil; pending = u.activate(next) {
		refused = append(refused, pending)
		if !u.part(next, pending) {
			break
		}
	}
	if now := u.running.Load(); now != running {
		u.sweep(running, now)
	}
	return refused
}

// sweep removes programs that neither run now nor did before: a spore that lives long
// would fill its disk with them.
func (u *Updater) sweep(before, now *installed) {
	keep := maps.Clone(now.sizes)
	for _, s := range before.skills {
		keep[s.Digest] = s.Size
	}
	if err := u.client.Sweep(func(digest string) bool { return keep[digest] > 0 }); err != nil {
		u.log.Warn("cannot remove programs that are not needed any more", "error", err)
	}
}

// part leaves one of two bundles that conflict at what it is, so that the others can go
// on, and reports whether it did: one that changed, for what runs does not conflict.
func (u *Updater) part(next map[string][]*bundle.Bundle, err error) bool {
	found, ok := errors.AsType[*conflict](err)
	if !ok {
		return false
	}
	now := u.running.Load().lines()
	for _, name := range []string{found.bundles[1], found.bundles[0]} {
		if !slices.Equal(next[name], now[name]) {
			next[name] = now[name]
			return true
		}
	}
	return false
}

// changes names the bundles that are to change. Those that go come last: what takes
// their place may only come when they go, and at once then.
func changes(have, want map[string][]bundle.Run) (names []string) {
	var gone []string
	for _, name := range slices.Sorted(maps.Keys(merged(have, want))) {
		switch {
		case slices.Equal(have[name], want[name]):
		case len(want[name]) == 0:
			gone = append(gone, name)
		default:
			names = append(names, name)
		}
	}
	return append(names, gone...)
}

// decide returns what this spore is to run, by a set that a key of the nexus signed and
// that is no older than any before it. The set is fetched first: what it names was
// listed before, and one that comes meanwhile may name what the list does not have yet.
func (u *Updater) decide(ctx context.Context, running []bundle.Run) ([]bundle.Run, error) {
	envelope, errSet := u.client.File(ctx, bundle.AssignmentsFile, bundle.MaxEnvelope)
	if _, err := u.client.Refresh(ctx); err != nil {
		return nil, err
	}
	keys, err := u.client.NexusKeys(ctx)
	if err != nil {
		return nil, err
	}
	if errSet != nil {
		return nil, errSet
	}
	set, err := bundle.ReadAssignments(envelope, keys)
	if err != nil {
		return nil, err
	}
	next := floor{Anchor: u.anchor, Keys: keysDigest(keys)}
	if u.floor.Keys == next.Keys {
		next.Generation = u.floor.Generation
	}
	runs, generation, err := set.Decide(u.o.Spore, running, next.Generation, u.now())
	if err != nil {
		return nil, err
	}
	next.Generation = generation
	return runs, u.raise(next)
}

// raise makes a floor last, before anything is done by it.
func (u *Updater) raise(next floor) error {
	if next == u.floor {
		return nil
	}
	if err := bundle.SaveState(u.path(floorFile), next); err != nil {
		return err
	}
	u.floor = next
	return nil
}

func keysDigest(keys []ed25519.PublicKey) string {
	var texts []string
	for _, key := range keys {
		texts = append(texts, string(key))
	}
	slices.Sort(texts)
	return runtime.Digest([]byte(strings.Join(texts, "")))
}

func merged[V any](a, b map[string]V) map[string]V {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

func byBundle(runs []bundle.Run) map[string][]bundle.Run {
	by := map[string][]bundle.Run{}
	for _, r := range runs {
		by[r.Bundle] = append(by[r.Bundle], r)
	}
	return by
}

// fetch returns what the runs of a bundle are made of, whole, on this disk and able to
// run. What runs already is taken as it is: the publisher may have taken it off the list
// since.
func (u *Updater) fetch(ctx context.Context, running *installed, runs []bundle.Run) (line []*bundle.Bundle, err error) {
	for _, run := range runs {
		if at := slices.Index(running.runs, run); at >= 0 {
			line = append(line, running.bundles[at])
			continue
		}
		b, err := u.client.Bundle(ctx, run.Bundle, run.Version)
		if err != nil {
			return nil, err
		}
		if runOf(b) != run {
			return nil, refusal(bundle.ReasonMismatch, b.String(), errors.New("another digest is assigned than is listed"))
		}
		for i := range b.Skills {
			if err := u.prepare(ctx, running, &b.Skills[i]); err != nil {
				return nil, err
			}
		}
		line = append(line, b)
	}
	return line, nil
}

// prepare fetches the program of a skill, and has it prepared if it is a new one.
func (u *Updater) prepare(ctx context.Context, running *installed, s *hive.Skill) error {
	program, err := u.blob(ctx, s.Digest, s.Size)
	if err != nil || slices.ContainsFunc(running.skills, func(k hive.Skill) bool { return reflect.DeepEqual(&k, s) }) {
		return err
	}
	err = u.o.Prepare(ctx, s, program)
	switch {
	case ctx.Err() != nil:
		return refusal(bundle.ReasonStopped, s.ID().String(), nil)
	case err != nil:
		return refusal(bundle.ReasonNotAdmitted, s.ID().String(), err)
	}
	return nil
}

// activate makes a set last, and then runs it: attempts that began go on with what
// they have, whose programs can still be had.
func (u *Updater) activate(lines map[string][]*bundle.Bundle) error {
	var bundles []*bundle.Bundle
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		bundles = append(bundles, lines[name]...)
	}
	next, err := newInstalled(bundles)
	if err != nil {
		return err
	}
	running := u.running.Load()
	if slices.Equal(next.runs, running.runs) {
		return nil
	}
	updated := u.dated(running.runs, next.runs)
	to := stored{Anchor: u.anchor, Updated: updated}
	for _, b := range next.bundles {
		data, err := b.Encode()
		if err != nil {
			return refusal(bundle.ReasonInvalid, b.String(), err)
		}
		to.Bundles = append(to.Bundles, data)
	}
	if err := bundle.SaveState(u.path(installedFile), to); err != nil {
		return err
	}
	for _, s := range running.skills {
		next.sizes[s.Digest] = s.Size
	}
	u.updated = updated
	u.running.Store(next)
	u.o.Changed()
	return nil
}
