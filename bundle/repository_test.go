package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

func TestPublish(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	if list, err := c.Bundles(); Reason(err) != ReasonNotListed {
		t.Fatalf("Bundles before a refresh = %v, %v", list, err)
	}
	w.refresh(c, true)
	w.refresh(c, false)
	w.believes(c, "crow", "1.0.0")

	w.publish("crow", "1.10.0")
	w.refresh(c, false) // not sealed yet
	w.publish("crow", "1.9.0")
	w.seal()
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0", "1.9.0", "1.10.0")

	if _, err := w.repo.Remove(targetsKeys, targetOf("crow", "1.9.0")); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.seal()
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0", "1.10.0")
	if _, err := c.Target(t.Context(), targetOf("crow", "1.9.0")); Reason(err) != ReasonNotListed {
		t.Fatalf("a removed target: %v", err)
	}
	if _, err := w.repo.Remove(targetsKeys, targetOf("crow", "1.9.0")); Reason(err) != ReasonNotListed {
		t.Fatalf("Remove twice: %v", err)
	}
}

func TestBlob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	program := []byte("\x00asm and more")
	digest, err := w.repo.AddBlob(program)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		path, err := c.Blob(t.Context(), digest, int64(len(program)))
		if err != nil || string(w.read(path)) != string(program) {
			t.Fatalf("Blob = %v, %v", path, err)
		}
		w.write(path, []byte("damaged")) // and is fetched again
	}
	for _, bad := range []struct {
		digest string
		size   int64
		reason string
	}{
		{digest, int64(len(program)) - 1, ReasonTooLarge},
		{digest, int64(len(program)) + 1, ReasonBadHash},
		{digest, MaxProgram + 1, ReasonTooLarge},
		{digest, -1, ReasonTooLarge},
		{digestOf(make([]byte, 32)), 1, ReasonMissing},
		{"sha256:../../../etc/passwd", 1, ReasonInvalid},
		{strings.ToUpper(digest), 1, ReasonInvalid},
	} {
		if _, err := c.Blob(t.Context(), bad.digest, bad.size); Reason(err) != bad.reason {
			t.Errorf("Blob(%s, %d) = %v, want %s", bad.digest, bad.size, err, bad.reason)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	w.refresh(c, true)
	for _, name := range []string{"", "x", "/x", "a/", "../x", "a/../x", "a/.x", "a//x", "a\\x/y", "a/x\x00", "a/%2e%2e", "A/x", "a/b/c/d/e/f", "a/x\n"} {
		if _, err := w.repo.Publish(targetsKeys, map[string][]byte{name: nil}); Reason(err) != ReasonInvalid {
			t.Errorf("Publish(%q) = %v", name, err)
		}
		if _, err := c.Target(t.Context(), name); Reason(err) != ReasonInvalid {
			t.Errorf("Target(%q) = %v", name, err)
		}
	}
}

func TestVersionsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := targetOf("crow", "1.0.0")
	_, err := w.repo.Publish(targetsKeys, map[string][]byte{name: []byte("other")})
	if Reason(err) != ReasonConflict {
		t.Fatalf("other bytes under a version: %v", err)
	}
	for _, text := range []string{"1", "2"} { // other targets may change
		if _, err := w.repo.Publish(targetsKeys, map[string][]byte{name: manifestOf("crow", "1.0.0"), "keys/nexus.json": []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	w.seal()
	c := w.client(w.clientOptions())
	w.refresh(c, true)
	if data, err := c.Target(t.Context(), "keys/nexus.json"); err != nil || string(data) != "2" {
		t.Fatalf("Target = %q, %v", data, err)
	}
}

func TestWrongKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, err := w.repo.Targets()
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range [][]*Key{nil, keys("targets-1"), keys("targets-1", "targets-1"), keys("targets-1", "root-1"), snapKeys} {
		if _, err := w.repo.Publish(wrong, map[string][]byte{"a/b": nil}); Reason(err) != ReasonBadSignature {
			t.Errorf("Publish with %d wrong keys: %v", len(wrong), err)
		}
	}
	w.publish("crow", "2.0.0")
	if err := w.repo.Seal(timeKeys, timeKeys); Reason(err) != ReasonBadSignature {
		t.Errorf("Seal with a wrong snapshot key: %v", err)
	}
	if err := w.repo.Seal(snapKeys, snapKeys); Reason(err) != ReasonBadSignature {
		t.Errorf("Seal with a wrong timestamp key: %v", err)
	}
	if after, err := w.repo.Targets(); err != nil || len(after) != len(before)+1 {
		t.Errorf("Targets = %v, %v", after, err)
	}
	for name, rotate := range map[string]struct {
		roles Roles
		keys  []*Key
	}{
		"too few old keys":    {rotated(), keys("root-3", "root-4")},
		"too few new keys":    {rotated(), keys("root-1", "root-2", "root-3")},
		"none":                {rotated(), nil},
		"same roles, one key": {testRoles(), keys("root-1")},
	} {
		if _, err := w.repo.Rotate(rotate.roles, rotate.keys, keys("targets-4")); Reason(err) != ReasonBadSignature {
			t.Errorf("Rotate, %s: %v", name, err)
		}
	}
	roles := testRoles()
	roles.Targets.Threshold = 4
	if _, err := w.repo.Rotate(roles, rootKeys, targetsKeys); Reason(err) != ReasonInvalid {
		t.Errorf("Rotate with a threshold of 4 of 3: %v", err)
	}
	roles.Targets = RoleKeys{}
	if _, err := roles.first(rootKeys, w.now()); Reason(err) != ReasonInvalid {
		t.Errorf("a first root without targets keys: %v", err)
	}
}

// A stranger who may write to the folder has nothing of his signed by the publisher
// or sealed by a nexus.
func TestStrangersFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	forged := latest[metadata.TargetsType](w, w.dir, metadata.TARGETS)
	forged.Signed.Version += 10
	forged.Signed.Targets["bundles/crow/6.6.6.json"] = &metadata.TargetFiles{Hashes: metadata.Hashes{"sha256": make([]byte, 32)}}
	put(w, w.dir, forged.Signed.Version, metadata.TARGETS, forged, keys("stranger", "stranger-2")...)
	// One that is genuine, under a number that it does not have.
	genuine := w.read(w.dir, metadataName(w.now().Unix(), metadata.TARGETS))
	w.write(filepath.Join(w.dir, metadataName(forged.Signed.Version+1, metadata.TARGETS)), genuine)
	w.write(filepath.Join(w.dir, metadataName(forged.Signed.Version+2, metadata.TARGETS)), []byte("{"))

	w.publish("crow", "2.0.0")
	w.seal()
	c := w.client(w.clientOptions())
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0", "2.0.0")

	w.write(filepath.Join(w.dir, metadataName(2, metadata.ROOT)), []byte("{}"))
	if _, err := w.repo.Publish(targetsKeys, nil); Reason(err) != ReasonUnparsable {
		t.Fatalf("Publish beside a forged root: %v", err)
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.copy()
	o := w.clientOptions()
	c := w.client(o)
	w.refresh(c, true)
	root, err := w.repo.Rotate(rotated(), keys("root-1", "root-2", "root-3", "root-4"), keys("targets-4"))
	if err != nil {
		t.Fatal(err)
	}
	w.refused(c, ReasonBadSignature) // not sealed with the new keys yet
	w.shown.Store(old)
	for range 2 { // the old keys have no say any more, nor after a restart
		w.refused(c, ReasonBadSignature)
		if list, err := c.Bundles(); Reason(err) != ReasonNotListed {
			t.Fatalf("Bundles of old keys = %v, %v", list, err)
		}
		c = w.client(o)
	}
	w.honest()
	if err := w.repo.Seal(snapKeys, timeKeys); Reason(err) != ReasonBadSignature {
		t.Fatalf("Seal with old keys: %v", err)
	}
	if err := w.repo.Seal(keys("snapshot-2"), keys("timestamp-2")); err != nil {
		t.Fatal(err)
	}
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0")
	if _, err := w.repo.Publish(targetsKeys, nil); Reason(err) != ReasonBadSignature {
		t.Fatalf("Publish with old keys: %v", err)
	}
	o = w.clientOptions()
	o.Root = root // a new spore is given the newest
	w.refresh(w.client(o), true)
	w.refresh(w.client(w.clientOptions()), true) // or the first
}

func TestTwoPublishers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const publishers = 8
	errs := make([]error, publishers)
	var done sync.WaitGroup
	for i := range errs {
		done.Go(func() {
			version := fmt.Sprintf("2.%d.0", i)
			_, errs[i] = w.open().Publish(targetsKeys, map[string][]byte{targetOf("crow", version): manifestOf("crow", version)})
		})
	}
	done.Wait()
	listed, err := w.repo.Targets()
	if err != nil {
		t.Fatal(err)
	}
	won := 0
	for i, err := range errs {
		there := listed[targetOf("crow", fmt.Sprintf("2.%d.0", i))] != ""
		if there != (err == nil) || err != nil && Reason(err) != ReasonBusy {
			t.Errorf("publisher %d: listed: %v, told: %v", i, there, err)
		}
		if there {
			won++
		}
	}
	if won == 0 {
		t.Error("nobody published")
	}
}

// The turn of a publisher who holds the lock is nobody else's.
func TestBusy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var once sync.Once // each waits for a turn as long as publishers do
	meanwhile := func() {
		if _, err := w.open().Publish(targetsKeys, nil); Reason(err) != ReasonBusy {
			t.Errorf("Publish meanwhile: %v", err)
		}
		if err := w.open().Seal(snapKeys, timeKeys); Reason(err) != ReasonBusy {
			t.Errorf("Seal meanwhile: %v", err)
		}
	}
	w.repo.disk.fault = func(string) error {
		once.Do(meanwhile)
		return nil
	}
	w.publish("crow", "2.0.0")
}

