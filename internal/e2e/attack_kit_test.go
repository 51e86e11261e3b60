package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/publisher"
)

// siege is a cluster whose nexus keeps a repository of cat@1.0.0 and cat@2.0.0, and
// has all spores run the latter. Root and targets take two of three keys.
type siege struct {
	*cluster
	dir     string                   // keys/, repo/ and log/ are in it
	keys    map[string][]*bundle.Key // by role; also "stranger"
	root    []byte                   // the first
	old     string                   // a copy of the repository before cat@2.0.0
	running hive.BundleID
	digest  string // of the program in it
}

func newSiege(t *testing.T) *siege {
	s := &siege{cluster: newEmptyCluster(t), dir: t.TempDir(), keys: map[string][]*bundle.Key{}}
	s.ota = otaConfig(s.dir)
	quorum := bundle.Quorum{Need: 2, Of: 3}
	s.must(bundle.InitKeys(filepath.Join(s.dir, "keys"), quorum, quorum, time.Now(), ""))
	for _, role := range bundle.KeyRoles {
		keys, err := bundle.LoadKeys(filepath.Join(s.dir, "keys"), role, "")
		s.must(err)
		s.keys[role] = keys
	}
	s.keys["stranger"] = s.newKeys(bundle.RoleRoot, 3)
	s.publishCats()
	start(t, "", "nexus", "serve", "--redis", s.url, "--config", s.config(fmt.Sprintf("audit = { dir = %q }", s.log())))
	await(t, "the skills of the nexus", func() (bool, error) {
		skills, err := s.road.Skills(t.Context())
		return len(skills) > 0, err
	})
	return s
}

func (s *siege) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *siege) repo() string { return filepath.Join(s.dir, "repo") }
func (s *siege) log() string  { return filepath.Join(s.dir, "log") }

func (s *siege) newKeys(role string, n int) (keys []*bundle.Key) {
	for range n {
		key, err := bundle.NewKey(role)
		s.must(err)
		keys = append(keys, key)
	}
	return keys
}

// publishCats makes the repository, and the copy of what it was before.
func (s *siege) publishCats() {
	s.Helper()
	var err error
	s.root, err = os.ReadFile(filepath.Join(s.dir, "keys", bundle.FirstRoot))
	s.must(err)
	s.must(bundle.CreateRepository(s.repo(), s.root, s.keys[bundle.RoleTargets], bundle.RepositoryOptions{}, s.keys[bundle.RoleNexus][0].Ed25519()))
	p, err := publisher.Open(s.repo(), s.root, s.keys[bundle.RoleTargets])
	s.must(err)
	p.Every = -1
	for _, version := range []string{"1.0.0", "2.0.0"} {
		s.old = s.copy(s.repo())
		program, skill := cat(s.T, version)
		b, err := p.Register("cat", &skill, program, time.Time{})
		s.must(err)
		s.running, s.digest = hive.BundleID{Name: "cat", Version: version, Digest: b.Digest()}, skill.Digest
		s.must(p.Repository.Seal(s.keys[bundle.RoleSnapshot], s.keys[bundle.RoleTimestamp]))
		plan, err := p.Desk.Load()
		s.must(err)
		s.must(p.Repository.Assign(plan.Set(time.Now(), time.Hour), s.keys[bundle.RoleNexus][0]))
	}
}

func (s *siege) copy(dir string) string {
	s.Helper()
	to := filepath.Join(s.TempDir(), "repo")
	s.must(os.CopyFS(to, os.DirFS(dir)))
	return to
}

// mirror serves a folder, and in the place of some of its files something else.
type mirror struct {
	*httptest.Server
	mu     sync.Mutex
	folder string
	lies   map[string]http.HandlerFunc // by path
	looks  int                         // timestamps that were asked for
}

func newMirror(t *testing.T, folder string) *mirror {
	m := &mirror{folder: folder}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	if r.URL.Path == "/metadata/timestamp.json" {
		m.looks++
	}
	answer, folder := m.lies[strings.TrimPrefix(r.URL.Path, "/")], m.folder
	m.mu.Unlock()
	if answer == nil {
		answer = http.FileServer(http.Dir(folder)).ServeHTTP
	}
	answer(w, r)
}

func (m *mirror) show(folder string, lies map[string]http.HandlerFunc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.folder, m.lies = folder, lies
}

func (m *mirror) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.looks
}

// victim is a spore that follows a mirror, and what the mirror is about to show.
type victim struct {
	*siege
	name    string
	running hive.BundleID
	digest  string
	limited bool // its bundles are updated as seldom as is the default
	mirror  *mirror
	state   string
	spore   *process

	folder string
	files  map[string][]byte           // in the place of the folder's
	faults map[string]http.HandlerFunc // in the place of both
	step   int64                       // from a version to the next one that is forged
}

// victim starts a spore that runs cat@2.0.0.
func (s *siege) victim(t *testing.T, name string, limited bool) *victim {
	v := &victim{siege: &siege{}, name: name, running: s.running, digest: s.digest, limited: limited, mirror: newMirror(t, s.repo()), state: t.TempDir(), step: 1}
	*v.siege, v.cluster = *s, &cluster{T: t, road: s.road, url: s.url}
	v.honest()
	v.begin()
	return v
}

