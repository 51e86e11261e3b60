package spore_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

// What is assigned runs, survives a restart, and goes when it is no longer assigned.
func TestUpdate(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	crow, jay := p.publish("crow", "1.0.0", []byte("crow 1")), p.publish("jay", "1.0.0", []byte("jay 1"))
	changes := 0
	u := p.updater(func(o *spore.UpdaterOptions) { o.Changed = func() { changes++ } })
	u.runs()
	p.assign(crow, jay)
	u.update(crow, jay)
	if changes == 0 {
		t.Error("nobody was told of the change")
	}
	if err := u.Update(t.Context()); err != nil || len(u.last()) > 0 {
		t.Errorf("a look at the same: %v, or it was told", err)
	}
	u.restart()
	u.runs(crow, jay)
	newer := p.publish("crow", "1.1.0", []byte("crow 2"))
	p.assign(crow, newer)
	u.update(crow, newer)
	if skills := u.Skills(); len(skills) != 2 || skills[0].Version != "1.1.0" || skills[1].Version != "1.0.0" {
		t.Errorf("Skills = %v, want the newest first", skills)
	}
	p.assign()
	u.update()
}

// Of what is assigned a spore takes what is for its tags.
func TestUpdateIsForMe(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	crow := p.publish("crow", "1.0.0", []byte("crow"))
	s := p.set(crow)
	selector, err := hive.ParseSelector("zone=eu")
	s.Assignments[0].Selector = must(t, selector, err)
	p.put(s, p.role(bundle.RoleNexus)[0])
	us := p.updater()
	if err := us.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	us.runs()
	p.updater(func(o *spore.UpdaterOptions) { o.Spore.Tags = hive.Tags{"zone": "eu"} }).update(crow)
}

