package bundle

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A disk that is full for real, where one can be mounted; TestDiskFull says the same
// of one that is made up.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.clientOptions()
	if err := os.Mkdir(o.State, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", o.State, "tmpfs", 0, "size=256k"); err != nil {
		t.Logf("no disk to fill: %v", err)
		return
	}
	t.Cleanup(func() { _ = syscall.Unmount(o.State, syscall.MNT_DETACH) })
	program := make([]byte, 1<<20)
	digest, err := w.repo.AddBlob(program)
	if err != nil {
		t.Fatal(err)
	}
	c := refreshed(w, o)
	if _, err := c.Blob(t.Context(), digest, int64(len(program))); Reason(err) != ReasonNoSpace {
		t.Fatalf("Blob on a full disk: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(o.State, "*", temporary+"*")); err != nil || len(left) > 0 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
	w.believes(c, "crow", "1.0.0")
	w.believes(w.client(o), "crow", "1.0.0")
}
