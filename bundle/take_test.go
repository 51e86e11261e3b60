package bundle

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// carry exports a bundle with what signs for it, as of what is sealed now.
func (w *world) carry(name, version string) []byte {
	w.Helper()
	c := w.client(ClientOptions{Repository: w.dir, State: filepath.Join(w.TempDir(), "state"), Root: w.root, Now: w.now})
	w.refresh(c, true)
	b, err := c.Bundle(w.Context(), name, version)
	if err != nil {
		w.Fatal(err)
	}
	chain, err := c.Chain(w.Context(), b)
	if err != nil {
		w.Fatal(err)
	}
	return w.export(b, chain)
}

func (w *world) export(b *Bundle, chain []byte) []byte {
	w.Helper()
	var file bytes.Buffer
	if err := Export(&file, b, chain, from(map[string][]byte{digested(testProgram): testProgram})); err != nil {
		w.Fatal(err)
	}
	return file.Bytes()
}

func (w *world) imported(file []byte) *Imported {
	w.Helper()
	in, err := Import(bytes.NewReader(file), w.TempDir())
	if err != nil {
		w.Fatal(err)
	}
	return in
}

// away is a repository on another machine, which was copied from a folder.
func (w *world) away(from string) (*Repository, string) {
	w.Helper()
	dir := filepath.Join(w.TempDir(), "away")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		w.Fatal(err)
	}
	r, err := OpenRepository(dir, w.root, w.options())
	if err != nil {
		w.Fatal(err)
	}
	return r, dir
}

// newer publishes and seals a newer version, a second on.
func (w *world) newer(name, version string) {
	w.Helper()
	w.pass(time.Second)
	w.publish(name, version)
	w.seal()
}

func TestTake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, dir := w.away(w.dir)
	c := w.client(ClientOptions{Repository: dir, State: t.TempDir(), Root: w.root, Now: w.now})
	w.newer("crow", "2.0.0")
	if err := os.RemoveAll(filepath.Join(dir, "blobs")); err != nil { // but crow@1.0.0 has the same program
		t.Fatal(err)
	}
	two := w.imported(w.carry("crow", "2.0.0"))
	if _, err := r.Take(two); Reason(err) != ReasonMissing || !strings.Contains(err.Error(), "crow@1.0.0") {
		t.Fatalf("Take without the program of crow@1.0.0 = %v", err)
	}
	version, err := r.Take(two, w.imported(w.carry("crow", "1.0.0")))
	if err != nil || version != must(w.repo.Newest()) {
		t.Fatalf("Take = %d, %v", version, err)
	}
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0")
	if err := r.Seal(snapKeys, timeKeys); err != nil {
		t.Fatal(err)
	}
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0", "2.0.0")
	if path, err := c.Blob(t.Context(), digested(testProgram), int64(len(testProgram))); err != nil || string(w.read(path)) != string(testProgram) {
		t.Errorf("Blob = %s, %v", path, err)
	}
	before := tree(t, dir)
	if again, err := r.Take(two); err != nil || again != version { // once more is no change
		t.Errorf("Take again = %d, %v", again, err)
	}
	if after := tree(t, dir); !maps.Equal(before, after) {
		t.Error("Take again changed something")
	}
}