// begin starts the spore, again if it was stopped.
func (v *victim) begin() {
	v.Helper()
	v.ota = fmt.Sprintf("[ota]\nurl = %q\nroot = %q\nstate_dir = %q\nlook = \"100ms\"\n", v.mirror.URL, filepath.Join(v.dir, "keys", bundle.FirstRoot), v.state)
	if !v.limited {
		v.ota += "update_every = \"0s\"\n"
	}
	v.spore = start(v.T, "", "spore", "--redis", v.url, "--name", v.name, "--slots", "1", "--tags", "victim="+v.name, "--config", v.config(""))
	v.runs(v.running.Version)
}

func (v *victim) stop() {
	v.Helper()
	v.spore.signal(syscall.SIGTERM)
	v.spore.ends(0)
}

// honest has the mirror show the true repository.
func (v *victim) honest() {
	v.folder, v.files, v.faults = v.repo(), map[string][]byte{}, map[string]http.HandlerFunc{}
	v.show()
}

// heals checks that the spore follows an honest repository again.
func (v *victim) heals() {
	v.Helper()
	v.honest()
	v.step = 1000 // past whatever was believed of the attack
	v.offer("3.0.0")
	v.show()
	v.runs("3.0.0")
}

// show has the mirror show at once what was made ready for it.
func (v *victim) show() {
	lies := map[string]http.HandlerFunc{}
	for path, data := range v.files {
		lies[path] = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
	}
	maps.Copy(lies, v.faults)
	v.mirror.show(v.folder, lies)
}

// looks waits until the spore has looked at what is shown now, from the first file to
// the last.
func (v *victim) looks() {
	v.Helper()
	before := v.mirror.asked()
	await(v.T, "three looks", func() (bool, error) { return v.mirror.asked() >= before+3, nil })
}

// runs waits until a version of cat runs, and nothing else.
func (v *victim) runs(version string) {
	v.Helper()
	v.awaitNode(v.name, "running cat@"+version, func(n *hive.Node) bool {
		return n.Online && len(n.Bundles) == 1 && n.Bundles[0].Version == version && len(n.Skills) == 1
	})
}

// refuses waits until the spore says that it refuses, for this reason. It says the
// same once.
func (v *victim) refuses(reason string) {
	v.Helper()
	want := fmt.Sprintf("msg=\"update refused\" spore=%s reason=%s ", v.name, reason)
	await(v.T, "a refusal: "+reason, func() (bool, error) {
		said := v.spore.out.String()
		return strings.Contains(said, want), fmt.Errorf("it says %s", said[strings.LastIndex(strings.TrimSuffix(said, "\n"), "\n")+1:])
	})
}

// goesOn checks that the spore is the one that was started, and that a task completes
// on the version that it had.
func (v *victim) goesOn() {
	v.Helper()
	submitter := client.New(v.road, client.Options{})
	defer submitter.Close()
	id, err := submitter.Submit(v.Context(), hive.Task{Skill: hive.SkillRef{Name: "cat"}, Payload: []byte("x"), Require: selector(v.T, "victim="+v.name)})
	v.must(err)
	r := v.awaitTask(id, "over", final)
	if r.State != hive.Completed || r.Node != v.name || r.Ran.Digest != v.digest || string(r.Result) != "x" {
		v.Errorf("a task %s on %q by %s %.19s: %q, %v", r.State, r.Node, r.Ran, r.Ran.Digest, r.Result, r.Failure)
	}
	v.awaitNode(v.name, "running what it did", func(n *hive.Node) bool {
		return n.Online && !n.Draining && slices.Equal(n.Bundles, []hive.BundleID{v.running})
	})
	select {
	case <-v.spore.done:
		v.Error("the spore has ended")
	default:
	}
}

func selector(t *testing.T, text string) hive.Selector {
	s, err := hive.ParseSelector(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// audited waits until the log has refusals by the spore, the last of them for a reason.
func (v *victim) audited(action, reason string) {
	v.Helper()
	await(v.T, "an audit record of "+reason, func() (bool, error) {
		records := v.refusals(action)
		return len(records) > 0 && records[0].Reason == reason, fmt.Errorf("there are %+v", records)
	})
}

// refusals are those by the spore that the log has, the last one first.
func (v *victim) refusals(action string) []audit.Record {
	v.Helper()
	records, err := audit.List(v.log(), audit.Query{Actor: "spore/" + v.name, Action: action, Outcome: audit.Refused})
	v.must(err)
	return records
}

// audits checks that the programs list so many refusals of spores at least, and that
// the log's chain is whole.
func (s *siege) audits(refusals int) {
	s.Helper()
	p := start(s.T, "", "nexus", "audit", "list", "--dir", s.log(), "--outcome", "refused", "--limit", "1000", "--json")
	p.ends(0)
	var records []audit.Record
	s.must(json.Unmarshal([]byte(p.out.String()), &records))
	spores := map[string]bool{}
	for _, r := range records {
		spores[r.Actor] = true
	}
	if len(spores) < refusals {
		s.Errorf("%d spores refused something, want %d", len(spores), refusals)
	}
	start(s.T, "", "nexus", "audit", "verify", "--dir", s.log()).ends(0)
}
