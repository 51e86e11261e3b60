package testkit

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/nexus/ota"
	"github.com/hive-spore/hive/runtime"
)

// Publisher is a publisher of a test, with all keys.
type Publisher struct {
	*publisher.Publisher
	Keep *ota.KeeperOptions // for the nexus that keeps the repository
	Keys string             // the key directory

	t testing.TB
}

// NewPublisher makes keys and an empty repository, which is sealed.
func NewPublisher(t testing.TB) *Publisher {
	t.Helper()
	dir := t.TempDir()
	p, keep, err := publisher.Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &Publisher{p, keep, filepath.Join(dir, "keys"), t}
}

// Client is how a spore finds the repository, with a state of its own.
func (p *Publisher) Client(t testing.TB) bundle.ClientOptions {
	t.Helper()
	return bundle.ClientOptions{Repository: p.Dir, Root: p.Root, State: t.TempDir()}
}

// Register has all spores run a program as a skill of version 1.0.0.
func (p *Publisher) Register(name string, program []byte, change ...func(*hive.Manifest)) hive.Skill {
	p.t.Helper()
	s := Skill(name, program, change...)
	p.RegisterSkill(&s, program)
	return s
}

// RegisterSkill has all spores run a skill.
func (p *Publisher) RegisterSkill(s *hive.Skill, program []byte) {
	p.t.Helper()
	if _, err := p.Publisher.Register(s.Name, s, program, time.Time{}); err != nil {
		p.t.Fatal(err)
	}
	p.Sign()
}

// RegisterGuest registers the guest program as guest@1.0.0.
func (p *Publisher) RegisterGuest(change ...func(*hive.Manifest)) hive.Skill {
	p.t.Helper()
	return p.Register("guest", Guest(p.t), change...)
}

// Sign does what a nexus does that keeps the repository.
func (p *Publisher) Sign() {
	p.t.Helper()
	if err := p.Publisher.Sign(p.Keep); err != nil {
		p.t.Fatal(err)
	}
}

// Skill is a program as a skill of version 1.0.0.
func Skill(name string, program []byte, change ...func(*hive.Manifest)) hive.Skill {
	s := hive.Skill{Manifest: hive.Manifest{Name: name, Version: "1.0.0"}, Digest: runtime.Digest(program), Size: int64(len(program))}
	for _, c := range change {
		c(&s.Manifest)
	}
	return s
}
