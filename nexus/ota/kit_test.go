package ota

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive/bundle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program is what the skills of bundleOf run.
var program = []byte("\x00asm of all birds")

// nexusKey signs sets in the scripts.
var nexusKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func digestOfBytes(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// shop is a repository with its keys.
type shop struct {
	*testing.T
	dir, keys string
	root      []byte
	repo      *bundle.Repository
}

// newShop makes a repository at a time, with nothing in it but the program.
func newShop(t *testing.T, now time.Time) *shop {
	t.Helper()
	s := &shop{T: t, dir: filepath.Join(t.TempDir(), "repo"), keys: filepath.Join(t.TempDir(), "keys")}
	one := bundle.Quorum{Need: 1, Of: 1}
	if err := bundle.InitKeys(s.keys, one, one, now, ""); err != nil {
		t.Fatal(err)
	}
	s.root = must(os.ReadFile(filepath.Join(s.keys, bundle.FirstRoot)))
	if err := bundle.CreateRepository(s.dir, s.root, s.of(bundle.RoleTargets), bundle.RepositoryOptions{}); err != nil {
		t.Fatal(err)
	}
	s.repo = must(bundle.OpenRepository(s.dir, s.root, bundle.RepositoryOptions{}))
	must(s.repo.AddBlob(program))
	return s
}

// of are the keys of a role.
func (s *shop) of(role string) []*bundle.Key { return must(bundle.LoadKeys(s.keys, role, "")) }

func (s *shop) publish(name, version string) *bundle.Bundle {
	s.Helper()
	b := bundleOf(name, version)
	target := bundle.Listed{Name: name, Version: version}.TargetName()
	if _, err := s.repo.Publish(s.of(bundle.RoleTargets), map[string][]byte{target: must(b.Encode())}); err != nil {
		s.Fatal(err)
	}
	return b
}

func (s *shop) seal() {
	s.Helper()
	if err := s.repo.Seal(s.of(bundle.RoleSnapshot), s.of(bundle.RoleTimestamp)); err != nil {
		s.Fatal(err)
	}
}

// client is a new spore's, of a repository at a URL or in a folder.
func (s *shop) client(repository string) *bundle.Client {
	s.Helper()
	c := must(bundle.NewClient(bundle.ClientOptions{Repository: repository, State: filepath.Join(s.TempDir(), "state"), Root: s.root}))
	s.Cleanup(c.Close)
	return c
}
