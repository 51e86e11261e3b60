package runtime

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hive-spore/hive"
)

// TestMountedPipe: nobody will ever write to it, and a guest that opens it must
// not wait for that.
func TestMountedPipe(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := goSkill(t, "probe", hive.Manifest{})
	out := probe(t, s, "/data/pipe", Call{Mounts: []Mount{{dir, "/data"}}})
	wantFailure(t, out, hive.FailExit, "exit code 1: open /data/pipe: Operation not permitted")
}
