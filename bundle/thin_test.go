package bundle

import (
	"path/filepath"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// However often is published, a folder has a bounded number of lists, and clients follow.
func TestRepositoryStaysSmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, err := NewClient(w.clientOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range keptLists + 20 {
		if _, err := w.repo.Publish(targetsKeys, nil); err != nil {
			t.Fatal(err)
		}
		w.seal()
	}
	for _, role := range []string{metadata.TARGETS, metadata.SNAPSHOT} {
		files, err := filepath.Glob(filepath.Join(w.dir, "metadata", "*."+role+".json"))
		if err != nil || len(files) > keptLists {
			t.Errorf("%d files of %s, %v, want at most %d", len(files), role, err, keptLists)
		}
	}
	if _, err := c.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
	if list, err := w.open().Bundles(); err != nil || len(list) != 1 {
		t.Errorf("%v is listed, %v", list, err)
	}
}