func TestSeal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	w.refresh(c, true)
	version := latest[metadata.SnapshotType](w, w.dir, metadata.SNAPSHOT).Signed.Version
	for range 100 {
		w.pass(time.Hour)
		w.seal()
		w.refresh(c, false)
	}
	snapshot := latest[metadata.SnapshotType](w, w.dir, metadata.SNAPSHOT)
	if found, err := w.repo.versions(metadata.SNAPSHOT); err != nil || len(found) != 2 || snapshot.Signed.Version == version {
		t.Errorf("snapshots %v, %v: want one more in 100 hours", found, err)
	}
}

// A nexus whose folder was lost and came back from a backup, or without its
// timestamp, seals what clients take.
func TestSealAfterLoss(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	backup := w.copy()
	for range 3 {
		w.pass(time.Minute)
		w.publish("crow", fmt.Sprintf("2.%d.0", w.now().Minute()))
		w.seal()
	}
	w.refresh(c, true)
	w.shown.Store(backup)
	w.refused(c, ReasonRollback)
	w.pass(time.Minute)
	w.dir = backup
	if err := os.Remove(filepath.Join(w.dir, metadataDir, "timestamp.json")); err != nil {
		t.Fatal(err)
	}
	w.repo = w.open()
	w.publish("crow", "3.0.0")
	w.seal()
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0", "3.0.0")
}

