package bundle

import (
	"encoding/json"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// attack shows a client that believes crow@1.0.0 something else.
type attack struct {
	name   string
	reason string
	do     func(w *world, old string) // old: the repository with crow@1.0.0 alone
}

// shown is a copy of the publisher's repository for an attacker to change.
func shown(w *world) string {
	dir := w.copy()
	w.shown.Store(dir)
	return dir
}

// forge writes metadata of dir with changes, signed with keys.
func forge[T metadata.Roles](w *world, dir, role string, keys []*Key, edit func(*T)) *metadata.MetaFiles {
	m := latest[T](w, dir, role)
	edit(&m.Signed)
	version := versionOf(m)
	return put(w, dir, version, role, m, keys...)
}

// forgedTargets lists what no publisher signed, in the newest version plus one.
func forgedTargets(keys ...*Key) func(*world, string) {
	return func(w *world, _ string) {
		dir := shown(w)
		w.resign(dir, forge(w, dir, metadata.TARGETS, keys, func(t *metadata.TargetsType) {
			t.Version++
			t.Targets["bundles/crow/6.6.6.json"] = &metadata.TargetFiles{Length: 1, Hashes: metadata.Hashes{"sha256": make([]byte, 32)}}
		}))
	}
}

// forgedRoot is a next root for roles, signed with keys.
func forgedRoot(roles Roles, version int64, keys ...*Key) func(*world, string) {
	return func(w *world, _ string) {
		root, err := roles.root(version, w.now().Add(time.Hour))
		if err != nil {
			w.Fatal(err)
		}
		put(w, shown(w), 2, metadata.ROOT, root, keys...)
	}
}

// answers lies about one file.
func answers(path, data string) func(*world, string) {
	return func(w *world, _ string) { w.lie(path, []byte(data)) }
}

// says answers one file with a status.
func says(path string, status int) func(*world, string) {
	return func(w *world, _ string) {
		w.fault.Store(fault(func(rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/"+path {
				rw.WriteHeader(status)
			}
			return r.URL.Path == "/"+path
		}))
	}
}

// stamped is a timestamp that is signed as it should be but for what edit does.
func stamped(edit func(map[string]any)) func(*world, string) {
	return func(w *world, _ string) {
		dir := shown(w)
		timestamp := latest[metadata.TimestampType](w, dir, metadata.TIMESTAMP)
		timestamp.Signed.UnrecognizedFields = map[string]any{}
		var signed map[string]any
		text, _ := json.Marshal(timestamp.Signed)
		if err := json.Unmarshal(text, &signed); err != nil {
			w.Fatal(err)
		}
		edit(signed)
		text, _ = json.Marshal(signed)
		var again metadata.TimestampType
		if err := json.Unmarshal(text, &again); err != nil {
			w.Fatal(err)
		}
		timestamp.Signed = again
		put(w, dir, 0, metadata.TIMESTAMP, timestamp, timeKeys...)
	}
}

