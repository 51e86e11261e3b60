package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/build"
	"github.com/hive-spore/hive/internal/embedded"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/manifest"
)

const (
	// watchEvery paces the looks at watched files. A file is taken for saved when two
	// looks find it alike.
	watchEvery = 200 * time.Millisecond
	// looksRest is how many times as long as a look the pause after it is at least.
	looksRest = 50
	// arriveWithin is how long spores have to hear of a swap.
	arriveWithin = 10 * time.Second
)

// watcher rebuilds skills as their files are saved, and swaps them on a hive that
// runs.
type watcher struct {
	*app
	hive   *embedded.Hive
	road   *broker.Broker
	dirs   []string
	skills map[string]*watched // by path
}

// watched is one skill that is watched.
type watched struct {
	path    string
	output  string          // what its build makes, as far as is known
	seen    build.Files     // when the last build began; nil: there was none
	last    build.Files     // at the last look
	after   build.Files     // when the last build ended
	wrote   []string        // what changed during the last build
	saved   map[string]bool // what ever changed between builds
	serving hive.SkillID    // zero: none yet
	mark    string          // fingerprint of that
	again   bool            // the road did not take it
	hinted  string          // the version that comes before it, if that has been said
}

func (a *app) newWatcher(dirs []string) (*watcher, error) {
	w := &watcher{app: a, dirs: dirs, skills: map[string]*watched{}}
	for _, dir := range dirs {
		if len(skillsIn(dir)) == 0 {
			return nil, usagef("--watch %q: no skill folder, nor a folder of some: none has a %s", dir, manifest.FileName)
		}
	}
	return w, nil
}

