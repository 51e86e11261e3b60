// Package arch holds the architecture as a test: who may import whom.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hive-spore/hive"

// layers says which of our packages each package may import; "" is the root.
// Programs, the cli, and what tests use are not listed: they may import all.
var layers = map[string][]string{
	"":                  {},
	"audit":             {""},
	"broker":            {""},
	"bundle":            {"", "manifest"},
	"manifest":          {"", "internal/nearest"},
	"hostfuncs":         {""},
	"runtime":           {"", "runtime/prepare", "runtime/preview1"},
	"runtime/prepare":   {},
	"runtime/preview1":  {},
	"client":            {"", "broker", "manifest", "internal/schedule"},
	"nexus":             {"", "broker", "manifest", "nexus/foreman", "nexus/ota", "nexus/trail"},
	"nexus/foreman":     {"", "broker", "manifest", "internal/schedule"},
	"nexus/ota":         {"", "audit", "bundle"},
	"nexus/trail":       {"", "audit", "broker"},
	"spore":             {"", "audit", "broker", "manifest", "bundle", "runtime", "hostfuncs"},
	"internal/config":   {"", "internal/nearest"},
	"internal/nearest":  {},
	"internal/schedule": {},
}

// free packages put the others together: no rule but the doors binds them.
var free = []string{"cmd", "internal/cli", "internal/embedded", "internal/publisher", "internal/build", "internal/testkit", "internal/arch", "internal/e2e", "skills"}

// doors says which of our packages may import a dependency: one door each.
var doors = map[string][]string{
	"github.com/redis/go-redis":             {"broker"},
	"github.com/BurntSushi/toml":            {"manifest", "internal/config"},
	"github.com/shirou/gopsutil":            {"spore"},
	"github.com/tetratelabs/wazero":         {"runtime", "hostfuncs", "skills/sdk"}, // there, a host for tests
	"github.com/alicebob/miniredis":         {"internal/embedded", "internal/testkit"},
	"github.com/santhosh-tekuri/jsonschema": {"manifest"},
	"github.com/spf13/cobra":                {"internal/cli"},
	"github.com/netresearch/go-cron":        {"internal/schedule"},
	"github.com/theupdateframework/go-tuf":  {"bundle"},
	"github.com/secure-systems-lab":         {"bundle"},
	"filippo.io/age":                        {"bundle"},
	"github.com/prometheus/client_golang":   {"spore"},
}

func TestImports(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	eachFile(t, func(pkg, file string, imports []string) {
		seen[pkg] = true
		for _, path := range imports {
			checkDoor(t, pkg, file, path)
			if strings.HasSuffix(file, "_test.go") {
				continue // tests stand outside of the layers
			}
			if ours, ok := strings.CutPrefix(path, module); ok {
				checkLayer(t, pkg, file, strings.TrimPrefix(ours, "/"))
			}
		}
	})
	for pkg := range layers {
		if !seen[pkg] {
			t.Errorf("layers names %q, which does not exist", pkg)
		}
	}
}

func checkLayer(t *testing.T, pkg, file, imported string) {
	t.Helper()
	if slices.ContainsFunc(free, func(f string) bool { return under(pkg, f) }) {
		return
	}
	allowed, listed := layers[pkg]
	if !listed {
		t.Errorf("%s: package %s is in no layer: add it to layers", file, pkg)
	} else if !slices.Contains(allowed, imported) {
		t.Errorf("%s: %s must not import %s", file, pkg, imported)
	}
}

func checkDoor(t *testing.T, pkg, file, imported string) {
	t.Helper()
	for dependency, packages := range doors {
		if under(imported, dependency) && !slices.ContainsFunc(packages, func(p string) bool { return under(pkg, p) }) {
			t.Errorf("%s: only %v may import %s", file, packages, dependency)
		}
	}
}

func under(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+"/")
}

// eachFile calls f for every Go file of the module.
func eachFile(t *testing.T, f func(pkg, file string, imports []string)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, errMod := os.Stat(filepath.Join(path, "go.mod"))
			if path != root && (errMod == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		f(packageOf(rel), filepath.ToSlash(rel), paths(parsed.Imports))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func packageOf(file string) string {
	dir := filepath.ToSlash(filepath.Dir(file))
	if dir == "." {
		return ""
	}
	return dir
}

func paths(imports []*ast.ImportSpec) []string {
	out := make([]string, len(imports))
	for i, spec := range imports {
		out[i], _ = strconv.Unquote(spec.Path.Value)
	}
	return out
}
