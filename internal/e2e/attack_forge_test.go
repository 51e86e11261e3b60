package e2e

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/runtime"
)

// doc is what JSON says, with numbers as they are written.
type doc = map[string]any

// cat is the skill of a version: the same program, and a section that names it.
func cat(t *testing.T, version string) ([]byte, hive.Skill) {
	t.Helper()
	program, err := os.ReadFile(skills.cat)
	if err != nil {
		t.Fatal(err)
	}
	program = append(program, append([]byte{0, byte(len(version) + 1), byte(len(version))}, version...)...)
	return program, hive.Skill{Manifest: hive.Manifest{Name: "cat", Version: version}, Digest: runtime.Digest(program), Size: int64(len(program))}
}

// bytes is a file of the repository as the mirror is about to show it.
func (v *victim) bytes(name string) []byte {
	v.Helper()
	if data, forged := v.files[name]; forged {
		return data
	}
	data, err := os.ReadFile(filepath.Join(v.folder, filepath.FromSlash(name)))
	v.must(err)
	return data
}

// signed is the newest metadata of a role, without its signatures, and its file.
func (v *victim) signed(role string) (signed doc, name string) {
	v.Helper()
	switch role {
	case "root":
		name = "metadata/1.root.json"
	case "timestamp":
		name = "metadata/timestamp.json"
	case "snapshot":
		above, _ := v.signed("timestamp")
		name = fmt.Sprintf("metadata/%v.snapshot.json", about(above, role)["version"])
	case "targets":
		above, _ := v.signed("snapshot")
		name = fmt.Sprintf("metadata/%v.targets.json", about(above, role)["version"])
	}
	d := json.NewDecoder(bytes.NewReader(v.bytes(name)))
	d.UseNumber()
	var file doc
	v.must(d.Decode(&file))
	return file["signed"].(doc), name
}

// about is what metadata says of the file below it.
func about(signed doc, role string) doc { return signed["meta"].(doc)[role+".json"].(doc) }

// forge shows the next version of a role's metadata, with changes, signed by these
// keys, and above it what names it, signed as it should be.
func (v *victim) forge(role string, keys []*bundle.Key, edit func(signed doc)) {
	v.Helper()
	signed, _ := v.signed(role)
	version, err := signed["version"].(json.Number).Int64()
	v.must(err)
	signed["version"] = version + v.step
	edit(signed)
	v.put(role, sign(v.T, signed, keys...), signed["version"])
}

// put shows a file as a version of a role's metadata, and above it what names it.
func (v *victim) put(role string, data []byte, version any) {
	v.Helper()
	above := map[string]string{"targets": "snapshot", "snapshot": "timestamp"}[role]
	switch role {
	case "timestamp":
		v.files["metadata/timestamp.json"] = data
	case "root":
		v.files["metadata/2.root.json"] = data
	default:
		v.files[fmt.Sprintf("metadata/%v.%s.json", version, role)] = data
	}
	if above != "" {
		v.forge(above, v.keys[above], func(signed doc) {
			signed["meta"].(doc)[role+".json"] = doc{"version": version, "length": len(data), "hashes": doc{"sha256": sum(data)}}
		})
	}
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// sign is metadata with the signatures of keys. Canonical JSON escapes no control
// characters, as JSON must.
func sign(t *testing.T, signed doc, keys ...*bundle.Key) []byte {
	t.Helper()
	canonical := bytes.ReplaceAll(spelled(t, signed), []byte(`\u0000`), []byte{0})
	list := []doc{}
	for _, key := range keys {
		signature, err := key.Sign(nil, canonical, crypto.Hash(0))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, doc{"keyid": key.ID(), "sig": hex.EncodeToString(signature)})
	}
	return spelled(t, doc{"signed": signed, "signatures": list})
}

func spelled(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b) // sorts keys
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// list has the publisher's keys sign for a target.
func (v *victim) list(target string, data []byte) {
	v.Helper()
	v.listBy(v.keys[bundle.RoleTargets], target, data)
}

func (v *victim) listBy(keys []*bundle.Key, target string, data []byte) {
	v.Helper()
	v.files[fileOf(target, data)] = data
	v.forge("targets", keys, func(signed doc) {
		signed["targets"].(doc)[target] = doc{"length": len(data), "hashes": doc{"sha256": sum(data)}}
	})
}

// fileOf is where a target lies.
func fileOf(target string, data []byte) string {
	return path.Join("targets", path.Dir(target), sum(data)+"."+path.Base(target))
}

func targetOf(version string) string { return "bundles/cat/" + version + ".json" }

// manifest is a bundle of cat in a version, whose program is shown as well.
func (v *victim) manifest(version string) []byte {
	v.Helper()
	program, skill := cat(v.T, version)
	v.files[programFile(skill.Digest)] = program
	data, err := (&bundle.Bundle{Name: "cat", Version: version, Created: time.Now(), Skills: []bundle.Skill{skill}}).Encode()
	v.must(err)
	return data
}

func programFile(digest string) string {
	return "blobs/sha256/" + strings.TrimPrefix(digest, "sha256:") + ".wasm"
}

// assign has the nexus key assign a version of cat that has this manifest.
func (v *victim) assign(version string, manifest []byte, change ...func(*bundle.AssignmentSet)) {
	v.Helper()
	v.assignBy(v.keys[bundle.RoleNexus][0], version, manifest, change...)
}

