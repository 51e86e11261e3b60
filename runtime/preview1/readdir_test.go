package preview1

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dirent is an entry of a directory, as a guest sees it.
type dirent struct {
	name        string
	next, inode uint64
	kind        byte
}

const direntsAt = 10_000

// dirents asks for the entries from cookie on, and returns those that fit in n
// bytes as a whole, and how many bytes were used.
func (c caller) dirents(ctx context.Context, fd int, n uint32, cookie uint64) (all []dirent, used uint32) {
	c.t.Helper()
	c.wants(ctx, success, "fd_readdir", fd, direntsAt, int(n), int(cookie), 104)
	used = c.u32(104)
	for at := uint32(direntsAt); at+direntSize <= direntsAt+used; {
		length := c.u32(at + 16)
		if at+direntSize+length > direntsAt+used {
			break
		}
		all = append(all, dirent{c.text(at+direntSize, length), c.u64(at), c.u64(at + 8), byte(c.u32(at + 20))})
		at += direntSize + length
	}
	return all, used
}

// names lists a directory as libraries do, with a buffer of n bytes that grows
// where an entry is larger.
func (c caller) names(ctx context.Context, fd int, n uint32) (names []string) {
	c.t.Helper()
	for cookie := uint64(0); ; {
		some, used := c.dirents(ctx, fd, n, cookie)
		for _, d := range some {
			names, cookie = append(names, d.name), d.next
		}
		switch {
		case used < n:
			return names
		case len(some) == 0:
			n *= 2
		}
	}
}

// newCrowd makes a directory of n files whose names are of many lengths, and
// returns them with the dots.
func newCrowd(t *testing.T, n int) (dir string, names []string) {
	t.Helper()
	dir, names = t.TempDir(), []string{".", ".."}
	for i := range n {
		name := fmt.Sprintf("%d%s", i, strings.Repeat("x", i*7%200))
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return dir, names
}

// TestReaddirPages: with buffers of any size, every entry is listed once.
func TestReaddirPages(t *testing.T) {
	dir, want := newCrowd(t, 3*batch+1)
	c, ctx, _ := newReader(t, dir)
	for _, n := range []uint32{direntSize, direntSize + 1, 47, 48, 49, 100, 300, 4096, 20_000} {
		names := c.names(ctx, 3, n)
		if slices.Sort(names); !slices.Equal(names, want) {
			t.Errorf("with a buffer of %d bytes there are %d entries, want %d", n, len(names), len(want))
		}
	}
	c.wants(ctx, inval, "fd_readdir", 3, direntsAt, direntSize-1, 0, 104)
	c.wants(ctx, fault, "fd_readdir", 3, direntsAt, page, 0, 104)
	c.wants(ctx, fault, "fd_readdir", 3, direntsAt, 100, 0, page-3)
}

// TestReaddirCookies: each leads to the same entry, in whatever order they are
// asked for; those that lead nowhere, to nothing.
func TestReaddirCookies(t *testing.T) {
	dir, _ := newCrowd(t, 3*batch)
	c, ctx, _ := newReader(t, dir)
	names := c.names(ctx, 3, 4096)
	for _, i := range []int{1, batch + 1, 5, 3 * batch, 0, 3*batch + 1, 2 * batch, 2*batch + 1, 2, batch + 2, batch} {
		if got, _ := c.dirents(ctx, 3, 300, uint64(i)); got[0].name != names[i] || got[0].next != uint64(i)+1 {
			t.Errorf("entry %d is %v, want %s", i, got[0], names[i])
		}
	}
	for _, cookie := range []uint64{uint64(len(names)), uint64(len(names)) + 1, 1 << 40, 1<<64 - 1} {
		if got, used := c.dirents(ctx, 3, 300, cookie); used != 0 {
			t.Errorf("entry %d is %v", cookie, got)
		}
	}
	if again := c.names(ctx, 3, 4096); !slices.Equal(again, names) {
		t.Error("the order became another one")
	}
}

// TestReaddirBeginsAnew: cookie 0 shows what is there now.
func TestReaddirBeginsAnew(t *testing.T) {
	dir, before := newCrowd(t, 3)
	c, ctx, _ := newReader(t, dir)
	for _, name := range []string{"new", "newer"} {
		if got := c.names(ctx, 3, 4096); len(got) != len(before) {
			t.Errorf("there are %q, want %q", got, before)
		}
		c.dirents(ctx, 3, 100, 0) // not to the end
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		before = append(before, name)
	}
	for _, name := range before[2:] { // "." and ".." stay
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.names(ctx, 3, 4096); !slices.Equal(got, []string{".", ".."}) {
		t.Errorf("an empty directory has %q", got)
	}
}

// TestDirents: what an entry says is what its file says.
func TestDirents(t *testing.T) {
	c, ctx, _ := newReader(t, newTree(t))
	for _, dir := range []string{".", "sub"} {
		fd := c.opens(ctx, 3, dir)
		all, _ := c.dirents(ctx, fd, 4096, 0)
		for _, d := range all {
			if d.name == ".." {
				if d.inode != 0 || d.kind != typeDirectory {
					t.Errorf(".. of %s is %v", dir, d)
				}
				continue
			}
			c.wants(ctx, success, "path_filestat_get", fd, 0, d.name, 200)
			if inode, kind := c.u64(208), c.u64(216); d.inode != inode || uint64(d.kind) != kind {
				t.Errorf("%v has inode %d and is of type %d", d, inode, kind)
			}
		}
		if len(all) < 7 {
			t.Errorf("%s has %d entries", dir, len(all))
		}
	}
	c.wants(ctx, notdir, "fd_readdir", c.opens(ctx, 3, "facts"), 200, 100, 0, 104)
}
