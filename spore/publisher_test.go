package spore_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

// publisher has a repository with all keys, a plain file server that shows it, and a
// clock.
type publisher struct {
	*testing.T
	keys, dir  string
	root       []byte
	repo       *bundle.Repository
	generation int64
	server     *httptest.Server
	clock      atomic.Int64 // seconds that it is ahead
	fault      atomic.Value // func(http.ResponseWriter, *http.Request) bool
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{T: t, keys: filepath.Join(t.TempDir(), "keys"), dir: filepath.Join(t.TempDir(), "repository")}
	p.honest()
	one := bundle.Quorum{Need: 1, Of: 1}
	if err := bundle.InitKeys(p.keys, one, one, p.now(), ""); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(p.keys, "root.json"))
	p.root = must(t, data, err)
	if err := bundle.CreateRepository(p.dir, p.root, p.role(bundle.RoleTargets), bundle.RepositoryOptions{Now: p.now}); err != nil {
		t.Fatal(err)
	}
	repo, err := bundle.OpenRepository(p.dir, p.root, bundle.RepositoryOptions{Now: p.now})
	p.repo = must(t, repo, err)
	p.allow(p.role(bundle.RoleNexus)[0])
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.fault.Load().(func(http.ResponseWriter, *http.Request) bool)(w, r) {
			http.FileServer(http.Dir(p.dir)).ServeHTTP(w, r)
		}
	}))
	t.Cleanup(p.server.Close)
	return p
}

func (p *publisher) now() time.Time {
	return time.Now().Add(time.Duration(p.clock.Load()) * time.Second)
}
func (p *publisher) pass(d time.Duration) { p.clock.Add(int64(d / time.Second)) }
func (p *publisher) role(name string) []*bundle.Key {
	p.Helper()
	keys, err := bundle.LoadKeys(p.keys, name, "")
	return must(p.T, keys, err)
}

// meddle lets f answer; it says whether it did.
func (p *publisher) meddle(f func(http.ResponseWriter, *http.Request) bool) { p.fault.Store(f) }
func (p *publisher) honest() {
	p.meddle(func(http.ResponseWriter, *http.Request) bool { return false })
}

// lie answers for files whose path has a part.
func (p *publisher) lie(part string, data []byte) {
	p.meddle(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, part) {
			_, _ = w.Write(data)
			return true
		}
		return false
	})
}

// allow lists the nexus key.
func (p *publisher) allow(key *bundle.Key) {
	p.Helper()
	data, err := bundle.EncodeNexusKeys(key.Ed25519())
	p.list(map[string][]byte{bundle.NexusKeysTarget: must(p.T, data, err)})
}

func (p *publisher) list(targets map[string][]byte) {
	p.Helper()
	if _, err := p.repo.Publish(p.role(bundle.RoleTargets), targets); err != nil {
		p.Fatal(err)
	}
	p.seal()
}

func (p *publisher) seal() {
	p.Helper()
	if err := p.repo.Seal(p.role(bundle.RoleSnapshot), p.role(bundle.RoleTimestamp)); err != nil {
		p.Fatal(err)
	}
}

// publish lists a bundle of one skill and the bundle's name, and returns the bundle's run.
func (p *publisher) publish(name, version string, program []byte) bundle.Run {
	p.Helper()
	digest, err := p.repo.AddBlob(program)
	must(p.T, digest, err)
	b := &bundle.Bundle{Name: name, Version: version, Created: p.now(), Skills: []bundle.Skill{{
		Manifest: hive.Manifest{Name: name, Version: version}, Digest: digest, Size: int64(len(program)),
	}}}
	data, err := b.Encode()
	p.list(map[string][]byte{bundle.Listed{Name: name, Version: version}.TargetName(): must(p.T, data, err)})
	return bundle.Run{Bundle: name, Ref: bundle.Ref{Version: version, Digest: b.Digest()}}
}

// set is the next generation of assignments: each of the runs, for everybody.
func (p *publisher) set(runs ...bundle.Run) *bundle.AssignmentSet {
	p.generation++
	now := p.now().UTC().Truncate(time.Second)
	s := &bundle.AssignmentSet{Generation: p.generation, Issued: now, Expires: now.Add(24 * time.Hour)}
	for _, r := range runs {
		s.Assignments = append(s.Assignments, bundle.Assignment{Bundle: r.Bundle, Version: r.Version, Digest: r.Digest, Percent: 100})
	}
	return s
}