// What changed the keys, and those of the nexus, comes with the bundle.
func TestTakeAfterRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, dir := w.away(w.dir)
	w.pass(time.Second)
	if _, err := w.repo.Publish(targetsKeys, map[string][]byte{NexusKeysTarget: must(EncodeNexusKeys(key("nexus").Ed25519()))}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // once with other keys, once with the same
		if _, err := w.repo.Rotate(rotated(), keys("root-1", "root-2", "root-3", "root-4"), keys("targets-4")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.repo.Seal(keys("snapshot-2"), keys("timestamp-2")); err != nil {
		t.Fatal(err)
	}
	in := w.imported(w.carry("crow", "1.0.0"))
	before := w.root
	for n := 0; ; n++ {
		r, to := w.away(dir)
		dead := false
		r.disk.fault = killedAt(n, &dead)
		if _, err := r.Take(in); (err != nil) != dead {
			t.Fatal(n, err)
		}
		r, err := OpenRepository(to, before, w.options()) // whatever was done, it goes on
		if err != nil {
			t.Fatal(n, err)
		}
		if was, is := r.Seal(snapKeys, timeKeys), r.Seal(keys("snapshot-2"), keys("timestamp-2")); was != nil && is != nil {
			t.Fatalf("killed at %d: nobody can seal: %v, %v", n, was, is)
		}
		if _, err := r.Take(in); err != nil {
			t.Fatal(n, err)
		}
		if err := r.Seal(keys("snapshot-2"), keys("timestamp-2")); err != nil {
			t.Fatal(n, err)
		}
		c := w.client(ClientOptions{Repository: to, State: t.TempDir(), Root: before, Now: w.now})
		w.refresh(c, true)
		if got, err := c.NexusKeys(t.Context()); err != nil || len(got) != 1 || !holdsKey(got, key("nexus")) {
			t.Fatalf("killed at %d: NexusKeys = %v, %v", n, got, err)
		}
		if !dead {
			return
		}
	}
}

func TestTakeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.carry("crow", "1.0.0")
	old := w.copy()
	w.newer("crow", "2.0.0")
	two := w.carry("crow", "2.0.0")
	w.newer("jay", "1.0.0")
	jay := w.carry("jay", "1.0.0")
	if _, err := w.repo.Remove(targetsKeys, targetOf("crow", "2.0.0")); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Second)
	w.seal()
	removed := w.carry("jay", "1.0.0")

	foreign := newWorld(t)
	foreign.repo, foreign.root = newRepository(t, filepath.Join(t.TempDir(), "foreign"), testRoles(), foreign.options())
	stranger := latest[metadata.TargetsType](w, w.dir, metadata.TARGETS)
	stranger.Signed.Version += 10
	forged := must(spell(&carried{Targets: must(signMetadata(stranger, keys("stranger-1", "stranger-2")))}, new(carried), MaxChain))
	under := must(spell(&carried{Targets: must(signMetadata(stranger, keys("targets-1")))}, new(carried), MaxChain))
	chainOf := func(file []byte) []byte { return w.imported(file).Chain }
	jays, crows := bundleOf("jay", "1.0.0"), bundleOf("crow", "1.0.0")

	for _, tt := range []struct {
		name   string
		from   string // what the repository is a copy of
		files  [][]byte
		reason string
		want   string
	}{
		{"unsigned", w.dir, [][]byte{w.export(crows, nil)}, ReasonBadSignature, "carries no signatures"},
		{"no chain", w.dir, [][]byte{w.export(crows, []byte("chain"))}, ReasonUnparsable, "the chain cannot be read"},
		{"a chain cut", old, [][]byte{w.export(bundleOf("crow", "2.0.0"), chainOf(two)[:1000])}, ReasonUnparsable, "the chain cannot be read"},
		{"signed by a stranger", old, [][]byte{w.export(jays, forged)}, ReasonBadSignature, "the list of targets"},
		{"signed by too few", old, [][]byte{w.export(jays, under)}, ReasonBadSignature, "the list of targets"},
		{"the chain of another bundle", old, [][]byte{w.export(jays, chainOf(two))}, ReasonNotListed, "bundles/jay/1.0.0.json"},
		{"other bytes under a name", old, [][]byte{w.export(&Bundle{Name: "crow", Version: "1.0.0", Created: began.Add(time.Hour), Skills: crows.Skills}, chainOf(two))}, ReasonBadHash, "bundles/crow/1.0.0.json"},
		{"older", w.dir, [][]byte{one}, ReasonRollback, "the list of targets in the file"},
		{"others lacking", old, [][]byte{jay}, ReasonMissing, "what the list names as well, crow@2.0.0, is not there: import the .hive files of all of these in one go"},
		{"revoked meanwhile", old, [][]byte{two, removed}, ReasonNotListed, "bundles/crow/2.0.0.json"},
		{"nothing", old, nil, ReasonInvalid, "nothing to take"},
	} {
		r, dir := w.away(tt.from)
		before := tree(t, dir)
		var files []*Imported
		for _, file := range tt.files {
			files = append(files, w.imported(file))
		}
		if _, err := r.Take(files...); Reason(err) != tt.reason || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Take = %v\nwant %s (%s)", tt.name, err, tt.want, tt.reason)
		}
		if after := tree(t, dir); !maps.Equal(before, after) {
			t.Errorf("%s: Take changed the repository", tt.name)
		}
	}

	r, _ := w.away(old) // a newer list of several files is the one that counts
	if version, err := r.Take(w.imported(two), w.imported(jay)); err != nil || version <= began.Unix() {
		t.Errorf("Take of two files = %d, %v", version, err)
	}
	w.pass(91 * 24 * time.Hour)
	r, _ = w.away(old)
	if _, err := r.Take(w.imported(two)); Reason(err) != ReasonExpired {
		t.Errorf("Take of what has expired = %v", err)
	}
	w.pass(366 * 24 * time.Hour)
	if _, err := r.Take(w.imported(two)); Reason(err) != ReasonExpired || !strings.Contains(err.Error(), "root") {
		t.Errorf("Take with an expired root = %v", err)
	}
}

