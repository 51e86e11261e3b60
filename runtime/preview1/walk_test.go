package preview1

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// walkers build the program that lists a tree, in several languages.
var walkers = map[string]func(t *testing.T, out string) *exec.Cmd{
	"Go": func(_ *testing.T, out string) *exec.Cmd {
		build := exec.Command("go", "build", "-trimpath", "-o", out, "./testdata/walk")
		build.Env = append(os.Environ(), "GOFLAGS=", "GOOS=wasip1", "GOARCH=wasm")
		return build
	},
	"C": func(_ *testing.T, out string) *exec.Cmd {
		return exec.Command("clang", "--target=wasm32-wasi", "-O2", "-o", out, "testdata/walk.c")
	},
	"Rust": func(t *testing.T, out string) *exec.Cmd {
		rustc := rustCompiler(t)
		target := "wasm32-wasi"
		if exec.Command(rustc, "--print", "target-libdir", "--target", target).Run() != nil {
			target = "wasm32-wasip1" // since 1.84
		}
		return exec.Command(rustc, "--edition", "2021", "-O", "--target", target, "-o", out, "testdata/walk.rs")
	},
}

func rustCompiler(t *testing.T) string {
	t.Helper()
	caches, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	install := exec.Command("bash", "../../bench/guests/install", filepath.Join(caches, "hive-bench"))
	install.Stderr = os.Stderr
	out, err := install.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, rustc, _ := strings.Cut(string(out), "--rustc\n")
	return strings.TrimSpace(rustc)
}

// TestWalk: programs find all of a tree by what their languages offer, with its
// links and the texts of its files.
func TestWalk(t *testing.T) {
	tree := newTree(t)
	for i := range 100 { // more than one buffer of names
		name := filepath.Join(tree, "empty", strings.Repeat("x", 1+i))
		if err := os.WriteFile(name, []byte(strings.Repeat("honey", 40*i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := walk(t, tree)
	for language, build := range walkers {
		t.Run(language, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "walk.wasm")
			if out, err := build(t, file).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			wasm, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var out, log bytes.Buffer
			s := &State{Args: []string{"walk", "/data"}, Stdout: &out, Stderr: &log,
				Mounts: []Mount{{"/other", openRoot(t, t.TempDir())}, {"/data", openRoot(t, tree)}}}
			defer s.Close()
			if _, err := newRuntime(t, ours).InstantiateWithConfig(with(s), wasm, wazero.NewModuleConfig()); err != nil && !strings.Contains(err.Error(), "exit_code(0)") {
				t.Errorf("it fails: %v; %s%s", err, &log, &out)
			}
			got := strings.Split(out.String(), "\n")
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("there is %q, want %q; %s", got, want, &log)
			}
		})
	}
}

// walk lists a tree as the programs do, in order.
func walk(t *testing.T, tree string) []string {
	t.Helper()
	lines := []string{""}
	err := filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		line := "/data" + filepath.ToSlash(strings.TrimPrefix(path, tree))
		switch {
		case entry.IsDir():
			line += "/"
		case entry.Type() == fs.ModeSymlink:
			target, _ := os.Readlink(path)
			line += " -> " + target
		default:
			text, _ := os.ReadFile(path)
			line += ": " + string(text)
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}
