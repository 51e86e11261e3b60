package hostfuncs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

// librarian is a guest with a folder "models" that holds some files, beside one
// "outside" that it must not see. It returns the folder's path.
func librarian(t testing.TB) (*grantee, string) {
	t.Helper()
	top := t.TempDir()
	dir := filepath.Join(top, "models")
	for _, sub := range []string{dir, filepath.Join(dir, "sub"), filepath.Join(dir, "sub", "deep"), filepath.Join(top, "private")} {
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(top, "outside"), "not for guests", 0o644)
	write(t, filepath.Join(dir, "b.bin"), "0123456789", 0o644)
	write(t, filepath.Join(dir, "empty"), "", 0o644)
	write(t, filepath.Join(dir, "sub", "é"), "in a folder", 0o644)
	files, err := OpenFiles(map[string]string{"models": dir, "private": filepath.Join(top, "private")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := files.Close(); err != nil {
			t.Error(err)
		}
	})
	return newGrantee(t, &Attempt{Allow: hive.Allow{Files: []string{"models", "elsewhere"}}, Files: files}), dir
}

func TestFileRead(t *testing.T) {
	g, _ := librarian(t)
	g.gets("0123456789", "file_read", "models/b.bin", 0, 100)
	g.gets("0123456789", "file_read", "models/b.bin", 0, 1<<32-1) // more than is read at once
	g.gets("345", "file_read", "models/b.bin", 3, 3)
	g.gets("9", "file_read", "models/b.bin", 9, 3)
	g.gets("", "file_read", "models/b.bin", 10, 3)
	g.gets("", "file_read", "models/b.bin", 1<<62, 3)
	g.gets("", "file_read", "models/empty", 0, 3)
	g.gets("in a folder", "file_read", "models/sub/é", 0, 100)
	g.wants(errInvalid, "file_read", "models/b.bin", -1, 3)
	g.wants(errInvalid, "file_read", "models/b.bin", 0, 0)
	g.wants(errInvalid, "file_read", "models/sub", 0, 3)
	g.wants(errInvalid, "file_read", "models", 0, 3)
	g.wants(errAbsent, "file_read", "models/none", 0, 3)
	g.wants(errAbsent, "file_read", "models/b.bin/x", 0, 3)
	g.wants(errAbsent, "file_read", "elsewhere/x", 0, 3) // not on this spore
	g.wants(errDenied, "file_read", "private/x", 0, 3)
	g.wants(errDenied, "file_read", "../outside", 0, 3)
	for _, path := range []string{"", "/", "/etc/passwd", "models/", "models//b.bin", "models/../outside", "models/sub/../b.bin",
		"models/./b.bin", "models/b.bin/", "models/b\x00", "models/\xff", "models/" + strings.Repeat("x", maxFilePath)} {
		g.wants(errInvalid, "file_read", path, 0, 3)
	}
	g.refuses("file_read", []uint64{0, 0, 0, 1}, 0)
	g.Files = nil
	if why := g.wants(errUnavailable, "file_read", "models/b.bin", 0, 3); why != "this spore gives no folders" {
		t.Errorf("it says %q", why)
	}
}

func TestFileReadIsBounded(t *testing.T) {
	g, dir := librarian(t)
	write(t, filepath.Join(dir, "big"), strings.Repeat("0123456789abcdef", maxFileRead/16)+"end", 0o644)
	if n, _ := g.asks("file_read", "models/big", 0, 2*maxFileRead); n != maxFileRead {
		t.Errorf("%d bytes are read at once, want %d", n, maxFileRead)
	}
	g.gets("end", "file_read", "models/big", maxFileRead, maxFileRead)
}

func TestFileList(t *testing.T) {
	g, dir := librarian(t)
	write(t, filepath.Join(dir, "two\nlines"), "", 0o644)
	write(t, filepath.Join(dir, "B"), "", 0o644)
	g.gets("B\nb.bin\nempty\nsub/\n", "file_list", "models")
	g.gets("B\nb.bin\nempty\nsub/\n", "file_list", "models/")
	g.gets("deep/\né\n", "file_list", "models/sub")
	g.gets("deep/\né\n", "file_list", "models/sub/")
	g.gets("", "file_list", "models/sub/deep")
	g.wants(errInvalid, "file_list", "models/b.bin")
	g.wants(errInvalid, "file_list", "models//")
	g.wants(errInvalid, "file_list", "models/..")
	g.wants(errInvalid, "file_list", "")
	g.wants(errAbsent, "file_list", "models/none")
	g.wants(errAbsent, "file_list", "elsewhere")
	g.wants(errDenied, "file_list", "private")
	g.refuses("file_list", []uint64{0, 0}, 0)
}

