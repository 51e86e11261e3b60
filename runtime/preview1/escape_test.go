package preview1

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNoWayOut: no path leads out of a mount, nor out of a directory in it.
func TestNoWayOut(t *testing.T) {
	c, ctx, _ := newReader(t, newTree(t))
	sub := c.opens(ctx, 3, "sub")
	for _, tt := range []struct {
		fd   int
		path string
		e    errno
	}{
		{3, "..", perm}, {3, "../secret", perm}, {3, "sub/../../secret", perm}, {3, "sub/deep/../../..", perm},
		{3, "/", perm}, {3, "/etc/passwd", perm}, {3, "//facts", perm}, {3, "../tree/facts", perm},
		{3, "absolute", perm}, {3, "outside", perm}, {3, "above", perm}, {3, "above/secret", perm}, {3, "above/tree/facts", perm},
		{3, "sub/outside", perm}, {3, "sub/above/secret", perm}, {3, "sub/dir/../../../secret", perm},
		{sub, "..", perm}, {sub, "../facts", perm}, {sub, "up", perm}, {sub, "above", perm}, {sub, "deep/../../facts", perm},
		{3, "loop", loop}, {3, "dangling", noent}, {3, "facts/", notdir}, {3, "facts/x", notdir}, {3, "gone/../facts", noent},
		{3, "", noent}, {3, "facts\x00", inval}, {3, strings.Repeat("sub/../", 600) + "facts", nametoolong},
		{3, strings.Repeat("./", maxPath/2), success}, {3, strings.Repeat("./", maxPath/2) + ".", nametoolong},
		{3, "./sub//./deep/../more", success}, {3, "sub/up", success}, {3, "sub/dir/most", success}, {sub, "dir/most", success},
		{3, "link", success}, {3, ".", success}, {sub, ".", success}, {3, "sub/", success}, {3, "sub/dir/", success},
	} {
		opened, e := c.open(ctx, tt.fd, tt.path)
		if e != tt.e {
			t.Errorf("path_open(%d, %q) = %d, want %d", tt.fd, tt.path, e, tt.e)
		}
		if e == success {
			c.wants(ctx, success, "fd_close", opened)
		}
		c.wants(ctx, tt.e, "path_filestat_get", tt.fd, lookupFollow, tt.path, 200)
	}
}

// TestLinks: they can be looked at wherever they lead to.
func TestLinks(t *testing.T) {
	c, ctx, _ := newReader(t, newTree(t))
	for path, to := range map[string]string{"link": "facts", "loop": "loop", "outside": "../secret", "sub/above": "../.."} {
		c.wants(ctx, success, "path_readlink", 3, path, 300, len(to), 104)
		if got := c.text(300, c.u32(104)); got != to {
			t.Errorf("%s leads to %q, want %q", path, got, to)
		}
		c.wants(ctx, range_, "path_readlink", 3, path, 300, len(to)-1, 104)
		c.wants(ctx, success, "path_filestat_get", 3, 0, path, 200)
		if got := c.u64(216); got != typeLink {
			t.Errorf("%s is of type %d", path, got)
		}
		c.wants(ctx, loop, "path_open", 3, 0, path, 0, rightRead, 0, 0, 100)
	}
	c.wants(ctx, inval, "path_readlink", 3, "facts", 300, 10, 104)
	c.wants(ctx, perm, "path_readlink", 3, "above/tree/link", 300, 10, 104)
	c.wants(ctx, noent, "path_readlink", 3, "gone", 300, 10, 104)
}

// TestRenamedDirectories: a directory that is moved out of the mount while it is
// open shows no more than itself, and what takes its place is looked at anew.
func TestRenamedDirectories(t *testing.T) {
	tree := newTree(t)
	c, ctx, _ := newReader(t, tree)
	sub, deep := c.opens(ctx, 3, "sub"), c.opens(ctx, 3, "sub/deep")
	away := filepath.Join(filepath.Dir(tree), "away")
	if err := os.Rename(filepath.Join(tree, "sub"), away); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../away", filepath.Join(tree, "sub")); err != nil {
		t.Fatal(err)
	}
	for fd, paths := range map[int][]string{
		sub:  {"..", "../secret", "deep/../../secret", "above/secret", "outside"},
		deep: {"..", "../more", "../../secret"},
		3:    {"sub", "sub/more", "sub/../facts"},
	} {
		for _, path := range paths {
			if _, e := c.open(ctx, fd, path); e != perm {
				t.Errorf("path_open(%d, %q) = %d", fd, path, e)
			}
		}
	}
	if got := c.reads(ctx, c.opens(ctx, deep, "most")); got != "and four wings" {
		t.Errorf("read %q", got)
	}
	if names := c.names(ctx, sub, 200); !slices.Contains(names, "more") || slices.Contains(names, "secret") {
		t.Errorf("the directory lists %q", names)
	}
}

// FuzzPaths opens whatever path: it leads to what is in the tree, or nowhere.
func FuzzPaths(f *testing.F) {
	for _, path := range []string{"facts", "sub/../facts", "sub/above/secret", "outside", "../secret", "sub/dir/../../link", "/facts", "sub/deep/../../../tree/facts"} {
		f.Add(path, true)
		f.Add(path, false)
	}
	tree := newTree(f)
	c, ctx, s := newReader(f, tree)
	sub := c.opens(ctx, 3, "sub")
	var inside []os.FileInfo
	if err := filepath.Walk(tree, func(_ string, info os.FileInfo, err error) error {
		inside = append(inside, info)
		return err
	}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string, below bool) {
		c.t = t
		fd := 3
		if below {
			fd = sub
		}
		opened, e := c.open(ctx, fd, path[:min(len(path), 2*maxPath)])
		if e != success {
			return
		}
		var info os.FileInfo
		var err error
		if d := s.entry(uint64(opened)); d.target == directory {
			info, err = d.dir.root.Stat(".")
		} else {
			info, err = d.file.Stat()
		}
		if err != nil || !slices.ContainsFunc(inside, func(i os.FileInfo) bool { return os.SameFile(i, info) }) {
			t.Errorf("%q leads to %v, %v", path, info, err)
		}
		c.wants(ctx, success, "fd_close", opened)
	})
}
