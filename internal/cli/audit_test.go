package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// TestAuditVerifyByRepository: the key that signed a head is one that the repository
// lists for its nexus.
func TestAuditVerifyByRepository(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys, repo, log := filepath.Join(dir, "keys"), filepath.Join(dir, "repo"), filepath.Join(dir, "log")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	load := func(role string) []*bundle.Key {
		t.Helper()
		list, err := bundle.LoadKeys(keys, role, "")
		check(err)
		return list
	}
	one := bundle.Quorum{Need: 1, Of: 1}
	check(bundle.InitKeys(keys, one, one, time.Now(), ""))
	root, err := os.ReadFile(filepath.Join(keys, bundle.FirstRoot))
	check(err)
	check(bundle.CreateRepository(repo, root, load(bundle.RoleTargets), bundle.RepositoryOptions{}))
	r, err := bundle.OpenRepository(repo, root, bundle.RepositoryOptions{})
	check(err)
	listed, err := bundle.EncodeNexusKeys(load(bundle.RoleNexus)[0].Ed25519())
	check(err)
	_, err = r.Publish(load(bundle.RoleTargets), map[string][]byte{bundle.NexusKeysTarget: listed})
	check(err)
	check(r.Seal(load(bundle.RoleSnapshot), load(bundle.RoleTimestamp)))

	in, err := audit.OpenIntake(log, audit.Options{})
	check(err)
	n, err := audit.NewNote(audit.Entry{Actor: "a", Action: "b", Outcome: audit.OK}, time.Now())
	check(err)
	check(in.Take(n))
	head, err := in.Head()
	check(err)
	check(head.Save(log, load(bundle.RoleNexus)[0]))
	check(in.Close())

	var out, said bytes.Buffer
	code := Nexus([]string{"audit", "verify", "--dir", log, "--repo", repo, "--root", filepath.Join(keys, bundle.FirstRoot)},
		IO{In: strings.NewReader(""), Out: &out, Err: &said, Getenv: func(string) string { return "" }})
	if code != exitOK || !strings.HasPrefix(out.String(), "records 1 to 1 are whole, "+head.Hash) || !strings.Contains(said.String(), "vouches for them up to record 1") {
		t.Errorf("exit code %d, printed %q, said %q", code, out.String(), said.String())
	}
}
