package bundle

import (
	"crypto/ed25519"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// key is the same key for the same name, always.
func key(name string) *Key {
	seed := sha256.Sum256([]byte(name))
	role, _, _ := strings.Cut(name, "-")
	return &Key{role, ed25519.NewKeyFromSeed(seed[:])}
}

func keys(names ...string) (list []*Key) {
	for _, name := range names {
		list = append(list, key(name))
	}
	return list
}

var (
	rootKeys    = keys("root-1", "root-2")
	targetsKeys = keys("targets-1", "targets-2")
	snapKeys    = keys("snapshot")
	timeKeys    = keys("timestamp")
)

func testRoles() Roles {
	return Roles{
		Root:      KeysOf(2, keys("root-1", "root-2", "root-3")...),
		Targets:   KeysOf(2, keys("targets-1", "targets-2", "targets-3")...),
		Snapshot:  KeysOf(1, snapKeys...),
		Timestamp: KeysOf(1, timeKeys...),
	}
}

// rotated are roles with none of the keys of testRoles, but the third root key.
func rotated() Roles {
	return Roles{
		Root:      KeysOf(2, keys("root-3", "root-4")...),
		Targets:   KeysOf(1, keys("targets-4")...),
		Snapshot:  KeysOf(1, keys("snapshot-2")...),
		Timestamp: KeysOf(1, keys("timestamp-2")...),
	}
}

// world is a publisher's repository, a server that may show something else, and a
// clock.
type world struct {
	*testing.T
	dir    string // the publisher's
	root   []byte // the first
	repo   *Repository
	server *httptest.Server
	shown  atomic.Value // string: the folder that is served
	fault  atomic.Value // func(http.ResponseWriter, *http.Request) bool
	clock  atomic.Value // time.Time
}

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type fault = func(http.ResponseWriter, *http.Request) bool

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: filepath.Join(t.TempDir(), "repo")}
	w.clock.Store(began)
	w.honest()
	w.repo, w.root = newRepository(t, w.dir, testRoles(), w.options())
	w.publish("crow", "1.0.0")
	w.seal()
	w.server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.server.Close)
	return w
}

// newRepository makes a repository of these roles, with the program of manifestOf in it,
// and its first root.
func newRepository(t testing.TB, dir string, roles Roles, o RepositoryOptions) (*Repository, []byte) {
	t.Helper()
	o = o.withDefaults()
	root := firstRoot(t, roles, o.Now().Add(o.Root))
	if err := CreateRepository(dir, root, targetsKeys, o); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRepository(dir, root, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.AddBlob(testProgram); err != nil {
		t.Fatal(err)
	}
	return r, root
}

func firstRoot(t testing.TB, roles Roles, expires time.Time) []byte {
	t.Helper()
	root, err := roles.first(rootKeys, expires)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func (w *world) open() *Repository {
	w.Helper()
	r, err := OpenRepository(w.dir, w.root, w.options())
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) options() RepositoryOptions { return RepositoryOptions{Now: w.now} }
func (w *world) now() time.Time             { return w.clock.Load().(time.Time) }
func (w *world) pass(d time.Duration)       { w.clock.Store(w.now().Add(d)) }

// honest shows the publisher's repository, by a plain file server.
func (w *world) honest() {
	w.shown.Store(w.dir)
	w.fault.Store(fault(func(http.ResponseWriter, *http.Request) bool { return false }))
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	if !w.fault.Load().(fault)(rw, r) {
		http.FileServer(http.Dir(w.shown.Load().(string))).ServeHTTP(rw, r)
	}
}

// lie answers one path with data.
func (w *world) lie(path string, data []byte) {
	w.fault.Store(fault(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/"+path {
			_, _ = rw.Write(data)
		}
		return r.URL.Path == "/"+path
	}))
}

// copy is the repository as it is now.
func (w *world) copy() string {
	w.Helper()
	dir := filepath.Join(w.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		w.Fatal(err)
	}
	return dir
}

// testProgram is what the skills of manifestOf run.
var testProgram = []byte("\x00asm of all birds")

// bundleOf is a bundle of one skill.
func bundleOf(name, version string) *Bundle {
	return &Bundle{Name: name, Version: version, Created: began, Skills: []Skill{{
		Manifest: hive.Manifest{Name: name, Version: version}, Digest: digested(testProgram), Size: int64(len(testProgram)),
	}}}
}