// The thief of the online keys can sign snapshots and timestamps as he likes.
var attacks = []attack{
	{"rollback of all", ReasonRollback, func(w *world, old string) { w.shown.Store(old) }},
	{"rollback of the snapshot", ReasonRollback, func(w *world, old string) {
		snapshot := latest[metadata.SnapshotType](w, old, metadata.SNAPSHOT)
		dir := shown(w)
		w.restamp(dir, put(w, dir, snapshot.Signed.Version, metadata.SNAPSHOT, snapshot, snapKeys...))
	}},
	{"rollback of the targets", ReasonRollback, func(w *world, old string) {
		targets := latest[metadata.TargetsType](w, old, metadata.TARGETS)
		dir := shown(w)
		w.resign(dir, put(w, dir, targets.Signed.Version, metadata.TARGETS, targets, targetsKeys...))
	}},
	{"rollback of the root", ReasonRollback, func(w *world, _ string) {
		dir := shown(w)
		w.write(filepath.Join(dir, metadataName(2, metadata.ROOT)), w.root)
	}},
	{"a root that skips a version", ReasonRollback, forgedRoot(testRoles(), 3, rootKeys...)},
	{"mix and match", ReasonBadHash, func(w *world, old string) {
		dir := shown(w)
		new := latest[metadata.SnapshotType](w, dir, metadata.SNAPSHOT).Signed.Version
		before := latest[metadata.SnapshotType](w, old, metadata.SNAPSHOT).Signed.Version
		data := w.read(old, metadataName(before, metadata.SNAPSHOT))
		w.write(filepath.Join(dir, metadataName(new, metadata.SNAPSHOT)), data)
	}},
	{"mix and match of targets", ReasonBadHash, func(w *world, old string) {
		dir := shown(w)
		new := latest[metadata.TargetsType](w, dir, metadata.TARGETS).Signed.Version
		before := latest[metadata.TargetsType](w, old, metadata.TARGETS).Signed.Version
		w.write(filepath.Join(dir, metadataName(new, metadata.TARGETS)), w.read(old, metadataName(before, metadata.TARGETS)))
	}},
	{"mix and match without hashes", ReasonMismatch, func(w *world, _ string) {
		dir := shown(w)
		snapshot := latest[metadata.SnapshotType](w, dir, metadata.SNAPSHOT)
		put(w, dir, snapshot.Signed.Version+1, metadata.SNAPSHOT, snapshot, snapKeys...)
		w.restamp(dir, &metadata.MetaFiles{Version: snapshot.Signed.Version + 1})
	}},
	{"mix and match of targets without hashes", ReasonMismatch, func(w *world, _ string) {
		dir := shown(w)
		targets := latest[metadata.TargetsType](w, dir, metadata.TARGETS)
		put(w, dir, targets.Signed.Version+1, metadata.TARGETS, targets, targetsKeys...)
		w.resign(dir, &metadata.MetaFiles{Version: targets.Signed.Version + 1})
	}},
	{"forged targets", ReasonBadSignature, forgedTargets(keys("stranger", "stranger-2")...)},
	{"targets of too few keys", ReasonBadSignature, forgedTargets(keys("targets-1")...)},
	{"targets of one key twice", ReasonUnparsable, func(w *world, _ string) {
		dir := shown(w)
		targets := latest[metadata.TargetsType](w, dir, metadata.TARGETS)
		targets.Signed.Version++
		if _, err := signMetadata(targets, keys("targets-1")); err != nil {
			w.Fatal(err)
		}
		targets.Signatures = append(targets.Signatures, targets.Signatures[0])
		data, err := targets.ToBytes(false)
		if err != nil {
			w.Fatal(err)
		}
		w.write(filepath.Join(dir, metadataName(targets.Signed.Version, metadata.TARGETS)), data)
		w.resign(dir, fileOf(targets.Signed.Version, data))
	}},
	{"targets of online keys", ReasonBadSignature, forgedTargets(keys("snapshot", "timestamp")...)},
	{"targets of root keys", ReasonBadSignature, forgedTargets(rootKeys...)},
	{"unsigned targets", ReasonBadSignature, forgedTargets()},
	{"targets changed on the way", ReasonBadHash, func(w *world, _ string) {
		dir := shown(w)
		forge(w, dir, metadata.TARGETS, targetsKeys, func(t *metadata.TargetsType) { t.Expires = t.Expires.Add(time.Hour) })
	}},
	{"forged root", ReasonBadSignature, forgedRoot(rotated(), 2, keys("root-3", "root-4")...)},
	{"root of one old key", ReasonBadSignature, forgedRoot(rotated(), 2, keys("root-1", "root-4")...)},
	{"root of old keys alone", ReasonBadSignature, forgedRoot(rotated(), 2, rootKeys...)},
	{"root of old keys and one new one", ReasonBadSignature, forgedRoot(rotated(), 2, keys("root-1", "root-2", "root-4")...)},
	{"unsigned root", ReasonBadSignature, forgedRoot(testRoles(), 2)},
	{"forged timestamp", ReasonBadSignature, func(w *world, _ string) {
		forge(w, shown(w), metadata.TIMESTAMP, keys("stranger"), func(t *metadata.TimestampType) { t.Version++ })
	}},
	{"forged snapshot", ReasonBadSignature, func(w *world, _ string) {
		dir := shown(w)
		w.restamp(dir, forge(w, dir, metadata.SNAPSHOT, keys("stranger"), func(s *metadata.SnapshotType) { s.Version++ }))
	}},
	{"expired targets", ReasonExpired, func(w *world, _ string) {
		dir := shown(w)
		w.resign(dir, forge(w, dir, metadata.TARGETS, targetsKeys, func(t *metadata.TargetsType) { t.Version++; t.Expires = began }))
	}},
	{"expired snapshot", ReasonExpired, func(w *world, _ string) {
		dir := shown(w)
		w.restamp(dir, forge(w, dir, metadata.SNAPSHOT, snapKeys, func(s *metadata.SnapshotType) { s.Version++; s.Expires = began }))
	}},
	{"expired timestamp", ReasonExpired, func(w *world, _ string) {
		forge(w, shown(w), metadata.TIMESTAMP, timeKeys, func(t *metadata.TimestampType) { t.Version++; t.Expires = began })
	}},
	// What made the TUF library panic or hang, or is no metadata at all.
	{"timestamp without a snapshot", ReasonUnparsable, stamped(func(m map[string]any) { m["meta"] = map[string]any{} })},
	{"timestamp with a null snapshot", ReasonUnparsable, stamped(func(m map[string]any) { m["meta"] = map[string]any{"snapshot.json": nil} })},
	{"snapshot without targets", ReasonUnparsable, func(w *world, _ string) {
		dir := shown(w)
		w.restamp(dir, forge(w, dir, metadata.SNAPSHOT, snapKeys, func(s *metadata.SnapshotType) { s.Version++; delete(s.Meta, "targets.json") }))
	}},
	{"a null target", ReasonUnparsable, func(w *world, _ string) {
		dir := shown(w)
		w.resign(dir, forge(w, dir, metadata.TARGETS, targetsKeys, func(t *metadata.TargetsType) { t.Version++; t.Targets["x/y"] = nil }))
	}},
	{"root with null keys", ReasonUnparsable, func(w *world, _ string) {
		root, err := testRoles().root(2, w.now().Add(time.Hour))
		if err != nil {
			w.Fatal(err)
		}
		for id := range root.Signed.Keys {
			root.Signed.Keys[id] = nil
		}
		put(w, shown(w), 2, metadata.ROOT, root, rootKeys...)
	}},
	{"root without roles", ReasonUnparsable, func(w *world, _ string) {
		root, err := testRoles().root(2, w.now().Add(time.Hour))
		if err != nil {
			w.Fatal(err)
		}
		root.Signed.Roles = nil
		put(w, shown(w), 2, metadata.ROOT, root, rootKeys...)
	}},
	{"depth", ReasonUnparsable, answers("metadata/timestamp.json", strings.Repeat("[", 8000)+strings.Repeat("]", 8000))},
	{"nothing", ReasonUnparsable, answers("metadata/timestamp.json", "")},
	{"a page of a hotel", ReasonUnparsable, answers("metadata/2.root.json", "<html>please log in</html>")},
	{"a snapshot for a timestamp", ReasonUnparsable, func(w *world, old string) {
		version := latest[metadata.SnapshotType](w, old, metadata.SNAPSHOT).Signed.Version
		w.lie("metadata/timestamp.json", w.read(old, metadataName(version, metadata.SNAPSHOT)))
	}},
	{"no timestamp", ReasonMissing, says("metadata/timestamp.json", http.StatusNotFound)},
	{"only 404 is no newer root: 403", ReasonUnreachable, says("metadata/2.root.json", http.StatusForbidden)},
	{"only 404 is no newer root: 500", ReasonUnreachable, says("metadata/2.root.json", http.StatusInternalServerError)},
	{"only 404 is no newer root: 204", ReasonUnreachable, says("metadata/2.root.json", http.StatusNoContent)},
	{"only 404 is no newer root: 410", ReasonUnreachable, says("metadata/2.root.json", http.StatusGone)},
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			old := w.copy()
			w.pass(time.Hour)
			w.publish("crow", "2.0.0")
			w.seal()
			o := w.clientOptions()
			c := w.client(o)
			w.refresh(c, true)
			w.believes(c, "crow", "1.0.0", "2.0.0")
			w.pass(time.Hour)
			w.publish("crow", "3.0.0")
			w.seal()

			a.do(w, old)
			for range 2 { // as often as one asks, and after a restart
				w.refused(c, a.reason)
				w.believes(c, "crow", "1.0.0", "2.0.0")
				c = w.client(o)
				w.believes(c, "crow", "1.0.0", "2.0.0")
			}
			w.honest()
			w.refresh(c, true)
			w.believes(c, "crow", "1.0.0", "2.0.0", "3.0.0")
		})
	}
}

