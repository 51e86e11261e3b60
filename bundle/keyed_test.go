package bundle

import (
	"crypto/ed25519"
	"path/filepath"
	"slices"
	"testing"
)

// keyed is a publisher with a key directory of some root keys and one of targets, whose
// repository has the bundle crow@1.0.0 and is sealed.
type keyed struct {
	*world
	keys string
}

func newKeyed(t *testing.T, root Quorum) *keyed {
	t.Helper()
	w := &keyed{world: &world{T: t, dir: filepath.Join(t.TempDir(), "repo")}, keys: filepath.Join(t.TempDir(), "keys")}
	w.clock.Store(began)
	if err := InitKeys(w.keys, root, Quorum{1, 1}, began, ""); err != nil {
		t.Fatal(err)
	}
	w.root = w.read(w.keys, FirstRoot)
	nexus := publicKeys(w.load(RoleNexus))
	if err := CreateRepository(w.dir, w.root, w.load(RoleTargets), w.options(), nexus...); err != nil {
		t.Fatal(err)
	}
	w.repo = w.open()
	if _, err := w.repo.AddBlob(testProgram); err != nil {
		t.Fatal(err)
	}
	w.publishes("1.0.0")
	return w
}

func (w *keyed) load(role string) []*Key {
	w.Helper()
	keys, err := LoadKeys(w.keys, role, "")
	if err != nil {
		w.Fatal(err)
	}
	return keys
}

// publishes publishes and seals with what the directory holds.
func (w *keyed) publishes(version string) {
	w.Helper()
	r := w.open()
	if _, err := r.Publish(w.load(RoleTargets), map[string][]byte{targetOf("crow", version): manifestOf("crow", version)}); err != nil {
		w.Fatal(err)
	}
	if err := r.Seal(w.load(RoleSnapshot), w.load(RoleTimestamp)); err != nil {
		w.Fatal(err)
	}
}

func (w *keyed) rotate(o Rotation) *Rotated {
	w.Helper()
	o.Keys = w.keys
	out, err := w.open().RotateKeys(o)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// client has seen the first root alone.
func (w *keyed) client() *Client {
	w.Helper()
	return w.world.client(ClientOptions{Repository: w.dir, State: filepath.Join(w.TempDir(), "state"), Root: w.root, Now: w.now})
}

// mayAssign checks who may sign for the nexus, as a client sees it.
func (w *keyed) mayAssign(c *Client, want ...*Key) {
	w.Helper()
	got, err := c.NexusKeys(w.Context())
	if err != nil || len(got) != len(want) {
		w.Fatalf("NexusKeys = %d, %v, want %d", len(got), err, len(want))
	}
	for _, key := range want {
		if !holdsKey(got, key) {
			w.Errorf("%s is not among the keys of the nexus", key)
		}
	}
}

func holdsKey(list []ed25519.PublicKey, key *Key) bool {
	return slices.ContainsFunc(list, func(k ed25519.PublicKey) bool { return k.Equal(key.Public()) })
}