func (p *publisher) assign(runs ...bundle.Run) {
	p.Helper()
	p.put(p.set(runs...), p.role(bundle.RoleNexus)[0])
}

func (p *publisher) put(s *bundle.AssignmentSet, key *bundle.Key) {
	p.Helper()
	if err := p.repo.Assign(s, key); err != nil {
		p.Fatal(err)
	}
}

// audit collects events.
type audit struct {
	mu     sync.Mutex
	events []spore.Event
}

func (a *audit) add(e spore.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, e)
}

// last returns the events since it was asked before.
func (a *audit) last() []spore.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	events := a.events
	a.events = nil
	return events
}

// updated is an updater under test, and what it told.
type updated struct {
	*spore.Updater
	audit
	p *publisher
	o spore.UpdaterOptions
}

func (p *publisher) updater(change ...func(*spore.UpdaterOptions)) *updated {
	p.Helper()
	u := &updated{p: p}
	u.o = p.options(u)
	for _, c := range change {
		c(&u.o)
	}
	u.restart()
	p.Cleanup(func() { u.Stop() })
	return u
}

func (p *publisher) options(u *updated) spore.UpdaterOptions {
	return spore.UpdaterOptions{
		Repository: bundle.ClientOptions{Repository: p.server.URL, State: filepath.Join(p.TempDir(), "state"), Root: p.root, Now: p.now},
		Spore:      bundle.Spore{ID: "a"}, Look: time.Hour, Between: spore.NoWait, Audit: u.add,
	}
}

// restart is what another process does with the same state.
func (u *updated) restart() {
	u.p.Helper()
	if u.Updater != nil {
		u.Stop()
	}
	next, err := spore.NewUpdater(u.o)
	u.Updater = must(u.p.T, next, err)
}

// update expects one look to end with these runs, and one event of it.
func (u *updated) update(runs ...bundle.Run) {
	u.p.Helper()
	if err := u.Update(u.p.Context()); err != nil {
		u.p.Fatal(err)
	}
	u.runs(runs...)
	if told := u.last(); len(told) != 1 || told[0].Err != nil || !slices.Equal(told[0].Running, runs) {
		u.p.Fatalf("told %+v, want one change to %v", told, runs)
	}
}

// refuse expects one look to change nothing, for a reason that is told.
func (u *updated) refuse(reason string) {
	u.p.Helper()
	before := u.Running()
	if err := u.Update(u.p.Context()); err == nil || bundle.Reason(err) != reason {
		u.p.Fatalf("Update = %v (%s), want %s", err, bundle.Reason(err), reason)
	}
	u.runs(before...)
	if told := u.last(); len(told) != 1 || told[0].Reason != reason || !slices.Equal(told[0].Running, before) || told[0].Time.IsZero() {
		u.p.Fatalf("told %+v, want %s", told, reason)
	}
}

// runs checks what is running, now and for a process that begins now and that no
// repository answers.
func (u *updated) runs(want ...bundle.Run) {
	u.p.Helper()
	if got := u.Running(); !slices.Equal(got, want) {
		u.p.Fatalf("Running = %v, want %v", got, want)
	}
	whole(u.p.T, u)
	if got := u.read(); !slices.Equal(got, want) {
		u.p.Fatalf("after a restart: Running = %v, want %v", got, want)
	}
}

// read is what a process that begins now runs, with no repository to ask.
func (u *updated) read() []bundle.Run {
	u.p.Helper()
	o := u.o
	o.Repository.Repository = u.p.TempDir()
	again, err := spore.NewUpdater(o)
	must(u.p.T, again, err)
	defer again.Stop()
	whole(u.p.T, again)
	return again.Running()
}

// whole checks that there is a program for each skill.
func whole(t *testing.T, source interface {
	Skills() []hive.Skill
	Program(context.Context, string) ([]byte, error)
}) {
	t.Helper()
	for _, s := range source.Skills() {
		if program, err := source.Program(context.Background(), s.Digest); err != nil || runtime.Digest(program) != s.Digest {
			t.Fatalf("Program(%s) = %d bytes, %v", s.ID(), len(program), err)
		}
	}
}
