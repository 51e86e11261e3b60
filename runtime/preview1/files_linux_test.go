package preview1

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"golang.org/x/sys/unix"
)

// TestNeitherFileNorDirectory: they can be looked at, and nothing more. Nobody
// will ever write to the pipe, and a guest must not wait for that.
func TestNeitherFileNorDirectory(t *testing.T) {
	tree := newTree(t)
	if err := unix.Mkfifo(filepath.Join(tree, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	t.Chdir(tree) // the path of a socket is short
	if err := unix.Bind(socket, &unix.SockaddrUnix{Name: "socket"}); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pipe", "to-pipe"); err != nil {
		t.Fatal(err)
	}
	c, ctx, _ := newReader(t, tree)
	for _, name := range []string{"pipe", "to-pipe", "socket"} {
		if _, e := c.open(ctx, 3, name); e != perm {
			t.Errorf("path_open(%q) = %d", name, e)
		}
		c.wants(ctx, success, "path_filestat_get", 3, lookupFollow, name, 200)
		if got := c.u64(216); got != typeUnknown {
			t.Errorf("%s is of type %d", name, got)
		}
	}
}

func TestDevices(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	s := &State{Mounts: []Mount{{"/", openRoot(t, "/dev")}}}
	defer s.Close()
	ctx := with(s)
	if _, e := c.open(ctx, 3, "zero"); e != perm {
		t.Errorf("path_open of a device = %d", e)
	}
	c.wants(ctx, success, "path_filestat_get", 3, lookupFollow, "zero", 200)
	if got := c.u64(216); got != typeCharacter {
		t.Errorf("a device is of type %d", got)
	}
}

// TestNothingStaysOpen: whatever a guest does with its descriptors.
func TestNothingStaysOpen(t *testing.T) {
	tree := newTree(t)
	c := newCaller(t, ours, wazero.NewModuleConfig())
	before := openFiles(t)
	for range 3 {
		root, err := os.OpenRoot(tree)
		if err != nil {
			t.Fatal(err)
		}
		s := &State{Mounts: []Mount{{"/", root}}}
		ctx := with(s)
		for range 100 {
			c.open(ctx, 3, "facts")
			c.open(ctx, 3, "sub")
			c.open(ctx, 3, "outside")
			c.open(ctx, 3, "facts/")
		}
		for fd := range standard + MaxFiles {
			c.do(ctx, "fd_readdir", fd, direntsAt, 4096, 0, 104)
			c.do(ctx, "fd_renumber", fd, fd/2)
			c.do(ctx, "fd_close", fd/3)
			c.open(ctx, fd, "deep")
		}
		s.Close()
	}
	(&State{Mounts: []Mount{{"/", openRoot(t, tree)}}}).Close() // one that was never looked at
	if after := openFiles(t); after > before {
		t.Errorf("%d files are open, before it were %d", after, before)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
