package bundle

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// FuzzChain gives a genuine bundle any chain. Whatever is taken is the publisher's list.
func FuzzChain(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "repo")
	o := RepositoryOptions{Now: func() time.Time { return began }}
	r, root := newRepository(f, dir, testRoles(), o)
	if _, err := r.Publish(targetsKeys, map[string][]byte{targetOf("crow", "1.0.0"): manifestOf("crow", "1.0.0")}); err != nil {
		f.Fatal(err)
	}
	for range 2 {
		if _, err := r.Rotate(testRoles(), rootKeys, targetsKeys); err != nil {
			f.Fatal(err)
		}
	}
	if err := r.Seal(snapKeys, timeKeys); err != nil {
		f.Fatal(err)
	}
	c := must(NewClient(ClientOptions{Repository: dir, State: f.TempDir(), Root: root, Now: o.Now}))
	defer c.Close()
	must(c.Refresh(f.Context()))
	genuine := must(c.Chain(f.Context(), bundleOf("crow", "1.0.0")))
	want := must(VerifyChain(genuine, root, bundleOf("crow", "1.0.0"), began))
	f.Add(genuine)
	f.Add([]byte(nil))
	f.Add([]byte(`{"roots":null,"targets":null}`))
	f.Add([]byte(`{"roots":["e30="],"targets":"e30="}`))
	f.Fuzz(func(t *testing.T, chain []byte) {
		got, err := VerifyChain(chain, root, bundleOf("crow", "1.0.0"), began)
		if err != nil && Reason(err) == "" {
			t.Fatalf("no reason: %v", err)
		}
		if err == nil && (got.List != want.List || got.Root > want.Root) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

// FuzzTake gives a repository any .hive file. One that is refused changes nothing.
func FuzzTake(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "repo")
	o := RepositoryOptions{Now: func() time.Time { return began }}
	r, root := newRepository(f, dir, testRoles(), o)
	b := bundleOf("crow", "1.0.0")
	before := tree(f, dir)
	if _, err := r.Publish(targetsKeys, map[string][]byte{targetOf("crow", "1.0.0"): manifestOf("crow", "1.0.0")}); err != nil {
		f.Fatal(err)
	}
	if err := r.Seal(snapKeys, timeKeys); err != nil {
		f.Fatal(err)
	}
	c := must(NewClient(ClientOptions{Repository: dir, State: f.TempDir(), Root: root, Now: o.Now}))
	defer c.Close()
	must(c.Refresh(f.Context()))
	var file bytes.Buffer
	err := Export(&file, b, must(c.Chain(f.Context(), b)), from(map[string][]byte{digested(testProgram): testProgram}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes(), false)
	f.Add(file.Bytes()[:file.Len()-sha256.Size], true)
	f.Add(append([]byte(fileMagic+"\x00\x00\x00\x01"), header(manifestOf("crow", "1.0.0"), []byte(`{"roots":null,"targets":null}`))[12:]...), true)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal {
			data = sealed(data)
		}
		in, err := Import(bytes.NewReader(data), t.TempDir())
		if err != nil {
			return // FuzzImport is about these
		}
		away := filepath.Join(t.TempDir(), "away")
		for name, text := range before {
			if err := public().write(filepath.Join(away, name), []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		other := must(OpenRepository(away, root, o))
		list, err := other.Take(in)
		if err == nil && (list != must(r.Newest()) || in.Bundle.Digest() != b.Digest()) {
			t.Fatalf("Take of %s = list %d", in.Bundle, list)
		}
		if err != nil && (Reason(err) == "" || !maps.Equal(before, tree(t, away))) {
			t.Fatalf("Take = %v, or it changed the repository", err)
		}
	})
}

// FuzzSignedTargets gives a chain of our spelling any list and any root.
func FuzzSignedTargets(f *testing.F) {
	root := firstRoot(f, testRoles(), began.Add(time.Hour))
	list := metadata.Targets(began.Add(time.Hour))
	genuine := must(signMetadata(list, targetsKeys))
	f.Add(genuine, root)
	f.Add([]byte(`{"signed":{"_type":"targets","targets":{"bundles/crow/1.0.0.json":null}},"signatures":[]}`), []byte(`{"signed":{"_type":"root","version":2}}`))
	f.Fuzz(func(t *testing.T, targets, next []byte) {
		chain, err := spell(&carried{Roots: [][]byte{next}, Targets: targets}, new(carried), MaxChain)
		if err != nil {
			return
		}
		if got, err := VerifyChain(chain, root, bundleOf("crow", "1.0.0"), began); Reason(err) == "" {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}
