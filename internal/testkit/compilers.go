package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// compilers finds or installs the compilers of guests, by their flags.
var compilers = sync.OnceValues(func() (map[string]string, error) {
	caches, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	_, file, _, _ := goruntime.Caller(0)
	script := filepath.Join(filepath.Dir(file), "..", "..", "bench", "guests", "install")
	install := exec.Command("bash", script, filepath.Join(caches, "hive-bench"))
	install.Stderr = os.Stderr
	out, err := install.Output()
	if err != nil {
		return nil, fmt.Errorf("no compilers for guests: %w", err)
	}
	words, found := strings.Fields(string(out)), map[string]string{}
	for pair := range slices.Chunk(words, 2) {
		found[pair[0]] = pair[1]
	}
	return found, nil
})

// Compiler puts the compiler of a skill's folder where an author would: rustc first
// in PATH, AssemblyScript into the folder.
func Compiler(t testing.TB, dir string) {
	t.Helper()
	found, err := compilers()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "main.rs")); err == nil {
		t.Setenv("PATH", filepath.Dir(found["--rustc"])+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err == nil {
		modules := filepath.Dir(filepath.Dir(found["--asc"]))
		if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
	}
}
