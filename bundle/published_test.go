package bundle

import (
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	under := must(testRoles().first(keys("root-1"), w.now().Add(time.Hour)))
	second, err := w.repo.Rotate(testRoles(), rootKeys, targetsKeys)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		root   []byte
		keys   []*Key
		reason string
	}{
		"no root":                 {nil, targetsKeys, ReasonUnparsable},
		"an under-signed root":    {under, targetsKeys, ReasonBadSignature},
		"a root that is no first": {second, targetsKeys, ReasonInvalid},
		"too few targets keys":    {w.root, keys("targets-1"), ReasonBadSignature},
		"targets keys of another": {w.root, keys("targets-8", "targets-9"), ReasonBadSignature},
	} {
		dir := filepath.Join(t.TempDir(), "repo")
		if err := CreateRepository(dir, tt.root, tt.keys, w.options()); Reason(err) != tt.reason {
			t.Errorf("CreateRepository with %s = %v, want %s", name, err, tt.reason)
		}
		if found, err := (&Repository{dir: dir}).versions(metadata.ROOT); err != nil || len(found) > 0 {
			t.Errorf("CreateRepository with %s left roots %v, %v", name, found, err)
		}
	}
	if err := CreateRepository(w.dir, w.root, targetsKeys, w.options()); Reason(err) != ReasonInvalid {
		t.Errorf("CreateRepository twice = %v", err)
	}
}

// The root that operators place on spores is the very first of the repository.
func TestRepositoryOfKeyDirectory(t *testing.T) {
	t.Parallel()
	dir, repo := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "repo")
	if err := InitKeys(dir, Quorum{2, 3}, Quorum{1, 2}, began, ""); err != nil {
		t.Fatal(err)
	}
	root := must(os.ReadFile(filepath.Join(dir, FirstRoot)))
	o := RepositoryOptions{Now: func() time.Time { return began }}
	if err := CreateRepository(repo, root, must(LoadKeys(dir, RoleTargets, "")), o); err != nil {
		t.Fatal(err)
	}
	if served := must(os.ReadFile(filepath.Join(repo, metadataName(1, metadata.ROOT)))); string(served) != string(root) {
		t.Errorf("the repository begins with %s\nwant %s", served, root)
	}
	r := must(OpenRepository(repo, root, o))
	if err := r.Seal(must(LoadKeys(dir, RoleSnapshot, "")), must(LoadKeys(dir, RoleTimestamp, ""))); err != nil {
		t.Fatal(err)
	}
	c := must(NewClient(ClientOptions{Repository: repo, State: t.TempDir(), Root: root, Now: o.Now}))
	defer c.Close()
	if changed, err := c.Refresh(t.Context()); err != nil || !changed {
		t.Errorf("Refresh = %v, %v", changed, err)
	}
}

// What is named as a bundle is that bundle, and has its programs.
func TestPublishChecksBundles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lacking := bundleOf("crow", "2.0.0")
	lacking.Skills[0].Digest = digested([]byte("nowhere"))
	short := bundleOf("crow", "2.0.0")
	short.Skills[0].Size--
	for name, tt := range map[string]struct {
		data   []byte
		reason string
		want   string
	}{
		"no bundle":          {[]byte("{}"), ReasonUnparsable, "bundles/crow/2.0.0.json cannot be read: bundle: not in its one spelling, *"},
		"another version":    {manifestOf("crow", "2.0.1"), ReasonInvalid, "bundles/crow/2.0.0.json cannot be: it is the bundle crow@2.0.1"},
		"another name":       {manifestOf("crab", "2.0.0"), ReasonInvalid, "bundles/crow/2.0.0.json cannot be: it is the bundle crab@2.0.0"},
		"a missing program":  {encoded(t, lacking), ReasonMissing, blobPath(lacking.Skills[0].Digest) + " is not there: a program of crow@2.0.0"},
		"a program too long": {encoded(t, short), ReasonMissing, blobPath(digested(testProgram)) + " is not there: a program of crow@2.0.0"},
	} {
		_, err := w.repo.Publish(targetsKeys, map[string][]byte{targetOf("crow", "2.0.0"): tt.data})
		if ok, _ := path.Match(tt.want, fmt.Sprint(err)); Reason(err) != tt.reason || !ok && err.Error() != tt.want {
			t.Errorf("Publish of %s = %v, want %s", name, err, tt.want)
		}
	}
	w.write(filepath.Join(w.dir, blobPath(digested(testProgram))), []byte("\x00asm of all swine"))
	if _, err := w.repo.Publish(targetsKeys, map[string][]byte{targetOf("crow", "2.0.0"): manifestOf("crow", "2.0.0")}); Reason(err) != ReasonMissing {
		t.Errorf("Publish of a damaged program = %v", err)
	}
	if _, err := w.repo.AddBlob(testProgram); err != nil {
		t.Fatal(err)
	}
	w.publish("crow", "2.0.0")
}

