package preview1

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
)

func openRoot(t testing.TB, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func wazerosMount(root *os.Root) wazero.FSConfig {
	return wazero.NewFSConfig().WithFSMount(root.FS(), "/")
}

const secret = "not in the mount"

// newTree makes a directory beside a secret, with links that stay within it and
// links that do not.
func newTree(t testing.TB) string {
	t.Helper()
	all := t.TempDir()
	tree := filepath.Join(all, "tree")
	for _, dir := range []string{"sub/deep", "empty"} {
		if err := os.MkdirAll(filepath.Join(tree, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"secret": secret, "tree/facts": "bees have five eyes", "tree/nothing": "", "tree/sub/more": "and six legs", "tree/sub/deep/most": "and four wings",
	} {
		if err := os.WriteFile(filepath.Join(all, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"link": "facts", "sub/up": "../facts", "sub/dir": "deep", "loop": "loop", "dangling": "gone",
		"absolute": filepath.Join(all, "secret"), "outside": "../secret", "above": "..", "sub/above": "../..", "sub/outside": "above/secret",
	} {
		if err := os.Symlink(to, filepath.Join(tree, name)); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// newReader returns a guest that may read a tree, with buffers at 1000 (one of
// 100 bytes at 2000) and 1100 (at 2000, none, and at 3000).
func newReader(t testing.TB, tree string) (caller, context.Context, *State) {
	t.Helper()
	c := newCaller(t, ours, wazero.NewModuleConfig())
	c.put(1000, 2000, 100)
	c.put(1100, 2000, 4, 500, 0, 3000, 10)
	s := &State{Mounts: []Mount{{"/data", openRoot(t, tree)}}}
	t.Cleanup(s.Close)
	return c, with(s), s
}

// open opens a path, of which the descriptor is at 100.
func (c caller) open(ctx context.Context, fd int, path string) (opened int, e errno) {
	c.t.Helper()
	e = errno(c.do(ctx, "path_open", fd, lookupFollow, path, 0, rightRead, 0, 0, 100))
	return int(c.u32(100)), e
}

// opens is open for what must succeed.
func (c caller) opens(ctx context.Context, fd int, path string) int {
	c.t.Helper()
	opened, e := c.open(ctx, fd, path)
	if e != success {
		c.t.Fatalf("path_open(%q) = %d", path, e)
	}
	return opened
}

// reads returns what fd_read finds in a descriptor, up to 100 bytes.
func (c caller) reads(ctx context.Context, fd int) string {
	c.t.Helper()
	c.wants(ctx, success, "fd_read", fd, 1000, 1, 104)
	return c.text(2000, c.u32(104))
}

func TestPositions(t *testing.T) {
	c, ctx, _ := newReader(t, newTree(t))
	fd := c.opens(ctx, 3, "facts")
	c.wants(ctx, success, "fd_read", fd, 1100, 3, 104)
	if got := c.text(2000, 4) + c.text(3000, 10); got != "bees have five" || c.u32(104) != 14 {
		t.Errorf("read %d bytes: %q", c.u32(104), got)
	}
	c.wants(ctx, success, "fd_pread", fd, 1000, 1, 5, 104)
	if got := c.text(2000, c.u32(104)); got != "have five eyes" {
		t.Errorf("read %q at 5", got)
	}
	for _, tt := range []struct{ offset, from, at int }{
		{0, fromHere, 14}, {-4, fromHere, 10}, {-4, fromEnd, 15}, {0, fromStart, 0}, {100, fromStart, 100}, {5, fromStart, 5},
	} {
		c.wants(ctx, success, "fd_seek", fd, tt.offset, tt.from, 200)
		if got := c.u64(200); got != uint64(tt.at) {
			t.Errorf("fd_seek(%d, %d) is at %d, want %d", tt.offset, tt.from, got, tt.at)
		}
	}
	for _, tt := range []struct{ offset, from int }{{-6, fromHere}, {math.MaxInt64, fromHere}, {-20, fromEnd}, {-1, fromStart}, {0, 3}} {
		c.wants(ctx, inval, "fd_seek", fd, tt.offset, tt.from, 200)
	}
	c.wants(ctx, success, "fd_tell", fd, 200)
	if got := c.reads(ctx, fd); got != "have five eyes" || c.u64(200) != 5 {
		t.Errorf("at %d it reads %q", c.u64(200), got)
	}
	if got := c.reads(ctx, fd); got != "" {
		t.Errorf("at the end it reads %q", got)
	}
	c.wants(ctx, success, "fd_seek", fd, math.MaxInt64-200, fromStart, 200)
	if got := c.reads(ctx, fd); got != "" {
		t.Errorf("beyond the end it reads %q", got)
	}
}

// TestReadFaultKeepsPosition: what fails has read nothing.
func TestReadFaultKeepsPosition(t *testing.T) {
	c, ctx, _ := newReader(t, newTree(t))
	fd := c.opens(ctx, 3, "facts")
	c.put(1200, 2000, 4, page-4, 5)
	c.wants(ctx, fault, "fd_read", fd, 1200, 2, 104)
	c.wants(ctx, fault, "fd_read", fd, 1000, 1, page-3)
	c.wants(ctx, fault, "fd_seek", fd, 4, fromStart, page-7)
	if got := c.reads(ctx, fd); got != "bees have five eyes" {
		t.Errorf("then it reads %q", got)
	}
}

// TestMountsAsDescriptors: in their order, from 3 on, until one is none.
func TestMountsAsDescriptors(t *testing.T) {
	c := newCaller(t, ours, wazero.NewModuleConfig())
	c.put(1000, 2000, 100)
	tree := newTree(t)
	s := &State{Mounts: []Mount{{"/a", openRoot(t, tree)}, {"/a/longer", openRoot(t, filepath.Join(tree, "sub"))}}}
	defer s.Close()
	ctx := with(s)
	for fd, name := range map[int]string{3: "/a", 4: "/a/longer"} {
		c.wants(ctx, success, "fd_prestat_get", fd, 200)
		if got := c.u64(200); got != uint64(len(name))<<32 {
			t.Errorf("prestat of %d is %#x", fd, got)
		}
		c.wants(ctx, nametoolong, "fd_prestat_dir_name", fd, 300, len(name)-1)
		c.wants(ctx, success, "fd_prestat_dir_name", fd, 300, len(name))
		if got := c.text(300, uint32(len(name))); got != name {
			t.Errorf("the name of %d is %q", fd, got)
		}
	}
	c.wants(ctx, badf, "fd_prestat_get", 5, 200)
	fd := c.opens(ctx, 3, "sub")
	c.wants(ctx, badf, "fd_prestat_get", fd, 200)
	if got := c.reads(ctx, c.opens(ctx, 4, "more")); got != "and six legs" {
		t.Errorf("the second mount has %q", got)
	}
	c.wants(ctx, success, "fd_close", 3)
	c.wants(ctx, badf, "path_open", 3, 0, "facts", 0, rightRead, 0, 0, 100)
}

// TestReadOnly: nothing that would change the tree is done, and all of it is
// answered.
func TestReadOnly(t *testing.T) {
	tree := newTree(t)
	c, ctx, _ := newReader(t, tree)
	before := list(t, tree)
	file, dir := c.opens(ctx, 3, "facts"), c.opens(ctx, 3, "sub")
	open := func(e errno, path string, oflags, rights int) {
		t.Helper()
		c.wants(ctx, e, "path_open", 3, lookupFollow, path, oflags, rights, 0, 0, 100)
	}
	open(rofs, "facts", 0, rightWrite)
	open(rofs, "facts", 0, rightRead|rightWrite)
	open(rofs, "facts", openTruncate, rightRead)
	open(rofs, "new", openCreate, rightRead)
	open(rofs, "new", openCreate|openExclusive, rightWrite)
	open(rofs, "dangling", openCreate, rightWrite)
	open(exist, "facts", openCreate|openExclusive, rightWrite)
	open(success, "facts", openCreate, rightRead) // it is there
	open(isdir, "sub", 0, rightWrite)
	open(noent, "new", 0, rightWrite)
	for _, fd := range []int{file, dir, 3} {
		c.wants(ctx, badf, "fd_write", fd, 1000, 1, 104)
		c.wants(ctx, badf, "fd_pwrite", fd, 1000, 1, 0, 104)
		c.wants(ctx, badf, "fd_allocate", fd, 0, 100)
		c.wants(ctx, badf, "fd_filestat_set_size", fd, 0)
		c.wants(ctx, rofs, "fd_filestat_set_times", fd, 0, 0, 5)
		c.wants(ctx, nosys, "fd_fdstat_set_rights", fd, 0, 0)
		c.wants(ctx, success, "fd_sync", fd)
		c.wants(ctx, success, "fd_datasync", fd)
		c.wants(ctx, success, "fd_advise", fd, 0, 0, 0)
	}
	for fd, e := range map[int]errno{dir: rofs, 3: rofs, file: notdir, 0: notdir, 60: badf} {
		c.wants(ctx, e, "path_create_directory", fd, "new")
		c.wants(ctx, e, "path_filestat_set_times", fd, 0, "more", 0, 0, 5)
		c.wants(ctx, e, "path_link", fd, 0, "more", fd, "new")
		c.wants(ctx, e, "path_remove_directory", fd, "empty")
		c.wants(ctx, e, "path_rename", fd, "more", fd, "new")
		c.wants(ctx, e, "path_symlink", "more", fd, "new")
		c.wants(ctx, e, "path_unlink_file", fd, "more")
	}
	if after := list(t, tree); after != before {
		t.Errorf("the tree became\n%swas\n%s", after, before)
	}
}

// list describes a tree with all that is in it.
func list(t *testing.T, dir string) (all string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		all += path + " " + info.Mode().String() + " " + info.ModTime().String()
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			all += " " + string(text)
			return err
		}
		all += "\n"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestMaxFiles: there are so many descriptors, and none is lost.
func TestMaxFiles(t *testing.T) {
	c, ctx, s := newReader(t, newTree(t))
	for i := range MaxFiles - 1 { // one is the mount
		if fd := c.opens(ctx, 3, [...]string{"facts", "sub"}[i%2]); fd != 4+i {
			t.Fatalf("the descriptor after %d is %d", 3+i, fd)
		}
	}
	for _, path := range []string{"facts", "sub", "."} {
		if _, e := c.open(ctx, 3, path); e != mfile {
			t.Errorf("one too many is opened with %d", e)
		}
	}
	c.wants(ctx, success, "fd_close", 40)
	c.wants(ctx, success, "fd_renumber", 4, 5)
	c.wants(ctx, badf, "fd_renumber", 5, standard+MaxFiles)
	for _, want := range []int{4, 40} {
		if fd := c.opens(ctx, 3, "facts"); fd != want {
			t.Errorf("the lowest that is free is %d, want %d", fd, want)
		}
	}
	c.wants(ctx, success, "fd_readdir", 7, 200, 100, 0, 104)
	var files []*os.File
	for _, d := range s.more {
		if d.file != nil {
			files = append(files, d.file.File)
		}
		if d.dir != nil && d.dir.list != nil {
			files = append(files, d.dir.list)
		}
	}
	roots := []*os.Root{s.Mounts[0].Root, s.entry(7).dir.root}
	s.Close()
	for _, f := range files {
		if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s is still open: %v", f.Name(), err)
		}
	}
	for _, r := range roots {
		if _, err := r.Stat("."); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s is still open: %v", r.Name(), err)
		}
	}
	if len(files) < MaxFiles/2 {
		t.Errorf("only %d files were open", len(files))
	}
}

// TestFilesAsStreams: files can be what programs read and write by default.
func TestFilesAsStreams(t *testing.T) {
	c, ctx, _ := newReader(t, newTree(t))
	fd := c.opens(ctx, 3, "facts")
	c.wants(ctx, success, "fd_fdstat_set_flags", fd, flagAppend)
	c.wants(ctx, success, "fd_renumber", fd, 0)
	c.wants(ctx, badf, "fd_read", fd, 1000, 1, 104)
	if got := c.reads(ctx, 0); got != "bees have five eyes" {
		t.Errorf("standard input became %q", got)
	}
	c.wants(ctx, success, "fd_fdstat_get", 0, 200)
	if kind, flags := c.u32(200)&0xff, c.u32(200)>>16; kind != typeRegular || flags != flagAppend {
		t.Errorf("standard input is of type %d with flags %d", kind, flags)
	}
	c.wants(ctx, success, "fd_renumber", 1, 20) // and a stream can be anything
	c.wants(ctx, success, "fd_write", 20, 1000, 1, 104)
	c.wants(ctx, success, "fd_close", 2)
	if fd := c.opens(ctx, 3, "facts"); fd != 1 {
		t.Errorf("the lowest descriptor is %d, want 1", fd)
	}
	c.wants(ctx, success, "fd_seek", 0, 5, fromStart, 200)
	c.putSubs([]sub{{kindRead, 0, 0, 0}, {kindWrite, 0, 0, 0}, {kindRead, 3, 0, 0}})
	c.wants(ctx, success, "poll_oneoff", pollIn, pollOut, 3, pollCount)
	for i, want := range []event{{0, kindRead, success, 14, 0}, {1, kindWrite, badf, 0, 0}, {2, kindRead, badf, 0, 0}} {
		if got := c.events()[i]; got != want {
			t.Errorf("event %d is %+v, want %+v", i, got, want)
		}
	}
}

// TestEndingAttemptOfFiles: reading gives way, however much is asked for.
func TestEndingAttemptOfFiles(t *testing.T) {
	c, ctx, _ := newReader(t, newTree(t))
	file, nothing := c.opens(ctx, 3, "facts"), c.opens(ctx, 3, "nothing")
	ending, cancel := context.WithCancel(ctx)
	cancel()
	c.wants(ending, intr, "fd_read", file, 1000, 1, 104)
	c.wants(ending, intr, "fd_pread", file, 1000, 1, 0, 104)
	c.wants(ending, intr, "fd_readdir", 3, 2000, 1000, 0, 104)
	clearMemory(c) // a list of empty buffers
	c.wants(ending, success, "fd_read", nothing, 0, patience, 30_000)
	c.wants(ending, intr, "fd_read", nothing, 0, patience+1, 30_000)
	if got := c.do(ctx, "fd_tell", file, 200); got != 0 || c.u64(200) != 0 {
		t.Errorf("the position is %d", c.u64(200))
	}
}