// Somebody shows the same valid state for ever.
func TestFreeze(t *testing.T) {
	t.Parallel()
	for _, role := range []string{metadata.TIMESTAMP, metadata.SNAPSHOT, metadata.TARGETS, metadata.ROOT} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			long := RepositoryOptions{Root: 1000 * time.Hour, Targets: 1000 * time.Hour, Snapshot: 1000 * time.Hour, Timestamp: 1000 * time.Hour, Now: w.now}
			for name, field := range map[string]*time.Duration{metadata.ROOT: &long.Root, metadata.TARGETS: &long.Targets, metadata.SNAPSHOT: &long.Snapshot, metadata.TIMESTAMP: &long.Timestamp} {
				if name == role {
					*field = time.Hour
				}
			}
			w.dir = filepath.Join(t.TempDir(), "short")
			w.repo, w.root = newRepository(t, w.dir, testRoles(), long)
			w.publish("crow", "1.0.0")
			w.seal()
			w.honest()
			c := w.client(w.clientOptions())
			w.refresh(c, true)
			w.pass(2 * time.Hour)
			w.refused(c, ReasonExpired)
			if _, err := c.Target(t.Context(), targetOf("crow", "1.0.0")); Reason(err) != ReasonExpired {
				t.Errorf("Target of an expired %s: %v", role, err)
			}
			if _, err := c.Bundles(); Reason(err) != ReasonExpired {
				t.Errorf("Bundles of an expired %s: %v", role, err)
			}
			var err error
			if role == metadata.ROOT {
				_, err = w.repo.Rotate(testRoles(), rootKeys, targetsKeys)
			} else {
				_, err = w.repo.Publish(targetsKeys, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			w.seal()
			w.refresh(c, true)
			w.believes(c, "crow", "1.0.0")
		})
	}
}

