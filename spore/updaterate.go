package spore

import (
	"maps"
	"slices"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// tooEarly says when a bundle may be updated again.
type tooEarly struct{ until time.Time }

func (e *tooEarly) Error() string { return "try again at " + e.until.UTC().Format(time.RFC3339) }

// limit leaves the bundles that were updated too short a time ago at what they are.
func (u *Updater) limit(running, runs []bundle.Run) (want map[string][]bundle.Run, refused []error) {
	have, want := byBundle(running), byBundle(runs)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		last, known := u.updated[name]
		until := last.Add(u.o.Between)
		if known && u.o.Between > 0 && u.now().Before(until) && newer(have[name], want[name]) {
			refused = append(refused, refusal(bundle.ReasonRateLimited, "bundle "+name, &tooEarly{until}))
			want[name] = have[name]
		}
	}
	return want, refused
}

// dated is when each bundle was updated last, if runs take the place of what runs. A
// first version is no update, nor is going back.
func (u *Updater) dated(running, runs []bundle.Run) map[string]time.Time {
	have, want, updated := byBundle(running), byBundle(runs), maps.Clone(u.updated)
	for name := range want {
		if !newer(have[name], want[name]) {
			continue
		}
		if _, known := u.updated[name]; known {
			updated[name] = u.now().UTC()
		} else {
			updated[name] = time.Time{}
		}
	}
	return forget(updated, want)
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
