// Package publisher publishes skills as bundles and has spores run them: with a
// publisher's keys for nexus skill register, with keys of its own in a hive that lives
// in one process, and in tests.
package publisher

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/nexus/ota"
)

// Publisher is a repository's folder and the keys to change it.
type Publisher struct {
	Dir        string // of the repository
	Root       []byte // that the repository began with
	Repository *bundle.Repository
	Desk       *ota.Desk
	Targets    []*bundle.Key
	// Every is the least time between two updates of a bundle, as an [ota.Request] has it.
	Every time.Duration
	Audit func(audit.Entry) // nil: nobody is told
}

// draft begins the names of bundles that hold a skill as somebody works on it.
const draft = "draft-"

// Of drafts that no spore is to run any more, so many may be listed, and any that is not
// older.
const (
	maxStale   = 16
	staleAfter = time.Hour
)

// Draft is the name of a bundle that holds a skill as it is now, by a mark of that: one of
// its own, so that each is a first version, which no limit keeps back.
func Draft(mark string) string { return draft + mark }

// Open opens a repository that began with a root.
func Open(dir string, root []byte, targets []*bundle.Key) (*Publisher, error) {
	repo, err := bundle.OpenRepository(dir, root, bundle.RepositoryOptions{})
	if err != nil {
		return nil, err
	}
	return &Publisher{Dir: dir, Root: root, Repository: repo, Desk: ota.NewDesk(repo, dir), Targets: targets}, nil
}

// Make makes keys and an empty repository in the folders keys and repo of dir, for a
// hive whose keys are nobody else's. Its bundles may be updated as often as one likes.
func Make(dir string) (*Publisher, *ota.KeeperOptions, error) {
	keys, repo := filepath.Join(dir, "keys"), filepath.Join(dir, "repo")
	one := bundle.Quorum{Need: 1, Of: 1}
	if err := bundle.InitKeys(keys, one, one, time.Now(), ""); err != nil {
		return nil, nil, err
	}
	targets, err := bundle.LoadKeys(keys, bundle.RoleTargets, "")
	if err != nil {
		return nil, nil, err
	}
	root, err := os.ReadFile(filepath.Join(keys, bundle.FirstRoot))
	if err != nil {
		return nil, nil, err
	}
	nexus, err := bundle.LoadKeys(keys, bundle.RoleNexus, "")
	if err != nil {
		return nil, nil, err
	}
	if err := bundle.CreateRepository(repo, root, targets, bundle.RepositoryOptions{}, nexus[0].Ed25519()); err != nil {
		return nil, nil, err
	}
	p, err := Open(repo, root, targets)
	if err != nil {
		return nil, nil, err
	}
	p.Every = -1
	keep, err := Keeper(p, keys)
	if err != nil {
		return nil, nil, err
	}
	return p, keep, p.Sign(keep)
}

// Keeper is what a nexus needs to keep a repository: the online keys of a directory, of
// which spores know that of the nexus, now and whenever they are others.
func Keeper(p *Publisher, keys string) (*ota.KeeperOptions, error) {
	ring, err := ota.OpenRing(keys, func(k ota.Keys) error { return p.Allows(k.Nexus) })
	if err != nil {
		return nil, err
	}
	k := ring.Keys()
	return &ota.KeeperOptions{
		Repository: p.Repository, Desk: p.Desk, Ring: ring,
		Snapshot: k.Snapshot, Timestamp: k.Timestamp, Nexus: k.Nexus,
	}, nil
}

// Sign seals the repository and signs what is decided, as a nexus does that keeps it: before
// one does, and where none does.
func (p *Publisher) Sign(keep *ota.KeeperOptions) error {
	if err := p.Repository.Seal(keep.Snapshot, keep.Timestamp); err != nil {
		return err
	}
	plan, err := p.Desk.Load()
	if err != nil {
		return err
	}
	plan.Generation = max(plan.Generation, 1) // with nothing decided, that nobody is to run anything
	return p.Repository.Assign(plan.Set(time.Now(), ota.AssignmentLife), keep.Nexus)
}

// Allows reports that spores will not listen to a nexus with this key.
func (p *Publisher) Allows(nexus *bundle.Key) error {
	keys, err := p.Repository.NexusKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.Equal(nexus.Ed25519()) {
			return nil
		}
	}
	return fmt.Errorf("%s: its %s does not name the %s: no spore would listen; the publisher lists it with nexus bundle init or nexus keys rotate", p.Dir, bundle.NexusKeysTarget, nexus)
}