// Two lists of one version are not the same: the publisher has lost one.
func TestTakeOfAFork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fork := latest[metadata.TargetsType](w, w.dir, metadata.TARGETS)
	fork.Signed.Expires = fork.Signed.Expires.Add(time.Hour)
	chain := must(spell(&carried{Targets: must(signMetadata(fork, targetsKeys))}, new(carried), MaxChain))
	r, _ := w.away(w.dir)
	if _, err := r.Take(w.imported(w.export(bundleOf("crow", "1.0.0"), chain))); Reason(err) != ReasonMismatch {
		t.Errorf("Take of another list of this version = %v", err)
	}
}

// A full disk leaves the list that there was.
func TestTakeToFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.copy()
	w.newer("crow", "2.0.0")
	in := w.imported(w.carry("crow", "2.0.0"))
	r, dir := w.away(old)
	before, err := r.Newest()
	if err != nil {
		t.Fatal(err)
	}
	r.disk.fault = func(change string) error {
		if change == "write" {
			return errFull
		}
		return nil
	}
	if _, err := r.Take(in); !errors.Is(err, errFull) {
		t.Errorf("Take = %v", err)
	}
	if now, err := r.Newest(); err != nil || now != before {
		t.Errorf("the newest list is %d, %v, was %d", now, err, before)
	}
	if left := entries(t, filepath.Join(dir, metadataDir)); slices.ContainsFunc(left, func(n string) bool { return strings.HasPrefix(n, temporary) }) {
		t.Errorf("Take left %q", left)
	}
}

func TestVerifyChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.imported(w.carry("crow", "1.0.0"))
	got, err := VerifyChain(in.Chain, w.root, in.Bundle, w.now())
	if err != nil || got.Root != 1 || got.List != must(w.repo.Newest()) || !got.Expires.Equal(began.Add(90*24*time.Hour)) {
		t.Errorf("VerifyChain = %+v, %v", got, err)
	}
	if _, err := VerifyChain(in.Chain, []byte("{}"), in.Bundle, w.now()); Reason(err) != ReasonUnparsable {
		t.Errorf("VerifyChain from no root = %v", err)
	}
	root, err := w.repo.Rotate(rotated(), keys("root-1", "root-2", "root-3", "root-4"), keys("targets-4"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyChain(in.Chain, root, in.Bundle, w.now()); Reason(err) != ReasonBadSignature {
		t.Errorf("VerifyChain of keys that were taken back = %v", err)
	}
	if err := w.repo.Seal(keys("snapshot-2"), keys("timestamp-2")); err != nil {
		t.Fatal(err)
	}
	in = w.imported(w.carry("crow", "1.0.0"))
	for _, from := range [][]byte{w.root, root} {
		if got, err := VerifyChain(in.Chain, from, in.Bundle, w.now()); err != nil || got.Root != 2 {
			t.Errorf("VerifyChain = %+v, %v", got, err)
		}
	}
}
