package bundle

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// replies answers paths from memory; what it does not know is not found.
type replies map[string][]byte

func (r replies) RoundTrip(request *http.Request) (*http.Response, error) {
	data, ok := r[request.URL.Path]
	status := http.StatusOK
	if !ok {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(data)), ContentLength: -1, Request: request}, nil
}

// FuzzMetadata answers one file of a repository with anything. No answer ends the
// process, lists what was not signed, or has no reason.
func FuzzMetadata(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "repo")
	r, root := newRepository(f, dir, testRoles(), RepositoryOptions{})
	if _, err := r.Publish(targetsKeys, map[string][]byte{targetOf("crow", "1.0.0"): manifestOf("crow", "1.0.0")}); err != nil {
		f.Fatal(err)
	}
	if err := r.Seal(snapKeys, timeKeys); err != nil {
		f.Fatal(err)
	}
	genuine, names := replies{}, []string{"/" + metadataName(2, metadata.ROOT)}
	files, err := filepath.Glob(filepath.Join(dir, metadataDir, "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		name := "/" + metadataDir + "/" + filepath.Base(file)
		if genuine[name], err = os.ReadFile(file); err != nil {
			f.Fatal(err)
		}
		names = append(names, name)
		for i := range len(files) + 1 {
			f.Add(byte(i), genuine[name])
		}
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		answers := replies{}
		for name, genuine := range genuine {
			answers[name] = genuine
		}
		answers[names[int(which)%len(names)]] = data
		c, err := NewClient(ClientOptions{Repository: "http://repo.test", State: t.TempDir(), Root: root, Transport: answers})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Refresh(t.Context()); err != nil && Reason(err) == "" {
			t.Fatalf("no reason: %v", err)
		}
		list, err := c.Bundles()
		for _, l := range list {
			if l.TargetName() != targetOf("crow", "1.0.0") {
				t.Fatalf("%v is listed, %v", l, err)
			}
		}
	})
}

// FuzzFirstRoot takes anything for a first root.
func FuzzFirstRoot(f *testing.F) {
	root, err := testRoles().root(1, began)
	if err != nil {
		f.Fatal(err)
	}
	data, err := signMetadata(root, rootKeys)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"signed":{"_type":"root","keys":{"a":null},"roles":{"root":{"keyids":["a"],"threshold":1}}},"signatures":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := (chain{Root: data}).root(); err != nil && Reason(err) == "" {
			t.Fatalf("no reason: %v", err)
		}
	})
}
