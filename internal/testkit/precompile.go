package testkit

import (
	"fmt"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
)

// Precompile fills a directory with the compiled code of programs, for processes
// that would take ten times longer: those built with the race detector.
func Precompile(cacheDir string, files ...string) error {
	_, file, _, _ := goruntime.Caller(0)
	source := filepath.Join(filepath.Dir(file), "..", "..", "runtime", "testdata", "precompile")
	// wazero does not know its version in a test binary: take the same name.
	args := []string{"run", "-ldflags=-X github.com/tetratelabs/wazero/internal/version.version=dev", source, cacheDir}
	cmd := exec.Command("go", append(args, files...)...)
	cmd.Dir = filepath.Dir(file) // of this module
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("precompile: %w\n%s", err, said)
	}
	return nil
}