func manifestOf(name, version string) []byte { return must(bundleOf(name, version).Encode()) }

func targetOf(name, version string) string { return Listed{Name: name, Version: version}.TargetName() }

func (w *world) publish(name, version string) {
	w.Helper()
	if _, err := w.repo.Publish(targetsKeys, map[string][]byte{targetOf(name, version): manifestOf(name, version)}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) seal() {
	w.Helper()
	if err := w.repo.Seal(snapKeys, timeKeys); err != nil {
		w.Fatal(err)
	}
}

func (w *world) clientOptions() ClientOptions {
	return ClientOptions{Repository: w.server.URL, State: filepath.Join(w.TempDir(), "state"), Root: w.root, Now: w.now}
}

func (w *world) client(o ClientOptions) *Client {
	w.Helper()
	c, err := NewClient(o)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(c.Close)
	return c
}

func (w *world) refresh(c *Client, want bool) {
	w.Helper()
	if changed, err := c.Refresh(w.Context()); err != nil || changed != want {
		w.Fatalf("Refresh = %v, %v, want %v", changed, err, want)
	}
}

func (w *world) refused(c *Client, reason string) {
	w.Helper()
	if changed, err := c.Refresh(w.Context()); changed || Reason(err) != reason {
		w.Fatalf("Refresh = %v, %v (%s), want %s", changed, err, Reason(err), reason)
	}
}

// believes checks that c lists name@version, has its bytes, and nothing else.
func (w *world) believes(c *Client, name string, versions ...string) {
	w.Helper()
	list, err := c.Bundles()
	if err != nil || len(list) != len(versions) {
		w.Fatalf("Bundles = %v, %v, want %s %v", list, err, name, versions)
	}
	for i, version := range versions {
		data, err := c.Target(w.Context(), targetOf(name, version))
		if list[i].Name != name || list[i].Version != version || err != nil || string(data) != string(manifestOf(name, version)) {
			w.Fatalf("%v: Target(%s@%s) = %q, %v", list[i], name, version, data, err)
		}
	}
}

// latest reads the newest file of a role that lies in dir.
func latest[T metadata.Roles](w *world, dir, role string) *metadata.Metadata[T] {
	w.Helper()
	name := filepath.Join(dir, metadataDir, role+".json")
	if role != metadata.TIMESTAMP {
		found, err := (&Repository{dir: dir}).versions(role)
		if err != nil || len(found) == 0 {
			w.Fatal(role, found, err)
		}
		name = filepath.Join(dir, filepath.FromSlash(metadataName(found[0], role)))
	}
	m, err := new(metadata.Metadata[T]).FromFile(name)
	if err != nil {
		w.Fatal(err)
	}
	return m
}

// put signs m with keys that may be wrong and writes it as a version of role.
func put[T metadata.Roles](w *world, dir string, version int64, role string, m *metadata.Metadata[T], keys ...*Key) *metadata.MetaFiles {
	w.Helper()
	data, err := signMetadata(m, keys)
	if err != nil {
		w.Fatal(err)
	}
	name := metadataName(version, role)
	if role == metadata.TIMESTAMP {
		name = metadataDir + "/timestamp.json"
	}
	w.write(filepath.Join(dir, filepath.FromSlash(name)), data)
	return fileOf(version, data)
}

func (w *world) write(path string, data []byte) {
	w.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) read(elem ...string) []byte {
	w.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		w.Fatal(err)
	}
	return data
}

// resign makes a snapshot and a timestamp for targets, one version on, as a thief
// of the online keys can.
func (w *world) resign(dir string, targets *metadata.MetaFiles) {
	w.Helper()
	snapshot := latest[metadata.SnapshotType](w, dir, metadata.SNAPSHOT)
	snapshot.Signed.Version++
	snapshot.Signed.Meta["targets.json"] = targets
	w.restamp(dir, put(w, dir, snapshot.Signed.Version, metadata.SNAPSHOT, snapshot, snapKeys...))
}

func (w *world) restamp(dir string, snapshot *metadata.MetaFiles) {
	w.Helper()
	timestamp := latest[metadata.TimestampType](w, dir, metadata.TIMESTAMP)
	timestamp.Signed.Version++
	timestamp.Signed.Meta["snapshot.json"] = snapshot
	put(w, dir, 0, metadata.TIMESTAMP, timestamp, timeKeys...)
}
