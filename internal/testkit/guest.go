package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"sync"
	"testing"
)

var guest = sync.OnceValues(func() ([]byte, error) {
	_, file, _, _ := goruntime.Caller(0)
	dir, err := os.MkdirTemp("", "hive-guest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./guest")
	cmd.Dir = filepath.Dir(file)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build guest: %w\n%s", err, said)
	}
	return os.ReadFile(out)
})

// Guest returns the program whose payload says what it does; see guest/main.go.
func Guest(t testing.TB) []byte {
	t.Helper()
	program, err := guest()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

const admit = "admit"

// Admit is the command that compiles skills, for spore.Options, where [Main] runs
// the tests.
func Admit() []string { return []string{os.Args[0], admit} }

// CacheDir is a directory for compiled code that all tests of this machine share:
// under the race detector a program takes long to compile.
func CacheDir(t testing.TB) string {
	t.Helper()
	return filepath.Join(os.TempDir(), "hive-test-code")
}
