package spore

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
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

// installed is a set of bundles that was verified and is whole on disk. It does not
// change: another one takes its place.
type installed struct {
	bundles []*bundle.Bundle
	runs    []bundle.Run     // of the bundles, in their order
	skills  []hive.Skill     // newest version of a name first
	sizes   map[string]int64 // of programs in bytes, by digest; also of the set before
}

// newInstalled puts bundles together. Two of them may have the same skill, but not
// other ones under the same name and version.
func newInstalled(bundles []*bundle.Bundle) (*installed, error) {
	in := &installed{bundles: bundles, sizes: map[string]int64{}}
	seen := map[hive.SkillRef]*hive.Skill{}
	for _, b := range bundles {
		in.runs = append(in.runs, runOf(b))
		for i := range b.Skills {
			s := &b.Skills[i]
			ref := hive.SkillRef{Name: s.Name, Pin: s.Version}
			switch known := seen[ref]; {
			case known == nil:
				seen[ref], in.sizes[s.Digest] = s, s.Size
				in.skills = append(in.skills, *s)
			case !reflect.DeepEqual(known, s):
				return nil, refusal(bundle.ReasonMismatch, b.String(), fmt.Errorf("another bundle has another skill as %s", ref))
			}
		}
	}
	slices.SortStableFunc(in.skills, func(a, b hive.Skill) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return hive.CompareVersions(b.Version, a.Version)
	})
	return in, nil
}

func runOf(b *bundle.Bundle) bundle.Run {
	return bundle.Run{Bundle: b.Name, Ref: bundle.Ref{Version: b.Version, Digest: b.Digest()}}
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

// update does one look: from the assignments to what runs. It returns what it refused.
func (u *Updater) update(ctx context.Context) []error {
	running := u.running.Load()
	runs, err := u.decide(ctx, running.runs)
	if err != nil {
		return []error{err}
	}
	runs, updated, refused := u.limit(running.runs, runs)
	if slices.Equal(runs, running.runs) {
		return refused
	}
	next, err := u.fetch(ctx, running, runs)
	if err == nil {
		err = u.activate(running, next, updated)
	}
	if err != nil {
		refused = append(refused, err)
	}
	return refused
}

// decide returns what this spore is to run, by a set that a key of the nexus signed and
// that is no older than any before it.
func (u *Updater) decide(ctx context.Context, running []bundle.Run) ([]bundle.Run, error) {
	if _, err := u.client.Refresh(ctx); err != nil {
		return nil, err
	}
	keys, err := u.client.NexusKeys(ctx)
	if err != nil {
		return nil, err
	}
	envelope, err := u.client.File(ctx, bundle.AssignmentsFile, bundle.MaxEnvelope)
	if err != nil {
		return nil, err
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

// tooEarly says when a bundle may be updated again.
type tooEarly struct{ until time.Time }

func (e *tooEarly) Error() string { return "try again at " + e.until.UTC().Format(time.RFC3339) }

// limit leaves the bundles that were updated too short a time ago at what they are, and
// returns when each one was updated last if the others change now. A first version is
// no update, nor is going back.
func (u *Updater) limit(running, runs []bundle.Run) (kept []bundle.Run, updated map[string]time.Time, refused []error) {
	have, want := byBundle(running), byBundle(runs)
	updated = maps.Clone(u.updated)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		last, known := u.updated[name]
		switch {
		case !newer(have[name], want[name]):
		case !known:
			updated[name] = time.Time{}
		default:
			if until := last.Add(u.o.Between); u.o.Between > 0 && u.now().Before(until) {
				refused = append(refused, refusal(bundle.ReasonRateLimited, "bundle "+name, &tooEarly{until}))
				want[name] = have[name]
				break
			}
			updated[name] = u.now().UTC()
		}
		kept = append(kept, want[name]...)
	}
	return kept, forget(updated, want), refused
}

// newer reports whether runs have a version that was neither here nor is older than
// one that is. Versions are in ascending order.
func newer(running, runs []bundle.Run) bool {
	if len(running) == 0 || len(runs) == 0 {
		return len(runs) > 0
	}
	latest := runs[len(runs)-1]
	return !slices.Contains(running, latest) && hive.CompareVersions(latest.Version, running[len(running)-1].Version) >= 0
}

func byBundle(runs []bundle.Run) map[string][]bundle.Run {
	by := map[string][]bundle.Run{}
	for _, r := range runs {
		by[r.Bundle] = append(by[r.Bundle], r)
	}
	return by
}

// maxUpdated bounds of how many bundles that are gone it is known when they were
// updated: else taking one away and giving it again would get around the limit.
const maxUpdated = 4096

func forget(updated map[string]time.Time, want map[string][]bundle.Run) map[string]time.Time {
	for name := range updated {
		if len(updated) > maxUpdated && len(want[name]) == 0 {
			delete(updated, name)
		}
	}
	return updated
}

// fetch returns what the runs are made of, whole and on this disk. What runs already
// is taken as it is: the publisher may have taken it off the list since.
func (u *Updater) fetch(ctx context.Context, running *installed, runs []bundle.Run) (*installed, error) {
	var bundles []*bundle.Bundle
	for _, run := range runs {
		if at := slices.Index(running.runs, run); at >= 0 {
			bundles = append(bundles, running.bundles[at])
			continue
		}
		b, err := u.fetchBundle(ctx, run)
		if err != nil {
			return nil, err
		}
		bundles = append(bundles, b)
	}
	return newInstalled(bundles)
}

// fetchBundle gets a bundle that both nexus and publisher signed for, and its programs.
func (u *Updater) fetchBundle(ctx context.Context, run bundle.Run) (*bundle.Bundle, error) {
	b, err := u.client.Bundle(ctx, run.Bundle, run.Version)
	if err != nil {
		return nil, err
	}
	if runOf(b) != run {
		return nil, refusal(bundle.ReasonMismatch, b.String(), errors.New("another digest is assigned than is listed"))
	}
	for _, s := range b.Skills {
		if _, err := u.client.Blob(ctx, s.Digest, s.Size); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// activate makes a set last, and then runs it: attempts that began go on with what
// they have, whose programs can still be had.
func (u *Updater) activate(running, next *installed, updated map[string]time.Time) error {
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
	notify(u.changed)
	return nil
}