// Register publishes a skill as a bundle of its own and has all spores run it, until a
// time if that is not zero.
func (p *Publisher) Register(name string, s *hive.Skill, program []byte, until time.Time) (*bundle.Bundle, error) {
	if strings.HasPrefix(name, draft) {
		if err := p.prune(); err != nil {
			return nil, err
		}
	}
	b := bundleOf(name, s)
	listed, err := p.listed(b)
	if listed == nil && err == nil { // nothing is published that is refused then
		if told, err := p.Desk.MayGive(ota.Request{Bundle: b, Every: p.Every}, until, time.Now()); err != nil {
			p.tell(told)
			return nil, err
		}
	}
	b, err = p.publish(b, listed, err, func(string) ([]byte, error) { return program, nil })
	if err != nil {
		return nil, err
	}
	_, told, err := p.Desk.Give(ota.Request{Bundle: b, Every: p.Every}, until, time.Now())
	p.tell(told)
	return b, err
}

func (p *Publisher) tell(e audit.Entry) {
	if p.Audit != nil && e.Action != "" {
		p.Audit(e)
	}
}

// Swap is Register of a bundle that at once takes the place of another one, which may
// hold the same skill.
func (p *Publisher) Swap(before, name string, s *hive.Skill, program []byte) error {
	b, err := p.Publish(bundleOf(name, s), func(string) ([]byte, error) { return program, nil })
	if err != nil {
		return err
	}
	_, told, err := p.Desk.Change(func(plan ota.Plan) (ota.Plan, audit.Entry, error) {
		now := time.Now()
		if before != name {
			plan, _, _ = plan.Drop(before, now) // or it is gone already
		}
		return plan.Give(ota.Request{Bundle: b, Every: p.Every}, time.Time{}, now)
	})
	p.tell(told)
	return errors.Join(err, p.prune())
}

// prune takes the drafts off the list that no spore is to run any more, once there are
// many.
func (p *Publisher) prune() error {
	plan, errPlan := p.Desk.Load()
	list, err := p.Repository.Bundles()
	if err := errors.Join(errPlan, err); err != nil {
		return err
	}
	var stale []string
	for _, l := range list {
		if _, used := plan.Bundles[l.Name]; used || !strings.HasPrefix(l.Name, draft) {
			continue
		}
		b, err := p.Repository.Stored(l.Name, bundle.Ref{Version: l.Version, Digest: l.Digest})
		if err != nil || time.Since(b.Created) > staleAfter { // else somebody may be about to have it run
			stale = append(stale, l.TargetName())
		}
	}
	if len(stale) <= maxStale {
		return nil
	}
	_, err = p.Repository.Remove(p.Targets, stale...)
	return err
}

// Publish puts the programs of a bundle into the repository, by digest, and lists it.
// One that is listed with the same skills already is returned as it is.
func (p *Publisher) Publish(b *bundle.Bundle, program func(digest string) ([]byte, error)) (*bundle.Bundle, error) {
	listed, err := p.listed(b)
	return p.publish(b, listed, err, program)
}

// publish is Publish of a bundle of which it is known how it is listed, or why not.
func (p *Publisher) publish(b, listed *bundle.Bundle, err error, program func(digest string) ([]byte, error)) (*bundle.Bundle, error) {
	if listed != nil {
		return listed, nil
	}
	if err == nil {
		_, err = p.Repository.PublishBundle(p.Targets, b, program)
	}
	e := audit.Entry{Action: "bundle.publish", Subject: b.String(), Outcome: audit.OK, Fields: map[string]string{"digest": b.Digest()}}
	if err != nil {
		e.Outcome, e.Reason, e.Fields["text"] = audit.Refused, bundle.Reason(err), err.Error()
	}
	p.tell(e)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// listed is the bundle as it is listed; nil: it is not.
func (p *Publisher) listed(b *bundle.Bundle) (*bundle.Bundle, error) {
	listed, err := p.Repository.Bundle(b.Name, b.Version)
	switch {
	case err == nil && same(listed, b):
		return listed, nil
	case err == nil:
		return nil, fmt.Errorf("%s is published already with another program or manifest (%.19s…): raise the version", b, listed.Skills[0].Digest)
	case bundle.Reason(err) == bundle.ReasonNotListed:
		return nil, nil
	}
	return nil, err
}

func bundleOf(name string, s *hive.Skill) *bundle.Bundle {
	return &bundle.Bundle{Name: name, Version: s.Version, Description: s.Description, Created: time.Now(), Skills: []bundle.Skill{*s}}
}

// same reports whether two bundles are but for when they were made, and what is said of
// them.
func same(listed, b *bundle.Bundle) bool {
	again := *b
	again.Created, again.Description = listed.Created, listed.Description
	return again.Digest() == listed.Digest()
}