func TestRepositoryBundle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish("crow", "1.10.0")
	w.publish("crow", "1.9.0")
	if _, err := w.repo.Publish(targetsKeys, map[string][]byte{"keys/nexus.json": nil}); err != nil {
		t.Fatal(err)
	}
	list, err := w.repo.Bundles()
	if err != nil || len(list) != 3 || list[0].Version != "1.0.0" || list[2].Version != "1.10.0" {
		t.Errorf("Bundles = %v, %v", list, err)
	}
	if b, err := w.repo.Bundle("crow", "1.9.0"); err != nil || b.Digest() != bundleOf("crow", "1.9.0").Digest() {
		t.Errorf("Bundle = %v, %v", b, err)
	}
	if _, err := w.repo.Bundle("crow", "2.0.0"); Reason(err) != ReasonNotListed {
		t.Errorf("Bundle of an unknown version = %v", err)
	}
	sum := must(hex.DecodeString(hexDigits(list[1].Digest)))
	w.write(filepath.Join(w.dir, targetPath(targetOf("crow", "1.9.0"), sum)), manifestOf("crow", "6.6.6"))
	if _, err := w.repo.Bundle("crow", "1.9.0"); Reason(err) != ReasonBadHash {
		t.Errorf("Bundle of changed bytes = %v", err)
	}
}

func TestClientBundle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	w.refresh(c, true)
	b, err := c.Bundle(t.Context(), "crow", "1.0.0")
	if err != nil || b.Digest() != bundleOf("crow", "1.0.0").Digest() {
		t.Errorf("Bundle = %v, %v", b, err)
	}
	if _, err := c.Bundle(t.Context(), "crow", "1.0.1"); Reason(err) != ReasonNotListed {
		t.Errorf("Bundle of an unknown version = %v", err)
	}
	if _, err := c.Bundle(t.Context(), "..", "1.0.1"); Reason(err) != ReasonInvalid {
		t.Errorf("Bundle of an impossible name = %v", err)
	}
	// A publisher of another make lists what is not what its name says.
	for version, data := range map[string][]byte{"2.0.0": []byte("{}"), "3.0.0": manifestOf("crab", "3.0.0")} {
		forged := latest[metadata.TargetsType](w, w.dir, metadata.TARGETS)
		forged.Signed.Version++
		target := must(metadata.TargetFile().FromBytes(targetOf("crow", version), data, "sha256"))
		forged.Signed.Targets[targetOf("crow", version)] = target
		w.write(filepath.Join(w.dir, targetPath(targetOf("crow", version), target.Hashes["sha256"])), data)
		w.resign(w.dir, put(w, w.dir, forged.Signed.Version, metadata.TARGETS, forged, targetsKeys...))
		w.refresh(c, true)
	}
	if _, err := c.Bundle(t.Context(), "crow", "2.0.0"); Reason(err) != ReasonUnparsable {
		t.Errorf("Bundle of what is none = %v", err)
	}
	if _, err := c.Bundle(t.Context(), "crow", "3.0.0"); Reason(err) != ReasonInvalid {
		t.Errorf("Bundle of another one's bytes = %v", err)
	}
}