// skillsIn lists the skills at a path: itself, or those in it.
func skillsIn(dir string) (paths []string) {
	isSkill := func(path string) bool {
		_, err := os.Stat(filepath.Join(path, manifest.FileName))
		return err == nil
	}
	if info, err := os.Stat(dir); isSkill(dir) || err == nil && info.Mode().IsRegular() && filepath.Ext(dir) == ".wasm" {
		return []string{dir}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if path := filepath.Join(dir, entry.Name()); isSkill(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// run looks and rebuilds until ctx ends.
func (w *watcher) run(ctx context.Context) {
	for {
		began := time.Now()
		due := w.look()
		rest := max(watchEvery, looksRest*time.Since(began))
		for _, s := range due {
			w.rebuild(ctx, s)
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return
		}
	}
}

// begin builds what there is.
func (w *watcher) begin(ctx context.Context, h *embedded.Hive) {
	w.hive, w.road = h, h.Road
	w.look()
	for _, path := range slices.Sorted(maps.Keys(w.skills)) {
		w.rebuild(ctx, w.skills[path])
	}
}

// look finds the skills whose files changed since their last build, and not since
// the last look. A folder that went for good leaves its skill as it was.
func (w *watcher) look() (due []*watched) {
	for _, dir := range w.dirs {
		for _, path := range skillsIn(dir) {
			if w.skills[path] == nil {
				w.skills[path] = &watched{path: path, saved: map[string]bool{}}
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(w.skills)) {
		s := w.skills[path]
		now := build.Look(path, s.output)
		if now.Equal(s.last) && (s.again || !now.Equal(s.seen)) {
			due = append(due, s)
		}
		s.last = now
	}
	return due
}

// rebuild builds a skill and swaps it, or says why not.
func (w *watcher) rebuild(ctx context.Context, s *watched) {
	began, retried := time.Now(), s.again
	now := build.Look(s.path, s.output)
	s.changedBetween(now)
	skill, program, err := w.make(ctx, s, now)
	s.after = build.Look(s.path, s.output)
	swapped := false
	if err == nil {
		swapped, err = w.swap(ctx, s, skill, program)
	}
	s.settle(now, swapped)
	s.again = errors.Is(err, hive.ErrUnreachable)
	switch {
	case ctx.Err() != nil || s.again && retried: // that has been said
	case err != nil:
		w.sayError(err)
		if s.serving.Digest != "" {
			w.say("%s is still %.19s…", s.serving, s.serving.Digest)
		}
	case swapped:
		w.say("%s is now %.19s… (built in %.1f s)", s.serving, s.serving.Digest, time.Since(began).Seconds())
		w.hintVersion(ctx, s)
	}
}

// hintVersion says, once, which other version tasks get that name none.
func (w *watcher) hintVersion(ctx context.Context, s *watched) {
	skills, err := w.road.Skills(ctx)
	at := slices.IndexFunc(skills, func(k hive.Skill) bool { return k.Name == s.serving.Name })
	if err != nil || at < 0 || skills[at].Version == s.serving.Version || skills[at].Version == s.hinted {
		return
	}
	s.hinted = skills[at].Version
	w.say("hint: a task that names no version gets %s; this one is named %s", skills[at].ID(), s.serving)
}

// changedBetween notes what was saved since the last build ended: sources.
func (s *watched) changedBetween(now build.Files) {
	if s.after == nil {
		return
	}
	for _, name := range s.after.Differ(now) {
		s.saved[name] = true
	}
}

// settle decides what a build has seen: the files as they were when it began. So
// what is saved while it runs makes another one. But if that one swaps nothing, and
// all that changed during both never changed between builds, it is the build that
// writes it.
func (s *watched) settle(now build.Files, swapped bool) {
	wrote := now.Differ(s.after)
	own := !swapped && !slices.ContainsFunc(wrote, func(name string) bool { return s.saved[name] || !slices.Contains(s.wrote, name) })
	if s.seen = now; own {
		s.seen = s.after
	}
	s.wrote = wrote
}

// make builds a skill. It takes what the build makes off the files now.
func (w *watcher) make(ctx context.Context, s *watched, now build.Files) (*hive.Skill, []byte, error) {
	if filepath.Ext(s.path) == ".wasm" {
		return w.builder().Skill(ctx, s.path)
	}
	folder, err := manifest.Load(s.path)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.path, err)
	}
	if s.output = ""; len(folder.Build.Command) > 0 {
		s.output = folder.Build.Output
		delete(now, s.output)
	}
	return w.builder().Of(ctx, folder)
}

// swap registers a skill as the working copy of its version, unless it is that
// already, and waits until no spore begins an attempt of what was before.
func (w *watcher) swap(ctx context.Context, s *watched, skill *hive.Skill, program []byte) (bool, error) {
	mark, err := fingerprint(skill)
	if err != nil {
		return false, err
	}
	if mark == s.mark {
		known, err := w.road.Skills(ctx)
		if err != nil || slices.ContainsFunc(known, func(k hive.Skill) bool { return k.ID() == s.serving }) {
			return false, err
		} // else the road lost it
	}
	if err := w.admit(ctx, skill, program); err != nil {
		return false, err
	}
	skill.Version += hive.WorkingCopy
	if err := hive.CheckVersion(skill.Version); err != nil {
		return false, err
	}
	for _, other := range w.skills {
		if other != s && other.serving.String() == skill.ID().String() && len(skillsIn(other.path)) > 0 {
			return false, fmt.Errorf("%s and %s are both %s: change the name or version of one", other.path, s.path, skill.ID())
		}
	}
	if err := w.hive.Publisher.Swap(publisher.Draft(s.mark), publisher.Draft(mark), skill, program); err != nil {
		return false, err
	}
	w.hive.Nexus.Wake()
	if err := w.arrived(ctx, skill.ID()); err != nil {
		return false, err
	}
	s.serving, s.mark = skill.ID(), mark
	return true, nil
}

// arrived waits until every spore that is online has heard of a skill.
func (w *watcher) arrived(ctx context.Context, id hive.SkillID) error {
	giveUp := time.After(arriveWithin)
	for {
		nodes, err := w.road.Nodes(ctx)
		if err != nil {
			return err
		}
		var behind []string
		for i := range nodes {
			if n := &nodes[i]; n.Online && slices.ContainsFunc(n.Skills, func(k hive.SkillID) bool { return k != id && k.String() == id.String() }) {
				behind = append(behind, n.Name)
			}
		}
		if len(behind) == 0 {
			return nil
		}
		select {
		case <-time.After(watchEvery / 10):
		case <-giveUp:
			w.say("spore %s has not heard of it yet", strings.Join(behind, ", "))
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