func TestFileListIsBounded(t *testing.T) {
	g, dir := librarian(t)
	for n := range maxFileList {
		write(t, filepath.Join(dir, "sub", "deep", fmt.Sprint(n)), "", 0o644)
	}
	if _, text := g.asks("file_list", "models/sub/deep"); strings.Count(text, "\n") != maxFileList {
		t.Errorf("%d names, want %d", strings.Count(text, "\n"), maxFileList)
	}
	write(t, filepath.Join(dir, "sub", "deep", "one more"), "", 0o644)
	g.wants(errFull, "file_list", "models/sub/deep")
}

// TestFileLinks: links that stay in the folder are followed, others lead nowhere.
func TestFileLinks(t *testing.T) {
	g, dir := librarian(t)
	for name, to := range map[string]string{"in": "b.bin", "dir": "sub", "out": "../outside", "abs": filepath.Join(dir, "b.bin"),
		"up": "..", "loop": "loop", "gone": "nothing", "sub/back": "../b.bin"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	g.gets("b.bin\ndir/\nempty\nin\nsub/\n", "file_list", "models")
	g.gets("back\ndeep/\né\n", "file_list", "models/dir")
	g.gets("0123456789", "file_read", "models/in", 0, 100)
	g.gets("0123456789", "file_read", "models/dir/back", 0, 100)
	for _, path := range []string{"models/out", "models/abs", "models/up/outside", "models/loop"} {
		if why := g.wants(errUnavailable, "file_read", path, 0, 100); strings.Contains(why, dir) {
			t.Errorf("%s: %q tells where the folder is", path, why)
		}
	}
	g.wants(errUnavailable, "file_list", "models/up")
	g.wants(errAbsent, "file_read", "models/gone", 0, 100)
}

func TestOpenFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenFiles(map[string]string{"a": dir, "b": filepath.Join(dir, "none")}); err == nil || !strings.Contains(err.Error(), "folder b") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if files, err := OpenFiles(nil); err != nil || files.Close() != nil {
		t.Errorf("no folders: %v", err)
	}
}

// FuzzFilePaths: whatever path a guest names, it reads what is in the folder.
func FuzzFilePaths(f *testing.F) {
	g, dir := librarian(f)
	if err := os.Symlink("../outside", filepath.Join(dir, "out")); err != nil {
		f.Fatal(err)
	}
	for _, path := range []string{"models/b.bin", "models/../outside", "models/out", "models//", "models/sub/../../outside", "private", "models/sub/"} {
		f.Add(path, uint32(16), uint32(len(path)), uint64(0), uint32(100))
	}
	f.Add("models", uint32(1<<32-1), uint32(1<<32-1), uint64(1<<63), uint32(1<<32-1))
	f.Fuzz(func(t *testing.T, path string, ptr, n uint32, offset uint64, limit uint32) {
		g.TB = t
		memory, _ := g.module.Memory().Read(0, 2*page)
		clear(memory) // of the path before
		g.module.Memory().WriteString(16, path[:min(len(path), page)])
		for name, stack := range map[string][]uint64{
			"file_read": {uint64(ptr), uint64(n), offset, uint64(limit)}, "file_list": {uint64(ptr), uint64(n)}} {
			code := g.raw(name, stack...)
			answer := string(g.answer)
			if code < errUnavailable || strings.Contains(answer, "guests") || strings.Contains(answer, "outside\n") || strings.Contains(answer, dir) {
				t.Errorf("%s(%q) = %d %q", name, path, code, answer)
			}
			if code >= 0 && !strings.HasPrefix(path, "models") {
				t.Errorf("%s(%q) = %d", name, path, code)
			}
		}
	})
}
