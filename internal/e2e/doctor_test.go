package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/internal/testkit"
)

// TestDoctorOfProduction: a hive as the documents say that it is to be run, of which no
// check is missed; and each thing that is then done to it is one that is.
func TestDoctorOfProduction(t *testing.T) {
	t.Parallel()
	makeSkills(t)
	a := &acl{T: t, dir: t.TempDir()}
	a.make("--spore", "a")
	a.held = a.dir
	a.opts, a.ca = testkit.StartACL(t, filepath.Join(a.dir, "users.acl"), "--appendonly", "yes", "--maxmemory", "200mb")
	dir, away := t.TempDir(), t.TempDir()
	publishGuest(t, dir)
	keys := filepath.Join(dir, "keys")
	for _, name := range []string{"root-1.key", "root-2.key", "root-3.key", "targets-1.key"} {
		move(t, filepath.Join(keys, name), filepath.Join(away, name))
	}
	listen := testkit.FreeAddr(t)
	a.ota = otaConfig(dir) + fmt.Sprintf("listen = %q\nurl = %q\nhosts = [%q]\n[audit]\ndir = %q\n", listen, "http://"+listen+"/repo/", listen, filepath.Join(dir, "log"))
	a.start("nexus", "nexus", "serve")
	a.start("a", "spore", "--name", "a")
	c := &cluster{T: t, road: a.as("nexus", "nexus.password")}
	c.awaitNode("a", "online with the guest", func(n *hive.Node) bool { return n.Online && n.Has(hive.SkillRef{Name: "guest"}) })

	doctor := func(code int, want ...string) {
		t.Helper()
		p := a.start("nexus", "nexus", "doctor")
		p.ends(code)
		for _, text := range want {
			if !strings.Contains(p.out.String(), text) {
				t.Errorf("nexus doctor does not say %q:\n%s", text, &p.out)
			}
		}
	}
	doctor(0, "nexus: none of 31 checks missed, 2 skipped", "reached by TLS, and nowhere without it", "2 of 3 root keys must sign",
		"not known: nexus may not run CONFIG|GET", "all that spores say they run is in the repository")
	root := filepath.Join(keys, "root-1.key")
	move(t, filepath.Join(away, "root-1.key"), root)
	doctor(1, "nexus: 1 of 31 checks missed, 2 skipped", "offline keys lie beside the online ones: root-1.key", "all offline keys here have one")
	move(t, root, filepath.Join(away, "root-1.key"))
	if err := os.Chmod(filepath.Join(a.dir, "nexus.password"), 0o640); err != nil {
		t.Fatal(err)
	}
	doctor(1, "nexus: 1 of 31 checks missed, 2 skipped", "nexus.password (mode 0640)")
}

// publishGuest makes the folders keys, 2 of whose 3 root keys must sign, all offline
// ones with a passphrase, and repo, from which all spores are to run the guest.
func publishGuest(t *testing.T, dir string) {
	t.Helper()
	const passphrase = "correct horse"
	keys, repo := filepath.Join(dir, "keys"), filepath.Join(dir, "repo")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(bundle.InitKeys(keys, bundle.Quorum{Need: 2, Of: 3}, bundle.Quorum{Need: 1, Of: 1}, time.Now(), passphrase))
	targets, err := bundle.LoadKeys(keys, bundle.RoleTargets, passphrase)
	must(err)
	nexus, err := bundle.LoadKeys(keys, bundle.RoleNexus, "")
	must(err)
	root, err := os.ReadFile(filepath.Join(keys, bundle.FirstRoot))
	must(err)
	must(bundle.CreateRepository(repo, root, targets, bundle.RepositoryOptions{}, nexus[0].Ed25519()))
	p, err := publisher.Open(repo, root, targets)
	must(err)
	program := testkit.Guest(t)
	s := testkit.Skill("guest", program)
	_, err = p.Register("guest", &s, program, time.Time{})
	must(err)
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
