package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/config"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/nexus/ota"
)

// digest is that of a bundle, program that of its skill.
var (
	digest  = "sha256:" + strings.Repeat("a", 64)
	program = "sha256:" + strings.Repeat("b", 64)
)

// healthy is a patient of which no check but those of the audit log is missed.
func healthy(t *testing.T) *patient {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.Mkdir(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Nexus.Token = "0123456789abcdef0123456789abcdef"
	cfg.OTA = config.OTA{Keys: keys, URL: "https://repo.example/repo/", Hosts: []string{"repo.example"}}
	run := hive.BundleID{Name: "scan", Version: "1.0.0", Digest: digest}
	return &patient{
		cfg: cfg, now: now, leader: "n1/x",
		redis: &broker.Health{User: "nexus", Addr: "10.0.0.1:6379", Version: "7.2.4", AOF: true, AOFWell: true, SnapshotAt: now.Add(-time.Hour), Policy: "noeviction",
			MaxMemory: 1 << 30, Fsync: "everysec", Encrypted: true, Expires: now.Add(90 * day), Untold: map[string]string{}},
		keys: []bundle.KeyInfo{{Role: bundle.RoleSnapshot, File: "snapshot.key", Mode: 0o600}, {Role: bundle.RoleNexus, File: "nexus.key", Mode: 0o600}},
		repo: listing{
			from: cfg.OTA.URL, bundles: map[hive.BundleID]bool{run: true}, programs: map[string]bool{program: true},
			standing: &bundle.Standing{
				Root: &bundle.RootInfo{Version: 1, Roles: map[string]bundle.RoleInfo{bundle.RoleRoot: {Need: 2, Keys: []string{"1", "2", "3"}}}},
				Expires: map[string]time.Time{bundle.RoleRoot: now.Add(300 * day), bundle.RoleTargets: now.Add(60 * day),
					bundle.RoleSnapshot: now.Add(5 * day), bundle.RoleTimestamp: now.Add(bundle.TimestampLife - time.Minute)},
			},
			set: &bundle.AssignmentSet{Generation: 7, Issued: now.Add(-time.Minute), Expires: now.Add(day),
				Assignments: []bundle.Assignment{{Bundle: "scan", Version: "1.0.0", Digest: digest, Percent: 100}}},
		},
		nodes: []hive.Node{{Online: true, NodeReport: hive.NodeReport{ID: "a", Bundles: []hive.BundleID{run},
			Skills: []hive.SkillID{{Name: "scan", Version: "1.0.0", Digest: program}}}}},
	}
}

func lookAt(t *testing.T, name string, p *patient) finding {
	t.Helper()
	for _, c := range checklist {
		if c.name == name {
			return c.look(t.Context(), p)
		}
	}
	t.Fatalf("no check %q", name)
	return finding{}
}

func TestDoctorHealthy(t *testing.T) {
	t.Parallel()
	p := healthy(t)
	for _, c := range checklist {
		if f := c.look(t.Context(), p); f.Outcome != passed && !strings.HasPrefix(c.name, "audit") {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// ails is what may be wrong with a patient: the check that finds it, and how it is told.
var ails = []struct {
	check  string
	mutate func(*patient)
	want   string // "OUTCOME: FOUND"
}{
	{"redis password", func(p *patient) { p.redis.Anonymous = true }, "miss: who gives no password is let in"},
	{"redis in the clear", func(p *patient) { p.redis.Encrypted = false }, "miss: the way to 10.0.0.1:6379 is not encrypted"},
	{"redis in the clear", func(p *patient) { p.redis.Clear = []string{"10.0.0.1:6380"} }, "miss: other machines reach it without TLS, at 10.0.0.1:6380"},
	{"redis in the clear", func(p *patient) { p.redis.Encrypted, p.redis.Addr = false, "/run/redis" }, "ok: reached from this machine only"},
	{"redis in the clear", func(p *patient) { p.redis.Untold["info"] = "nexus may not run INFO" }, "skipped: not known: nexus may not run INFO"},
	{"redis certificate", func(p *patient) { p.redis.Expires = p.now.Add(13 * day) }, "miss: it ends in 13 days"},
	{"redis certificate", func(p *patient) { p.redis.Encrypted = false }, "skipped: no TLS"},
	{"redis user", func(p *patient) { p.redis.Excess = []string{"KEYS"} }, "miss: user nexus may do what no program of the hive needs: KEYS"},
	{"redis persistence", func(p *patient) { p.redis.AOF = false }, "miss: no append-only file: what came after the last snapshot, if any is made, is lost when Redis ends (that, or its start, was 60 minutes ago)"},
	{"redis persistence", func(p *patient) { p.redis.AOFWell = false }, "miss: the last write to the append-only file failed"},
	{"redis fsync", func(p *patient) { p.redis.Fsync = "no" }, "miss: appendfsync is no: if its machine ends, half a minute of work can be lost"},
	{"redis fsync", func(p *patient) { p.redis.Untold["config"] = "nexus may not run CONFIG|GET" }, "skipped: not known: nexus may not run CONFIG|GET"},
	{"redis eviction", func(p *patient) { p.redis.Policy = "allkeys-lru" }, "miss: maxmemory-policy is allkeys-lru: Redis throws tasks away when its memory is full"},
	{"redis memory", func(p *patient) { p.redis.MaxMemory = 0 }, "miss: no maxmemory: Redis grows until its machine ends it"},
	{"clock", func(p *patient) { p.redis.Skew = 2001 * time.Millisecond }, "miss: this clock is 2.001s behind that of Redis"},
	{"clock", func(p *patient) { p.redis.Skew = -time.Hour }, "miss: this clock is 1h0m0s ahead of that of Redis"},
	{"clock", func(p *patient) { p.redis.Skew, p.redis.Uncertainty = 3*time.Second, time.Second }, "ok: this clock is 3s behind that of Redis"},
	{"shared token", func(p *patient) { p.cfg.Nexus.Token = config.Secret(strings.Repeat("ab", 16)) }, "miss: its 32 characters are only 2 different ones"},
	{"shared token", func(p *patient) { p.cfg.Nexus.Token = "" }, "skipped: none is set, and nothing asks for it yet"},
	{"key files", func(p *patient) { p.cfg.OTA.Keys = "" }, "skipped: ota.keys names no directory of keys"},
	{"key files", func(p *patient) { p.noKey = errors.New("keys: no keys there") }, "miss: keys: no keys there"},
	{"key files", func(p *patient) { p.keys[0].Err = errors.New("snapshot.key: others may read it") }, "miss: snapshot.key: others may read it"},
	{"offline keys", func(p *patient) { p.keys = append(p.keys, bundle.KeyInfo{Role: bundle.RoleRoot, File: "root-1.key"}) }, "miss: offline keys lie beside the online ones: root-1.key"},
	{"offline keys", func(p *patient) { p.keys = []bundle.KeyInfo{{Role: bundle.RoleTargets, File: "targets-1.key"}} }, "ok: only a publisher's keys are here, and none of a nexus"},
	{"offline keys", func(p *patient) { p.keys = nil }, "skipped: there are no keys here"},
	{"passphrases", func(p *patient) { p.keys[0].Role, p.keys[0].File = bundle.RoleTargets, "targets-1.key" }, "miss: offline keys without a passphrase: targets-1.key"},
	{"passphrases", func(p *patient) { p.keys[0].Role, p.keys[0].Locked = bundle.RoleTargets, true }, "ok: all offline keys here have one"},
	{"repository", func(p *patient) { p.repo.from = "" }, "miss: no repository is configured: spores get no skills"},
	{"repository", func(p *patient) { p.repo.err = errors.New("timestamp has expired") }, "miss: timestamp has expired"},
	{"repository address", func(p *patient) { p.cfg.OTA.URL = "http://repo.example/" }, "miss: http://repo.example/ is not encrypted: others see what spores fetch, and can hold it up"},
	{"repository address", func(p *patient) { p.cfg.OTA.URL = "http://[::1]:7070/repo/" }, "ok: on this machine"},
	{"repository address", func(p *patient) { p.cfg.OTA.URL = "" }, "skipped: no ota.url: spores read the folder"},
	{"repository hosts", func(p *patient) { p.cfg.OTA.Hosts = nil }, "miss: ota.hosts names none: whatever host ota.url has is asked"},
	{"repository hosts", func(p *patient) { p.cfg.OTA.Hosts = []string{"*"} }, "miss: ota.hosts allows every host"},
	{"repository hosts", func(p *patient) { p.cfg.OTA.Hosts, p.cfg.OTA.URL = nil, "http://127.0.0.1:7070/" }, "ok: only this machine"},
	{"root threshold", func(p *patient) {
		p.repo.standing.Root.Roles[bundle.RoleRoot] = bundle.RoleInfo{Need: 1, Keys: []string{"1"}}
	}, "miss: 1 of 1 must sign: who has one root key may change whom spores trust"},
	{"root threshold", func(p *patient) { p.repo.standing = nil }, "skipped: the repository does not verify"},
	{"root expiry", expires(bundle.RoleRoot, 13*day), "miss: only 13 days left"},
	{"root expiry", expires(bundle.RoleRoot, 15*day), "ok: 15 days left"},
	{"targets expiry", expires(bundle.RoleTargets, 13*day), "miss: only 13 days left"},
	{"snapshot expiry", expires(bundle.RoleSnapshot, 23*time.Hour), "miss: only 23 hours left"},
	{"snapshot expiry", func(p *patient) { delete(p.repo.standing.Expires, bundle.RoleSnapshot) }, "miss: there is no snapshot that its keys signed"},
	{"timestamp", expires(bundle.RoleTimestamp, -time.Hour), "miss: expired 60 minutes ago"},
	{"timestamp", expires(bundle.RoleTimestamp, 21*time.Hour), "miss: last sealed 3 hours ago: no nexus keeps it fresh"},
	{"assignments", func(p *patient) { p.repo.set, p.repo.noSet = nil, errors.New("assignments.json is not there") }, "miss: no nexus says what spores are to run: assignments.json is not there"},
	{"assignments", func(p *patient) { p.repo.set.Issued = p.now.Add(-5 * time.Hour) }, "miss: last signed 5 hours ago: no nexus keeps them fresh"},
	{"assignments", func(p *patient) { p.repo.set.Expires = p.now.Add(-time.Minute) }, "miss: expired 60 seconds ago: spores change nothing any more"},
	{"leader", func(p *patient) { p.leader = "" }, "miss: no nexus leads: tasks wait"},
	{"leader", func(p *patient) { p.noLeader = errors.New("user x may not run EVAL") }, "skipped: not known: user x may not run EVAL"},
	{"spores", func(p *patient) { p.noNodes = errors.New("user x may not run SMEMBERS") }, "skipped: not known: user x may not run SMEMBERS"},
	{"versions", func(p *patient) { p.noNodes = errors.New("user x may not run SMEMBERS") }, "skipped: not known: user x may not run SMEMBERS"},
	{"spores", func(p *patient) { p.nodes = nil }, "miss: no spore is online: tasks wait"},
	{"spores", func(p *patient) { p.nodes[0].Bundles = nil }, "miss: without any bundle: a"},
	{"digests", func(p *patient) { p.nodes[0].Bundles[0].Digest = program }, "miss: not in the repository: scan@1.0.0 on a (sha256:bbbbbbbbbbbb)"},
	{"digests", func(p *patient) { p.nodes[0].Skills[0].Digest = digest }, "miss: not in the repository: skill scan@1.0.0 on a (sha256:aaaaaaaaaaaa)"},
	{"digests", func(p *patient) { p.nodes = nil }, "skipped: no spore is online"},
	{"versions", func(p *patient) { p.nodes[0].Bundles = nil }, "miss: behind what they are to run: a without scan@1.0.0"},
	{"versions", func(p *patient) { p.nodes[0].Bundles, p.repo.set.Assignments[0].Previous = nil, &bundle.Ref{} }, "ok: spores are behind only in rollouts that are under way"},
	{"refused skills", func(p *patient) {
		p.nodes[0].Refused = []hive.Refused{{Skill: hive.SkillID{Name: "fetch", Version: "1.0.0"}, Grants: []hive.Grant{"http", "kv"}}}
	}, "miss: a refuses fetch@1.0.0, which asks for [http kv]"},
	{"audit log", func(*patient) {}, "miss: no audit log is kept"},
	{"audit head", func(*patient) {}, "skipped: no audit log is kept"},
}

func expires(role string, left time.Duration) func(*patient) {
	return func(p *patient) { p.repo.standing.Expires[role] = p.now.Add(left) }
}

func TestDoctorAils(t *testing.T) {
	t.Parallel()
	for _, test := range ails {
		p := healthy(t)
		test.mutate(p)
		f := lookAt(t, test.check, p)
		if got := string(f.Outcome) + ": " + f.Found; got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.check, got, test.want)
		}
		if (f.Do != "") != (f.Outcome == missed) {
			t.Errorf("%s: %s, and what to do is %q", test.check, f.Outcome, f.Do)
		}
	}
}

// folders are a patient of which there are files.
type folders struct {
	*testing.T
	*patient
	*publisher.Publisher
	keep *ota.KeeperOptions
}

func newFolders(t *testing.T) *folders {
	t.Helper()
	dir := t.TempDir()
	made, keep, err := publisher.Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.OTA.Repo, cfg.OTA.Keys, cfg.Audit.Dir = made.Dir, filepath.Join(dir, "keys"), filepath.Join(dir, "log")
	return &folders{t, &patient{cfg: cfg, now: time.Now()}, made, keep}
}

func (f *folders) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *folders) finds(name, want string) {
	f.Helper()
	found := lookAt(f.T, name, f.patient)
	if got := string(found.Outcome) + ": " + found.Found; !strings.HasPrefix(got, want) {
		f.Errorf("%s: %s, want %s", name, got, want)
	}
}

// TestDoctorOfRepository: nobody sealed it for a day, and then somebody does.
func TestDoctorOfRepository(t *testing.T) {
	t.Parallel()
	f := newFolders(t)
	past, err := bundle.OpenRepository(f.Dir, f.Root, bundle.RepositoryOptions{Timestamp: -time.Hour})
	f.check(err)
	f.check(past.Seal(f.keep.Snapshot, f.keep.Timestamp))
	a := &app{cfg: f.cfg, name: "nexus"}
	f.repo = a.readListing(t.Context(), nil)
	f.finds("repository", "miss: metadata/timestamp.json has expired")
	f.finds("timestamp", "miss: expired 60 minutes ago")
	f.finds("snapshot expiry", "ok: 6 days left")
	f.finds("root threshold", "miss: 1 of 1 must sign")
	f.finds("assignments", "skipped: the repository does not verify")

	f.check(f.Repository.Seal(f.keep.Snapshot, f.keep.Timestamp))
	f.repo = a.readListing(t.Context(), nil)
	f.finds("repository", "ok: 0 bundles")
	f.finds("timestamp", "ok: sealed ")
	f.finds("assignments", "ok: generation 1, signed ")
	f.check(os.Remove(filepath.Join(f.Dir, bundle.AssignmentsFile)))
	f.repo = a.readListing(t.Context(), nil)
	f.finds("assignments", "miss: no nexus says what spores are to run: ")
}

// TestDoctorOfLog: what a head vouches for was cut from its end.
func TestDoctorOfLog(t *testing.T) {
	t.Parallel()
	f := newFolders(t)
	dir := f.cfg.Audit.Dir
	f.finds("audit log", "miss: "+dir+": no audit log there")
	log, err := audit.Open(dir, audit.Options{})
	f.check(err)
	for _, subject := range []string{"one", "two"} {
		_, err := log.Append(audit.Entry{Actor: "nexus/n1", Action: "bundle.publish", Subject: subject, Outcome: audit.OK})
		f.check(err)
	}
	head, err := log.Head()
	f.check(errors.Join(err, log.Close()))
	f.finds("audit head", "miss: none was signed yet")
	f.check(head.Save(dir, f.keep.Nexus))
	f.finds("audit log", "ok: records 1 to 2 are whole")
	f.finds("audit head", "ok: signed ")
	old := f.now.Add(-3 * time.Hour)
	f.check(os.Chtimes(filepath.Join(dir, audit.HeadFile), old, old))
	f.finds("audit head", "miss: last signed 3 hours ago, up to record 2")

	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	f.check(err)
	text, err := os.ReadFile(files[0])
	f.check(err)
	f.check(os.WriteFile(files[0], text[:bytes.IndexByte(text, '\n')+1], 0o600))
	f.finds("audit log", "miss: verify audit log "+dir+": record 2: missing")
	f.cfg.OTA.Keys = ""
	f.finds("audit head", "skipped: no key of the nexus is known")
}

// TestDoctorShows: what a spore says of itself cannot steer a terminal, nor fill it.
func TestDoctorShows(t *testing.T) {
	t.Parallel()
	p := healthy(t)
	for i := range 100 {
		p.nodes[0].Bundles = append(p.nodes[0].Bundles, hive.BundleID{Name: fmt.Sprintf("\x1b[2J%d", i), Version: strings.Repeat("9", 1000)})
	}
	var out, said bytes.Buffer
	a := &app{IO: IO{Out: &out, Err: &said}, name: "nexus"}
	f := lookAt(t, "digests", p)
	f.Check = "digests"
	err := a.showFindings([]finding{f, {Check: "clock", Outcome: unmade}})
	if err == nil || err.Error() != "1 of 2 checks missed, 1 skipped" || said.Len() > 0 {
		t.Errorf("the verdict is %v; said %q", err, &said)
	}
	if text := out.String(); strings.Contains(text, "\x1b") || len(text) > 2000 || !strings.Contains(text, "and 95 more") {
		t.Errorf("%d bytes: %q", out.Len(), text)
	}
	out.Reset()
	if err := a.showFindings([]finding{good("all is well")}); err != nil || said.String() != "nexus: none of 1 check missed\n" {
		t.Errorf("the verdict is %v; said %q", err, &said)
	}
}