// Wrong targets, arbitrary software: what was not signed for is not taken.
func TestForgedContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	program := []byte("genuine")
	digest, err := w.repo.AddBlob(program)
	if err != nil {
		t.Fatal(err)
	}
	c := w.client(w.clientOptions())
	w.refresh(c, true)
	name := targetOf("crow", "1.0.0")
	_, file := filepath.Split(name)
	listed, err := w.repo.Targets()
	if err != nil {
		t.Fatal(err)
	}
	path := "targets/bundles/crow/" + listed[name][len("sha256:"):] + "." + file
	genuine := w.read(w.dir, path)
	for what, forged := range map[string]struct {
		data   []byte
		reason string
	}{
		"another target":   {manifestOf("crab", "1.0.0"), ReasonBadHash},
		"one byte more":    {append(genuine, ' '), ReasonTooLarge},
		"one byte less":    {genuine[1:], ReasonBadHash},
		"nothing":          {nil, ReasonBadHash},
		"a long long file": {make([]byte, 1<<20), ReasonTooLarge},
	} {
		w.lie(path, forged.data)
		if data, err := c.Target(t.Context(), name); data != nil || Reason(err) != forged.reason {
			t.Errorf("%s for a target: %q, %v, want %s", what, data, err, forged.reason)
		}
	}
	w.lie(blobsDir+"/"+digest[len("sha256:"):]+".wasm", []byte("forged!"))
	if path, err := c.Blob(t.Context(), digest, int64(len(program))); Reason(err) != ReasonBadHash {
		t.Errorf("a forged program: %s, %v", path, err)
	}
	if left, err := os.ReadDir(c.blobDir()); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	w.honest()
	w.believes(c, "crow", "1.0.0")
	if _, err := c.Blob(t.Context(), digest, int64(len(program))); err != nil {
		t.Error(err)
	}
}

