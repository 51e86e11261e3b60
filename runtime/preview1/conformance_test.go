package preview1

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// TestConformance runs every program without a mount, and with one under our
// preview 1 and under wazero's, and holds the outcomes against the rows of the
// page.
func TestConformance(t *testing.T) {
	page, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Programs\n")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| `([^`]*)` \\| (.*) \\| (.*) \\|$").FindAllStringSubmatch(table, -1)
	if len(rows) != len(programs) {
		t.Fatalf("docs/conformance.md has %d rows, there are %d programs", len(rows), len(programs))
	}
	cache := wazero.NewCompilationCache() // a program is compiled once for all
	t.Cleanup(func() { cache.Close(context.Background()) })
	for i, p := range programs {
		t.Run(p.String(), func(t *testing.T) {
			if rows[i][1] != p.String() {
				t.Errorf("row %d of docs/conformance.md is of %s", i+1, rows[i][1])
			}
			p.check(t, cache, ours, false, rows[i][2])
			p.check(t, cache, ours, true, rows[i][3])
			p.check(t, cache, wazeros, true, rows[i][3])
		})
	}
}

// check reports an outcome that is not what the page says: "passes" or why not.
func (p program) check(t *testing.T, cache wazero.CompilationCache, add implementation, mounts bool, says string) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCompilationCache(cache))
	defer r.Close(ctx)
	if _, err := add(r.NewHostModuleBuilder(ModuleName)).Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	if failed := p.run(t, r, mounts); (failed == "") != strings.HasPrefix(says, "passes") {
		t.Errorf("docs/conformance.md says %q, with mounts %t it %q", says, mounts, failed)
	}
}