// Whatever is wrong, what ran still does, after a restart too, and it is told why.
func TestUpdateRefused(t *testing.T) {
	t.Parallel()
	program := []byte("crow 2")
	foreign, err := bundle.NewKey(bundle.RoleNexus)
	must(t, foreign, err)
	for _, tt := range []struct {
		name, reason string
		wrong        func(*publisher, bundle.Run)
	}{
		{"tampered blob", bundle.ReasonBadHash, func(p *publisher, r bundle.Run) {
			p.assign(r)
			p.lie("/blobs/", bytes.Repeat([]byte("x"), len(program)))
		}},
		{"endless blob", bundle.ReasonTooLarge, func(p *publisher, r bundle.Run) {
			p.assign(r)
			p.lie("/blobs/", bytes.Repeat([]byte("x"), 1<<16))
		}},
		{"blob that is missing", bundle.ReasonMissing, func(p *publisher, r bundle.Run) {
			p.assign(r)
			p.meddle(func(w http.ResponseWriter, q *http.Request) bool {
				if strings.Contains(q.URL.Path, "/blobs/") {
					http.NotFound(w, q)
					return true
				}
				return false
			})
		}},
		{"foreign key", bundle.ReasonBadSignature, func(p *publisher, r bundle.Run) { p.put(p.set(r), foreign) }},
		{"publisher's key", bundle.ReasonBadSignature, func(p *publisher, r bundle.Run) { p.put(p.set(r), p.role(bundle.RoleTargets)[0]) }},
		{"no envelope", bundle.ReasonUnparsable, func(p *publisher, _ bundle.Run) { p.lie("/assignments.json", []byte(`{"a":1}`)) }},
		{"endless envelope", bundle.ReasonTooLarge, func(p *publisher, _ bundle.Run) {
			p.lie("/assignments.json", make([]byte, bundle.MaxEnvelope+1))
		}},
		{"expired set", bundle.ReasonExpired, func(p *publisher, r bundle.Run) {
			p.assign(r)
			p.pass(25 * time.Hour)
			p.seal()
		}},
		{"expired metadata", bundle.ReasonExpired, func(p *publisher, r bundle.Run) { p.assign(r); p.pass(25 * time.Hour) }},
		{"clock a year ahead", bundle.ReasonExpired, func(p *publisher, r bundle.Run) { p.assign(r); p.pass(365 * 24 * time.Hour) }},
		{"clock a year behind", bundle.ReasonClock, func(p *publisher, r bundle.Run) { p.assign(r); p.pass(-365 * 24 * time.Hour) }},
		{"set of the future", bundle.ReasonFuture, func(p *publisher, r bundle.Run) {
			s := p.set(r)
			s.Issued = s.Issued.Add(time.Hour)
			p.put(s, p.role(bundle.RoleNexus)[0])
		}},
		{"older set", bundle.ReasonRollback, func(p *publisher, r bundle.Run) {
			s := p.set(r)
			s.Generation = 1
			p.put(s, p.role(bundle.RoleNexus)[0])
		}},
		{"other digest", bundle.ReasonMismatch, func(p *publisher, r bundle.Run) {
			r.Digest = "sha256:" + strings.Repeat("0", 64)
			p.assign(r)
		}},
		{"not listed", bundle.ReasonNotListed, func(p *publisher, r bundle.Run) { r.Version = "9.0.0"; p.assign(r) }},
		{"no server", bundle.ReasonUnreachable, func(p *publisher, _ bundle.Run) { p.server.Close() }},
		{"nothing assigned", bundle.ReasonMissing, func(p *publisher, _ bundle.Run) { os.Remove(filepath.Join(p.dir, bundle.AssignmentsFile)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPublisher(t)
			old := p.publish("crow", "1.0.0", []byte("crow 1"))
			u := p.updater()
			p.generation = 4
			p.assign(old)
			u.update(old)
			next := p.publish("crow", "2.0.0", program)
			tt.wrong(p, next)
			u.refuse(tt.reason)
			if u.Update(t.Context()) == nil || len(u.last()) > 0 {
				t.Error("the second time it was not refused, or told again")
			}
			u.restart()
			u.refuse(tt.reason)
		})
	}
}

// What was refused for one reason runs when that is gone; what is taken off the list
// runs on, and is not installed anew.
func TestUpdateAfterRefusal(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	crow, jay := p.publish("crow", "1.0.0", []byte("crow")), p.publish("jay", "1.0.0", []byte("jay"))
	u := p.updater()
	p.assign(crow)
	p.lie("/blobs/", []byte("no"))
	u.refuse(bundle.ReasonBadHash)
	u.runs()
	p.honest()
	p.assign(crow, jay)
	u.update(crow, jay)
	if _, err := p.repo.Remove(p.role(bundle.RoleTargets), bundle.Listed{Name: "crow", Version: "1.0.0"}.TargetName()); err != nil {
		t.Fatal(err)
	}
	p.seal()
	p.assign(crow)
	u.update(crow)
	p.updater().refuse(bundle.ReasonNotListed)
}

// A bundle that is published and assigned while a spore looks is for the next look, and
// nothing is refused.
func TestUpdateWhilePublished(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	crow := p.publish("crow", "1.0.0", []byte("crow"))
	p.assign(crow)
	u := p.updater()
	u.update(crow)
	var next bundle.Run
	p.meddle(func(w http.ResponseWriter, r *http.Request) bool {
		if next.Bundle != "" || !strings.HasSuffix(r.URL.Path, "/timestamp.json") {
			return false
		}
		http.FileServer(http.Dir(p.dir)).ServeHTTP(w, r)
		next = p.publish("crow", "2.0.0", []byte("crow 2"))
		p.assign(next)
		return true
	})
	if err := u.Update(t.Context()); err != nil || next.Bundle == "" {
		t.Fatalf("Update = %v", err)
	}
	u.runs(crow)
	u.update(next)
}

// A bundle that is refused keeps no other one back, and says why.
func TestUpdateEachBundle(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	crow, jay := p.publish("crow", "1.0.0", []byte("crow")), p.publish("jay", "1.0.0", []byte("jay"))
	u := p.updater(func(o *spore.UpdaterOptions) {
		o.Prepare = func(_ context.Context, s *hive.Skill, program []byte) error {
			if s.Name == "crow" {
				return errors.New("it cannot fly")
			}
			return nil
		}
	})
	p.assign(crow, jay)
	if err := u.Update(t.Context()); bundle.Reason(err) != bundle.ReasonNotAdmitted || !strings.Contains(err.Error(), "it cannot fly") {
		t.Errorf("Update = %v", err)
	}
	u.runs(jay)
	if told := u.last(); len(told) != 2 || told[0].Err != nil || told[1].Reason != bundle.ReasonNotAdmitted {
		t.Errorf("told %+v", told)
	}
}

// What takes the place of another bundle comes at once with its end.
func TestUpdateInPlace(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	draft := func(name, text string) bundle.Run {
		digest, err := p.repo.AddBlob([]byte(text))
		must(t, digest, err)
		b := &bundle.Bundle{Name: name, Version: "1.0.0", Created: p.now(), Skills: []bundle.Skill{{
			Manifest: hive.Manifest{Name: "crow", Version: "1.0.0"}, Digest: digest, Size: int64(len(text)),
		}}}
		data, err := b.Encode()
		p.list(map[string][]byte{bundle.Listed{Name: name, Version: "1.0.0"}.TargetName(): must(t, data, err)})
		return bundle.Run{Bundle: name, Ref: bundle.Ref{Version: "1.0.0", Digest: b.Digest()}}
	}
	one, two := draft("nest-b", "one"), draft("nest-a", "two")
	var u *updated
	var seen []int
	u = p.updater(func(o *spore.UpdaterOptions) { o.Changed = func() { seen = append(seen, len(u.Skills())) } })
	p.assign(one)
	u.update(one)
	p.assign(two)
	u.update(two)
	p.assign(one)
	u.update(one)
	if !slices.Equal(seen, []int{1, 1, 1}) {
		t.Errorf("there were %v skills", seen)
	}
}

// What neither runs nor did before is removed from the disk; what is still listed, or runs,
// is there when no repository answers.
func TestUpdateSweeps(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	u := p.updater()
	blobs := filepath.Join(u.o.Repository.State, "blobs")
	is := func(text string) bool {
		_, err := os.Stat(filepath.Join(blobs, strings.TrimPrefix(runtime.Digest([]byte(text)), "sha256:")))
		return err == nil
	}
	jay := p.publish("jay", "1.0.0", []byte("jay"))
	for i, version := range []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0"} {
		crow := p.publish("crow", version, []byte("crow "+version))
		p.assign(crow, jay)
		u.update(crow, jay)
		if !is("crow "+version) || !is("jay") || i > 1 && is("crow 1.0.0") {
			t.Errorf("of what is needed for %s: %t, of jay: %t, of 1.0.0: %t", version, is("crow "+version), is("jay"), is("crow 1.0.0"))
		}
	}
	if !is("crow 1.2.0") || is("crow 1.1.0") {
		t.Errorf("of the version before: %t, of the one before that: %t", is("crow 1.2.0"), is("crow 1.1.0"))
	}
	if keys, err := u.NexusKeys(t.Context()); err != nil || len(keys) != 1 {
		t.Errorf("NexusKeys = %v, %v", keys, err)
	}
}

