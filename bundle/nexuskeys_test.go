package bundle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a publisher lists as keys of a nexus signs assignments, and nothing else does.
func TestNexusKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := refreshed(w, w.clientOptions())
	if _, err := c.NexusKeys(t.Context()); Reason(err) != ReasonNotListed {
		t.Errorf("NexusKeys before there are any: %v", err)
	}
	data := must(EncodeNexusKeys(key("nexus").Ed25519(), key("nexus-2").Ed25519()))
	if _, err := w.repo.Publish(targetsKeys, map[string][]byte{NexusKeysTarget: data}); err != nil {
		t.Fatal(err)
	}
	w.seal()
	w.refresh(c, true)
	keys, err := c.NexusKeys(t.Context())
	if err != nil || len(keys) != 2 || !bytes.Equal(keys[1], key("nexus-2").Ed25519()) {
		t.Fatalf("NexusKeys = %v, %v", keys, err)
	}
	set := &AssignmentSet{Generation: 3, Issued: began, Expires: began.Add(time.Hour)}
	for name, reason := range map[string]string{"nexus-2": "", "targets-1": ReasonBadSignature} {
		if err := w.repo.Assign(set, key(name)); err != nil {
			t.Fatal(err)
		}
		envelope, err := c.File(t.Context(), AssignmentsFile, MaxEnvelope)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ReadAssignments(envelope, keys); Reason(err) != reason || err == nil && got.Generation != 3 {
			t.Errorf("signed by %s: %v, %v", name, got, err)
		}
	}
	if err := w.repo.Assign(new(AssignmentSet), key("nexus")); Reason(err) != ReasonInvalid {
		t.Errorf("Assign of nothing: %v", err)
	}
}

func TestNexusKeysRefused(t *testing.T) {
	t.Parallel()
	one := base64.StdEncoding.EncodeToString(key("nexus").Ed25519())
	for _, text := range []string{
		``, `{}`, `{"keys":null}`, `{"keys":[]}`, `{"keys":["AAAA"]}`, `{"keys":["` + one + `","` + one + `"]}`,
		`{"keys":["` + one + `"],"more":1}`, `{"keys":["` + one + `"]} `, `{"keys":[` + strings.Repeat(`"`+one+`",`, 9) + `"` + one + `"]}`,
	} {
		if err := parse([]byte(text), new(nexusKeys), MaxTarget); err == nil {
			t.Errorf("%.60s was taken", text)
		}
	}
	for _, keys := range [][]ed25519.PublicKey{nil, {nil}, {key("nexus").Ed25519(), key("nexus").Ed25519()}} {
		if _, err := EncodeNexusKeys(keys...); Reason(err) != ReasonInvalid {
			t.Errorf("EncodeNexusKeys(%v) = %v", keys, err)
		}
	}
}

// A file beside the metadata is fetched under the same rules as they are.
func TestFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	w.write(filepath.Join(w.dir, "beside.json"), []byte("12345678"))
	if data, err := c.File(t.Context(), "beside.json", 8); err != nil || string(data) != "12345678" {
		t.Errorf("File = %q, %v", data, err)
	}
	for name, reason := range map[string]string{
		"beside.json": ReasonTooLarge, "missing.json": ReasonMissing, "../beside.json": ReasonInvalid, "metadata/timestamp.json": ReasonInvalid,
		".lock": ReasonInvalid, "": ReasonInvalid, "a\x00.json": ReasonInvalid,
	} {
		if data, err := c.File(t.Context(), name, 7); Reason(err) != reason {
			t.Errorf("File(%q) = %q, %v, want %s", name, data, err, reason)
		}
	}
}

// A state is read again as it was written, or put aside.
func TestState(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	var got map[string]int
	if damaged, err := LoadState(path, &got); damaged || err != nil || got != nil {
		t.Errorf("none there: %v, %v, %v", got, damaged, err)
	}
	if err := SaveState(path, map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	if damaged, err := LoadState(path, &got); damaged || err != nil || fmt.Sprint(got) != "map[a:1]" {
		t.Errorf("LoadState = %v, %v, %v", got, damaged, err)
	}
	if err := SaveState(path, strings.Repeat("x", maxState)); Reason(err) != ReasonTooLarge {
		t.Errorf("what could not be read again: %v", err)
	}
	if err := os.WriteFile(path, []byte("noise"), 0o600); err != nil {
		t.Fatal(err)
	}
	if damaged, err := LoadState(path, &got); !damaged || err != nil {
		t.Errorf("noise: %v, %v", damaged, err)
	}
}