var errKilled = errors.New("killed")

// killedAt ends the world at its n-th change of the disk.
func killedAt(n int, dead *bool) func(string) error {
	return func(string) error {
		if n--; n < 0 {
			*dead = true
			return errKilled
		}
		return nil
	}
}

// Wherever a publisher or a nexus is killed, clients see the old state or the new
// one, and the same work can be done again.
func TestKilledPublisher(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	work := func(r *Repository) error {
		_, err := r.Publish(targetsKeys, map[string][]byte{targetOf("crow", "2.0.0"): manifestOf("crow", "2.0.0")})
		if err == nil {
			err = r.Seal(snapKeys, timeKeys)
		}
		return err
	}
	before := w.copy()
	for n := 0; ; n++ {
		if err := errors.Join(os.RemoveAll(w.dir), os.CopyFS(w.dir, os.DirFS(before))); err != nil {
			t.Fatal(err)
		}
		r, dead := w.open(), false
		r.disk.fault = killedAt(n, &dead)
		if err := work(r); (err != nil) != dead {
			t.Fatal(n, err)
		}
		c := w.client(w.clientOptions())
		w.refresh(c, true)
		if list, err := c.Bundles(); err != nil || !dead && len(list) != 2 {
			t.Fatal(n, list, err)
		}
		if !dead {
			return
		}
		if err := work(w.open()); err != nil {
			t.Fatal(n, err)
		}
		if _, err := c.Refresh(t.Context()); err != nil {
			t.Fatal(n, err)
		}
		w.believes(c, "crow", "1.0.0", "2.0.0")
	}
}

func TestKilledRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.copy()
	for n := 0; ; n++ {
		if err := errors.Join(os.RemoveAll(w.dir), os.CopyFS(w.dir, os.DirFS(before))); err != nil {
			t.Fatal(err)
		}
		rotate := func(r *Repository) error {
			_, err := r.Rotate(rotated(), keys("root-1", "root-2", "root-3", "root-4"), keys("targets-4"))
			return err
		}
		r, dead := w.open(), false
		r.disk.fault = killedAt(n, &dead)
		if err := rotate(r); (err != nil) != dead {
			t.Fatal(n, err)
		}
		if root, err := w.open().trusted(); err != nil {
			t.Fatal(n, err)
		} else if root.Root.Signed.Version == 1 {
			if err := rotate(w.open()); err != nil {
				t.Fatal(n, err)
			}
		}
		if err := w.open().Seal(keys("snapshot-2"), keys("timestamp-2")); err != nil {
			t.Fatal(n, err)
		}
		c := w.client(w.clientOptions())
		w.refresh(c, true)
		w.believes(c, "crow", "1.0.0")
		if !dead {
			return
		}
	}
}

func TestKilledCreation(t *testing.T) {
	t.Parallel()
	first := firstRoot(t, testRoles(), time.Now().Add(RootLife))
	for n := 0; ; n++ {
		dir, dead := filepath.Join(t.TempDir(), "repo"), false
		d := public()
		d.fault = killedAt(n, &dead)
		if err := createRepository(dir, first, targetsKeys, RepositoryOptions{}, d); (err != nil) != dead {
			t.Fatal(n, err)
		}
		if !dead {
			return
		}
		err := CreateRepository(dir, first, targetsKeys, RepositoryOptions{})
		if err != nil && Reason(err) != ReasonInvalid { // it was done but for the last sync
			t.Fatal(n, err)
		}
		if _, err := OpenRepository(dir, first, RepositoryOptions{}); err != nil {
			t.Fatal(n, err)
		}
	}
}

// Another client of TUF takes what we publish.
func TestOtherClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg, err := config.New(w.server.URL+"/"+metadataDir, w.root)
	if err != nil {
		t.Fatal(err)
	}
	cfg.LocalMetadataDir, cfg.LocalTargetsDir = t.TempDir(), t.TempDir()
	cfg.RemoteTargetsURL = w.server.URL + "/" + targetsDir
	other, err := updater.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	other.UnsafeSetRefTime(w.now())
	info, err := other.GetTargetInfo(targetOf("crow", "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	if _, data, err := other.DownloadTarget(info, "", ""); err != nil || string(data) != string(manifestOf("crow", "1.0.0")) {
		t.Fatalf("DownloadTarget = %q, %v", data, err)
	}
	if all, err := w.repo.Targets(); err != nil || len(other.GetTopLevelTargets()) != len(all) {
		t.Fatalf("%v, %v", all, err)
	}
}

// TestPublishInVain: who has no space for a list leaves nothing that the list was to name,
// however often they try with other bytes.
func TestPublishInVain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open()
	tries := 0
	for ; ; tries++ {
		left := tries
		r.disk.fault = func(change string) error {
			if left--; left < 0 && (change == "write" || change == "create") {
				return syscall.ENOSPC
			}
			return nil
		}
		data := fmt.Appendf(nil, "try %d", tries)
		_, err := r.Publish(targetsKeys, map[string][]byte{"a/b": data})
		if err != nil && Reason(err) != ReasonNoSpace {
			t.Fatal(tries, err)
		}
		found, errGlob := filepath.Glob(filepath.Join(w.dir, "targets", "a", "*"))
		if want := err == nil; errGlob != nil || want != (len(found) == 1) || len(found) > 1 {
			t.Fatalf("try %d: %v, and there is %v (%v)", tries, err, found, errGlob)
		}
		if err == nil {
			break
		}
	}
	if tries < 3 {
		t.Errorf("it failed %d times", tries)
	}
}
