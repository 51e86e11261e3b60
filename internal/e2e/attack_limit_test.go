package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// Two updates within an hour are one too many, also after a restart; it is said when
// the second may come. Going back is not held up.
func TestSecondUpdateWithinTheHour(t *testing.T) {
	v := newSiege(t).victim(t, "limited", true)
	manifest := v.offer("3.0.0")
	v.show()
	v.runs("3.0.0")
	_, skill := cat(t, "3.0.0")
	v.running, v.digest = hive.BundleID{Name: "cat", Version: "3.0.0", Digest: "sha256:" + sum(manifest)}, skill.Digest
	v.offer("4.0.0")
	v.show()
	v.refuses(bundle.ReasonRateLimited)
	v.goesOn()
	v.audited("bundle.refuse", bundle.ReasonRateLimited)
	retry, err := time.Parse(time.RFC3339, v.refusals("bundle.refuse")[0].Fields["retry"])
	if err != nil || !retry.After(time.Now()) || retry.After(time.Now().Add(time.Hour)) {
		t.Errorf("it is to be tried again at %s, %v", retry, err)
	}
	v.stop()
	v.begin()
	v.refuses(bundle.ReasonRateLimited)
	v.goesOn()

	before, err := bundle.OpenRepository(v.repo(), v.root, bundle.RepositoryOptions{})
	v.must(err)
	two, err := before.Bundle("cat", "2.0.0")
	v.must(err)
	encoded, err := two.Encode()
	v.must(err)
	v.assign("2.0.0", encoded)
	v.show()
	v.runs("2.0.0")
}

// A repository at a host that is not allowed is not asked for anything.
func TestHostNotAllowed(t *testing.T) {
	s := newSiege(t)
	m := newMirror(t, s.repo())
	s.ota = fmt.Sprintf("[ota]\nurl = %q\nroot = %q\nstate_dir = %q\nhosts = [\"skills.example.org\"]\n", m.URL, filepath.Join(s.dir, "keys", bundle.FirstRoot), t.TempDir())
	p := start(t, "", "spore", "--redis", s.url, "--name", "a", "--config", s.config(""))
	p.ends(1)
	if said := p.out.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "is not at an allowed host") {
		t.Errorf("it says %q", said)
	}
	if m.asked() > 0 {
		t.Error("the host was asked")
	}
}

// State that is cut while the spore is away comes anew from the repository, and is
// nothing to refuse.
func TestStateCut(t *testing.T) {
	v := newSiege(t).victim(t, "cut", false)
	for _, files := range [][]string{{"trusted"}, {"floor"}, {"assigned"}, {"installed"}, {"trusted", "floor", "assigned", "installed"}} {
		v.damaged(v.repo(), files...)
		v.looks()
		v.goesOn()
		if said := v.spore.out.String(); strings.Contains(said, "update refused") {
			t.Errorf("%v cut: it says %s", files, said)
		}
	}
}