func (v *victim) assignBy(key *bundle.Key, version string, manifest []byte, change ...func(*bundle.AssignmentSet)) {
	v.Helper()
	seen, err := bundle.ReadAssignments(v.bytes(bundle.AssignmentsFile), publicOf(v.keys[bundle.RoleNexus]))
	if err != nil {
		v.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	set := &bundle.AssignmentSet{Generation: seen.Generation + v.step, Issued: now, Expires: now.Add(time.Hour),
		Assignments: []bundle.Assignment{{Bundle: "cat", Version: version, Digest: "sha256:" + sum(manifest), Percent: 100}}}
	for _, f := range change {
		f(set)
	}
	v.files[bundle.AssignmentsFile], err = set.Sign(key)
	v.must(err)
}

// offer does all that has spores run a version of cat.
func (v *victim) offer(version string) (manifest []byte) {
	v.Helper()
	manifest = v.manifest(version)
	v.list(targetOf(version), manifest)
	v.assign(version, manifest)
	return manifest
}

// Ways to answer.

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// endless never stops.
func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 32<<10)); err != nil {
			return
		}
	}
}

// dripping sends a byte a second.
func dripping(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		_, _ = w.Write([]byte(" "))
		w.(http.Flusher).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

func publicOf(keys []*bundle.Key) (list []ed25519.PublicKey) {
	for _, key := range keys {
		list = append(list, key.Ed25519())
	}
	return list
}

func (v *victim) bytesIn(folder, name string) []byte {
	v.Helper()
	data, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
	v.must(err)
	return data
}

// before is a role's metadata as it was before what runs now.
func (v *victim) before(role string) (data []byte, version any) {
	v.Helper()
	now := *v
	now.folder, now.files = v.old, nil
	signed, name := now.signed(role)
	return v.bytesIn(v.old, name), signed["version"]
}

// fault answers for a role's newest metadata.
func (v *victim) fault(role string, answer http.HandlerFunc) {
	v.Helper()
	_, name := v.signed(role)
	v.faults[name] = answer
}

func (v *victim) programOf(version string) string {
	_, skill := cat(v.T, version)
	return programFile(skill.Digest)
}

// offerBy is offer by keys that list bundles.
func (v *victim) offerBy(keys []*bundle.Key) {
	v.Helper()
	data := v.manifest("6.6.6")
	v.listBy(keys, targetOf("6.6.6"), data)
	v.assign("6.6.6", data)
}

// followRotation has the spore follow a root with none of the keys it knew.
func (v *victim) followRotation() {
	v.Helper()
	root, targets := v.newKeys(bundle.RoleRoot, 3), v.newKeys(bundle.RoleTargets, 1)
	snapshot, timestamp := v.newKeys(bundle.RoleSnapshot, 1), v.newKeys(bundle.RoleTimestamp, 1)
	v.folder = v.copy(v.repo())
	repo, err := bundle.OpenRepository(v.folder, v.root, bundle.RepositoryOptions{})
	v.must(err)
	_, err = repo.Rotate(bundle.Roles{Root: bundle.KeysOf(2, root...), Targets: bundle.KeysOf(1, targets...),
		Snapshot: bundle.KeysOf(1, snapshot...), Timestamp: bundle.KeysOf(1, timestamp...)}, slices.Concat(v.keys["root"], root), targets)
	v.must(err)
	v.must(repo.Seal(snapshot, timestamp))
	v.show()
	v.looks()
}

// stolen hides the new root again, and the old keys sign for something new.
func (v *victim) stolen() {
	v.Helper()
	v.folder = v.repo()
	v.offer("6.6.6")
}

// keepAssignments shows those that the spore has, so that metadata alone is old.
func (v *victim) keepAssignments() {
	v.files[bundle.AssignmentsFile] = v.bytesIn(v.repo(), bundle.AssignmentsFile)
}

// truncate cuts a file of the spore's state in the middle.
func (v *victim) truncate(name string) {
	v.Helper()
	file := filepath.Join(v.state, v.name, name)
	info, err := os.Stat(file)
	v.must(err)
	v.must(os.Truncate(file, info.Size()/2))
}

// damaged has the spore begin again with files of its state cut and a folder shown.
func (v *victim) damaged(folder string, names ...string) {
	v.Helper()
	v.stop()
	for _, name := range names {
		v.truncate(name)
	}
	v.folder = folder
	v.show()
	v.begin()
}

// edit changes a file of the spore's state, which stays whole.
func (v *victim) edit(name string, change func(doc)) {
	v.Helper()
	file := filepath.Join(v.state, v.name, name)
	var state doc
	damaged, err := bundle.LoadState(file, &state)
	if damaged {
		v.Fatalf("%s is damaged", name)
	}
	v.must(err)
	change(state)
	v.must(bundle.SaveState(file, state))
}

// resealed shows the repository with all that is online signed at another time.
func (v *victim) resealed(after time.Duration) {
	v.Helper()
	shift := func(signed doc) { signed["expires"] = time.Now().Add(after + time.Hour).UTC().Format(time.RFC3339) }
	v.forge("snapshot", v.keys["snapshot"], shift)
	v.forge("timestamp", v.keys["timestamp"], shift)
}
