package build

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLook: it sees sources, and not what builds and editors make.
func TestLook(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"skill.toml", "main.go", "src/lib.rs", "data.wasm", "a.tmpl",
		"out/main.wasm", "target/release/x", "node_modules/a/b.js", "cache/CACHEDIR.TAG", "cache/x", ".git/HEAD", ".main.go.swp", "main.go~", "#main.go#", "4913", "x.tmp"} {
		write(t, filepath.Join(dir, name), "x")
	}
	found := Look(dir, "out/main.wasm")
	want := []string{"a.tmpl", "data.wasm", "main.go", "skill.toml", "src/lib.rs"}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("Look() = %v, want %v", got, want)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if again := Look(link, "out/main.wasm"); !again.Equal(found) || again.Differ(found) != nil {
		t.Errorf("by a link it is %v", again)
	}
	write(t, filepath.Join(dir, "main.go"), "xx")
	write(t, filepath.Join(dir, "new.go"), "x")
	if err := os.Chtimes(filepath.Join(dir, "skill.toml"), time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "a.tmpl")); err != nil {
		t.Fatal(err)
	}
	now := Look(dir, "out/main.wasm")
	differ := found.Differ(now)
	slices.Sort(differ)
	if want := []string{"a.tmpl", "main.go", "new.go", "skill.toml"}; !slices.Equal(differ, want) || now.Equal(found) {
		t.Errorf("Differ() = %v, want %v", differ, want)
	}
	if file := Look(filepath.Join(dir, "out/main.wasm"), ""); len(file) != 1 {
		t.Errorf("Look at a file = %v", file)
	}
	if none := Look(filepath.Join(dir, "nosuch"), ""); len(none) != 0 {
		t.Errorf("Look at nothing = %v", none)
	}
}

// TestSavedDuringTheBuild: a program of sources that changed while it was built is
// not taken for that of the new ones.
func TestSavedDuringTheBuild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "skill.toml"), `manifest_version = 1
name = "late"
version = "1.0.0"
build = { command = ["sh", "-c", "cp source late.wasm; cp next source"] }
`)
	write(t, filepath.Join(dir, "source"), "old")
	write(t, filepath.Join(dir, "next"), "new")
	b := Builder{CacheDir: t.TempDir()}
	for _, want := range []string{"old", "new", "new"} {
		if _, program, err := b.Skill(t.Context(), dir); string(program) != want || err != nil {
			t.Errorf("Skill() = %q, %v, want %q", program, err, want)
		}
	}
	if kept, err := os.ReadDir(filepath.Join(b.CacheDir, "built")); len(kept) != 1 || err != nil {
		t.Errorf("kept are %v, %v", kept, err)
	}
}
