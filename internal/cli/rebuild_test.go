package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/hive-spore/hive/internal/build"
)

// TestSettle: what is saved during a build makes another one, always; what the build
// itself writes does not go on making them.
func TestSettle(t *testing.T) {
	t.Parallel()
	type step struct {
		saved, wrote string // before the build and during it
		swapped      bool
		again        bool // another build is due
	}
	for name, steps := range map[string][]step{
		"nothing else is written": {{"", "", true, false}, {"main.c", "", true, false}, {"main.c", "", false, false}},
		"a build that writes a file each time": {
			{"", "log.txt", true, true}, {"", "log.txt", false, false},
			{"main.c", "log.txt", true, true}, {"", "log.txt", false, false}},
		"a file saved during builds that swap nothing": {
			{"", "", true, false}, {"main.c", "main.c", true, true}, {"", "main.c", false, true}, {"", "main.c", false, true}, {"", "", false, false}},
		"a file saved during a build": {{"", "", true, false}, {"main.c", "util.c", false, true}, {"", "", true, false}},
		"a source beside what the build writes": {
			{"", "log.txt", true, true}, {"", "log.txt", false, false}, {"main.c", "", true, false}, {"", "main.c", false, true}},
	} {
		dir, writes := t.TempDir(), 0
		write := func(name string) {
			if writes++; name == "" {
				return
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(strconv.Itoa(writes*1_000_000)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write("main.c")
		write("log.txt")
		s := &watched{path: dir, saved: map[string]bool{}}
		for i, step := range steps {
			write(step.saved)
			now := build.Look(dir, "")
			s.changedBetween(now)
			write(step.wrote)
			s.after = build.Look(dir, "")
			s.settle(now, step.swapped)
			if again := !build.Look(dir, "").Equal(s.seen); again != step.again {
				t.Errorf("%s: build %d: another one is due: %v, want %v", name, i+1, again, step.again)
			}
		}
	}
}