// Two bundles cannot have other skills under one name, which keeps no third one back.
func TestUpdateConflict(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	crow := p.publish("crow", "1.0.0", []byte("crow"))
	digest, err := p.repo.AddBlob([]byte("cuckoo"))
	must(t, digest, err)
	b := &bundle.Bundle{Name: "cuckoo", Version: "1.0.0", Created: p.now(), Skills: []bundle.Skill{{
		Manifest: hive.Manifest{Name: "crow", Version: "1.0.0"}, Digest: digest, Size: 6,
	}}}
	data, err := b.Encode()
	p.list(map[string][]byte{"bundles/cuckoo/1.0.0.json": must(t, data, err)})
	cuckoo := bundle.Run{Bundle: "cuckoo", Ref: bundle.Ref{Version: "1.0.0", Digest: b.Digest()}}
	u := p.updater()
	p.assign(crow)
	u.update(crow)
	p.assign(crow, cuckoo)
	u.refuse(bundle.ReasonMismatch)
	jay, wren := p.publish("jay", "1.0.0", []byte("jay")), p.publish("wren", "1.0.0", []byte("wren"))
	p.assign(crow, cuckoo, jay, wren)
	if err := u.Update(t.Context()); bundle.Reason(err) != bundle.ReasonMismatch {
		t.Errorf("Update = %v", err)
	}
	u.runs(crow, jay, wren)
	p.assign(jay, cuckoo)
	if err := u.Update(t.Context()); err != nil {
		t.Error(err)
	}
	u.runs(cuckoo, jay)
}