// Who has the keys that a rotation took back and hides the new root is refused, by a
// client that has seen it: also after a restart, and with its metadata damaged.
func TestOldKeysAfterRotation(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{"", trustedFile, floorFile} {
		t.Run("damaged "+damage, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			old := w.copy()
			o := w.clientOptions()
			c := w.client(o)
			if _, err := w.repo.Rotate(rotated(), keys("root-1", "root-2", "root-3", "root-4"), keys("targets-4")); err != nil {
				t.Fatal(err)
			}
			if err := w.repo.Seal(keys("snapshot-2"), keys("timestamp-2")); err != nil {
				t.Fatal(err)
			}
			w.refresh(c, true)
			if damage != "" {
				w.write(filepath.Join(o.State, damage), []byte("damaged"))
			}
			c = w.client(o)

			// 2.root.json is hidden, and the old keys sign something new.
			stolen, err := OpenRepository(old, w.root, w.options())
			if err != nil {
				t.Fatal(err)
			}
			w.pass(time.Hour)
			if _, err := stolen.Publish(targetsKeys, map[string][]byte{targetOf("crow", "6.6.6"): manifestOf("crow", "6.6.6")}); err != nil {
				t.Fatal(err)
			}
			if err := stolen.Seal(snapKeys, timeKeys); err != nil {
				t.Fatal(err)
			}
			w.shown.Store(old)
			want := ReasonBadSignature
			if damage == trustedFile {
				want = ReasonRollback
			}
			w.refused(c, want)

			// A second root of their own making is no better.
			if _, err := stolen.Rotate(testRoles(), rootKeys, targetsKeys); err != nil {
				t.Fatal(err)
			}
			if err := stolen.Seal(snapKeys, timeKeys); err != nil {
				t.Fatal(err)
			}
			w.refused(c, want)
			w.refused(w.client(o), want)
			w.honest()
			w.refresh(c, damage == trustedFile)
			w.believes(c, "crow", "1.0.0")
		})
	}
}

// A thief of the online keys raises all versions for ever. New keys end that.
func TestFastForward(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.clientOptions()
	c := w.client(o)
	dir := shown(w)
	snapshot := latest[metadata.SnapshotType](w, dir, metadata.SNAPSHOT)
	snapshot.Signed.Version = math.MaxInt64
	timestamp := latest[metadata.TimestampType](w, dir, metadata.TIMESTAMP)
	timestamp.Signed.Version = math.MaxInt64
	timestamp.Signed.Meta["snapshot.json"] = put(w, dir, math.MaxInt64, metadata.SNAPSHOT, snapshot, snapKeys...)
	put(w, dir, 0, metadata.TIMESTAMP, timestamp, timeKeys...)
	w.refresh(c, true) // they were his to sign
	w.honest()
	w.pass(time.Minute)
	w.seal()
	w.refused(c, ReasonRollback)
	roles := testRoles()
	roles.Snapshot, roles.Timestamp = rotated().Snapshot, rotated().Timestamp
	if _, err := w.repo.Rotate(roles, rootKeys, targetsKeys); err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Seal(keys("snapshot-2"), keys("timestamp-2")); err != nil {
		t.Fatal(err)
	}
	c = w.client(o)
	w.refresh(c, true)
	w.believes(c, "crow", "1.0.0")
}

func TestClock(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	w := newWorld(t)
	o := w.clientOptions()
	c := w.client(o)
	w.refresh(c, true)
	w.pass(year)
	w.refused(c, ReasonExpired)
	w.pass(-year)
	w.refresh(c, false)
	w.believes(c, "crow", "1.0.0")
	w.pass(-year)
	w.refused(c, ReasonClock)
	w.refused(w.client(o), ReasonClock)
	if _, err := c.Target(t.Context(), targetOf("crow", "1.0.0")); Reason(err) != ReasonClock {
		t.Errorf("Target a year ago: %v", err)
	}
	w.pass(year - 23*time.Hour) // as wrong as a clock may be
	w.refresh(c, false)
	w.pass(23 * time.Hour)
	w.refresh(c, false)
	w.believes(c, "crow", "1.0.0")
}