// With other nexus keys generations begin anew, and the old key says nothing more.
func TestUpdateNexusKeysReplaced(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	crow, jay := p.publish("crow", "1.0.0", []byte("crow")), p.publish("jay", "1.0.0", []byte("jay"))
	u := p.updater()
	p.generation = 1 << 60 // a thief had the key
	p.assign(crow)
	u.update(crow)
	key, err := bundle.NewKey(bundle.RoleNexus)
	p.allow(must(t, key, err))
	u.refuse(bundle.ReasonBadSignature)
	p.generation = 0
	p.put(p.set(jay), key)
	u.update(jay)
	u.restart()
	s := p.set(crow)
	p.put(s, key)
	u.update(crow)
	s.Generation = 1
	p.put(s, key)
	u.refuse(bundle.ReasonRollback)
}

// One update of a bundle an hour, whoever restarts; going back is always possible, and
// other bundles have their own hour.
func TestUpdateRate(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	var crow []bundle.Run
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0"} {
		crow = append(crow, p.publish("crow", v, []byte("crow "+v)))
	}
	jay, jay2 := p.publish("jay", "1.0.0", []byte("jay")), p.publish("jay", "2.0.0", []byte("jay 2"))
	u := p.updater(func(o *spore.UpdaterOptions) { o.Between = 0 })
	p.assign(crow[0], jay)
	u.update(crow[0], jay)
	p.assign(crow[1], jay)
	u.update(crow[1], jay) // the first version was no update
	u.restart()
	p.assign(crow[2], jay)
	u.refuse(bundle.ReasonRateLimited)
	p.assign(crow[2], jay2)
	if err := u.Update(t.Context()); bundle.Reason(err) != bundle.ReasonRateLimited {
		t.Fatalf("Update = %v", err)
	}
	u.runs(crow[1], jay2)
	u.last()
	p.assign(crow[0], jay2)
	u.update(crow[0], jay2)
	p.assign(jay2)
	u.update(jay2)
	p.assign(crow[1], jay2)
	u.refuse(bundle.ReasonRateLimited) // taking it away did not help
	u.restart()
	if err := u.Update(t.Context()); err == nil {
		t.Fatal("a restart helped")
	}
	retry := u.last()[0].Retry
	p.pass(time.Until(retry) + time.Second)
	p.seal()
	u.update(crow[1], jay2)
}

// State that is damaged comes from the repository again, a program as well; state of
// another first root does not count.
func TestUpdaterState(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	crow := p.publish("crow", "1.0.0", []byte("crow"))
	u := p.updater()
	p.assign(crow)
	u.update(crow)
	blobs, err := filepath.Glob(filepath.Join(u.o.Repository.State, "blobs", "*"))
	for _, name := range append(must(t, blobs, err), filepath.Join(u.o.Repository.State, "installed"), filepath.Join(u.o.Repository.State, "assigned")) {
		if err := os.WriteFile(name, []byte("noise"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	whole(t, u)
	u.restart()
	if got := u.Running(); len(got) > 0 {
		t.Fatalf("Running = %v out of noise", got)
	}
	u.update(crow)
	u.o.Repository.Root = newPublisher(t).root
	u.restart()
	if got := u.Running(); len(got) > 0 {
		t.Fatalf("Running = %v under another root", got)
	}
	u.o.Repository.Root = p.root
	u.restart()
	u.runs(crow)
}

func TestUpdaterOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []spore.UpdaterOptions{
		{Spore: bundle.Spore{ID: "a b"}},
		{Spore: bundle.Spore{ID: "a"}, Repository: bundle.ClientOptions{Root: []byte("{}"), State: t.TempDir()}},
	} {
		if _, err := spore.NewUpdater(o); err == nil || !strings.HasPrefix(err.Error(), "updater: ") {
			t.Errorf("NewUpdater = %v", err)
		}
	}
}
